#include "engine/guard/transaction.h"

#include <fmt/format.h>

namespace pgalter::guard {

namespace {

std::string BeginStatement(const TransactionOptions& options) {
  return fmt::format(
      "BEGIN ISOLATION LEVEL {} {}",
      options.isolation == Isolation::kReadCommitted ? "READ COMMITTED" : "REPEATABLE READ",
      options.access == Access::kReadOnly ? "READ ONLY" : "READ WRITE");
}

pg::Statement FirstStatement(const TransactionOptions& options) {
  return {
      "SELECT pg_catalog.pg_backend_pid(),"
      " pg_catalog.set_config('lock_timeout', $1, true),"
      " pg_catalog.set_config('statement_timeout', $2, true),"
      " pg_catalog.set_config('synchronous_commit', CASE WHEN $3 THEN 'off'"
      " ELSE pg_catalog.current_setting('synchronous_commit') END, true)",
      pg::Params::Of(fmt::format("{}ms", options.lock_timeout.count()),
                     fmt::format("{}ms", options.statement_timeout.count()),
                     options.durability == Durability::kLazy)};
}

}  // namespace

Task<> Begin(Session& session, TransactionOptions options) {
  std::vector<pg::Statement> opening;
  opening.push_back({BeginStatement(options), {}});
  opening.push_back(FirstStatement(options));
  const auto results = co_await session.db().Pipeline(std::move(opening));
  const int pid = results.at(1).Get<std::int32_t>(0, 0);
  if (pid != session.server_pid()) {
    pg::PgErrorFields fields;
    fields.sqlstate = "0A000";
    fields.message = fmt::format(
        "the session changed from backend {} to {} between two transactions: a pooler in "
        "transaction mode is in between",
        session.server_pid(), pid);
    fields.hint = "connect to the server itself, or to a pool in session mode";
    throw pg::PgError(std::move(fields));
  }
}

Task<> Commit(Session& session) {
  std::optional<pg::PgErrorFields> lost;
  try {
    const pg::Result result = co_await session.db().Query("COMMIT");
    // COMMIT of a failed transaction is answered by ROLLBACK, without an error.
    if (result.command_tag() == "COMMIT") co_return;
    pg::PgErrorFields fields;
    fields.sqlstate = "25P02";
    fields.message = "the transaction had failed before its COMMIT";
    throw pg::PgError(std::move(fields));
  } catch (const pg::PgError& error) {
    if (session.open()) throw;
    lost = error.fields();
  }
  lost->sqlstate = "08007";  // transaction_resolution_unknown
  lost->message = "the connection was lost at COMMIT: " + lost->message;
  throw AmbiguousCommit(*lost);
}

Task<> RollBack(Session& session) {
  if (!session.open() || !session.db().in_transaction()) co_return;
  bool rolled_back = true;
  try {
    co_await session.db().Query("ROLLBACK");
  } catch (const std::exception&) {
    rolled_back = false;
  }
  if (!rolled_back) session.db().Close();
}

}  // namespace pgalter::guard
