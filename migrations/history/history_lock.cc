#include "migrations/history/history_lock.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/run/failure.h"

namespace pgalter::history {

namespace {

// Arbitrary, fixed. As two halves, as pg_locks shows it.
constexpr std::int32_t kClass = 0x70676c74;
constexpr std::int32_t kObject = 0x6d696772;

Task<std::string> Holder(guard::Session& session, std::int32_t upper, std::int32_t lower) {
  const pg::Result row = co_await session.db().Query(
      "SELECT COALESCE(pg_catalog.format('backend %s of %s, since %s', l.pid, a.usename,"
      " pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')),"
      " 'nobody any more') FROM pg_catalog.pg_locks l"
      " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
      " WHERE l.locktype = 'advisory' AND l.classid = ($1::int8 & 4294967295)::oid"
      " AND l.objid = ($2::int8 & 4294967295)::oid"
      " AND l.granted AND l.database ="
      " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
      upper, lower);
  std::string holder = "nobody any more";
  if (!row.empty()) holder = row.Get<std::string>(0, 0);
  co_return holder;
}

Task<bool> Poll(guard::Session& session, std::string attempt, async::Milliseconds limit) {
  const auto give_up = async::Clock::now() + limit;
  async::Milliseconds pause{20};
  for (;;) {
    const pg::Result got = co_await session.db().Query(attempt);
    if (got.Get<bool>(0, 0)) co_return true;
    if (async::Clock::now() >= give_up) co_return false;
    co_await async::SleepFor(pause);
    pause = std::min(pause * 2, async::Milliseconds(500));
  }
}

}  // namespace

Task<HistoryLock> HistoryLock::Acquire(guard::Session session, async::Milliseconds limit) {
  const std::string attempt =
      fmt::format("SELECT pg_catalog.pg_try_advisory_lock({}, {})", kClass, kObject);
  const bool got = co_await Poll(session, attempt, limit);
  if (!got) {
    const std::string holder = co_await Holder(session, kClass, kObject);
    throw run::Failure(
        run::ExitCode::kLockNotObtained,
        fmt::format("another pgalter changes the migrations of this database ({}), and did not "
                    "come to its end in {} s. Nothing was changed. Try again, or wait for longer: "
                    "--wait",
                    holder, std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
  }
  co_return HistoryLock(std::move(session));
}

Task<> HistoryLock::TakeAlso(std::int64_t key, std::string tool, async::Milliseconds limit) {
  const std::string attempt = fmt::format("SELECT pg_catalog.pg_try_advisory_lock({})", key);
  const bool got = co_await Poll(session_, attempt, limit);
  if (got) co_return;
  const auto upper = static_cast<std::int32_t>(key >> 32);
  const std::string holder =
      co_await Holder(session_, upper, static_cast<std::int32_t>(key & 0xFFFFFFFF));
  throw run::Failure(
      run::ExitCode::kLockNotObtained,
      fmt::format("{} is at work in this database ({} has its lock), and did not come to its end "
                  "in {} s. Nothing was changed. Try again, or wait for longer: --wait",
                  tool, holder, std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
}

}  // namespace pgalter::history
