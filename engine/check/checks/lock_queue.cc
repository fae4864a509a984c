#include <fmt/format.h>

#include <optional>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

// Who holds a lock on a table of the target, strongest first; of sessions hidden from this role the
// times are missing.
constexpr const char* kHolders = R"sql(
SELECT l.relation::bigint, l.relation::regclass::text, l.mode, coalesce(l.pid, 0),
       coalesce(a.state, ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::oid[])
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY a.xact_start NULLS LAST LIMIT 200
)sql";

constexpr const char* kWaiters = R"sql(
SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)), 0)::float8
FROM pg_locks l WHERE NOT l.granted
)sql";

// Shorter ones end within an attempt of the lock ladder.
constexpr double kLongSeconds = 1;
constexpr std::size_t kMost = 10;

std::optional<locks::LockMode> WantedOn(const Target& target, std::int64_t oid) {
  for (const TargetTable& table : target.tables)
    if (table.oid == oid) return table.wanted.lock;
  return std::nullopt;
}

std::string Holder(int pid, const std::string& state, std::optional<double> seconds) {
  if (pid == 0) return "a prepared transaction";
  if (!seconds) return fmt::format("pid {}, which is hidden from this role,", pid);
  return fmt::format("pid {}, {}, its transaction open for {},", pid, state,
                     watch::Format(*seconds, watch::Unit::kSeconds));
}

void JudgeHolders(const pg::Result& holders, const Target& target, Answers& answers) {
  for (int row = 0; row < holders.rows() && answers.size() < kMost; ++row) {
    const auto wanted = WantedOn(target, holders.Get<std::int64_t>(row, 0));
    const auto held = locks::FromServerName(holders.Get<std::string>(row, 2));
    const auto seconds = holders.Get<std::optional<double>>(row, 5);
    if (!wanted || !held || !locks::Conflicts(*wanted, *held)) continue;
    if (seconds && *seconds < kLongSeconds) continue;
    const std::string who =
        Holder(holders.Get<std::int32_t>(row, 3), holders.Get<std::string>(row, 4), seconds);
    answers.push_back(Warning(
        fmt::format("{} holds {} on {}", who, locks::Name(*held), holders.Get<std::string>(row, 1)),
        fmt::format("{} cannot be had until it ends", locks::Name(*wanted)),
        "wait for it, or end it; pgalter locks shows what it does"));
  }
}

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result holders = co_await context.db.Query(kHolders, oids);
  JudgeHolders(holders, context.target, answers);
  const pg::Result waiters = co_await context.db.Query(kWaiters);
  if (const auto count = waiters.Get<std::int64_t>(0, 0); count > 0) {
    const auto longest = waiters.Get<double>(0, 1);
    std::string what = fmt::format("{} session{} wait{} for a lock, the longest for {}", count,
                                   count == 1 ? "" : "s", count == 1 ? "s" : "",
                                   watch::Format(longest, watch::Unit::kSeconds));
    const char* const meaning = "a change now joins a queue that is there already";
    answers.push_back(longest > kLongSeconds
                          ? Warning(std::move(what), meaning, "pgalter locks shows who blocks whom")
                          : Note(std::move(what), meaning, "pgalter locks"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kLockQueue{
    .id = "lock-queue", .fine = "nobody waits for a lock", .run = &Run};

}  // namespace pgalter::check
