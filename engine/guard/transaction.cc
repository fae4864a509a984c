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
      // kFlushed holds even where a role or the whole server has it off.
      " pg_catalog.set_config('synchronous_commit', CASE WHEN $3 THEN 'off'"
      " WHEN pg_catalog.current_setting('synchronous_commit') = 'off' THEN 'local'"
      " ELSE pg_catalog.current_setting('synchronous_commit') END, true)",
      pg::Params::Of(fmt::format("{}ms", options.lock_timeout.count()),
                     fmt::format("{}ms", options.statement_timeout.count()),
                     options.durability == Durability::kLazy)};
}

// An error that the server answered with is a rollback. All else is ambiguous: a COMMIT that waits
// for a synchronous standby is committed even when it is cancelled.
[[noreturn]] void ThrowCommitFailure(const std::exception_ptr& failure, bool session_open) {
  constexpr std::string_view kWasClosedBefore = "08003";
  pg::PgErrorFields fields;
  try {
    std::rethrow_exception(failure);
  } catch (const pg::QueryTimeout& error) {
    fields = error.fields();
  } catch (const pg::PgError& error) {
    if (session_open || error.Is(kWasClosedBefore)) throw;
    fields = error.fields();
  }
  fields.sqlstate = "08007";  // transaction_resolution_unknown
  fields.message = "the outcome of COMMIT is not known: " + fields.message;
  throw AmbiguousCommit(std::move(fields));
}

}  // namespace

Task<> Begin(Session& session, TransactionOptions options) {
  std::vector<pg::Statement> opening;
  opening.push_back({BeginStatement(options), {}});
  opening.push_back(FirstStatement(options));
  const auto sent = async::Clock::now();
  const auto results = co_await session.db().Pipeline(std::move(opening));
  session.NoteRoundTrip(async::Clock::now() - sent);
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
  std::exception_ptr failure;
  pg::Result answer;
  // Cancelled here, nobody would know whether it took effect. The query's deadline still ends it.
  co_await async::MaskCancellation();
  try {
    answer = co_await async::Apart(session.db().Query("COMMIT"));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await async::UnmaskCancellation();
  if (failure) ThrowCommitFailure(failure, session.open());
  // COMMIT of a failed transaction is answered by ROLLBACK, without an error.
  if (answer.command_tag() == "COMMIT") co_return;
  pg::PgErrorFields fields;
  fields.sqlstate = "25P02";
  fields.message = "the transaction had failed before its COMMIT";
  throw pg::PgError(std::move(fields));
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
