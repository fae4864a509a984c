#include "batcher/partition/alike.h"

#include <fmt/format.h>

namespace pgalter::partition {

namespace {

// Before version 15 a partition's triggers are the server's own, which a superuser alone changes.
constexpr const char* kLikeTheOld = R"sql(
SELECT 'ALTER TABLE ', ' REPLICA IDENTITY ' || CASE relreplident WHEN 'f' THEN 'FULL'
                                                                 ELSE 'NOTHING' END
FROM pg_class WHERE oid = $1::regclass AND relreplident IN ('f', 'n')
UNION ALL
SELECT 'ALTER TABLE ', ' ENABLE ROW LEVEL SECURITY'
FROM pg_class WHERE oid = $1::regclass AND relrowsecurity
UNION ALL
SELECT 'ALTER TABLE ', ' FORCE ROW LEVEL SECURITY'
FROM pg_class WHERE oid = $1::regclass AND relforcerowsecurity
UNION ALL
SELECT 'COMMENT ON TABLE ', ' IS ' || quote_literal(obj_description($1::regclass, 'pg_class'))
WHERE obj_description($1::regclass, 'pg_class') IS NOT NULL
UNION ALL
SELECT 'ALTER TABLE ', format(' %s TRIGGER %I',
         CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                          WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname)
FROM pg_trigger t JOIN pg_trigger p ON p.oid = t.tgparentid
WHERE t.tgrelid = $1::regclass AND NOT p.tgisinternal AND t.tgenabled <> p.tgenabled
  AND (NOT t.tgisinternal OR current_setting('is_superuser')::boolean)
)sql";

constexpr const char* kRights = R"sql(
SELECT 'REVOKE ALL ON TABLE ', ' FROM ' || string_agg(DISTINCT
         CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
FROM pg_class c JOIN pg_default_acl d ON d.defaclnamespace IN (0, c.relnamespace)
  AND d.defaclobjtype = 'r' AND d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
CROSS JOIN aclexplode(d.defaclacl) a
WHERE c.oid = $1::regclass AND a.grantee <> c.relowner HAVING count(*) > 0
UNION ALL
SELECT format('REVOKE %s ON TABLE ', d.privilege_type),
       ' FROM ' || quote_ident(pg_get_userbyid(c.relowner))
FROM pg_class c, aclexplode(acldefault('r', c.relowner)) d
WHERE c.oid = $1::regclass AND c.relacl IS NOT NULL AND NOT EXISTS (
  SELECT FROM aclexplode(c.relacl) a
  WHERE a.grantee = c.relowner AND a.privilege_type = d.privilege_type)
UNION ALL
SELECT format('GRANT %s ON TABLE ', a.privilege_type),
       format(' TO %s%s',
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::regclass AND a.grantee <> c.relowner
)sql";

// $1 the one that goes, $2 the one that comes.
constexpr const char* kParameters = R"sql(
WITH each AS (
  SELECT c.oid, ARRAY(SELECT unnest(c.reloptions)
                      UNION ALL SELECT 'toast.' || unnest(t.reloptions)) AS options
  FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  WHERE c.oid IN ($1::regclass, $2::regclass))
SELECT 'ALTER TABLE ', format(' SET (%s)', string_agg(x, ', '))
FROM each o JOIN each n ON o.oid = $1::regclass AND n.oid = $2::regclass
CROSS JOIN unnest(o.options) x WHERE x <> ALL (n.options) HAVING count(*) > 0
UNION ALL
SELECT 'ALTER TABLE ', format(' RESET (%s)', string_agg(split_part(x, '=', 1), ', '))
FROM each o JOIN each n ON o.oid = $1::regclass AND n.oid = $2::regclass
CROSS JOIN unnest(n.options) x
WHERE NOT EXISTS (SELECT FROM unnest(o.options) y WHERE split_part(y, '=', 1) = split_part(x, '=', 1))
HAVING count(*) > 0
)sql";

// $1 the one that is there, $2 the parent. pg_attver is the server's own mark (15.20).
constexpr const char* kColumns = R"sql(
WITH col AS (
  SELECT a.attnum, quote_ident(a.attname) AS name,
         (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg_attver=%')
           AS options,
         (to_jsonb(a) ->> 'attstattarget')::int AS target,
         CASE WHEN a.attstorage <> p.attstorage THEN a.attstorage END AS storage,
         CASE WHEN a.attcompression <> p.attcompression THEN a.attcompression END AS compression
  FROM pg_attribute a JOIN pg_attribute p ON p.attrelid = $2::regclass AND p.attname = a.attname
  WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND NOT p.attisdropped),
change AS (
  SELECT attnum, 1 AS kind, format('ALTER COLUMN %s SET STATISTICS %s', name, target) AS action
  FROM col WHERE target >= 0
  UNION ALL
  SELECT attnum, 2, format('ALTER COLUMN %s SET (%s)', name, options) FROM col WHERE options <> ''
  UNION ALL
  SELECT attnum, 3, format('ALTER COLUMN %s SET STORAGE %s', name,
                           CASE storage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                        WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
  FROM col WHERE storage IS NOT NULL
  UNION ALL
  SELECT attnum, 4, format('ALTER COLUMN %s SET COMPRESSION %s', name,
                           CASE compression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4'
                                            ELSE 'default' END)
  FROM col WHERE compression IS NOT NULL)
SELECT 'ALTER TABLE ', ' ' || string_agg(action, ', ' ORDER BY attnum, kind)
FROM change HAVING count(*) > 0
)sql";

constexpr const char* kStorage = R"sql(
SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
  CASE WHEN am.amname <> 'heap' OR current_setting('default_table_access_method') <> 'heap'
       THEN ' USING ' || quote_ident(am.amname) ELSE '' END
    || coalesce(' WITH (' || (SELECT string_agg(o, ', ') FROM (
         SELECT unnest(c.reloptions) UNION ALL SELECT 'toast.' || unnest(t.reloptions)) x (o))
         || ')', '')
    || coalesce(' TABLESPACE ' || quote_ident(ts.spcname), ''),
  coalesce(' TABLESPACE ' || quote_ident(ts.spcname), '')
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
WHERE c.oid = $1::regclass
)sql";

// The first in which another one differs from the first.
constexpr const char* kUnlike = R"sql(
WITH each AS (
  SELECT u.name, u.n, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
         ARRAY(SELECT x::text FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) x
               ORDER BY 1) AS acl
  FROM unnest($1::text[]) WITH ORDINALITY u (name, n) JOIN pg_class c ON c.oid = u.name::regclass)
