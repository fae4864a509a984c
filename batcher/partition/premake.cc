#include "batcher/partition/premake.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "batcher/partition/behind.h"
#include "batcher/partition/chain.h"
#include "batcher/partition/likeness.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/partman.h"
#include "batcher/partition/whole.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

// As months where both ends are at the same moment of a month, else in hours.
constexpr const char* kWidth = R"sql(
SELECT CASE WHEN extract(epoch FROM rest) = 0
            THEN (extract(year FROM whole) * 12 + extract(month FROM whole))::int || ' month'
            WHEN extract(epoch FROM b - a)::bigint % 86400 = 0
            THEN extract(epoch FROM b - a)::bigint / 86400 || ' day'
            WHEN extract(epoch FROM b - a)::bigint % 3600 = 0
              AND extract(epoch FROM b - a)::bigint < 86400
            THEN extract(epoch FROM b - a)::bigint / 3600 || ' hour' END
FROM (SELECT a, b, age(b, a) AS whole,
             age(b, a) - make_interval(months => (extract(year FROM age(b, a)) * 12
               + extract(month FROM age(b, a)))::int) AS rest
      FROM (SELECT $1::%1$s%2$s AS a, $2::%1$s%2$s AS b) e) w
)sql";

// Whether a range of integers is a month of seconds or milliseconds since 1970; $1 from, $2 to,
// $3 zone.
constexpr const char* kMonths = R"sql(
SELECT u FROM (VALUES ('seconds', 1), ('milliseconds', 1000)) v (u, n)
CROSS JOIN LATERAL (
  SELECT (timestamptz 'epoch' + $1::numeric / n * interval '1 second') AT TIME ZONE $3 AS a,
         (timestamptz 'epoch' + $2::numeric / n * interval '1 second') AT TIME ZONE $3 AS b
  WHERE $1::numeric / n BETWEEN 631152000 AND 7258118400
    AND $2::numeric / n BETWEEN 631152000 AND 7258118400) t
WHERE a = date_trunc('month', a) AND b = date_trunc('month', b)
)sql";

// Types that a width counts.
constexpr const char* kCounted =
    "a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,"
    " 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype, 'numeric'::regtype)";

struct Parent {
  backfill::Table table;
  std::string home;
  std::string type;      // of the column
  bool counted = false;  // ranges of a width follow one another
  KeyColumn column;
  Whole whole;
  std::vector<Member> members;
};

// The server writes ends of numeric with the zeros that they were given with.
Task<> TrimEnds(Session& session, std::vector<Member>& members) {
  std::vector<std::string> ends;
  for (const Member& member : members)
    for (const auto& end : {member.from, member.to}) ends.push_back(end.value_or(""));
  const pg::Result rows = co_await session.db().Query(
      "SELECT lower(trim_scale(nullif(x, '')::numeric)::text)"
      " FROM unnest($1::text[]) WITH ORDINALITY u (x, n) ORDER BY n",
      ends);
  for (int i = 0; i < rows.rows(); ++i) {
    Member& member = members[static_cast<std::size_t>(i) / 2];
    (i % 2 == 0 ? member.from : member.to) = rows.Get<std::optional<std::string>>(i, 0);
  }
}

// What makes one partition of it.
std::string HowToAdd(const Whole& whole) {
  const std::string add = "pgalter partition add " + whole.table.name;
  if (whole.strategy == Strategy::kList)
    return add + " --values NAME=VALUE[,VALUE...] makes one of given values";
  if (whole.strategy == Strategy::kRange)
    return add + " --from VALUE,... --to VALUE,... makes one of given bounds";
  return fmt::format(
      "by hash there is nothing ahead; another modulus takes pgalter rebuild {} "
      "--definition FILE",
      whole.table.name);
}

