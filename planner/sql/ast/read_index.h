#pragma once

// Indexes and maintenance. Private to planner/sql.

#include "planner/sql/ast/index.h"
#include "planner/sql/ast/source.h"

namespace pgalter::sql::ast {

[[nodiscard]] CreateIndex ReadCreateIndex(const pg_query::IndexStmt& statement, Source& source);
[[nodiscard]] Reindex ReadReindex(const pg_query::ReindexStmt& statement);
[[nodiscard]] Cluster ReadCluster(const pg_query::ClusterStmt& statement);
[[nodiscard]] Vacuum ReadVacuum(const pg_query::VacuumStmt& statement);
[[nodiscard]] RefreshMaterializedView ReadRefresh(const pg_query::RefreshMatViewStmt& statement);

}  // namespace pgalter::sql::ast
