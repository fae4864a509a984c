#include "batcher/partition/bounds.h"

#include <fmt/format.h>

#include <algorithm>

#include "batcher/partition/moment.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// In local time: a day has 24 hours there, and a month begins at midnight. Months are counted from
// the year 2000 on, weeks from a Monday.
// $1 newest (text of the column's type; '' none), $2 zone, $3 margin, $4 months, $5 interval,
// $6 how many, $7 whether it is without a time zone, $8 the format of names, $9 whether to begin at
// the bound before, without a look at the clock.
constexpr const char* kTimes = R"sql(
WITH at AS (
  SELECT CASE WHEN $1::text = '' THEN here
              WHEN $9::bool AND $7::bool THEN $1::timestamp
              WHEN $9::bool THEN $1::timestamptz AT TIME ZONE $2::text
              WHEN $7::bool THEN greatest($1::timestamp, here)
              ELSE greatest($1::timestamptz AT TIME ZONE $2::text, here) END
         + $3::interval AS t
  FROM (SELECT clock_timestamp() AT TIME ZONE $2::text) n (here)),
first AS (
  SELECT CASE WHEN floor < t AND NOT $9::bool THEN floor + step ELSE floor END AS bound, step
  FROM (SELECT t, CASE WHEN $4::int > 0 THEN make_interval(months => $4::int)
                       ELSE $5::text::interval END AS step,
          CASE WHEN $4::int > 0 THEN
            timestamp '2000-01-01' + make_interval(months => $4::int * floor(
              ((extract(year FROM t) - 2000) * 12 + extract(month FROM t) - 1) / $4::int)::int)
          ELSE date_bin($5::text::interval, t, timestamp '2000-01-03') END AS floor
        FROM at) f),
bounds AS (
  SELECT n, bound + n * step AS t FROM first, generate_series(0, $6::int) n)
SELECT t, CASE WHEN $7::bool THEN t::text
               ELSE to_char(utc, 'YYYY-MM-DD HH24:MI:SS')
                      || '+00' || CASE WHEN extract(year FROM utc) < 0 THEN ' BC' ELSE '' END END,
       to_char(t, $8::text) || CASE WHEN extract(year FROM t) < 0 THEN '_bc' ELSE '' END,
       extract(epoch FROM t AT TIME ZONE $2::text)::int8
FROM bounds, LATERAL (SELECT t AT TIME ZONE $2::text AT TIME ZONE 'UTC') u (utc) ORDER BY n
)sql";

// By the remainder, which is exact: a quotient of many digits is rounded.
constexpr const char* kNumbers = R"sql(
WITH at AS (
  SELECT x, x - mod(x, $3::numeric)
              - CASE WHEN mod(x, $3::numeric) < 0 THEN $3::numeric ELSE 0 END AS floor
  FROM (SELECT $1::numeric + $2::numeric) e (x)),
first AS (
  SELECT CASE WHEN floor < x AND NOT $5::bool THEN floor + $3::numeric ELSE floor END AS bound
  FROM at)
SELECT trim_scale(bound + n * $3::numeric)::text
FROM first, generate_series(0, $4::int) n ORDER BY n
)sql";

const char* NameFormat(Unit unit) {
  switch (unit) {
    case Unit::kYear:
      return "YYYY";
    case Unit::kQuarter:
      return "YYYY\"q\"Q";
    case Unit::kMonth:
      return "YYYY_MM";
    case Unit::kHour:
      return "YYYY_MM_DD_HH24";
    default:
      return "YYYY_MM_DD";
  }
}

std::string Quoted(const std::string& text) { return "'" + text + "'"; }

// As the server writes it; of numeric with capitals, and NaN, which is behind all others.
bool IsInfinite(const std::string& value) { return value.ends_with("nfinity") || value == "NaN"; }

// Of a number below zero, too, and of one with a fraction.
std::string NameOfBound(std::string text) {
  if (text.front() == '-') text.front() = 'm';
  std::ranges::replace(text, '.', '_');
  return text;
}