Task<Parent> FindParent(Session& session, std::string table) {
  Parent parent;
  parent.table = co_await FindAnybodys(session, std::move(table));
  co_await RefuseStranger(session, parent.table.oid);
  parent.whole = co_await FindWhole(session, parent.table.name);
  const pg::Result by = co_await session.db().Query(
      std::string(
          "SELECT a.attname, quote_ident(n.nspname), format_type(a.atttypid, a.atttypmod), ") +
          kCounted +
          " FROM pg_partitioned_table p"
          " JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
          " AND p.partattrs[0] > 0 WHERE p.partrelid = $1 AND p.partstrat = 'r' AND p.partnatts = "
          "1",
      parent.table.oid);
  if (by.empty() || by.IsNull(0, 0))
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} is not partitioned by range of one column: nothing can be made "
                              "ahead by a width; {}",
                              parent.table.name, HowToAdd(parent.whole)));
  parent.home = by.Get<std::string>(0, 1);
  parent.column.name = by.Get<std::string>(0, 0);
  parent.type = by.Get<std::string>(0, 2);
  parent.counted = by.Get<bool>(0, 3);
  parent.members = co_await ReadMembers(session, parent.whole);
  if (parent.type.starts_with("numeric")) co_await TrimEnds(session, parent.members);
  co_return parent;
}

bool HasGap(const Parent& parent) {
  const auto goes_on = [&parent](const Member& member) {
    return !member.is_range || !member.to ||
           std::ranges::any_of(parent.members, [&member](const Member& other) {
             return other.is_range && other.from == member.to;
           });
  };
  return !std::ranges::all_of(parent.members, goes_on);
}

std::string EndlessText(const Parent& parent, const Member& last) {
  return fmt::format("the last partition of {}, {}, has no end: it holds whatever comes",
                     parent.table.name, last.name);
}

// Why no range will ever follow, by what is there and without a look at the rows; empty: one may.
std::string WhyNothing(const Parent& parent, const PremakeWish& wish) {
  const bool asked = !wish.every.empty() || wish.epoch != Epoch::kNone;
  const bool has_width = parent.counted || asked;
  const auto endless = std::ranges::find_if(
      parent.members, [](const Member& member) { return member.is_range && !member.to; });
  if (endless != parent.members.end() && !(has_width && HasGap(parent)))
    return EndlessText(parent, *endless);
  if (has_width) return "";
  return fmt::format("{} is parted by {}, of type {}: no width counts on from its last range",
                     parent.table.name, QuoteIdentifier(parent.column.name), parent.type);
}

// As a number each month would be as long as the last one.
Task<> RefuseMonthsOfNumbers(Session& session, const Parent& parent, const PremakeWish& wish,
                             std::string from, std::string to) {
  const pg::Result row = co_await session.db().Query(kMonths, from, to, wish.time_zone);
  if (row.empty()) co_return;
  std::string epoch;
  if (parent.column.type == KeyType::kInteger)
    epoch = fmt::format("so with --epoch {}, or ", row.Get<std::string>(0, 0));
  throw Failure(ExitCode::kUsage,
                fmt::format("the last range of {}, from {} to {}, looks like months in {} since "
                            "1970: say {}how wide the next ones are with --every",
                            parent.table.name, from, to, row.Get<std::string>(0, 0), epoch));
}

Task<Period> WidthOfNumbers(Session& session, const Parent& parent, std::string from,
                            std::string to) {
  const pg::Result row =
      co_await session.db().Query("SELECT trim_scale($2::numeric - $1::numeric)::text", from, to);
  const auto width = row.Get<std::string>(0, 0);
  if (!ParsePeriod(width))
    throw Failure(ExitCode::kUsage,
                  fmt::format("the last range of {}, from {} to {}, is {} wide, and ranges are "
                              "counted on in whole numbers only: say how wide the next ones are "
                              "with --every, or make them with pgalter partition add",
                              parent.table.name, from, to, width));
  co_return PeriodOf(width, parent.column);
}

Task<Period> Width(Session& session, const Parent& parent, const PremakeWish& wish,
                   std::optional<std::string> from, std::string to) {
  if (!wish.every.empty()) co_return PeriodOf(wish.every, parent.column);
  if (!from)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("how wide the next partitions of {} are to be cannot be told from the "
                    "one that there is: --every",
                    parent.table.name));
  if (IsCounted(parent.column.type)) {
    co_await RefuseMonthsOfNumbers(session, parent, wish, *from, to);
    co_return co_await WidthOfNumbers(session, parent, *from, to);
  }
  const bool coded = IsCoded(parent.column.type);
  const std::string begins = co_await MomentOf(session, parent.column, *from);
  const std::string ends = co_await MomentOf(session, parent.column, to);
  const std::string zone = coded || parent.column.type == KeyType::kTimestamptz
                               ? " AT TIME ZONE " + sql::QuoteLiteral(wish.time_zone)
                               : std::string("::timestamp");
  std::string query = kWidth;
  for (const auto& [mark, text] :
       {std::pair<std::string, std::string>{"%1$s",
                                            coded ? "timestamptz" : TypeName(parent.column.type)},
        std::pair<std::string, std::string>{"%2$s", zone}})
    for (std::size_t at = 0; (at = query.find(mark)) != std::string::npos;)
      query.replace(at, mark.size(), text);
  const pg::Result row = co_await session.db().Query(query, begins, ends);
  const auto width = row.Get<std::optional<std::string>>(0, 0);
  if (!width)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("the last range of {}, from {} to {}, is no whole number of hours, days "
                    "or months in {}: say the --time-zone that its days begin in, or "
                    "--every",
                    parent.table.name, *from, to, wish.time_zone));
  co_return PeriodOf(*width, parent.column);
}

