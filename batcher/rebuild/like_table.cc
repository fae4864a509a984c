#include "batcher/rebuild/like_table.h"

#include <fmt/format.h>

#include "batcher/rebuild/mapping.h"

namespace pgalter::rebuild {

namespace {

// What pg_class and pg_attribute say besides what LIKE copies and CREATE TABLE can say, for columns
// that are in both tables.
constexpr const char* kColumnSettings = R"sql(
WITH kept AS (SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND NOT attisdropped)
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, attname,
              to_jsonb(a)->>'attstattarget')
FROM pg_attribute a JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND coalesce((to_jsonb(a)->>'attstattarget')::int, -1) >= 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::text, attname,
              (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%'))
FROM pg_attribute JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  AND EXISTS (SELECT FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%')
UNION ALL
SELECT format('COMMENT ON COLUMN %s.%I IS %L', $2::text, attname, col_description(attrelid, attnum))
FROM pg_attribute JOIN kept USING (attname)
WHERE attrelid = $1 AND attnum > 0 AND col_description(attrelid, attnum) IS NOT NULL
)sql";

// The same of columns $3, which are $4 there; what the new definition says itself is left.
constexpr const char* kRenamedSettings = R"sql(
WITH pair AS (
  SELECT a.*, t.attname AS name, to_jsonb(t)->>'attstattarget' AS target, t.attoptions AS options,
         col_description(t.attrelid, t.attnum) AS remark
  FROM unnest($3::text[], $4::text[]) r (old, new)
  JOIN pg_attribute a ON a.attrelid = $1 AND a.attname = r.old AND NOT a.attisdropped
  JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = r.new AND NOT t.attisdropped
  WHERE a.attnum > 0 AND t.attnum > 0)
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, name, attstattarget)
FROM pair WHERE coalesce(attstattarget, -1) >= 0 AND coalesce(target::int, -1) < 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $2::text, name,
              (SELECT string_agg(o, ', ') FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%'))
FROM pair WHERE EXISTS (SELECT FROM unnest(attoptions) o WHERE o LIKE 'n_distinct%')
  AND NOT EXISTS (SELECT FROM unnest(options) o WHERE o LIKE 'n_distinct%')
UNION ALL
SELECT format('COMMENT ON COLUMN %s.%I IS %L', $2::text, name, col_description(attrelid, attnum))
FROM pair WHERE col_description(attrelid, attnum) IS NOT NULL AND remark IS NULL
)sql";

// LIKE makes every identity's sequence one of bigint, with the bounds of the old type: these would
// stay when the column becomes a bigint.
constexpr const char* kIdentityTypes = R"sql(
SELECT format('ALTER SEQUENCE %s AS %s', pg_get_serial_sequence($2::text, a.attname),
              format_type(x.seqtypid, NULL))
FROM pg_attribute a
JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
  AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
JOIN pg_sequence x ON x.seqrelid = d.objid
WHERE a.attrelid = $1::regclass AND a.attidentity <> '' AND NOT a.attisdropped
)sql";

// In the order of CREATE TABLE. A partitioned table has none of them but a tablespace and, from
// PostgreSQL 17 on, an access method, for partitions to come.
constexpr const char* kStorage = R"sql(
SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
  concat(' USING ' || quote_ident(am.amname),
         ' WITH (' || (SELECT string_agg(o, ', ') FROM (
           SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o))
           || ')',
         ' TABLESPACE ' || quote_ident(ts.spcname))
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.oid = $1
)sql";

Task<> Execute(Session& session, const pg::Result& statements) {
  for (int i = 0; i < statements.rows(); ++i)
    co_await session.db().Query(statements.Get<std::string>(i, 0));
}

}  // namespace

Task<> MakeLike(Session& session, LikeTable like) {
  const pg::Result storage = co_await session.db().Query(kStorage, like.storage_of);
  const char* const identity = like.partition ? "" : "INCLUDING IDENTITY ";
  const std::string partitioned_by =
      like.partitioned_by.empty() ? "" : " PARTITION BY " + like.partitioned_by;
  co_await session.db().Query(fmt::format(
      "CREATE {}TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED {}"
      "INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS){}{}",
      storage.Get<std::string>(0, 0), like.name, like.columns_of, identity, partitioned_by,
      storage.Get<std::string>(0, 1)));
  if (like.partition) co_return;
  const pg::Result types = co_await session.db().Query(kIdentityTypes, like.columns_of, like.name);
  co_await Execute(session, types);
}

Task<> CopyColumnSettings(Session& session, pg::Oid from, std::string to) {
  const pg::Result settings = co_await session.db().Query(kColumnSettings, from, to);
  co_await Execute(session, settings);
}

Task<> CopyRenamedSettings(Session& session, pg::Oid from, std::string to,
                           const std::vector<SameColumn>& renamed) {
  if (renamed.empty()) co_return;
  const pg::Result settings =
      co_await session.db().Query(kRenamedSettings, from, to, FromOf(renamed), ToOf(renamed));
  co_await Execute(session, settings);
}

}  // namespace pgalter::rebuild