bool IsZoneless(KeyType type) { return type == KeyType::kDate || type == KeyType::kTimestamp; }

// As it stands in a bound: a number or a time as text, or what stands for the second.
std::string LiteralOf(const KeyColumn& column, std::string text, std::int64_t second) {
  if (IsCoded(column.type)) return LiteralAt(column, second);
  if (IsCounted(column.type)) return text;
  if (column.type == KeyType::kDate)
    text = text.substr(0, text.find(' ')) + (text.ends_with(" BC") ? " BC" : "");
  return Quoted(text);
}

// Text of the column's type, to be compared with it.
std::string BoundOf(const KeyColumn& column, const std::string& text) {
  return IsNumber(column.type) ? text : sql::QuoteLiteral(text);
}

enum class Begin { kBefore, kAfter };

Task<std::vector<Range>> Times(Session& session, KeyColumn column, Period period,
                               std::string time_zone, Edge edge, int count, Begin begin) {
  const bool zoneless = IsZoneless(column.type);
  edge.newest = co_await MomentOf(session, column, std::move(edge.newest));
  const std::string format = NameFormat(period.unit);
  const pg::Result rows = co_await session.db().Query(kTimes, edge.newest, time_zone, edge.margin,
                                                      period.months(), period.interval(), count,
                                                      zoneless, format, begin == Begin::kBefore);
  std::vector<Range> ranges;
  for (int i = 0; i + 1 < rows.rows(); ++i) {
    const std::string from =
        LiteralOf(column, rows.Get<std::string>(i, 1), rows.Get<std::int64_t>(i, 3));
    const std::string to =
        LiteralOf(column, rows.Get<std::string>(i + 1, 1), rows.Get<std::int64_t>(i + 1, 3));
    // An hour that the clocks leave out in spring.
    if (from != to) ranges.push_back({rows.Get<std::string>(i, 2), from, to});
  }
  co_return ranges;
}

Task<std::vector<Range>> Numbers(Session& session, Period period, Edge edge, int count,
                                 Begin begin) {
  const std::string newest = edge.newest.empty() ? "0" : edge.newest;
  const pg::Result rows = co_await session.db().Query(kNumbers, newest, edge.margin, period.count,
                                                      count, begin == Begin::kBefore);
  if (IsInfinite(rows.Get<std::string>(0, 0)))
    throw Failure(ExitCode::kUsage, fmt::format("no range of {} begins at {}: choose a number",
                                                ToString(period), rows.Get<std::string>(0, 0)));
  std::vector<Range> ranges;
  for (int i = 0; i + 1 < rows.rows(); ++i)
    ranges.push_back({NameOfBound(rows.Get<std::string>(i, 0)), rows.Get<std::string>(i, 0),
                      rows.Get<std::string>(i + 1, 0)});
  co_return ranges;
}

Task<std::vector<Range>> Ranges(Session& session, KeyColumn column, Period period,
                                std::string time_zone, Edge edge, int count, Begin begin) {
  std::optional<pg::PgError> refused;
  try {
    if (IsCounted(column.type))
      co_return co_await Numbers(session, period, std::move(edge), count, begin);
    co_return co_await Times(session, column, period, std::move(time_zone), std::move(edge), count,
                             begin);
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    refused = error;
  }
  throw Failure(ExitCode::kUsage, fmt::format("no bounds of {} can be made for column {}: {}",
                                              ToString(period), column.name, refused->what()));
}

// By the index, where there is one. There is no max(uuid) before PostgreSQL 18.
Task<std::string> EndOf(Session& session, std::string table, KeyColumn key, const char* order,
                        Infinite infinite) {
  const std::string column = sql::QuoteIdentifier(key.name);
  std::string such = column + " IS NOT NULL";
  if (infinite == Infinite::kLeftOut && HasInfinity(key.type))
    such = fmt::format("{0} > '-infinity' AND {0} < 'infinity'", column);
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT (SELECT {0} FROM {1} WHERE {2} ORDER BY {0} {3} LIMIT 1)::text", column,
                  table, such, order));
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

