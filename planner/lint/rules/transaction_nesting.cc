#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* statement = context.statement.As<sql::ast::Transaction>();
  if (statement == nullptr || context.embedded || context.transaction.one_query()) return;
  using Verb = sql::ast::Transaction::Verb;
  const TransactionKind kind = context.transaction.kind();
  Remark remark;
  if (statement->verb == Verb::kBegin) {
    if (kind == TransactionKind::kNone) return;
    remark.message = kind == TransactionKind::kImplied
                         ? "the migration tool has begun a transaction already"
                         : "the file has begun a transaction already";
  } else if (statement->verb == Verb::kCommit || statement->verb == Verb::kRollback) {
    if (kind == TransactionKind::kExplicit) return;
    remark.message = kind == TransactionKind::kImplied
                         ? "this ends the transaction of the migration tool"
                         : "there is no transaction to end";
    if (kind == TransactionKind::kNone) remark.severity = Severity::kNote;
  } else {
    return;
  }
  report(std::move(remark));
}

}  // namespace

constinit const Rule kTransactionNesting{
    .id = "transaction-nesting",
    .title = "Transaction inside a transaction",
    .category = Category::kTransaction,
    .severity = Severity::kWarning,
    .effect =
        "There are no nested transactions: a second BEGIN does nothing, and the first COMMIT or "
        "ROLLBACK ends everything, also what the migration tool has begun; what follows commits by "
        "itself.",
    .remedy =
        "Leave BEGIN and COMMIT to the tool, or switch its transaction off. For a part that may "
        "fail, use SAVEPOINT and ROLLBACK TO.",
    .check = &Check};

}  // namespace pgalter::lint