// Days and longer begin at midnight, or the ranges would leave the calendar that they were made by.
Task<> RefuseOffGrid(Session& session, const Parent& parent, const Period& period,
                     const PremakeWish& wish, std::string to) {
  const bool zoned = parent.column.type == KeyType::kTimestamptz || IsCoded(parent.column.type);
  if (!zoned || period.unit == Unit::kHour) co_return;
  to = co_await MomentOf(session, parent.column, std::move(to));
  const pg::Result row = co_await session.db().Query(
      "SELECT ($1::text::timestamptz AT TIME ZONE $2::text)::time = time '00:00',"
      " ($1::text::timestamptz AT TIME ZONE $2::text)::time::text",
      to, wish.time_zone);
  if (row.Get<bool>(0, 0)) co_return;
  throw Failure(
      ExitCode::kUsage,
      fmt::format("the last range of {} ends at {} in {}: say the --time-zone that its days "
                  "begin in",
                  parent.table.name, row.Get<std::string>(0, 1), wish.time_zone));
}

Task<Chain> FindChain(Session& session, const Parent& parent, const PremakeWish& wish) {
  if (IsCounted(parent.column.type)) co_return LastChain(parent.members);
  co_return co_await ChainOfClock(session, parent.members, parent.column, wish.time_zone);
}

bool IsEndless(const Member& member) {
  return !member.to || *member.to == "infinity" || *member.to == "nan";
}

// What goes from chain to chain until enough lies ahead.
class Walk {
 public:
  Walk(Session& session, const Parent& parent, Period period, std::string time_zone, Onward onward)
      : session_(session),
        parent_(parent),
        period_(period),
        time_zone_(std::move(time_zone)),
        onward_(std::move(onward)) {}

  Task<std::vector<Range>> Fill(Chain chain) {
    std::vector<Range> ranges;
    for (;;) {
      const Following following = co_await Follow(chain);
      ranges.insert(ranges.end(), following.ranges.begin(), following.ranges.end());
      if (!following.stopped) break;
      chain = ChainFrom(parent_.members, *chain.next);
      const Member& last = parent_.members[*chain.last];
      if (IsEndless(last)) break;
      onward_.last = *last.to;
    }
    if (ranges.size() > kMostRanges) RefuseMany();
    co_return ranges;
  }

 private:
  Task<Following> Follow(const Chain& chain) {
    onward_.stop.clear();
    if (chain.next) onward_.stop = parent_.members[*chain.next].from.value_or("");
    Following following =
        co_await RangesAfter(session_, parent_.column, period_, time_zone_, onward_);
    if (!following.many) co_return following;
    if (IsCounted(parent_.column.type)) RefuseMany();
    // The clock has left them far behind: what it needs is what counts.
    const auto now = co_await RangesAround(session_, parent_.column, period_, time_zone_, "", 1);
    onward_.last = TextOf(now.front().from);
    following = co_await RangesAfter(session_, parent_.column, period_, time_zone_, onward_);
    if (following.many) RefuseMany();
    co_return following;
  }

  [[noreturn]] void RefuseMany() const {
    throw Failure(
        ExitCode::kUsage,
        fmt::format("ranges of {} from {} up to the newest row{}, and {} more ahead of that "
                    "(--premake), would be more than {} partitions: a smaller --premake, or "
                    "--every for wider ones",
                    ToString(period_), onward_.last,
                    IsCounted(parent_.column.type) ? "" : " or the clock, whichever is later",
                    onward_.ahead, kMostRanges));
  }