// From one bound on, in steps of the period, up to another; a row each, with whether a range is to
// begin there: not further from the newest row and the clock than so many steps. $1 bound, $2 zone,
// $3 months, $4 interval, $5 how many, $6 without a time zone, $7 format, $8 newest, $9 steps,
// $10 where to stop.
constexpr const char* kFollowing = R"sql(
WITH at AS (
  SELECT CASE WHEN $6::bool THEN $1::text::timestamp
              ELSE $1::text::timestamptz AT TIME ZONE $2::text END AS t,
         greatest(CASE WHEN $8::text = '' THEN NULL WHEN $6::bool THEN $8::text::timestamp
                       ELSE $8::text::timestamptz AT TIME ZONE $2::text END,
                  clock_timestamp() AT TIME ZONE $2::text) AS newest,
         CASE WHEN $10::text = '' THEN NULL WHEN $6::bool THEN $10::text::timestamp
              ELSE $10::text::timestamptz AT TIME ZONE $2::text END AS stop,
         CASE WHEN $3::int > 0 THEN make_interval(months => $3::int) ELSE $4::text::interval END
           AS step),
bounds AS (
  SELECT n, least(t + n * step, stop) AS t, stop, newest + $9::int * step AS most
  FROM at, generate_series(0, $5::int) n)
SELECT CASE WHEN $6::bool THEN t::text
            ELSE to_char(utc, 'YYYY-MM-DD HH24:MI:SS')
                   || '+00' || CASE WHEN extract(year FROM utc) < 0 THEN ' BC' ELSE '' END END,
       to_char(t, $7::text) || era, t <= most, extract(epoch FROM t AT TIME ZONE $2::text)::int8,
       coalesce(t >= stop, false), to_char(t, 'YYYY_MM_DD_HH24MI') || era
FROM bounds,
  LATERAL (SELECT t AT TIME ZONE $2::text AT TIME ZONE 'UTC',
                  CASE WHEN extract(year FROM t) < 0 THEN '_bc' ELSE '' END) u (utc, era)
ORDER BY n
)sql";

// $1 bound, $2 width, $3 how many, $4 newest, $5 steps, $6 where to stop.
constexpr const char* kFollowingNumbers = R"sql(
SELECT trim_scale(bound)::text, trim_scale(bound)::text, bound <= newest + $5::int * $2::numeric,
       0::int8, coalesce(bound >= stop, false), trim_scale(bound)::text
FROM (SELECT n, least($1::numeric + n * $2::numeric, nullif($6::text, '')::numeric) AS bound,
             CASE WHEN $4::text = '' THEN $1::numeric - $2::numeric ELSE $4::numeric END AS newest,
             nullif($6::text, '')::numeric AS stop
      FROM generate_series(0, $3::int) n) b
ORDER BY n
)sql";

Task<pg::Result> Follow(Session& session, KeyColumn column, Period period, std::string time_zone,
                        Onward onward) {
  if (IsCounted(column.type))
    co_return co_await session.db().Query(kFollowingNumbers, onward.last, period.count,
                                          kMostRanges + 1, onward.newest, onward.ahead,
                                          onward.stop);
  const std::string format = NameFormat(period.unit);
  const std::string last = co_await MomentOf(session, column, onward.last);
  const std::string newest = co_await MomentOf(session, column, onward.newest);
  const std::string stop = co_await MomentOf(session, column, onward.stop);
  co_return co_await session.db().Query(kFollowing, last, time_zone, period.months(),
                                        period.interval(), kMostRanges + 1, IsZoneless(column.type),
                                        format, newest, onward.ahead, stop);
}

