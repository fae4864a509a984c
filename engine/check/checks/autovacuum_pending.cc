#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kRunning = R"sql(
SELECT p.pid, p.relid::regclass::text, coalesce(a.query LIKE '%to prevent wraparound%', false),
       coalesce(p.phase, '')
FROM pg_stat_progress_vacuum p LEFT JOIN pg_stat_activity a USING (pid)
WHERE p.datname = current_database()
  AND (cardinality($1::oid[]) = 0 OR p.relid = ANY ($1::oid[]))
ORDER BY 2
)sql";

constexpr const char* kOverdue = R"sql(
SELECT s.relid::regclass::text, s.n_dead_tup, s.n_live_tup
FROM pg_stat_user_tables s
WHERE (cardinality($1::oid[]) = 0 OR s.relid = ANY ($1::oid[]))
  AND s.n_dead_tup > 2 * (current_setting('autovacuum_vacuum_threshold')::float8
                          + current_setting('autovacuum_vacuum_scale_factor')::float8
                            * s.n_live_tup)
ORDER BY s.n_dead_tup DESC LIMIT 10
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result running = co_await context.db.Query(kRunning, oids);
  for (int row = 0; row < running.rows(); ++row) {
    std::string what =
        fmt::format("pid {} vacuums {} ({})", running.Get<std::int32_t>(row, 0),
                    running.Get<std::string>(row, 1), running.Get<std::string>(row, 3));
    if (running.Get<bool>(row, 2)) {
      answers.push_back(Warning(what + ", against wraparound",
                                "the server does not cancel it for a waiting lock: ALTER TABLE and "
                                "CREATE INDEX wait until it is done",
                                "wait for its end; do not cancel it"));
    } else {
      answers.push_back(Note(std::move(what),
                             "a lock that conflicts with it makes the server cancel it after "
                             "deadlock_timeout, and its work is lost",
                             "wait for its end"));
    }
  }
  const pg::Result overdue = co_await context.db.Query(kOverdue, oids);
  for (int row = 0; row < overdue.rows(); ++row)
    answers.push_back(Note(
        fmt::format("{} has {} dead rows beside {} live ones", overdue.Get<std::string>(row, 0),
                    overdue.Get<std::int64_t>(row, 1), overdue.Get<std::int64_t>(row, 2)),
        "a vacuum is overdue and may start during the change; scans read the dead rows, too",
        fmt::format("VACUUM (ANALYZE) {}", overdue.Get<std::string>(row, 0))));
  co_return answers;
}

}  // namespace

constinit const Check kAutovacuumPending{
    .id = "autovacuum-pending", .fine = "no vacuum is under way or overdue", .run = &Run};

}  // namespace pgalter::check
