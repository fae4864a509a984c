#include "batcher/partition/overview.h"

#include <fmt/format.h>

#include "batcher/partition/inspection.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/moment.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/whole.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// The first of those that nobody has. A modulus is a factor of each greater one.
constexpr const char* kMissingRemainders = R"sql(
WITH parts AS (
  SELECT b[1]::int8 AS modulus, b[2]::int8 AS remainder
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  CROSS JOIN LATERAL (
    SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'modulus (\d+), remainder (\d+)')) m (b)
  WHERE i.inhparent = $1),
missing AS (
  SELECT g.most, r, row_number() OVER (ORDER BY r) AS place
  FROM (SELECT max(modulus) AS most FROM parts) g CROSS JOIN generate_series(0, g.most - 1) r
  WHERE g.most <= 10000 AND NOT EXISTS (SELECT FROM parts WHERE r % modulus = remainder))
SELECT max(most)::text,
       string_agg(CASE WHEN place <= 5 THEN r::text ELSE '…' END, ', ' ORDER BY r)
FROM missing WHERE place <= 6
)sql";

constexpr const char* kInvalidIndexes = R"sql(
SELECT format('index %s is not valid: it is not on every partition', x.indexrelid::regclass)
FROM pg_index x WHERE x.indrelid = $1 AND NOT x.indisvalid
)sql";

// Empty: every hash has a partition, as where there is none yet.
Task<std::string> MissingRemainders(Session& session, const Whole& whole) {
  const pg::Result row = co_await session.db().Query(kMissingRemainders, whole.table.oid);
  if (row.empty() || row.IsNull(0, 0)) co_return "";
  co_return fmt::format(
      "of modulus {} there is no partition for remainder {}: rows that have it are refused",
      row.Get<std::string>(0, 0), row.Get<std::string>(0, 1));
}

// Each part is followed by its own.
Task<> AddParts(Session& session, Overview& overview, std::string table, int level) {
  const Whole whole = co_await FindWhole(session, std::move(table));
  const std::vector<Member> members = co_await ReadMembers(session, whole);
  for (const Gap& gap : FindGaps(members))
    overview.remarks.push_back(fmt::format("{}between {} and {} there is no partition",
                                           level == 1 ? "" : "in " + whole.table.name + ", ",
                                           gap.from, gap.to));
  std::string refused;
  if (whole.strategy == Strategy::kHash) refused = co_await MissingRemainders(session, whole);
  if (!refused.empty())
    overview.remarks.push_back(level == 1 ? refused : "in " + whole.table.name + ", " + refused);
  for (const Member& member : members) {
    Part part;
    part.name = member.name;
    part.bound = member.bound;
    part.times = TimesOfBound(member.bound);
    part.level = level;
    part.is_default = member.is_default;
    part.divided = member.divided;
    part.rows = member.divided ? 0 : member.rows;
    part.bytes = member.divided ? 0 : member.bytes;
    overview.parts.push_back(std::move(part));
    if (member.divided) co_await AddParts(session, overview, member.name, level + 1);
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
  Overview overview;
  overview.table = found.name;
  const pg::Result by = co_await session.db().Query("SELECT pg_get_partkeydef($1)", found.oid);
  overview.by = by.Get<std::string>(0, 0);
  co_await AddParts(session, overview, found.name, 1);
  co_await LookIntoDefault(session, overview);
  const pg::Result invalid = co_await session.db().Query(kInvalidIndexes, found.oid);
  for (int i = 0; i < invalid.rows(); ++i)
    overview.remarks.push_back(invalid.Get<std::string>(i, 0));
  if (const auto partman = co_await FindPartman(session, found.oid))
    overview.remarks.push_back(partman->Text());
  co_return overview;
}

}  // namespace pgalter::partition
