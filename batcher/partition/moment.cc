#include "batcher/partition/moment.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <regex>

#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

constexpr std::int64_t kThousand = 1000;

// Of about so many pages, all over the table. $1 the table.
constexpr const char* kShare =
    "SELECT least(100, 100 * 200.0 / greatest(sum(c.relpages), 1))::float8::text"
    " FROM pg_partition_tree($1::oid::regclass) t JOIN pg_class c ON c.oid = t.relid"
    " WHERE c.relkind <> 'p'";

const char* const kVersion7 = "'^.{14}7.{4}[89ab]'";

// $1 the newest key.
constexpr const char* kOdd = R"sql(
SELECT extract(year FROM timestamptz 'epoch' + $1::numeric::float8 * interval '1 %1')::int,
       extract(year FROM timestamptz 'epoch' + $1::numeric::float8 * interval '1 %2')::int,
       extract(year FROM now())::int
)sql";

void Replace(std::string& text, const std::string& mark, const std::string& by) {
  text.replace(text.find(mark), mark.size(), by);
}

Task<> RefuseOtherVersions(Session& session, std::string table, std::string column) {
  // Named, or ORDER BY would mean the text, which no index has in order.
  const std::string ends = fmt::format(
      "(SELECT {0}::text AS v FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} LIMIT 1) UNION ALL "
      "(SELECT {0}::text AS v FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} DESC LIMIT 1)",
      column, table);
  const pg::Result share = co_await session.db().Query("SELECT $1::regclass::oid::int8", table);
  const pg::Result percent =
      co_await session.db().Query(kShare, static_cast<pg::Oid>(share.Get<std::int64_t>(0, 0)));
  const pg::Result other = co_await session.db().Query(fmt::format(
      "SELECT v FROM ({0} UNION ALL (SELECT {1}::text FROM {2} TABLESAMPLE SYSTEM ({3}) WHERE {1} "
      "IS NOT NULL LIMIT 10000)) k WHERE v !~ {4} LIMIT 1",
      ends, column, table, percent.Get<std::string>(0, 0), kVersion7));
  if (other.empty()) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format("{} has rows whose {} is no uuid of version 7, as {}: only these begin with a "
                  "time, from which ranges could be made. Part the table by hash({}), by ranges "
                  "between values of your own (--values), or by a column with a time. Nothing was "
                  "changed",
                  table, column, other.Get<std::string>(0, 0), column));
}

// Seconds that are read as milliseconds lie in January of 1970, milliseconds that are read as
// seconds in tens of thousands of years.
Task<> RefuseOddEpoch(Session& session, std::string table, KeyColumn column) {
  constexpr int kFar = 100;  // years
  const std::string newest = co_await NewestKey(session, table, column);
  if (newest.empty()) co_return;
  const bool seconds = column.type == KeyType::kEpochSeconds;
  std::string query = kOdd;
  Replace(query, "%1", seconds ? "second" : "millisecond");
  Replace(query, "%2", seconds ? "millisecond" : "second");
  std::optional<int> year;
  std::optional<int> otherwise;
  int now = 0;
  try {
    const pg::Result row = co_await session.db().Query(query, newest);
    year = row.Get<int>(0, 0);
    otherwise = row.Get<int>(0, 1);
    now = row.Get<int>(0, 2);
  } catch (const pg::PgError&) {
    // Beyond the calendar, read in one of the two ways.
    if (!session.db().open()) throw;
  }
  const bool plausible =
      year ? *year <= now + kFar && !(*year < 1971 && *otherwise > 1990 && *otherwise < now + kFar)
           : !seconds;
  if (plausible) co_return;
  throw Failure(
      ExitCode::kRefused,
      fmt::format(
          "the greatest {} of {} is {}, which is no time in {} since 1970{}. Is "
          "it --epoch {}? Nothing was changed",
          QuoteIdentifier(column.name), table, newest, seconds ? "seconds" : "milliseconds",
          year ? fmt::format(" of our days: it would lie in the year {}", *year) : std::string(),
          seconds ? "milliseconds" : "seconds"));
}

