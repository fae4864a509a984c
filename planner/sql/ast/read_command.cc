#include "planner/sql/ast/read_command.h"

#include <algorithm>

#include "planner/sql/ast/names.h"
#include "planner/sql/ast/read_expression.h"

namespace pgalter::sql::ast {
namespace {

Transaction::Verb ReadVerb(pg_query::TransactionStmtKind kind) {
  switch (kind) {
    case pg_query::TRANS_STMT_BEGIN:
    case pg_query::TRANS_STMT_START:
      return Transaction::Verb::kBegin;
    case pg_query::TRANS_STMT_COMMIT:
      return Transaction::Verb::kCommit;
    case pg_query::TRANS_STMT_ROLLBACK:
      return Transaction::Verb::kRollback;
    case pg_query::TRANS_STMT_SAVEPOINT:
      return Transaction::Verb::kSavepoint;
    case pg_query::TRANS_STMT_RELEASE:
      return Transaction::Verb::kRelease;
    case pg_query::TRANS_STMT_ROLLBACK_TO:
      return Transaction::Verb::kRollbackTo;
    case pg_query::TRANS_STMT_PREPARE:
      return Transaction::Verb::kPrepare;
    default:
      return Transaction::Verb::kOther;
  }
}

std::string SettingText(const pg_query::Node& value) {
  if (value.has_a_const()) return ConstantText(value.a_const());
  if (value.has_type_cast()) return SettingText(value.type_cast().arg());  // TIME ZONE INTERVAL '…'
  if (value.has_def_elem()) return value.def_elem().defname();             // TRANSACTION …
  return "";
}

}  // namespace

Transaction ReadTransaction(const pg_query::TransactionStmt& statement) {
  return {ReadVerb(statement.kind()), statement.savepoint_name()};
}

Set ReadSet(const pg_query::VariableSetStmt& statement) {
  Set set;
  set.name = LowerCase(statement.name());
  set.local = statement.is_local();
  switch (statement.kind()) {
    case pg_query::VAR_SET_DEFAULT:
    case pg_query::VAR_RESET:
      set.reset = true;
      break;
    case pg_query::VAR_RESET_ALL:
      set.reset = true;
      set.name = "all";
      break;
    default:
      break;
  }
  for (const auto& value : statement.args())
    set.value += (set.value.empty() ? "" : ", ") + SettingText(value);
  return set;
}

LockTable ReadLockTable(const pg_query::LockStmt& statement) {
  LockTable lock;
  lock.tables = ReadNames(statement.relations());
  // The server numbers its modes from 1, in the order of LockMode.
  const auto mode = static_cast<std::size_t>(std::max(statement.mode(), 1)) - 1;
  if (mode < locks::kAllLockModes.size()) lock.mode = locks::kAllLockModes[mode];
  lock.nowait = statement.nowait();
  return lock;
}

Truncate ReadTruncate(const pg_query::TruncateStmt& statement) {
  return {ReadNames(statement.relations()), statement.behavior() == pg_query::DROP_CASCADE};
}

Copy ReadCopy(const pg_query::CopyStmt& statement) {
  Copy copy;
  if (statement.has_relation()) copy.table = ReadName(statement.relation());
  copy.from = statement.is_from();
  copy.stdin_or_stdout = statement.filename().empty() && !statement.is_program();
  return copy;
}

DoBlock ReadDo(const pg_query::DoStmt& statement) {
  DoBlock block;
  if (const auto* body = FindOption(statement.args(), "as")) block.body = OptionText(*body);
  if (const auto* language = FindOption(statement.args(), "language"))
    block.language = LowerCase(OptionText(*language));
  return block;
}

Call ReadCall(const pg_query::CallStmt& statement) {
  return {ReadName(statement.funccall().funcname())};
}

}  // namespace pgalter::sql::ast
