#include "batcher/partition/primary_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// $1 the table, $2 the columns that are wished, $3 those by which rows are parted. One row; of the
// columns in its lists: none, or their names, quoted.
constexpr const char* kWished = R"sql(
WITH wished AS (SELECT name, n FROM unnest($2::text[]) WITH ORDINALITY w (name, n)),
col AS (SELECT attname::text AS name, attnum, attnotnull FROM pg_attribute
        WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped),
plain AS (SELECT indexrelid, indisprimary, indisunique,
                 (SELECT array_agg(k ORDER BY n) FROM unnest(indkey[0:indnkeyatts - 1])
                  WITH ORDINALITY u (k, n)) AS columns
          FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = c.relam
          WHERE indrelid = $1 AND am.amname = 'btree' AND indexprs IS NULL AND indpred IS NULL),
now AS (SELECT columns FROM plain WHERE indisprimary),
key AS (SELECT array_agg(col.attnum ORDER BY n) AS columns FROM wished JOIN col USING (name))
SELECT
  (SELECT string_agg(quote_ident(name), ', ' ORDER BY n) FROM wished),
  (SELECT string_agg(quote_ident(name), ', ' ORDER BY n) FROM wished LEFT JOIN col USING (name)
   WHERE attnum IS NULL),
  (SELECT min(quote_ident(name)) FROM (SELECT name FROM wished GROUP BY name HAVING count(*) > 1) t),
  (SELECT string_agg(quote_ident(attname), ', ' ORDER BY k.n) FROM now, unnest(now.columns)
   WITH ORDINALITY k (attnum, n) JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = k.attnum),
  (SELECT string_agg(quote_ident(name), ', ' ORDER BY attnum) FROM col
   WHERE (name = ANY ($3::text[]) OR attnum = ANY ((SELECT columns FROM now)::int2[]))
     AND name NOT IN (SELECT name FROM wished)),
  (SELECT string_agg(quote_ident(name), ', ' ORDER BY n) FROM wished JOIN col USING (name)
   WHERE NOT attnotnull AND name <> ALL ($3::text[])),
  (SELECT columns FROM key) = (SELECT columns FROM now),
  (SELECT quote_ident(c.relname) FROM plain p JOIN pg_class c ON c.oid = p.indexrelid
   WHERE p.indisunique AND NOT p.indisprimary AND p.columns = (SELECT columns FROM key) LIMIT 1),
  EXISTS (SELECT FROM now, (SELECT columns FROM plain WHERE NOT indisprimary
                            UNION ALL SELECT columns FROM key) i
          WHERE i.columns[1:cardinality(now.columns)] @> now.columns),
  EXISTS (SELECT FROM wished JOIN col USING (name)
          WHERE attnum <> ALL ((SELECT columns FROM now)::int2[]) AND name <> ALL ($3::text[]))
)sql";

struct Wished {
  std::string columns;
  std::optional<std::string> unknown;
  std::optional<std::string> twice;
  std::optional<std::string> now;  // the columns of the key that there is
  std::optional<std::string> missing;
  std::optional<std::string> nullable;
  bool is_now = false;
  std::optional<std::string> twin;  // a unique index of these columns
  bool finds_now = false;           // an index leads to rows by the columns of now
  bool has_more = false;
};

Task<Wished> ReadWished(Session& session, pg::Oid table, std::vector<std::string> wished,
                        std::vector<std::string> parting) {
  const pg::Result row = co_await session.db().Query(kWished, table, wished, parting);
  const auto text = [&row](int column) { return row.Get<std::optional<std::string>>(0, column); };
  Wished read;
  read.columns = row.Get<std::string>(0, 0);
  read.unknown = text(1);
  read.twice = text(2);
  read.now = text(3);
  read.missing = text(4);
  read.nullable = text(5);
  read.is_now = row.Get<std::optional<bool>>(0, 6).value_or(false);
  read.twin = text(7);
  read.finds_now = row.Get<bool>(0, 8);
  read.has_more = row.Get<std::optional<bool>>(0, 9).value_or(false);
  co_return read;
}

[[noreturn]] void Refuse(const Wished& wished, ExitCode code, const std::string& why) {
  throw Failure(code, fmt::format("--primary-key '{}': {}", wished.columns, why));
}

void RefuseWhatCannotBe(const std::string& table, const Wished& wished) {
  if (wished.unknown)
    Refuse(wished, ExitCode::kUsage, fmt::format("the table has no column {}", *wished.unknown));
  if (wished.twice)
    Refuse(wished, ExitCode::kUsage, fmt::format("{} is there twice", *wished.twice));
  if (!wished.now)
    Refuse(wished, ExitCode::kRefused,
           fmt::format("{0} has no primary key yet. Make one first: pgalter run --sql 'ALTER TABLE "
                       "{0} ADD PRIMARY KEY (…)'",
                       table));
  if (wished.missing)
    Refuse(wished, ExitCode::kRefused,
           fmt::format("lacks {}. It has to hold the columns of the primary key of now, which tell "
                       "rows apart, and those by which they are parted",
                       *wished.missing));
  if (wished.nullable)
    Refuse(
        wished, ExitCode::kRefused,
        fmt::format("{1} may be NULL. First, of each such column: pgalter run --sql 'ALTER TABLE "
                    "{0} ALTER {1} SET NOT NULL'",
                    table, *wished.nullable));
}

}  // namespace

Task<bool> NameColumns(Session& session, backfill::Table table, std::vector<std::string> wished,
                       std::vector<std::string> parting, std::vector<WidenedKey>& keys) {
  if (wished.empty()) co_return false;
  const Wished wish =
      co_await ReadWished(session, table.oid, std::move(wished), std::move(parting));
  RefuseWhatCannotBe(table.name, wish);
  if (wish.is_now) co_return false;
  const auto key = std::ranges::find(keys, std::string("PRIMARY KEY"), &WidenedKey::constraint);
  if (key == keys.end())
    Refuse(wish, ExitCode::kRefused,
           fmt::format("the primary key of now, ({}), holds what it has to, and stays. Change it "
                       "before or after by pgalter run",
                       *wish.now));
  if (wish.twin)
    Refuse(wish, ExitCode::kRefused,
           fmt::format("unique index {} has these columns. Drop it first, or make it the primary "
                       "key",
                       *wish.twin));
  if (!wish.finds_now)
    Refuse(wish, ExitCode::kRefused,
           fmt::format("nothing would lead to rows by ({}) any more. Begin it with these columns, "
                       "or make an index first: CREATE INDEX CONCURRENTLY ON {} ({})",
                       *wish.now, table.name, *wish.now));
  key->wide = wish.columns;
  co_return wish.has_more;
}

}  // namespace pgalter::partition
