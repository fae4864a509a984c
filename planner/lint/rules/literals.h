#pragma once

// Strings in a statement, and the tables it is about: what an enum's value may hide in.

#include <string>
#include <vector>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

[[nodiscard]] std::vector<std::string> LiteralsOf(const sql::ast::Statement& statement);
[[nodiscard]] std::vector<catalog::QualifiedName> TablesOf(const sql::ast::Statement& statement);

}  // namespace pgalter::lint