  Session& session_;
  const Parent& parent_;
  Period period_;
  std::string time_zone_;
  Onward onward_;
};

// Rows count as far as the chain, or so many ranges ahead: one row of an odd year is no reason for
// ranges up to it.
constexpr int kFar = 12;

// The first bound that no row counts beyond, as text; `last`: where the chain ends.
Task<std::string> FarBound(Session& session, const Parent& parent, const Period& period,
                           const PremakeWish& wish, std::string last) {
  const int ahead = std::max(kFar, wish.premake);
  if (IsCounted(parent.column.type)) {
    const pg::Result row = co_await session.db().Query(
        "SELECT ($1::numeric + $2::numeric * $3::numeric)::text", last, ahead, period.count);
    co_return row.Get<std::string>(0, 0);
  }
  Edge edge;
  edge.margin = "0";
  const auto ranges =
      co_await RangesFrom(session, parent.column, period, wish.time_zone, edge, ahead);
  const pg::Result row =
      co_await session.db().Query(fmt::format("SELECT greatest($1::text::{0}, $2::text::{0})::text",
                                              TypeName(parent.column.type)),
                                  TextOf(ranges.back().to), last);
  co_return row.Get<std::string>(0, 0);
}

// As the table's other partitions are not called, nor two of these.
void NameApart(const Parent& parent, std::vector<Range>& ranges) {
  std::set<std::string> taken;
  for (const Member& member : parent.members) taken.insert(member.relname);
  for (Range& range : ranges) {
    const std::string name = Unquoted(PartName(parent.table.relname, "_p" + range.name));
    if (!taken.insert(name).second && !range.exact.empty()) range.name = range.exact;
  }
}

// Where the clock is before all ranges, as wide as the first one.
const Member& Pattern(const Parent& parent, const Chain& chain) {
  if (!chain.last && !chain.next)
    throw Failure(ExitCode::kUsage,
                  fmt::format("{0} has no range to go on from: make the first one with: pgalter "
                              "partition add {0} --from VALUE --to VALUE",
                              parent.table.name));
  return parent.members[chain.last ? *chain.last : *chain.next];
}

// CREATE TABLE … ATTACH, for each.
Task<> Write(Session& session, const Parent& parent, const Member& pattern, Premake& premake) {
  const Likeness likeness = co_await LikeTheOthers(session, parent.table, pattern.name);
  const Subdivision like = co_await SubdivisionOf(session, pattern.oid);
  const std::string& relname = parent.table.relname;
  for (const Range& range : premake.ranges) {
    const std::string name = parent.home + "." + PartName(relname, "_p" + range.name);
    premake.names.push_back(name);
    const std::string bound = fmt::format("FOR VALUES FROM ({}) TO ({})", range.from, range.to);
    auto statements = !like.any() ? MakePartition(likeness, name, parent.table.name, bound)
                                  : MakeDivided(likeness, like, parent.home,
                                                Unquoted(PartName(relname, "_p" + range.name)),
                                                parent.table.name, bound);
    for (std::string& statement : statements) premake.script.push_back(std::move(statement));
  }
  premake.divided = like.any();
}

// Neighbours in one piece: a thousand ranges are a thousand comparisons for each row otherwise.
std::string Inside(const KeyColumn& key, const std::vector<Range>& ranges) {
  const std::string column = QuoteIdentifier(key.name);
  std::string inside;
  for (std::size_t i = 0; i < ranges.size();) {
    std::size_t end = i + 1;
    while (end < ranges.size() && ranges[end].from == ranges[end - 1].to) ++end;
    inside += fmt::format("{}({} >= {} AND {} < {})", inside.empty() ? "" : " OR ", column,
                          ranges[i].from, column, ranges[end - 1].to);
    i = end;
  }
  return inside;
}

Task<> LeaveOutMisplaced(Session& session, const Parent& parent, std::vector<Range>& ranges) {
  if (parent.whole.rest.empty()) co_return;
  std::vector<Range> free;
  for (const Range& range : ranges) {
    const std::vector<Range> one{range};
    const pg::Result row = co_await session.db().Query(fmt::format(
        "SELECT EXISTS (SELECT FROM {} WHERE {})", parent.whole.rest, Inside(parent.column, one)));
    if (!row.Get<bool>(0, 0)) free.push_back(range);
  }
  ranges = std::move(free);
}

