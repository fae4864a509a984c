#include "migrations/history/history_lock.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/run/failure.h"

namespace pgalter::history {

namespace {

// Arbitrary, fixed. As two halves, as pg_locks shows it.
constexpr std::int32_t kClass = 0x70676c74;
constexpr std::int32_t kObject = 0x6d696772;

Task<std::string> Holder(guard::Session& session) {
  const pg::Result row = co_await session.db().Query(
      "SELECT COALESCE(pg_catalog.format('backend %s of %s, since %s', l.pid, a.usename,"
      " pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')),"
      " 'nobody any more') FROM pg_catalog.pg_locks l"
      " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
      " WHERE l.locktype = 'advisory' AND l.classid = $1::int8::oid AND l.objid = $2::int8::oid"
      " AND l.granted AND l.database ="
      " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
      kClass, kObject);
  std::string holder = "nobody any more";
  if (!row.empty()) holder = row.Get<std::string>(0, 0);
  co_return holder;
}

}  // namespace

Task<HistoryLock> HistoryLock::Acquire(guard::Session session, async::Milliseconds limit) {
  const auto give_up = async::Clock::now() + limit;
  async::Milliseconds pause{20};
  for (;;) {
    const pg::Result got = co_await session.db().Query(
        "SELECT pg_catalog.pg_try_advisory_lock($1, $2)", kClass, kObject);
    if (got.Get<bool>(0, 0)) break;
    if (async::Clock::now() >= give_up) {
      const std::string holder = co_await Holder(session);
      throw run::Failure(
          run::ExitCode::kLockNotObtained,
          fmt::format(
              "another pgalter changes the migrations of this database ({}), and did not "
              "come to its end in {} s. Nothing was changed. Try again, or wait for longer: "
              "--wait",
              holder, std::chrono::duration_cast<std::chrono::seconds>(limit).count()));
    }
    co_await async::SleepFor(pause);
    pause = std::min(pause * 2, async::Milliseconds(500));
  }
  co_return HistoryLock(std::move(session));
}

}  // namespace pgalter::history
