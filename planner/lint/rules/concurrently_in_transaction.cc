#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

// As the user wrote it, as far as it matters: "CREATE INDEX CONCURRENTLY".
std::string Form(const Context& context) {
  using sql::ast::TableChange;
  const sql::ast::Statement& statement = context.statement;
  std::string form = statement.tag;
  const auto* index = statement.As<sql::ast::CreateIndex>();
  const auto* drop = statement.As<sql::ast::Drop>();
  const auto* reindex = statement.As<sql::ast::Reindex>();
  const bool detach = statement.As<sql::ast::AlterTable>() != nullptr;
  if (detach) return "DETACH PARTITION CONCURRENTLY";
  const bool concurrently = (index != nullptr && index->concurrently) ||
                            (drop != nullptr && drop->concurrently) ||
                            (reindex != nullptr && reindex->concurrently);
  return concurrently ? form + " CONCURRENTLY" : form;
}

// COMMIT and ROLLBACK of a body, where the transaction is not its own.
bool EndsForeignTransaction(const Context& context) {
  using Verb = sql::ast::Transaction::Verb;
  const auto* verb = context.statement.As<sql::ast::Transaction>();
  return verb != nullptr && context.embedded && !context.may_commit &&
         (verb->verb == Verb::kCommit || verb->verb == Verb::kRollback);
}

void Check(const Context& context, const Reporter& report) {
  if (EndsForeignTransaction(context)) {
    Remark remark;
    remark.message =
        context.statement.tag + " in a body fails where a transaction has begun around it";
    remark.remedy =
        "Run it without a transaction: the tool's switched off, and no BEGIN before it.";
    report(std::move(remark));
    return;
  }
  if (!context.effects.outside_transaction || !context.transaction.open()) return;
  std::string who = "the file has begun";
  if (context.embedded) {
    who = "every DO block is in";
  } else if (context.transaction.kind() == TransactionKind::kImplied) {
    who = context.transaction.one_query() ? "several statements sent at once make"
                                          : "the migration tool has begun";
  }
  Remark remark;
  remark.message = fmt::format("{} cannot run inside the transaction that {}", Form(context), who);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kConcurrentlyInTransaction{
    .id = "concurrently-in-transaction",
    .title = "Statement that refuses to run in a transaction",
    .category = Category::kFailure,
    .severity = Severity::kError,
    .effect = "The server refuses it with 25001, and the whole migration is rolled back.",
    .remedy =
        "Put it alone into a migration that runs without a transaction: not between BEGIN and "
        "COMMIT, with the tool's transaction switched off, and sent by itself.",
    .check = &Check};

}  // namespace pgalter::lint
