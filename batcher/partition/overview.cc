#include "batcher/partition/overview.h"

#include <fmt/format.h>

#include "batcher/partition/bound_order.h"
#include "batcher/partition/hashes.h"
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

constexpr const char* kInvalidIndexes = R"sql(
SELECT format('index %s is not valid: it is not on every partition', x.indexrelid::regclass)
FROM pg_index x WHERE x.indrelid = $1 AND NOT x.indisvalid
)sql";

// Each part is followed by its own.
Task<> AddParts(Session& session, Overview& overview, std::string table, int level) {
  const Whole whole = co_await FindWhole(session, std::move(table));
  std::vector<Member> members = co_await ReadMembers(session, whole);
  const bool ordered = co_await OrderBounds(session, whole, members);
  for (const Gap& gap : FindGaps(members))
    overview.remarks.push_back(fmt::format("{}between {} and {} there is no partition",
                                           level == 1 ? "" : "in " + whole.table.name + ", ",
                                           gap.from, gap.to));
  const std::string end = ordered ? EndOfOrdered(members) : "";
  if (!end.empty())
    overview.remarks.push_back(
        fmt::format("{0}ranges end at {1}: pgalter partition add {2} --from \"{1}\" --to … makes "
                    "the next one",
                    level == 1 ? "" : "in " + whole.table.name + ", ", end, whole.table.name));
  const std::string refused = co_await MissingRemainders(session, whole);
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
    part.counted = member.divided || member.counted;
    part.bytes = member.divided ? 0 : member.bytes;
    overview.parts.push_back(std::move(part));
    if (member.pending)
      overview.remarks.push_back(fmt::format(
          "{} is half detached: its rows are not found through {} any more. pgalter partition "
          "detach {} --yes ends it",
          member.name, whole.table.name, member.name));
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
