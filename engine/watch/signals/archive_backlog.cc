#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// The rights are asked for before: a refused call would write an error into the server's log every
// second.
constexpr const char* kArchiver = R"sql(
SELECT current_setting('archive_mode') = 'off',
       has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE'),
       a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), coalesce(a.last_failed_wal, '')
FROM pg_stat_archiver a
)sql";

constexpr const char* kReadyFiles =
    "SELECT count(*)::float8 FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready'";

// Segments between the last one archived and the one that is being written. A failing archiver that
// never succeeded stands before the segment it fails on.
constexpr const char* kDistance = R"sql(
WITH segment AS (SELECT setting::bigint AS size FROM pg_settings WHERE name = 'wal_segment_size'),
done AS (
  SELECT substr(coalesce(last_archived_wal, last_failed_wal), 1, 24) AS name,
         CASE WHEN last_archived_wal IS NULL THEN 1 ELSE 0 END AS not_yet
  FROM pg_stat_archiver)
SELECT greatest(0, (pg_current_wal_lsn() - '0/0')::bigint / size - 1 + not_yet
                - ('x' || substr(name, 9, 8))::bit(32)::bigint * (4294967296 / size)
                - ('x' || substr(name, 17, 8))::bit(32)::bigint)::float8
FROM segment, done
WHERE name ~ '^[0-9A-F]{24}$'
)sql";

Task<Observation> Read(SignalContext& context) {
  pg::Connection& db = context.session.db();
  const pg::Result archiver = co_await db.Query(kArchiver);
  if (archiver.Get<bool>(0, 0)) co_return Observation::Absent("WAL is not archived");
  std::string detail;
  if (archiver.Get<std::optional<bool>>(0, 2).value_or(false))
    detail = fmt::format("archiving fails on {}", archiver.Get<std::string>(0, 3));

  const char* const count = archiver.Get<bool>(0, 1) ? kReadyFiles : kDistance;
  const pg::Result backlog = co_await db.Query(count);
  if (backlog.empty()) co_return Observation::Measured(0, "nothing was archived yet");
  co_return Observation::Measured(backlog.Get<double>(0, 0), std::move(detail));
}

}  // namespace

constinit const Signal kArchiveBacklog{.id = "archive-backlog",
                                       .summary = "WAL segments that wait for the archive",
                                       .unit = Unit::kSegments,
                                       .default_limit = 42,
                                       .every = 36,
                                       .read = &Read};

}  // namespace pgalter::watch
