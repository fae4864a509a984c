#pragma once

// What the trees of libpg_query's versions 15, 16 and 17 have in different places. Private to
// planner/sql. What the grammar itself takes or refuses is no affair of this file.

#include <string>

#include "planner/sql/grammar.h"

namespace pgalter::sql::ast {

// GRANT role TO role WITH ADMIN OPTION.
[[nodiscard]] bool HasAdminOption(const pg_query::GrantRoleStmt& statement);
// "range", "list" or "hash".
[[nodiscard]] std::string PartitionStrategyOf(const pg_query::PartitionSpec& spec);
// A generated column that is not stored.
[[nodiscard]] bool IsVirtual(const pg_query::Constraint& constraint);

}  // namespace pgalter::sql::ast
