#include "batcher/partition/inspection.h"

#include <fmt/format.h>

#include "batcher/partition/bound_order.h"
#include "batcher/partition/hashes.h"
#include "batcher/partition/premake.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

namespace {

constexpr std::int64_t kMostCounted = 100'000;

// Of the partitions right below; where one of these is partitioned, it has the index as a whole.
constexpr const char* kMissing = R"sql(
SELECT format('%I', pi.relname), format('%I.%I', n.nspname, c.relname)
FROM pg_index x JOIN pg_class pi ON pi.oid = x.indexrelid
JOIN pg_inherits i ON i.inhparent = x.indrelid JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE x.indrelid = $1 AND c.relkind <> 'f' AND NOT EXISTS (
  SELECT FROM pg_index y JOIN pg_inherits yi ON yi.inhrelid = y.indexrelid
  WHERE y.indrelid = c.oid AND yi.inhparent = x.indexrelid AND y.indisvalid)
ORDER BY 1, 2
)sql";

Task<InDefault> LookIntoDefault(Session& session, const Whole& whole,
                                const std::vector<Member>& members) {
  InDefault rest;
  rest.name = whole.rest;
  if (rest.name.empty()) co_return rest;
  const std::string missing = co_await MissingSelect(session, rest.name);
  if (!missing.empty()) throw run::Failure(run::ExitCode::kUnsupported, missing);
  const pg::Result count = co_await session.db().Query(
      fmt::format("SELECT count(*) FROM (SELECT FROM {} LIMIT {}) r", rest.name, kMostCounted + 1));
  rest.rows = count.Get<std::int64_t>(0, 0);
  rest.more = rest.rows > kMostCounted;
  if (rest.more) rest.rows = kMostCounted;
  const bool few = !rest.more && !members.empty() && rest.rows > 0;
  if (!few || whole.column.empty() || whole.strategy != Strategy::kRange) co_return rest;
  // Not every type has a least and a greatest, but every key of ranges has an order.
  const pg::Result ends = co_await session.db().Query(
      fmt::format("SELECT (SELECT t.{0}::text FROM {1} AS t WHERE t.{0} IS NOT NULL"
                  "  ORDER BY t.{0} LIMIT 1),"
                  " (SELECT t.{0}::text FROM {1} AS t WHERE t.{0} IS NOT NULL"
                  "  ORDER BY t.{0} DESC LIMIT 1)",
                  whole.column, rest.name));
  rest.least = ends.Get<std::optional<std::string>>(0, 0).value_or("");
  rest.greatest = ends.Get<std::optional<std::string>>(0, 1).value_or("");
  co_return rest;
}

Task<NextRanges> LookAhead(Session& session, const Whole& whole, int ahead, std::string time_zone) {
  NextRanges next;
  PremakeWish wish;
  wish.table = whole.table.name;
  wish.premake = ahead;
  wish.time_zone = std::move(time_zone);
  try {
    Premake premake = co_await FindPremake(session, std::move(wish));
    next.until = std::move(premake.until);
    next.unknown = std::move(premake.nothing);
    next.ranges = std::move(premake.ranges);
  } catch (const run::Failure& failure) {
    next.unknown = failure.what();
  }
  co_return next;
}

}  // namespace

std::vector<Gap> FindGaps(const std::vector<Member>& members) {
  std::vector<Gap> gaps;
  const Member* before = nullptr;
  const Member* ordered = nullptr;
  for (const Member& member : members) {
    if (member.after_gap && ordered != nullptr)
      gaps.push_back({ToText(ordered->last), ToText(member.first)});
    ordered = &member;
    if (!member.is_range) continue;
    if (before != nullptr && before->to && member.from && *before->to != *member.from)
      gaps.push_back({*before->to, *member.from});
    before = &member;
  }
  return gaps;
}

std::string EndOfOrdered(const std::vector<Member>& members) {
  std::string end;
  for (const Member& member : members) {
    if (member.last.empty()) continue;
    const Given& first = member.last.front();
    end = !first.quoted && first.text == "MAXVALUE" ? "" : ToText(member.last);
  }
  return end;
}

Task<Inspection> Inspect(Session& session, std::string table, int ahead, std::string time_zone) {
  Inspection inspection;
  inspection.whole = co_await FindWhole(session, std::move(table));
  const Whole& whole = inspection.whole;
  inspection.by = co_await PartitionKeyOf(session, whole);
  inspection.members = co_await ReadMembers(session, whole);
  const bool ordered = co_await OrderBounds(session, whole, inspection.members);
  inspection.gaps = FindGaps(inspection.members);
  inspection.refused = co_await MissingRemainders(session, whole);
  inspection.rest = co_await LookIntoDefault(session, whole, inspection.members);
  const pg::Result missing = co_await session.db().Query(kMissing, whole.table.oid);
  for (int i = 0; i < missing.rows(); ++i)
    inspection.missing.push_back({missing.Get<std::string>(i, 0), missing.Get<std::string>(i, 1)});
  inspection.partman = co_await FindPartman(session, whole.table.oid);
  if (inspection.partman && !inspection.partman->unreadable) {
    inspection.next.unknown =
        fmt::format("pg_partman makes it: SELECT {}.run_maintenance()", inspection.partman->schema);
  } else {
    inspection.next = co_await LookAhead(session, whole, ahead, std::move(time_zone));
  }
  if (ordered) inspection.next.until = EndOfOrdered(inspection.members);
  co_return inspection;
}

}  // namespace pgalter::partition
