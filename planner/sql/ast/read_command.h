#pragma once

// What is no definition of an object. Private to planner/sql.

#include "planner/sql/ast/command.h"
#include "planner/sql/ast/source.h"
#include "planner/sql/tree.h"

namespace pgalter::sql::ast {

[[nodiscard]] Transaction ReadTransaction(const pg_query::TransactionStmt& statement);
[[nodiscard]] Set ReadSet(const pg_query::VariableSetStmt& statement);
[[nodiscard]] LockTable ReadLockTable(const pg_query::LockStmt& statement);
[[nodiscard]] Truncate ReadTruncate(const pg_query::TruncateStmt& statement);
[[nodiscard]] Copy ReadCopy(const pg_query::CopyStmt& statement);
[[nodiscard]] DoBlock ReadDo(const pg_query::DoStmt& statement);
[[nodiscard]] Call ReadCall(const pg_query::CallStmt& statement);

// `statement` is an INSERT, UPDATE, DELETE or MERGE.
[[nodiscard]] Modify ReadModify(tree::AnyMessage statement, Source& source);
[[nodiscard]] Select ReadSelect(const pg_query::SelectStmt& statement, Source& source);

}  // namespace pgalter::sql::ast