// Of times it may be the clock, which is nowhere in the table.
Task<std::string> WhatIsLast(Session& session, KeyColumn column, std::string newest) {
  if (newest.empty()) co_return IsCounted(column.type) ? "0, as there are no rows" : "the clock";
  const std::string row = "the newest row, " + newest;
  if (IsCounted(column.type)) co_return row;
  const std::string moment = co_await MomentOf(session, column, newest);
  const pg::Result now = co_await session.db().Query(
      "SELECT clock_timestamp() > $1::text::timestamptz, date_trunc('minute', clock_timestamp())"
      "::text",
      moment);
  if (!now.Get<bool>(0, 0)) co_return row;
  co_return fmt::format("the clock, {} ({})", now.Get<std::string>(0, 1), row);
}

}  // namespace

std::string TextOf(const std::string& literal) {
  if (!literal.starts_with('\'')) return literal;
  std::string text = literal.substr(1, literal.size() - 2);
  for (std::size_t at = 0; (at = text.find("''", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

const char* TypeName(KeyType type) {
  switch (type) {
    case KeyType::kDate:
      return "date";
    case KeyType::kTimestamp:
      return "timestamp";
    case KeyType::kTimestamptz:
      return "timestamptz";
    case KeyType::kUuid:
      return "uuid";
    case KeyType::kInteger:
    case KeyType::kNumeric:
    case KeyType::kEpochSeconds:
    case KeyType::kEpochMilliseconds:
      break;
  }
  return "numeric";
}

bool HasInfinity(KeyType type) {
  return type == KeyType::kDate || type == KeyType::kTimestamp || type == KeyType::kTimestamptz ||
         type == KeyType::kNumeric;
}

bool IsCounted(KeyType type) { return type == KeyType::kInteger || type == KeyType::kNumeric; }

Task<std::string> NewestKey(Session& session, std::string table, KeyColumn column,
                            Infinite infinite) {
  std::string newest = co_await EndOf(session, table, column, "DESC", infinite);
  if (IsInfinite(newest) && !newest.starts_with('-'))
    throw Failure(ExitCode::kRefused,
                  fmt::format("{} has rows whose {} is {}, which no range with bounds can hold. "
                              "Give them another value first, or copy the rows (--strategy copy): "
                              "the default partition holds these then",
                              table, sql::QuoteIdentifier(column.name), newest));
  co_return newest;
}

Task<std::string> OldestKey(Session& session, std::string table, KeyColumn column) {
  co_return co_await EndOf(session, std::move(table), std::move(column), "ASC", Infinite::kLeftOut);
}

Task<std::vector<std::string>> InfiniteKeys(Session& session, std::string table, KeyColumn column) {
  std::vector<std::string> infinite;
  if (!HasInfinity(column.type)) co_return infinite;
  // Named, or ORDER BY would mean the text, which no index has in order.
  const pg::Result rows = co_await session.db().Query(fmt::format(
      "SELECT v FROM ((SELECT {0}::text AS v FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} LIMIT 1)"
      " UNION"
      " (SELECT {0}::text AS v FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} DESC LIMIT 1)) e"
      " WHERE lower(v) IN ('-infinity', 'infinity', 'nan') ORDER BY v",
      sql::QuoteIdentifier(column.name), table));
  for (int i = 0; i < rows.rows(); ++i) infinite.push_back(rows.Get<std::string>(i, 0));
  co_return infinite;
}

Task<std::vector<Range>> RangesFrom(Session& session, KeyColumn column, Period period,
                                    std::string time_zone, Edge edge, int count) {
  co_return co_await Ranges(session, std::move(column), period, std::move(time_zone),
                            std::move(edge), count, Begin::kAfter);
}

Task<std::vector<Range>> RangesAround(Session& session, KeyColumn column, Period period,
                                      std::string time_zone, std::string at, int count) {
  Edge edge;
  edge.newest = std::move(at);
  edge.margin = "0";
  co_return co_await Ranges(session, std::move(column), period, std::move(time_zone),
                            std::move(edge), count, Begin::kBefore);
}

Task<std::vector<Range>> RangesOver(Session& session, KeyColumn column, Period period,
                                    std::string time_zone, std::string oldest, std::string newest,
                                    int more) {
  Edge first;
  first.newest = oldest;
  first.margin = "0";
  Edge last;
  last.newest = newest;
  last.margin = "0";
  // A bound that is not below the newest: its range begins behind all rows, but for one on it.
  const auto after = co_await Ranges(session, column, period, time_zone, last, 1, Begin::kAfter);
  auto ranges =
      co_await Ranges(session, column, period, time_zone, first, kMostRanges + 1, Begin::kBefore);
  std::size_t end = 0;
  while (end < ranges.size() && ranges[end].from != after.front().from) ++end;
  end += static_cast<std::size_t>(std::max(more, 1));
  if (end > kMostRanges || end > ranges.size()) {
    const std::string upto = co_await WhatIsLast(session, column, newest);
    throw Failure(ExitCode::kUsage,
                  fmt::format("ranges of {} from {} up to {}, and {} more ahead of that "
                              "(--premake), would be more than {} partitions: choose wider ones, "
                              "or say with --from and --to which rows get some (the default "
                              "partition holds those before and behind)",
                              ToString(period), oldest.empty() ? "the clock" : oldest, upto,
                              std::max(more, 1), kMostRanges));
  }
  ranges.resize(end);
  co_return ranges;
}

Task<std::string> NewestKeyBelow(Session& session, std::string table, KeyColumn column,
                                 std::string bound) {
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT (SELECT {0} FROM {1} WHERE {0} < {2} ORDER BY {0} DESC LIMIT 1)::text",
                  sql::QuoteIdentifier(column.name), table, BoundOf(column, bound)));
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

Task<std::string> NewestKeyFrom(Session& session, std::string table, KeyColumn column,
                                std::string bound) {
  const pg::Result row = co_await session.db().Query(
      fmt::format("SELECT (SELECT {0} FROM {1} WHERE {0} >= {2} ORDER BY {0} DESC LIMIT 1)::text",
                  sql::QuoteIdentifier(column.name), table, BoundOf(column, bound)));
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

Task<std::string> BoundBefore(Session& session, KeyColumn column, Period period,
                              std::string time_zone, std::string at, int steps) {
  Edge edge;
  edge.newest = std::move(at);
  const std::int64_t width = period.count * steps;
  if (IsCounted(column.type)) {
    edge.margin = fmt::format("-{}", width);
  } else if (period.months() > 0) {
    edge.margin = fmt::format("-{} months", period.months() * steps);
  } else {
    edge.margin = fmt::format("-{} {}", period.unit == Unit::kWeek ? 7 * width : width,
                              period.unit == Unit::kHour ? "hours" : "days");
  }
  const auto ranges = co_await Ranges(session, column, period, std::move(time_zone),
                                      std::move(edge), 1, Begin::kBefore);
  std::string bound = ranges.front().from;
  std::erase(bound, '\'');
  co_return bound;
}

Task<Following> RangesAfter(Session& session, KeyColumn column, Period period,
                            std::string time_zone, Onward onward) {
  const auto literal = [&column](const std::string& text) {
    return IsNumber(column.type) ? text : Quoted(text);
  };
  Following following;
  following.until = literal(onward.last);
  const std::string stop = onward.stop.empty() ? std::string() : literal(onward.stop);
  const pg::Result rows =
      co_await Follow(session, column, period, std::move(time_zone), std::move(onward));
  std::string from = following.until;
  for (int i = 0; i + 1 < rows.rows(); ++i) {
    if (!rows.Get<bool>(i, 2)) co_return following;
    following.stopped = rows.Get<bool>(i, 4);
    if (following.stopped) co_return following;
    // To the microsecond, as the neighbour has it.
    const std::string to =
        rows.Get<bool>(i + 1, 4)
            ? stop
            : LiteralOf(column, rows.Get<std::string>(i + 1, 0), rows.Get<std::int64_t>(i + 1, 3));
    if (from != to)
      following.ranges.push_back({NameOfBound(rows.Get<std::string>(i, 1)), from, to,
                                  NameOfBound(rows.Get<std::string>(i, 5))});
    from = to;
  }
  following.many = true;
  co_return following;
}

}  // namespace pgalter::partition
