#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT r.state IS NULL, coalesce(nullif(r.application_name, ''), host(r.client_addr), '?'),
       r.state, (here.lsn - r.replay_lsn)::float8,
       coalesce(extract(epoch FROM r.replay_lag), 0)::float8
FROM pg_stat_replication r,
     (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                  ELSE pg_current_wal_lsn() END AS lsn) here
WHERE coalesce(r.state, '') <> 'backup'
  AND NOT EXISTS (SELECT FROM pg_replication_slots s
                  WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
ORDER BY 2
)sql";

constexpr double kLagSeconds = 10;
constexpr double kLagBytes = 256.0 * 1024 * 1024;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    if (rows.Get<bool>(row, 0)) {
      answers.push_back(Warning("a standby is connected, and its lag is hidden from this role",
                                "a run that moves rows refuses to start: it would not see whom it "
                                "hurts",
                                "GRANT pg_monitor to the role"));
      continue;
    }
    const auto name = rows.Get<std::string>(row, 1);
    const auto bytes = rows.Get<std::optional<double>>(row, 3).value_or(0);
    const auto seconds = rows.Get<double>(row, 4);
    std::string what =
        fmt::format("standby {} ({}): {} behind, {}", name, rows.Get<std::string>(row, 2),
                    watch::Format(std::max(bytes, 0.0), watch::Unit::kBytes),
                    watch::Format(seconds, watch::Unit::kSeconds));
    if (seconds > kLagSeconds || bytes > kLagBytes) {
      answers.push_back(Warning(std::move(what),
                                "a run rests until it has caught up; a rewrite under a strong lock "
                                "sends the whole table to it on top",
                                "find out what it waits for: long queries there, its disk, or the "
                                "network"));
    } else {
      answers.push_back(Ok(std::move(what)));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kStandbys{.id = "standbys", .fine = "no standby is connected", .run = &Run};

}  // namespace pgalter::check
