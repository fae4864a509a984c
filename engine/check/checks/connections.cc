#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// reserved_connections came with 16.
constexpr const char* kSql = R"sql(
SELECT (SELECT setting::int FROM pg_settings WHERE name = 'max_connections')
       - (SELECT coalesce(sum(setting::int), 0) FROM pg_settings
          WHERE name IN ('superuser_reserved_connections', 'reserved_connections'))
       - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
          OR backend_type IS NULL),
       r.rolconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user),
       r.rolconnlimit >= 0,
       d.datconnlimit - (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
       d.datconnlimit >= 0
FROM pg_roles r, pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()
)sql";

// One to work, one that watches, one for blockers, one a worker.
constexpr std::int64_t kNeeded = 4;
constexpr std::int64_t kComfortable = 10;

void Judge(std::int64_t left, const char* of, Answers& answers) {
  const std::string what =
      fmt::format("{} connection{} left of {}", left, left == 1 ? " is" : "s are", of);
  if (left < kNeeded) {
    answers.push_back(Blocker(what,
                              fmt::format("a run needs {} and one more for each worker", kNeeded),
                              "end idle sessions, or put the application behind a pooler"));
  } else if (left < kComfortable) {
    answers.push_back(Warning(what,
                              "a run needs four and one more for each worker, and users may be "
                              "refused while it runs",
                              "end idle sessions, or put the application behind a pooler"));
  }
}

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  Judge(row.Get<std::int64_t>(0, 0), "max_connections", answers);
  if (row.Get<bool>(0, 2)) Judge(row.Get<std::int64_t>(0, 1), "this role's limit", answers);
  if (row.Get<bool>(0, 4)) Judge(row.Get<std::int64_t>(0, 3), "this database's limit", answers);
  co_return answers;
}

}  // namespace

constinit const Check kConnections{
    .id = "connections", .fine = "there are connections left", .run = &Run};

}  // namespace pgalter::check
