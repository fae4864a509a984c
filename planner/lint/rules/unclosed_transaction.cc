#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  if (!context.last_of_file || context.embedded) return;
  const auto* verb = context.statement.As<sql::ast::Transaction>();
  const bool begins = verb != nullptr && verb->verb == sql::ast::Transaction::Verb::kBegin;
  const bool open = context.transaction.kind() == TransactionKind::kExplicit || begins;
  const bool ends = verb != nullptr && (verb->verb == sql::ast::Transaction::Verb::kCommit ||
                                        verb->verb == sql::ast::Transaction::Verb::kRollback ||
                                        verb->verb == sql::ast::Transaction::Verb::kPrepare);
  if (!open || ends) return;
  Remark remark;
  remark.span = begins ? context.span : context.transaction.begun_at();
  remark.message = "the transaction that begins here is not ended in this file";
  report(std::move(remark));
}

}  // namespace

constinit const Rule kUnclosedTransaction{
    .id = "unclosed-transaction",
    .title = "BEGIN without COMMIT",
    .category = Category::kTransaction,
    .severity = Severity::kError,
    .effect =
        "The file ends inside its transaction: nothing of it is kept, or its locks are held for as "
        "long as the connection lives.",
    .remedy = "End the transaction with COMMIT in the same file.",
    .check = &Check};

}  // namespace pgalter::lint
