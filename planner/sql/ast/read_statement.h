#pragma once

// ReadStatement for text that stands for a newer form. Private to planner/sql.

#include <string_view>

#include "planner/sql/ast/source.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::sql::ast {

[[nodiscard]] Result<Statement> ReadMarked(std::string_view text, Marks marks);

}  // namespace pgalter::sql::ast
