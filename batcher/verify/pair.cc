#include "batcher/verify/pair.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "engine/guard/role_settings.h"
#include "engine/run/failure.h"

namespace pgalter::verify {

using capture::Flow;
using run::ExitCode;
using run::Failure;

namespace {

struct Found {
  pg::Oid oid = 0;
  std::string name;
  std::string alias;
  bool partitioned = false;
};

// The fifth: what it is instead of a table; NULL for a table.
constexpr const char* kRelation = R"sql(
SELECT c.oid, format('%I.%I', n.nspname, c.relname), quote_ident(c.relname), relkind = 'p',
       CASE relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
         WHEN 'f' THEN 'a foreign table' WHEN 'S' THEN 'a sequence'
         WHEN 'i' THEN 'an index' WHEN 'I' THEN 'an index' WHEN 'c' THEN 'a type'
         WHEN 't' THEN 'a TOAST table' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

Task<Found> Find(Session& session, std::string text) {
  const pg::Result rows = co_await session.db().Query(kRelation, text);
  if (rows.empty())
    throw Failure(ExitCode::kUsage, fmt::format("there is no table {} to compare", text));
  if (!rows.IsNull(0, 4))
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot compare {0}: it is {1}, which has no key to tell its rows apart "
                    "by. Compare a copy that has one: CREATE TABLE … AS TABLE {0}",
                    rows.Get<std::string>(0, 1), rows.Get<std::string>(0, 4)));
  co_return Found{rows.Get<pg::Oid>(0, 0), rows.Get<std::string>(0, 1), rows.Get<std::string>(0, 2),
                  rows.Get<bool>(0, 3)};
}

constexpr const char* kColumns = R"sql(
SELECT coalesce(s.attname, t.attname)::text, quote_ident(coalesce(s.attname, t.attname)),
       format_type(t.atttypid, t.atttypmod), s.attname IS NOT NULL, t.attname IS NOT NULL
FROM (SELECT * FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped) s
FULL JOIN (SELECT * FROM pg_attribute WHERE attrelid = $2 AND attnum > 0 AND NOT attisdropped) t
  USING (attname)
ORDER BY s.attnum, t.attnum
)sql";

// Of several, the primary key; of each, its columns, all of them NOT NULL and comparable there.
constexpr const char* kKey = R"sql(
WITH key AS (
  SELECT x.indexrelid, x.indclass, x.indkey, x.indnkeyatts FROM pg_index x
  WHERE x.indrelid = $1 AND x.indisunique AND x.indimmediate AND x.indisvalid
    AND x.indpred IS NULL AND x.indexprs IS NULL
    AND NOT EXISTS (
      SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k
      JOIN pg_attribute s ON s.attrelid = $1 AND s.attnum = k
      LEFT JOIN pg_attribute t ON t.attrelid = $2 AND t.attname = s.attname AND NOT t.attisdropped
        AND (t.atttypid = s.atttypid OR s.atttypid IN (20, 21, 23) AND t.atttypid IN (20, 21, 23)
             OR s.atttypid IN (25, 1043) AND t.atttypid IN (25, 1043))
      WHERE NOT s.attnotnull OR t.attname IS NULL)
  ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid LIMIT 1)
SELECT quote_ident(s.attname), format_type(s.atttypid, s.atttypmod),
       (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
        FROM pg_opclass c JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amopstrategy = 3
          AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype
        JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
        WHERE c.oid = key.indclass[k.n - 1])
FROM key CROSS JOIN LATERAL unnest(key.indkey[0:key.indnkeyatts - 1]) WITH ORDINALITY k (attnum, n)
JOIN pg_attribute s ON s.attrelid = $1 AND s.attnum = k.attnum
ORDER BY k.n
)sql";

// Whether a unique key of $1 has no other columns than these.
constexpr const char* kIsUnique = R"sql(
SELECT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = $1 AND x.indisunique AND x.indisvalid
  AND x.indpred IS NULL AND x.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k
                  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k
                  WHERE quote_ident(a.attname) <> ALL ($2::text[])))
)sql";

}  // namespace

Task<std::vector<Difference>> FindTwice(Session& session, const Flow& flow) {
  constexpr int kMostKeys = 10;
  std::vector<Difference> found;
  std::vector<std::string> names;
  std::vector<std::string> shown;
  for (const capture::KeyColumn& column : flow.key) {
    names.push_back(column.to);
    shown.push_back(column.to + "::text");
  }
  const pg::Result unique = co_await session.db().Query(kIsUnique, flow.to_oid, names);
  if (unique.Get<bool>(0, 0)) co_return found;
  const pg::Result rows = co_await session.db().Query(
      fmt::format("SELECT concat_ws(', ', {0}), (sum(count(*) - 1) OVER ())::int8 FROM {1}"
                  " GROUP BY {2} HAVING count(*) > 1 ORDER BY {2} LIMIT {3}",
                  fmt::join(shown, ", "), flow.to, fmt::join(names, ", "), kMostKeys));
  if (rows.empty()) co_return found;
  Difference difference;
  difference.of = flow.to;
  difference.in = flow.from;
  difference.one_way = true;
  difference.twice = true;
  difference.rows = rows.Get<std::int64_t>(0, 1);
  for (int i = 0; i < rows.rows(); ++i) difference.keys.push_back(rows.Get<std::string>(i, 0));
  found.push_back(std::move(difference));
  co_return found;
}

Task<Pair> ReadPair(Session& session, std::string from, std::string to) {
  for (const auto& [name, value] : co_await guard::RoleSettings(session))
    co_await session.db().Query("SELECT set_config($1, $2, false)", name, value);
  const Found one = co_await Find(session, from);
  const Found other = co_await Find(session, to);
  co_await session.db().Query("SELECT set_config('search_path', 'pg_catalog', false)");
  Pair pair;
  Flow& flow = pair.flow;
  flow.from_oid = one.oid;
  flow.to_oid = other.oid;
  flow.from = one.name;
  flow.to = other.name;
  flow.alias = one.alias;
  flow.from_partitioned = one.partitioned;
  flow.to_partitioned = other.partitioned;
  const pg::Result columns = co_await session.db().Query(kColumns, one.oid, other.oid);
  for (int i = 0; i < columns.rows(); ++i) {
    const auto name = columns.Get<std::string>(i, 1);
    if (!columns.Get<bool>(i, 3) || !columns.Get<bool>(i, 4)) {
      pair.unshared.push_back(
          fmt::format("{} of {}", name, columns.Get<bool>(i, 3) ? one.name : other.name));
      continue;
    }
    flow.columns.push_back(
        {name, fmt::format("{}.{}", flow.alias, name), columns.Get<std::string>(i, 2)});
  }
  const pg::Result key = co_await session.db().Query(kKey, one.oid, other.oid);
  for (int i = 0; i < key.rows(); ++i) {
    const auto name = key.Get<std::string>(i, 0);
    flow.key.push_back({name, name, key.Get<std::string>(i, 1), key.Get<std::string>(i, 2)});
  }
  if (flow.key.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("no unique key of {} over NOT NULL columns is in {}, too: their rows "
                              "cannot be told apart",
                              one.name, other.name));
  co_return pair;
}

}  // namespace pgalter::verify