SELECT o.name,
       CASE WHEN o.relowner <> f.relowner THEN format('belongs to %I, and %s to %I: ALTER TABLE ... '
              'OWNER TO', pg_get_userbyid(o.relowner), f.name, pg_get_userbyid(f.relowner))
            WHEN o.acl <> f.acl THEN format('has other rights than %s, which would be rights on the '
              'rows of both: GRANT or REVOKE until they are equal', f.name)
            ELSE format('has another row security than %s: ALTER TABLE ... ENABLE or DISABLE ROW LEVEL '
              'SECURITY, or FORCE', f.name) END
FROM each f JOIN each o ON f.n = 1 AND o.n > 1
WHERE o.relowner <> f.relowner OR o.acl <> f.acl OR o.relrowsecurity <> f.relrowsecurity
  OR o.relforcerowsecurity <> f.relforcerowsecurity
ORDER BY o.n LIMIT 1
)sql";

// What the one that is stored as the first would do to the rows of the others. $1 as above. A key
// by which rows are followed is NOT NULL in the first, and has to be in all.
constexpr const char* kUnlikeForm = R"sql(
WITH each AS (
  SELECT u.name, u.n, c.oid, c.relpersistence
  FROM unnest($1::text[]) WITH ORDINALITY u (name, n) JOIN pg_class c ON c.oid = u.name::regclass)
