#include <fmt/format.h>

#include <algorithm>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// Who keeps dead rows of this database from being removed, oldest first. A transaction that wrote
// holds the horizon by its own id, through everybody else's snapshots. Vacuums hold nothing.
constexpr const char* kHolders = R"sql(
WITH holder AS (
  SELECT format('session %s', a.pid) AS name, a.xact_start AS since,
         greatest(age(a.backend_xmin), age(a.backend_xid)) AS transactions
  FROM pg_stat_activity a
  WHERE (a.datid IS NULL OR a.datname = current_database())
    AND a.application_name <> $1 AND a.backend_type <> 'autovacuum worker'
    AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
  UNION ALL
  SELECT format('prepared transaction %L', p.gid), p.prepared, age(p.transaction)
  FROM pg_prepared_xacts p WHERE p.database = current_database()
  UNION ALL
  SELECT format('replication slot %s', s.slot_name), NULL, age(s.xmin)
  FROM pg_replication_slots s)
SELECT name, transactions::bigint, extract(epoch FROM clock_timestamp() - since)::float8
FROM holder WHERE transactions IS NOT NULL
ORDER BY transactions DESC, since NULLS LAST
LIMIT 1
)sql";

// The next transaction id, and how many sessions of other roles show nothing without pg_monitor.
constexpr const char* kNextAndHidden = R"sql(
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       (SELECT count(*) FROM pg_stat_activity
        WHERE usesysid IS NOT NULL AND datname = current_database() AND backend_type IS NULL)
)sql";

Task<Observation> Read(SignalContext& context) {
  std::vector<pg::Statement> statements;
  const std::string ours = guard::ApplicationName(context.options.run);
  statements.push_back({kHolders, pg::Params::Of(ours)});
  statements.push_back({kNextAndHidden, {}});
  const auto results = co_await context.session.db().Pipeline(std::move(statements));
  const pg::Result& holder = results.at(0);
  const auto next = results.at(1).Get<std::int64_t>(0, 0);
  const auto hidden = results.at(1).Get<std::int64_t>(0, 1);
  context.memory.transactions.Record(static_cast<std::uint64_t>(next), context.now);

  std::string unseen;
  if (hidden > 0)
    unseen = fmt::format("transactions of {} sessions are hidden without pg_monitor", hidden);
  if (holder.empty()) co_return Observation::Measured(0, std::move(unseen));

  const auto transactions = holder.Get<std::int64_t>(0, 1);
  const auto oldest = static_cast<std::uint64_t>(std::max<std::int64_t>(next - transactions, 0));
  const auto age = context.memory.transactions.AgeOf(oldest, context.now);
  // A slot has no start; our own history has its lower bound.
  const double seconds = holder.Get<std::optional<double>>(0, 2).value_or(age.at_least.count());
  std::string detail =
      fmt::format("{}, {} transactions back", holder.Get<std::string>(0, 0), transactions);
  if (!unseen.empty()) detail += "; " + unseen;
  co_return Observation::Measured(seconds, std::move(detail));
}

}  // namespace

constinit const Signal kXminAge{.id = "xmin-age",
                                .summary = "age of the oldest transaction that keeps dead rows",
                                .unit = Unit::kSeconds,
                                .default_limit = 3600,
                                .every = 24,
                                .read = &Read};

}  // namespace pgalter::watch
