#include "batcher/partition/lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

// Unique keys that lack the column, and whether they can be widened by it.
constexpr const char* kKeys = R"sql(
SELECT quote_ident(c.relname),
       CASE con.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE '' END,
       (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n)
        FROM generate_series(1, x.indnkeyatts) n),
       coalesce(' INCLUDE (' || (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', '
                                                   ORDER BY n)
                FROM generate_series(x.indnkeyatts + 1, x.indnatts) n) || ')', ''),
       CASE WHEN con.condeferrable THEN ' DEFERRABLE' ELSE '' END
         || CASE WHEN con.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END,
       x.indexprs IS NULL AND x.indpred IS NULL
         AND NOT coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false)
         AND NOT EXISTS (SELECT FROM unnest(x.indclass) o (oid) JOIN pg_opclass oc USING (oid)
                         WHERE NOT oc.opcdefault)
         AND 0 = ALL (x.indoption[0:x.indnkeyatts - 1])
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
LEFT JOIN pg_constraint con ON con.conindid = x.indexrelid AND con.conrelid = x.indrelid
  AND con.contype IN ('p', 'u')
WHERE x.indrelid = $1 AND x.indisunique
  AND (SELECT attnum FROM pg_attribute WHERE attrelid = $1 AND attname = $2)
    <> ALL (x.indkey[0:x.indnkeyatts - 1])
ORDER BY x.indisprimary DESC, c.relname
)sql";

}  // namespace

Task<> RequireColumn(Session& session, const backfill::Table& table, std::string name) {
  const pg::Result row = co_await session.db().Query(
      "SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = $2 AND attnum > 0"
      " AND NOT attisdropped",
      table.oid, name);
  if (row.empty())
    throw Failure(ExitCode::kUsage,
                  fmt::format("{} has no column {}", table.name, QuoteIdentifier(name)));
}

Task<KeyColumn> FindColumn(Session& session, const backfill::Table& table, std::string name) {
  co_await RequireColumn(session, table, name);
  const pg::Result row = co_await session.db().Query(
      "SELECT atttypid::int4, format_type(atttypid, atttypmod) FROM pg_attribute"
      " WHERE attrelid = $1 AND attname = $2 AND attnum > 0 AND NOT attisdropped",
      table.oid, name);
  KeyColumn column;
  column.name = std::move(name);
  switch (row.Get<int>(0, 0)) {
    case 1082:
      column.type = KeyType::kDate;
      break;
    case 1114:
      column.type = KeyType::kTimestamp;
      break;
    case 1184:
      column.type = KeyType::kTimestamptz;
      break;
    case 20:
    case 21:
    case 23:
      column.type = KeyType::kInteger;
      break;
    default:
      throw Failure(ExitCode::kUsage,
                    fmt::format("column {} is of type {}: ranges are made of date, timestamp, "
                                "timestamptz and integers",
                                QuoteIdentifier(column.name), row.Get<std::string>(0, 1)));
  }
  co_return column;
}

Period PeriodOf(const std::string& every, const KeyColumn& column) {
  const auto period = ParsePeriod(every);
  const bool number = column.type == KeyType::kInteger;
  if (!period || (period->unit == Unit::kNumber) != number)
    throw Failure(
        ExitCode::kUsage,
        fmt::format("--every \"{}\" is no width of a range of {}: write {}", every,
                    QuoteIdentifier(column.name),
                    number ? "a number, as 1000000" : "a time, as '1 month' or '7 days'"));
  if (period->unit == Unit::kHour && column.type == KeyType::kDate)
    throw Failure(ExitCode::kUsage, "a range of dates is at least one day wide");
  return *period;
}

Task<> RefuseUnknownZone(Session& session, std::string zone) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)", zone);
  if (row.Get<bool>(0, 0)) co_return;
  throw Failure(ExitCode::kUsage,
                fmt::format("--time-zone \"{}\" is not known to the server: write it as in "
                            "Europe/Berlin",
                            zone));
}

Task<std::vector<WidenedKey>> FindWidenedKeys(Session& session, pg::Oid table, std::string column) {
  const pg::Result rows = co_await session.db().Query(kKeys, table, column);
  const std::string added = QuoteIdentifier(column);
  std::vector<WidenedKey> keys;
  for (int i = 0; i < rows.rows(); ++i) {
    WidenedKey key;
    key.index = rows.Get<std::string>(i, 0);
    key.constraint = rows.Get<std::string>(i, 1);
    key.columns = rows.Get<std::string>(i, 2);
    key.wide = key.columns + ", " + added;
    key.rest = rows.Get<std::string>(i, 3);
    key.deferrable = rows.Get<std::string>(i, 4);
    if (!rows.Get<bool>(i, 5))
      throw Failure(ExitCode::kRefused,
                    fmt::format("unique index {} lacks {}, and is too special to be widened by it: "
                                "drop it before. Nothing was changed",
                                key.index, added));
    keys.push_back(std::move(key));
  }
  co_return keys;
}

std::string PartName(const std::string& relname, const std::string& end) {
  constexpr std::size_t kMost = 63;
  std::string start = relname.substr(0, std::min(relname.size(), kMost - end.size()));
  while (!start.empty() && (static_cast<unsigned char>(start.back()) & 0xC0U) == 0x80U)
    start.pop_back();  // a character that was cut in two
  return QuoteIdentifier(start + end);
}

}  // namespace pgalter::partition
