#include "batcher/partition/premake.h"

#include <fmt/format.h>

#include "batcher/partition/alike.h"
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

// The last range with its ends as text, NULL for MINVALUE and MAXVALUE; $2: its type.
constexpr const char* kLast = R"sql(
SELECT CASE WHEN ends[1] <> 'MINVALUE' THEN trim(BOTH '''' FROM ends[1]) END,
       CASE WHEN ends[2] <> 'MAXVALUE' THEN trim(BOTH '''' FROM ends[2]) END,
       oid::regclass::text, oid
FROM (SELECT regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \((.*)\) TO \((.*)\)') AS ends,
             c.oid
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1) p
WHERE ends IS NOT NULL
ORDER BY ends[2] = 'MAXVALUE' DESC, %s DESC NULLS LAST LIMIT 1
)sql";

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

// The last range where it has no end; $1 the whole.
constexpr const char* kEndless = R"sql(
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = $1 AND pg_get_expr(c.relpartbound, c.oid) LIKE '% TO (MAXVALUE)'
)sql";

struct Parent {
  backfill::Table table;
  std::string home;
  std::string type;      // of the column
  bool counted = false;  // ranges of a width follow one another
  KeyColumn column;
};

Task<Parent> FindParent(Session& session, std::string table) {
  Parent parent;
  parent.table = co_await FindAnybodys(session, std::move(table));
  co_await RefuseStranger(session, parent.table.oid);
  const pg::Result by = co_await session.db().Query(
      "SELECT a.attname, quote_ident(n.nspname), format_type(a.atttypid, a.atttypmod),"
      " a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,"
      "                'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype) FROM "
      "pg_partitioned_table p"
      " JOIN pg_class c ON c.oid = p.partrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
      " AND p.partattrs[0] > 0 WHERE p.partrelid = $1 AND p.partstrat = 'r' AND p.partnatts = 1",
      parent.table.oid);
  if (by.empty() || by.IsNull(0, 0))
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} is not partitioned by range of one column: nothing can be made "
                              "ahead",
                              parent.table.name));
  parent.home = by.Get<std::string>(0, 1);
  parent.column.name = by.Get<std::string>(0, 0);
  parent.type = by.Get<std::string>(0, 2);
  parent.counted = by.Get<bool>(0, 3);
  co_return parent;
}

// Why no range will ever follow; empty: one may.
Task<std::string> WhyNothing(Session& session, const Parent& parent, const PremakeWish& wish) {
  const pg::Result endless = co_await session.db().Query(kEndless, parent.table.oid);
  if (!endless.empty())
    co_return fmt::format("the last partition of {}, {}, has no end: it holds whatever comes",
                          parent.table.name, endless.Get<std::string>(0, 0));
  const bool asked = !wish.every.empty() || wish.epoch != Epoch::kNone;
  if (parent.counted || asked) co_return "";
  co_return fmt::format("{} is parted by {}, of type {}: no width counts on from its last range",
                        parent.table.name, QuoteIdentifier(parent.column.name), parent.type);
}

// As a number each month would be as long as the last one.
Task<> RefuseMonthsOfNumbers(Session& session, const Parent& parent, const PremakeWish& wish,
                             std::string from, std::string to) {
  const pg::Result row = co_await session.db().Query(kMonths, from, to, wish.time_zone);
  if (row.empty()) co_return;
  throw Failure(ExitCode::kUsage,
                fmt::format("the last range of {}, from {} to {}, looks like months in {} since "
                            "1970: say so with --epoch {}, or how wide the next ones are with "
                            "--every",
                            parent.table.name, from, to, row.Get<std::string>(0, 0),
                            row.Get<std::string>(0, 0)));
}

std::string Unquoted(const std::string& name) {
  const auto parsed = sql::ParseQualifiedName(name);
  return parsed ? parsed->name : name;
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
  if (parent.column.type == KeyType::kInteger) {
    co_await RefuseMonthsOfNumbers(session, parent, wish, *from, to);
    const pg::Result row =
        co_await session.db().Query("SELECT ($2::numeric - $1::numeric)::text", *from, to);
    co_return PeriodOf(row.Get<std::string>(0, 0), parent.column);
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

}  // namespace

Task<Premake> FindPremake(Session& session, PremakeWish wish) {
  co_await RefuseUnknownZone(session, wish.time_zone);
  co_await session.db().Query("SELECT set_config('TimeZone', 'UTC', false)");
  Parent parent = co_await FindParent(session, wish.table);
  co_await RefuseToMakeBesidePartman(session, parent.table);
  Premake premake;
  premake.table = parent.table.name;
  premake.nothing = co_await WhyNothing(session, parent, wish);
  if (!premake.nothing.empty()) co_return premake;
  parent.column = co_await FindColumn(session, parent.table, parent.column.name, wish.epoch);
  std::string query = kLast;
  query.replace(query.find("%s"), 2,
                fmt::format("CASE WHEN ends[2] <> 'MAXVALUE' THEN trim(BOTH '''' FROM "
                            "ends[2])::{} END",
                            TypeName(parent.column.type)));
  const pg::Result last = co_await session.db().Query(query, parent.table.oid);
  if (last.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} has no range to go on from: make the first partition by hand",
                              parent.table.name));
  const auto to = last.Get<std::string>(0, 1);
  const Period period =
      co_await Width(session, parent, wish, last.Get<std::optional<std::string>>(0, 0), to);
  co_await RefuseOffGrid(session, parent, period, wish, to);
  std::string newest = co_await NewestKey(session, parent.table.name, parent.column);
  premake.until = to;
  // Numbers have no clock: without a row, nothing says how far they are.
  if (newest.empty() && parent.column.type == KeyType::kInteger) co_return premake;
  const auto ranges = co_await RangesAfter(session, parent.column, period, wish.time_zone, to,
                                           std::move(newest), wish.premake);
  premake.until = ranges.until;
  const auto sibling = last.Get<std::string>(0, 2);
  const Storage storage = co_await StorageOf(session, sibling);
  const Likeness likeness = co_await LikeTheOthers(session, parent.table.oid);
  const Subdivision like = co_await SubdivisionOf(session, last.Get<pg::Oid>(0, 3));
  const std::string& relname = parent.table.relname;
  for (const Range& range : ranges.ranges) {
    const std::string name = parent.home + "." + PartName(relname, "_p" + range.name);
    const std::string bound = fmt::format("FOR VALUES FROM ({}) TO ({})", range.from, range.to);
    auto statements =
        !like.any()
            ? MakePartition(likeness, name, parent.table.name, bound, storage.rest)
            : MakeDivided(likeness, like, parent.home,
                          Unquoted(PartName(relname, "_p" + range.name)), parent.table.name, bound);
    for (std::string& statement : statements) premake.script.push_back(std::move(statement));
  }
  premake.ranges = ranges.ranges;
  premake.divided = like.any();
  if (!premake.ranges.empty()) {
    const std::string column = QuoteIdentifier(parent.column.name);
    premake.inside = fmt::format("{} >= {} AND {} < {}", column, premake.ranges.front().from,
                                 column, premake.ranges.back().to);
  }
  co_return premake;
}

}  // namespace pgalter::partition
