#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT current_setting('archive_mode') <> 'off',
       coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false),
       coalesce(a.last_failed_wal, ''), a.failed_count,
       has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE')
FROM pg_stat_archiver a
)sql";

constexpr const char* kBacklog =
    "SELECT count(*) FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready'";

constexpr std::int64_t kManySegments = 16;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (!row.Get<bool>(0, 0)) {
    answers.push_back(Note("WAL is not archived",
                           "there is no way back to the moment before the change but a dump",
                           "take a backup before a change that cannot be undone"));
    co_return answers;
  }
  if (row.Get<bool>(0, 1))
    answers.push_back(Warning(
        fmt::format("archiving fails on {} ({} failures)", row.Get<std::string>(0, 2),
                    row.Get<std::int64_t>(0, 3)),
        "WAL stays on disk until it is archived, and a change writes much of it: the disk fills",
        "repair archive_command first; the server's log tells why it fails"));
  if (row.Get<bool>(0, 4)) {
    const pg::Result backlog = co_await context.db.Query(kBacklog);
    const auto ready = backlog.Get<std::int64_t>(0, 0);
    if (ready > kManySegments)
      answers.push_back(Warning(fmt::format("{} segments wait for the archive", ready),
                                "a run rests until they are fewer; a plain rewrite does not",
                                "wait, or make the archive faster"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kArchiver{.id = "archiver", .fine = "the archive keeps up", .run = &Run};

}  // namespace pgalter::check
