#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// pg_blocking_pids is called for sessions that wait, and no others: it takes the lock table's
// locks. It also counts who stands in the queue behind a lock that we wait for.
constexpr const char* kWaiting = R"sql(
WITH ours AS MATERIALIZED (
  SELECT coalesce(array_agg(pid), '{}') AS pids FROM pg_stat_activity WHERE application_name = $1),
waiting AS MATERIALIZED (
  SELECT pid, min(waitstart) AS since FROM pg_locks WHERE NOT granted GROUP BY pid)
SELECT count(*),
       coalesce(extract(epoch FROM max(clock_timestamp() - w.since)) * 1000, 0)::float8
FROM waiting w, ours o
WHERE NOT w.pid = ANY (o.pids) AND pg_blocking_pids(w.pid) && o.pids
)sql";

Task<Observation> Read(SignalContext& context) {
  const std::string ours = guard::ApplicationName(context.options.run);
  const pg::Result waiting = co_await context.session.db().Query(kWaiting, ours);
  const auto sessions = waiting.Get<std::int64_t>(0, 0);
  if (sessions == 0) co_return Observation::Measured(0);
  co_return Observation::Measured(waiting.Get<double>(0, 1),
                                  fmt::format("{} session{} for a lock of this run", sessions,
                                              sessions == 1 ? " waits" : "s wait"));
}

}  // namespace

constinit const Signal kWaitingForUs{.id = "waiting-for-us",
                                     .summary = "longest wait of a session for a lock of this run",
                                     .unit = Unit::kMilliseconds,
                                     .default_limit = 500,
                                     .read = &Read};

}  // namespace pgalter::watch
