#include "batcher/backfill/kept_out.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "engine/guard/transaction.h"
#include "engine/lock/blocker.h"
#include "engine/run/failure.h"

namespace pgalter::backfill {

namespace {

// $1 the table, $2 the modes. Locks of prepared transactions have no pid.
constexpr const char* kWhoKeepsOut = R"sql(
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON t.oid = i.inhparent)
SELECT string_agg(DISTINCT format('%s %s %s on %I.%I',
         coalesce('pid ' || l.pid || coalesce(' (' || s.application_name || ')', ''),
                  'a prepared transaction'),
         CASE WHEN l.granted THEN 'holds' ELSE 'waits for' END,
         upper(regexp_replace(replace(l.mode, 'Lock', ''), '([a-z])([A-Z])', '\1 \2', 'g')),
         n.nspname, c.relname), ', ')
FROM pg_locks l JOIN tree t ON t.oid = l.relation
JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity s ON s.pid = l.pid AND s.application_name <> ''
WHERE l.locktype = 'relation' AND l.mode = ANY ($2::text[])
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)sql";

std::vector<std::string> ModesOf(KeptOut whom) {
  if (whom == KeptOut::kReaders) return {"AccessExclusiveLock"};
  return {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"};
}

}  // namespace

Task<> ThrowKeptOut(Session& session, const Table& table, std::string what, KeptOut whom) {
  const std::vector<std::string> modes = ModesOf(whom);
  const pg::Result row = co_await session.db().Query(kWhoKeepsOut, table.oid, modes);
  const auto who = row.Get<std::optional<std::string>>(0, 0);
  throw run::Failure(
      run::ExitCode::kLockNotObtained,
      fmt::format("cannot {} {}: {} have been kept from it for {} (SQLSTATE 55P03): {}. Nothing "
                  "was changed; once that has ended, do it again",
                  what, table.name, whom == KeptOut::kReaders ? "even readers" : "writers",
                  lock::HumanAge(kPatience), who.value_or("by somebody who is gone now")));
}

Task<> RefuseUnreadable(Session& session, const Table& table, std::string what) {
  guard::TransactionOptions options;
  options.lock_timeout = kPatience;
  auto lock = [&]() -> Task<> {
    co_await session.db().Query(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", table.name));
  };
  bool kept_out = false;
  try {
    co_await guard::RunInTransaction(session, options, lock);
  } catch (const pg::PgError& error) {
    kept_out = error.klass() == pg::SqlstateClass::kLockNotAvailable && session.open();
    if (!kept_out) throw;
  }
  if (kept_out) co_await ThrowKeptOut(session, table, std::move(what), KeptOut::kReaders);
}

}  // namespace pgalter::backfill
