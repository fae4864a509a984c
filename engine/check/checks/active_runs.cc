#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kVisible =
    "SELECT coalesce(has_table_privilege(to_regclass('pgalter.run'), 'SELECT'), false)"
    " AND has_schema_privilege('pgalter', 'USAGE')"
    " FROM pg_namespace WHERE nspname = 'pgalter'";

constexpr const char* kSql = R"sql(
SELECT run::text, command, target, state,
       relid = ANY ($1::oid[]) AND state IN ('running', 'paused', 'waiting', 'ready')
FROM pgalter.run
WHERE state IN ('running', 'paused', 'waiting', 'ready', 'failed') AND finished_at IS NULL
ORDER BY created_at DESC LIMIT 10
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result visible = co_await context.db.Query(kVisible);
  if (visible.empty() || !visible.Get<bool>(0, 0)) co_return answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto run = rows.Get<std::string>(row, 0);
    std::string what = fmt::format("{} of {} is {}", rows.Get<std::string>(row, 1),
                                   rows.Get<std::string>(row, 2), rows.Get<std::string>(row, 3));
    if (rows.Get<bool>(row, 4)) {
      answers.push_back(Blocker(std::move(what), "a table has one run at a time",
                                fmt::format("pgalter status {}", run)));
    } else {
      answers.push_back(Note(std::move(what), "it shares the server's disk, WAL and sessions",
                             fmt::format("pgalter status {}", run)));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kActiveRuns{
    .id = "active-runs", .fine = "no run of pgalter is under way", .run = &Run};

}  // namespace pgalter::check
