#include "batcher/partition/question.h"

#include <fmt/format.h>

#include "engine/guard/transaction.h"
#include "engine/lock/blocker.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"

namespace pgalter::partition {

namespace {

constexpr async::Milliseconds kLockWait{1000};

// Who keeps even readers from the tables $1: who has the lock, and who waits for it, since readers
// stand behind him. Locks of prepared transactions have no pid.
constexpr const char* kWhoKeepsOut = R"sql(
WITH asked AS (
  SELECT t.relid::oid AS oid FROM unnest($1::text[]) u (name)
  CROSS JOIN LATERAL (
    SELECT u.name::regclass AS relid
    UNION SELECT relid FROM pg_partition_tree(u.name::regclass)) t)
SELECT string_agg(DISTINCT coalesce('pid ' || l.pid || coalesce(' (' || s.application_name || ')', ''),
                                    'a prepared transaction'), ', ')
FROM pg_locks l
LEFT JOIN pg_stat_activity s ON s.pid = l.pid AND s.application_name <> ''
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation IN (SELECT oid FROM asked)
)sql";

Task<std::string> WhoKeepsOut(Session& session, std::vector<std::string> tables) {
  const pg::Result row = co_await session.db().Query(kWhoKeepsOut, tables);
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("somebody who is gone now");
}

}  // namespace

Task<pg::Result> Ask(Session& session, Question question) {
  guard::TransactionOptions options;
  options.access = guard::Access::kReadOnly;
  options.lock_timeout = kLockWait;
  const run::PatientSession patient(session);
  auto ask = [&]() -> Task<pg::Result> { co_return co_await session.db().Query(question.sql); };
  bool kept_out = false;
  try {
    co_return co_await guard::RunInTransaction(session, options, ask);
  } catch (const pg::PgError& error) {
    kept_out = error.klass() == pg::SqlstateClass::kLockNotAvailable && session.open();
    if (!kept_out) throw;
  }
  const std::string who = co_await WhoKeepsOut(session, question.tables);
  throw run::Failure(
      run::ExitCode::kLockNotObtained,
      fmt::format("cannot find out {}: {} has kept even readers from {} for {} (SQLSTATE 55P03). "
                  "Nothing was changed; once that has ended, do it again",
                  question.what, who, question.tables.size() > 1 ? "one of the two" : "the table",
                  lock::HumanAge(kLockWait)));
}

}  // namespace pgalter::partition