Task<> LookIntoDefault(Session& session, const Parent& parent, const Period& period,
                       const PremakeWish& wish, const std::string& far, Premake& premake) {
  const std::string& rest = parent.whole.rest;
  if (rest.empty()) co_return;
  const std::string odd = co_await NewestKeyFrom(session, rest, parent.column, far);
  if (!odd.empty())
    premake.remarks.push_back(
        fmt::format("{} has rows whose {} is {} or later, as {}: they stay there, and no ranges "
                    "are made up to them. If they are to have some: pgalter partition split {} "
                    "--from VALUE --to VALUE",
                    rest, QuoteIdentifier(parent.column.name), far, odd, rest));
  const Near near{parent.whole, parent.members, parent.column,
                  period,       wish.time_zone, std::max(kFar, wish.premake),
                  far};
  co_await FindBehind(session, near, premake);
  NameApart(parent, premake.behind);
}

}  // namespace

Task<Premake> FindPremake(Session& session, PremakeWish wish) {
  co_await RefuseUnknownZone(session, wish.time_zone);
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  Parent parent = co_await FindParent(session, wish.table);
  co_await RefuseToMakeBesidePartman(session, parent.table);
  Premake premake;
  premake.table = parent.table.name;
  premake.nothing = WhyNothing(parent, wish);
  if (!premake.nothing.empty()) co_return premake;
  parent.column = co_await FindColumn(session, parent.table, parent.column.name, wish.epoch);
  const Chain chain = co_await FindChain(session, parent, wish);
  const Member& pattern = Pattern(parent, chain);
  if (IsEndless(pattern)) {
    premake.nothing = EndlessText(parent, pattern);
    co_return premake;
  }
  const Period period = co_await Width(session, parent, wish, pattern.from, *pattern.to);
  co_await RefuseOffGrid(session, parent, period, wish, *pattern.to);
  premake.until = IsNumber(parent.column.type) ? *pattern.to : sql::QuoteLiteral(*pattern.to);
  Onward onward;
  onward.ahead = wish.premake;
  onward.last = *pattern.to;
  if (!chain.last) {
    const auto now = co_await RangesAround(session, parent.column, period, wish.time_zone, "", 1);
    onward.last = TextOf(now.front().from);
    premake.until = now.front().from;
  }
  const std::string far = co_await FarBound(session, parent, period, wish, onward.last);
  onward.newest = co_await NewestKeyBelow(session, parent.table.name, parent.column, far);
  // Numbers have no clock: without a row, nothing says how far they are.
  if (onward.newest.empty() && IsCounted(parent.column.type)) co_return premake;
  Walk walk(session, parent, period, wish.time_zone, std::move(onward));
  premake.ranges = co_await walk.Fill(chain);
  NameApart(parent, premake.ranges);
  if (wish.misplaced == Misplaced::kLeftOut)
    co_await LeaveOutMisplaced(session, parent, premake.ranges);
  co_await Write(session, parent, pattern, premake);
  premake.inside = Inside(parent.column, premake.ranges);
  co_await LookIntoDefault(session, parent, period, wish, far, premake);
  co_return premake;
}

Task<std::vector<ToMaintain>> TablesToMaintain(Session& session) {
  const pg::Result rows = co_await session.db().Query(
      std::string("SELECT c.oid, format('%I.%I', n.nspname, c.relname), EXISTS (SELECT FROM"
                  " pg_inherits i WHERE i.inhparent = c.oid AND i.inhrelid <> p.partdefid)"
                  " FROM pg_partitioned_table p"
                  " JOIN pg_class c ON c.oid = p.partrelid"
                  " JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
                  " WHERE p.partstrat = 'r' AND p.partnatts = 1 AND NOT c.relispartition"
                  " AND c.relpersistence <> 't' AND n.nspname !~ '^pgalter(_|$)'"
                  " AND pg_has_role(c.relowner, 'USAGE') AND ") +
      kCounted + " ORDER BY 2");
  std::vector<ToMaintain> tables;
  for (int i = 0; i < rows.rows(); ++i) {
    const auto partman = co_await FindPartman(session, rows.Get<pg::Oid>(i, 0));
    if (!partman) tables.push_back({rows.Get<std::string>(i, 1), rows.Get<bool>(i, 2)});
  }
  co_return tables;
}

}  // namespace pgalter::partition
