#pragma once

// Command tags, as the server reports them. Private to planner/sql.

#include <string>

#include "planner/sql/grammar.h"

namespace pgalter::sql::ast {

[[nodiscard]] std::string CommandTag(const pg_query::Node& statement);

}  // namespace pgalter::sql::ast
