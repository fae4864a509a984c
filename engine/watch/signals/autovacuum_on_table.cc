#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// By its lock: the progress view is hidden without pg_monitor, locks are not, and an autovacuum
// worker is the one session in a database that has no user.
constexpr const char* kAutovacuum = R"sql(
SELECT count(*)::float8
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = to_regclass($1) AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND a.usesysid IS NULL
)sql";

Task<Observation> Read(SignalContext& context) {
  const std::string& table = context.options.table;
  if (table.empty()) co_return Observation::Absent("no table is being changed");
  const pg::Result vacuums = co_await context.session.db().Query(kAutovacuum, table);
  const double running = vacuums.Get<double>(0, 0);
  if (running == 0) co_return Observation::Measured(0);
  co_return Observation::Measured(running, fmt::format("an autovacuum works on {}", table));
}

}  // namespace

// One autovacuum is half of the limit: go on, do not go faster.
constinit const Signal kAutovacuumOnTable{.id = "autovacuum-on-table",
                                          .summary = "an autovacuum works on the table",
                                          .unit = Unit::kNumber,
                                          .default_limit = 2,
                                          .every = 24,
                                          .read = &Read};

}  // namespace pgalter::watch