SELECT o.name, w.why FROM each f JOIN each o ON f.n = 1 AND o.n > 1 CROSS JOIN LATERAL (
  SELECT format('is not UNLOGGED as %s is, and a crash would take the rows of both then: ALTER TABLE %s '
                'SET LOGGED', f.name, f.name)
  WHERE f.relpersistence = 'u' AND o.relpersistence <> 'u'
  UNION ALL
  SELECT format('lacks the constraint %I of %s, %s, which would bind the rows of both: ALTER TABLE %s '
                'DROP CONSTRAINT %I, or ADD it there', k.conname, f.name, pg_get_constraintdef(k.oid),
                f.name, k.conname)
  FROM pg_constraint k WHERE k.conrelid = f.oid AND k.contype = 'c' AND NOT EXISTS (
    SELECT FROM pg_constraint l WHERE l.conrelid = o.oid AND l.contype = 'c'
    AND pg_get_constraintdef(l.oid) = pg_get_constraintdef(k.oid))
  UNION ALL
  SELECT format('may have NULL in the column %I, which is NOT NULL in %s: ALTER TABLE %s ALTER %I DROP '
                'NOT NULL, or SET it there', a.attname, f.name, f.name, a.attname)
  FROM pg_attribute a JOIN pg_attribute b ON b.attrelid = o.oid AND b.attname = a.attname
  WHERE a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
    AND NOT b.attnotnull
  UNION ALL
  SELECT format('fires the trigger %I otherwise than %s: ENABLE or DISABLE it until they are alike',
                p.tgname, f.name)
  FROM pg_trigger p JOIN pg_trigger t ON t.tgparentid = p.oid AND t.tgrelid = f.oid
  JOIN pg_trigger s ON s.tgparentid = p.oid AND s.tgrelid = o.oid
  WHERE NOT p.tgisinternal AND t.tgenabled <> s.tgenabled
  UNION ALL
  SELECT format('makes the column %I otherwise than %s does, and would have other values in it: such '
                'are not merged', a.attname, f.name)
  FROM pg_attribute a JOIN pg_attribute b ON b.attrelid = o.oid AND b.attname = a.attname
  JOIN pg_attrdef d ON d.adrelid = f.oid AND d.adnum = a.attnum
  JOIN pg_attrdef e ON e.adrelid = o.oid AND e.adnum = b.attnum
  WHERE a.attrelid = f.oid AND a.attgenerated <> ''
    AND pg_get_expr(d.adbin, d.adrelid) <> pg_get_expr(e.adbin, e.adrelid)
) w (why)
ORDER BY o.n LIMIT 1
)sql";

Task<Forms> ReadForms(Session& session, const char* query, pg::Params params) {
  const pg::Result rows =
      co_await session.db().QueryParams(query, std::move(params), pg::Format::kText);
  Forms forms;
  for (int i = 0; i < rows.rows(); ++i)
    forms.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
  co_return forms;
}

}  // namespace

void AddFor(const std::string& table, const Forms& forms, std::vector<std::string>& statements) {
  for (const Form& form : forms) statements.push_back(form.before + table + form.after);
}

Task<Forms> LikeTheOld(Session& session, std::string partition) {
  co_return co_await ReadForms(session, kLikeTheOld, pg::Params::Of(partition));
}

Task<Forms> RightsOf(Session& session, std::string partition) {
  co_return co_await ReadForms(session, kRights, pg::Params::Of(partition));
}

Task<Forms> ParametersOf(Session& session, std::string partition, std::string made) {
  co_return co_await ReadForms(session, kParameters, pg::Params::Of(partition, made));
}

Task<Forms> ColumnsLike(Session& session, std::string partition, std::string parent) {
  co_return co_await ReadForms(session, kColumns, pg::Params::Of(partition, parent));
}

Task<Storage> StorageOf(Session& session, std::string partition) {
  const pg::Result row = co_await session.db().Query(kStorage, partition);
  Storage storage;
  storage.persistence = row.Get<std::string>(0, 0);
  storage.rest = row.Get<std::string>(0, 1);
  storage.tablespace = row.Get<std::string>(0, 2);
  co_return storage;
}

Task<std::string> FindUnlike(Session& session, std::vector<std::string> partitions) {
  for (const char* query : {kUnlike, kUnlikeForm}) {
    const pg::Result row = co_await session.db().Query(query, partitions);
    if (!row.empty())
      co_return fmt::format("{} {}", row.Get<std::string>(0, 0), row.Get<std::string>(0, 1));
  }
  co_return "";
}

}  // namespace pgalter::partition
