#include "batcher/partition/overview.h"

#include <fmt/format.h>

#include "batcher/partition/lookup.h"
#include "batcher/partition/moment.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/whole.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// In the order of the bounds, as far as the text has it; the server keeps no other.
constexpr const char* kParts = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), pg_get_expr(c.relpartbound, c.oid), t.level,
       pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.relkind = 'p',
       greatest(c.reltuples, 0)::float8,
       CASE WHEN c.relkind = 'p' THEN 0 ELSE pg_total_relation_size(c.oid) END
FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.level > 0
ORDER BY t.level, pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT',
  pg_get_expr(c.relpartbound, c.oid) NOT LIKE '%(MINVALUE)%',
  CASE WHEN $2 THEN (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(-?\d+)''?\)'))[1]::numeric
  END,
  pg_get_expr(c.relpartbound, c.oid), c.relname
)sql";

constexpr const char* kInvalidIndexes = R"sql(
SELECT format('index %s is not valid: it is not on every partition', x.indexrelid::regclass)
FROM pg_index x WHERE x.indrelid = $1 AND NOT x.indisvalid
)sql";

// One where the end of one range is not the beginning of the next.
void FindGaps(Overview& overview) {
  std::string end;
  for (const Part& part : overview.parts) {
    if (part.level != 1 || part.is_default) continue;
    const std::size_t to = part.bound.find(") TO (");
    const std::size_t from = part.bound.find("FROM (");
    if (to == std::string::npos || from == std::string::npos) return;
    const std::string begins = part.bound.substr(from + 6, to - from - 6);
    if (!end.empty() && end != begins)
      overview.remarks.push_back(
          fmt::format("between {} and {} there is no partition", end, begins));
    end = part.bound.substr(to + 6, part.bound.size() - to - 7);
  }
}

Task<> LookIntoDefault(Session& session, Overview& overview) {
  for (const Part& part : overview.parts) {
    if (!part.is_default || part.divided) continue;
    const std::string missing = co_await MissingSelect(session, part.name);
    if (!missing.empty()) {
      overview.remarks.push_back("whether the default partition has rows is not known: " + missing);
      continue;
    }
    const pg::Result row = co_await session.db().Query(
        fmt::format("SELECT EXISTS (SELECT FROM ONLY {} LIMIT 1)", part.name));
    if (row.Get<bool>(0, 0))
      overview.remarks.push_back(
          fmt::format("{} has rows: no other partition holds them, and a partition for them can "
                      "only be attached when they are gone from there",
                      part.name));
  }
}

}  // namespace

Task<Overview> ReadOverview(Session& session, std::string table) {
  const backfill::Table found = co_await FindAnybodys(session, std::move(table));
  if (!found.partitioned)
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} is not partitioned. To make it so: pgalter partition convert {}",
                              found.name, found.name));
  // Bounds are shown in the session's zone.
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  Overview overview;
  overview.table = found.name;
  const pg::Result by = co_await session.db().Query(
      "SELECT pg_get_partkeydef($1), partnatts = 1 AND a.atttypid IN (20, 21, 23)"
      " FROM pg_partitioned_table p LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid"
      " AND a.attnum = p.partattrs[0] WHERE p.partrelid = $1",
      found.oid);
  overview.by = by.Get<std::string>(0, 0);
  const bool numbers = by.Get<std::optional<bool>>(0, 1).value_or(false);
  const pg::Result rows = co_await session.db().Query(kParts, found.oid, numbers);
  for (int i = 0; i < rows.rows(); ++i) {
    Part part;
    part.name = rows.Get<std::string>(i, 0);
    part.bound = rows.Get<std::string>(i, 1);
    part.times = TimesOfBound(part.bound);
    part.level = rows.Get<int>(i, 2);
    part.is_default = rows.Get<bool>(i, 3);
    part.divided = rows.Get<bool>(i, 4);
    part.rows = rows.Get<double>(i, 5);
    part.bytes = rows.Get<std::int64_t>(i, 6);
    overview.parts.push_back(std::move(part));
  }
  FindGaps(overview);
  co_await LookIntoDefault(session, overview);
  const pg::Result invalid = co_await session.db().Query(kInvalidIndexes, found.oid);
  for (int i = 0; i < invalid.rows(); ++i)
    overview.remarks.push_back(invalid.Get<std::string>(i, 0));
  if (const auto partman = co_await FindPartman(session, found.oid))
    overview.remarks.push_back(partman->Text());
  co_return overview;
}

}  // namespace pgalter::partition
