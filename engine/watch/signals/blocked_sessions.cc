#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// A wait for a transaction has no database in pg_locks; its session has.
constexpr const char* kBlocked = R"sql(
SELECT count(DISTINCT l.pid)::float8
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.datname = current_database() AND a.application_name <> $1
)sql";

Task<Observation> Read(SignalContext& context) {
  const std::string ours = guard::ApplicationName(context.options.run);
  const pg::Result blocked = co_await context.session.db().Query(kBlocked, ours);
  co_return Observation::Measured(blocked.Get<double>(0, 0));
}

}  // namespace

constinit const Signal kBlockedSessions{.id = "blocked-sessions",
                                        .summary = "sessions of this database that wait for a lock",
                                        .unit = Unit::kSessions,
                                        .default_limit = 10,
                                        .read = &Read};

}  // namespace pgalter::watch
