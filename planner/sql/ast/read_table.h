#pragma once

// Columns, constraints and partitions: what CREATE TABLE, ALTER TABLE, types and domains share.
// Private to planner/sql.

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/source.h"
#include "planner/sql/ast/table.h"

namespace pgalter::sql::ast {

[[nodiscard]] Constraint ReadConstraint(const pg_query::Constraint& constraint, Source& source);
// Those of a column or domain, where DEFERRABLE and its kin stand as nodes of their own.
[[nodiscard]] std::vector<Constraint> ReadConstraints(const Nodes& constraints, Source& source);

[[nodiscard]] ColumnDefinition ReadColumnDefinition(const pg_query::ColumnDef& column,
                                                    Source& source);
[[nodiscard]] PartitionBound ReadBound(const pg_query::PartitionBoundSpec& bound, Source& source);

[[nodiscard]] CreateTable ReadCreateTable(const pg_query::CreateStmt& statement, Source& source);
[[nodiscard]] CreateTableAs ReadCreateTableAs(const pg_query::CreateTableAsStmt& statement);
[[nodiscard]] CreateTableAs ReadSelectInto(const pg_query::SelectStmt& statement,
                                           const pg_query::IntoClause& into);

[[nodiscard]] std::vector<TableCommand> ReadTableCommands(const pg_query::AlterTableStmt& statement,
                                                          Source& source);
[[nodiscard]] AlterTable ReadAlterTable(const pg_query::AlterTableStmt& statement, Source& source);

}  // namespace pgalter::sql::ast