// The milliseconds of the least uuid of one; nullopt: another, as the round ones by which uuids of
// other versions are parted, which would lie in the years to come.
std::optional<std::int64_t> LeastOf(const std::string& uuid) {
  constexpr std::size_t kLength = 36;
  if (uuid.size() != kLength || uuid.substr(13) != "-0000-0000-000000000000") return std::nullopt;
  const std::string digits = uuid.substr(0, 8) + uuid.substr(9, 4);
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value, 16);
  constexpr std::int64_t kYear2500 = 16'725'225'600'000;
  if (error != std::errc() || rest != end || value >= kYear2500) return std::nullopt;
  return value;
}

struct Calendar {
  std::chrono::year_month_day day;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

Calendar CalendarOf(std::int64_t milliseconds) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(milliseconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss<std::chrono::milliseconds>(at - day)};
}

// With `between` within the day and within the time, and `middle` between the two.
std::string Text(std::int64_t milliseconds, const char* between, const char* within,
                 const char* middle) {
  const Calendar at = CalendarOf(milliseconds);
  std::string text = fmt::format("{:04}{}{:02}{}{:02}", static_cast<int>(at.day.year()), between,
                                 static_cast<unsigned>(at.day.month()), between,
                                 static_cast<unsigned>(at.day.day()));
  if (at.time.to_duration().count() == 0) return text;
  text += fmt::format("{}{:02}{}{:02}{}{:02}", middle, at.time.hours().count(), within,
                      at.time.minutes().count(), within, at.time.seconds().count());
  const auto rest = at.time.subseconds().count();
  if (rest != 0) text += fmt::format("{}{:03}", within, rest);
  return text;
}

}  // namespace

Task<std::string> MomentOf(Session& session, KeyColumn column, std::string text) {
  if (!IsCoded(column.type) || text.empty()) co_return text;
  const char* query =
      "SELECT (timestamptz 'epoch' + $1::numeric::float8 * interval '1 second')"
      "::text";
  if (column.type == KeyType::kEpochMilliseconds)
    query = "SELECT (timestamptz 'epoch' + $1::numeric::float8 * interval '1 millisecond')::text";
  if (column.type == KeyType::kUuid)
    query =
        "SELECT (timestamptz 'epoch' + ('x' || left(replace($1::text::uuid::text, '-', ''), 12))"
        "::bit(48)::int8 * interval '1 millisecond')::text";
  const pg::Result row = co_await session.db().Query(query, text);
  co_return row.Get<std::string>(0, 0);
}

std::string LiteralAt(const KeyColumn& column, std::int64_t seconds) {
  if (column.type == KeyType::kEpochSeconds) return std::to_string(seconds);
  if (column.type == KeyType::kEpochMilliseconds) return std::to_string(seconds * kThousand);
  if (seconds < 0)
    throw Failure(ExitCode::kUsage, fmt::format("{} is of type uuid, and no uuid has a time "
                                                "before 1970",
                                                QuoteIdentifier(column.name)));
  const std::string digits = fmt::format("{:012x}", seconds * kThousand);
  return fmt::format("'{}-{}-0000-0000-000000000000'", digits.substr(0, 8), digits.substr(8));
}

Task<> RefuseNoMoments(Session& session, const backfill::Table& table, KeyColumn column) {
  if (column.type == KeyType::kUuid)
    co_await RefuseOtherVersions(session, table.name, QuoteIdentifier(column.name));
  if (column.type == KeyType::kEpochSeconds || column.type == KeyType::kEpochMilliseconds)
    co_await RefuseOddEpoch(session, table.name, std::move(column));
}

std::string TimesOfBound(const std::string& bound) {
  static const std::regex kUuid("'([0-9a-f-]{36})'|MINVALUE|MAXVALUE");
  std::string text;
  int found = 0;
  int ends = 0;
  for (std::sregex_iterator match(bound.begin(), bound.end(), kUuid), end; match != end; ++match) {
    const std::string uuid = (*match)[1].str();
    std::string one = match->str();
    if (!uuid.empty()) {
      const auto least = LeastOf(uuid);
      if (!least) return "";
      one = Text(*least, "-", ":", " ");
      ++found;
    }
    text += (ends++ == 0 ? "" : " to ") + one;
  }
  return found > 0 && ends == 2 ? text : "";
}

std::string NameOfUuid(const std::string& uuid) {
  const auto least = LeastOf(uuid);
  return least ? Text(*least, "_", "_", "_") : "";
}

}  // namespace pgalter::partition
