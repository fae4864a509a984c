#include "batcher/rebuild/views_anew.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "batcher/rebuild/replaced.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

using Oids = std::vector<std::int64_t>;

// $1 the relations that leave, $2 those that come for them. Views may read each other in a circle,
// as nobody can use them then: they are followed as deep as none goes that is used. Column by
// column and view by view (OFFSET 0), since it is asked under the locks: these catalogs are large.
constexpr const char* kViews = R"sql(
WITH RECURSIVE replaced AS (
  SELECT leaving::oid AS leaving, coming::oid AS coming
  FROM unnest($1::int8[], $2::int8[]) AS r (leaving, coming)),
changed AS (
  SELECT s.attrelid, s.attnum
  FROM replaced r JOIN pg_attribute s ON s.attrelid = r.leaving AND NOT s.attisdropped
  CROSS JOIN LATERAL (
    SELECT atttypid, atttypmod, attcollation FROM pg_attribute
    WHERE attrelid = r.coming AND attname = s.attname AND NOT attisdropped OFFSET 0) t
  WHERE s.attnum > 0
    AND (s.atttypid, s.atttypmod, s.attcollation) <> (t.atttypid, t.atttypmod, t.attcollation)),
anew (oid, depth) AS (
  SELECT b.oid, 1 FROM changed c CROSS JOIN LATERAL (
    SELECT v.oid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN'
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' AND v.oid <> d.refobjid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.attrelid
      AND d.refobjsubid = c.attnum AND d.classid = 'pg_rewrite'::regclass OFFSET 0) b
  UNION
  SELECT b.oid, anew.depth + 1 FROM anew CROSS JOIN LATERAL (
    SELECT v.oid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND r.rulename = '_RETURN'
    JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v' AND v.oid <> d.refobjid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = anew.oid
      AND d.classid = 'pg_rewrite'::regclass OFFSET 0) b
  WHERE anew.depth < 100)
SELECT v.oid, format('%I.%I', n.nspname, v.relname), quote_ident(n.nspname), quote_ident(v.relname)
FROM (SELECT oid, max(depth) AS depth FROM anew GROUP BY oid) a
JOIN pg_class v USING (oid) JOIN pg_namespace n ON n.oid = v.relnamespace
ORDER BY a.depth, v.oid
)sql";

// $1 the views, $2 the relations that leave: what hangs on these is dropped before the views are,
// and made again after.
constexpr const char* kHindrances = R"sql(
WITH view AS (
  SELECT v.*, format('%I.%I', n.nspname, v.relname) AS name, n.nspname, t.typarray
  FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace JOIN pg_type t ON t.oid = v.reltype
  WHERE v.oid::int8 = ANY ($1::int8[])),
other AS (
  SELECT view.name, d.classid, d.objid,
         CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
              ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END AS what
  FROM view JOIN pg_depend d ON d.deptype = 'n'
    AND (d.refclassid = 'pg_class'::regclass AND d.refobjid = view.oid
         OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (view.reltype, view.typarray))
  LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  LEFT JOIN pg_class e ON e.oid = r.ev_class
  LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
  LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
  LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
  WHERE NOT coalesce(
    coalesce(r.ev_class, g.tgrelid, f.adrelid)::int8 = ANY ($1::int8[])
      OR coalesce(r.ev_class, p.polrelid)::int8 = ANY ($2::int8[])
         AND e.relkind IS DISTINCT FROM 'm', false))
SELECT format('%s depends on view %s: drop it before, and make it again after', what, name)
FROM other
UNION ALL
SELECT format('view %s belongs to %I, whom this role does not stand for: run as a role that may change '
              'both', name, pg_get_userbyid(relowner))
FROM view WHERE NOT pg_has_role(relowner, 'USAGE')
UNION ALL
SELECT format('temporary view %s of another session can be dropped there alone: end that session, or '
              'have it DROP VIEW', name)
FROM view WHERE pg_is_other_temp_schema(relnamespace)
UNION ALL
SELECT format('view %s is made anew where %I may make nothing: GRANT CREATE ON SCHEMA %I TO %2$I', view.name,
              u.name, nspname)
FROM view CROSS JOIN LATERAL (VALUES (current_user), (pg_get_userbyid(relowner))) u (name)
WHERE NOT has_schema_privilege(u.name, relnamespace, 'CREATE')
  AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
UNION ALL
SELECT format('view %s is part of extension %I', name, e.extname)
FROM view JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = view.oid
  AND d.refclassid = 'pg_extension'::regclass
JOIN pg_extension e ON e.oid = d.refobjid
UNION ALL
SELECT format('view %s has a security label of provider %s', name, provider)
FROM view JOIN pg_seclabel ON classoid = 'pg_class'::regclass AND objoid = view.oid
LIMIT 1
)sql";

// $1 the views in the order in which they can be made. What hangs on them comes when all are there:
// a rule may write the next view. A new one has what the role's default privileges say, and is to
// have what the old one had.
constexpr const char* kMake = R"sql(
WITH view AS (
  SELECT v.*, u.n, format('%I.%I', s.nspname, v.relname) AS name
  FROM unnest($1::int8[]) WITH ORDINALITY u (oid, n) JOIN pg_class v ON v.oid = u.oid::oid
  JOIN pg_namespace s ON s.oid = v.relnamespace),
col AS (
  SELECT view.n, view.name, a.* FROM view
  JOIN pg_attribute a ON a.attrelid = view.oid AND a.attnum > 0),
given AS (
  SELECT DISTINCT view.n, view.name, view.relowner, g.grantee
  FROM view JOIN pg_default_acl d ON d.defaclobjtype = 'r'
    AND d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND d.defaclnamespace IN (0, view.relnamespace), aclexplode(d.defaclacl) g)
SELECT statement FROM (
SELECT n, 1, format('CREATE VIEW %s%s AS %s', name,
                    ' WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(oid))
FROM view
UNION ALL
SELECT n, 2, format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', name, attname,
                    pg_get_expr(d.adbin, d.adrelid))
FROM col JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
UNION ALL
SELECT n, 3, format('COMMENT ON VIEW %s IS %L', name, obj_description(oid, 'pg_class'))
FROM view WHERE obj_description(oid, 'pg_class') IS NOT NULL
UNION ALL
SELECT n, 3, format('COMMENT ON COLUMN %s.%I IS %L', name, attname,
                    col_description(attrelid, attnum))
FROM col WHERE col_description(attrelid, attnum) IS NOT NULL
UNION ALL
SELECT n, 4, pg_get_ruledef(r.oid) FROM view JOIN pg_rewrite r ON r.ev_class = view.oid
WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT n, 5, format('COMMENT ON RULE %I ON %s IS %L', r.rulename, name,
                    obj_description(r.oid, 'pg_rewrite'))
FROM view JOIN pg_rewrite r ON r.ev_class = view.oid
WHERE obj_description(r.oid, 'pg_rewrite') IS NOT NULL
UNION ALL
SELECT n, 4, pg_get_triggerdef(t.oid) FROM view JOIN pg_trigger t ON t.tgrelid = view.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT n, 5, format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, name,
                    obj_description(t.oid, 'pg_trigger'))
FROM view JOIN pg_trigger t ON t.tgrelid = view.oid
WHERE obj_description(t.oid, 'pg_trigger') IS NOT NULL
UNION ALL
SELECT n, 6, format('ALTER VIEW %s OWNER TO %I', name, pg_get_userbyid(relowner))
FROM view WHERE pg_get_userbyid(relowner) <> current_user
UNION ALL
SELECT n, 7, format('REVOKE ALL ON TABLE %s FROM %s', name,
                    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
FROM given WHERE grantee <> relowner
UNION ALL
SELECT DISTINCT n, 7, format('GRANT ALL ON TABLE %s TO %I', name, pg_get_userbyid(relowner))
FROM given
UNION ALL
SELECT n, 8, format('REVOKE %s ON TABLE %s FROM %I', o.privilege_type, name,
                    pg_get_userbyid(relowner))
FROM view, aclexplode(acldefault('r', relowner)) o
WHERE relacl IS NOT NULL AND NOT EXISTS (
  SELECT FROM aclexplode(relacl) a
  WHERE a.grantee = relowner AND a.privilege_type = o.privilege_type)
UNION ALL
SELECT n, 9, format('GRANT %s%s ON TABLE %s TO %s%s', a.privilege_type, o.columns, name,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM (SELECT n, name, relowner, relacl AS acl, '' AS columns FROM view
      UNION ALL
      SELECT col.n, col.name, view.relowner, attacl, format(' (%I)', attname)
      FROM col JOIN view ON view.oid = attrelid) o, aclexplode(o.acl) a
WHERE a.grantee <> o.relowner) m (n, place, statement)
ORDER BY place > 1, n, place, statement
)sql";

// $1 the view: what the server reads anew of what hangs on it, each with its name and its text.
// Asked where users' schemas are searched: it calls nothing that one of theirs could stand in for.
constexpr const char* kReadAnew = R"sql(
SELECT 'default', a.attname, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = $1
UNION ALL
SELECT 'rule', rulename, pg_get_ruledef(oid) FROM pg_rewrite
WHERE ev_class = $1 AND rulename <> '_RETURN'
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal
)sql";

[[noreturn]] void Refuse(const ViewAnew& view, const std::string& why) {
  throw Failure(
      ExitCode::kRefused,
      fmt::format("view {} cannot be made anew over the table that takes the place of its "
                  "own, where a column has another type: {}. Drop it before, and make it "
                  "again after",
                  view.name, why));
}

// What it reads or writes was in use.
bool Passes(const pg::PgError& error) {
  return error.klass() == pg::SqlstateClass::kLockNotAvailable ||
         error.klass() == pg::SqlstateClass::kCancelled ||
         error.klass() == pg::SqlstateClass::kRetryable;
}

// `what` of the view the statement makes; empty: the view itself.
Task<> TryStatement(Session& session, const ViewAnew& view, const std::string& what,
                    const std::string& statement) {
  std::string refused;
  try {
    co_await session.db().Query(statement);
  } catch (const pg::PgError& error) {
    if (!session.db().open() || Passes(error)) throw;
    refused = error.what();
  }
  if (!refused.empty()) Refuse(view, what.empty() ? refused : fmt::format("{}: {}", what, refused));
}

// Printed and read as it is done with materialized views.
Task<> TryOne(Session& session, const ViewAnew& view, const std::string& copy,
              const std::vector<Replaced>& replaced) {
  const std::string homes = co_await SchemasOf(session, LeavingOf(replaced));
  const std::string places = co_await SchemasOf(session, ComingOf(replaced));
  co_await SearchIn(session, homes);
  const pg::Result text = co_await session.db().Query("SELECT pg_get_viewdef($1::oid)", view.oid);
  co_await SearchIn(session, places + ", " + homes);
  const std::string statement =
      fmt::format("CREATE VIEW {} AS {}", copy, text.Get<std::string>(0, 0));
  co_await TryStatement(session, view, "", statement);
  co_await SearchIn(session, "pg_catalog");
}

// A definition of a rule or trigger names its view in full, behind the name of its own.
std::string OnCopy(std::string text, const std::string& name, const std::string& view,
                   const std::string& copy) {
  const std::size_t own = text.find(name);
  const std::size_t at = text.find(" " + view, own + name.size());
  if (own == std::string::npos || at == std::string::npos)
    throw std::logic_error(fmt::format("{} is not said to be on {}", name, view));
  return text.replace(at + 1, view.size(), copy);
}

std::string StatementOn(const ViewAnew& view, const std::string& copy, const std::string& kind,
                        const std::string& name, std::string text) {
  if (kind == "default")
    return fmt::format("ALTER VIEW {} ALTER COLUMN {} SET DEFAULT {}", copy, name, text);
  return OnCopy(std::move(text), name, view.name, copy);
}

// Owner and grants are not read over types, and an owner need not be let into the schema of ours.
Task<> TryWhatHangsOn(Session& session, const ViewAnew& view, const std::string& copy,
                      const std::vector<Replaced>& replaced) {
  const std::string homes = co_await SchemasOf(session, LeavingOf(replaced));
  const std::string places = co_await SchemasOf(session, ComingOf(replaced));
  co_await SearchIn(session, homes);
  const pg::Result rows = co_await session.db().Query(kReadAnew, view.oid);
  co_await SearchIn(session, places + ", " + homes);
  for (int i = 0; i < rows.rows(); ++i) {
    const auto kind = rows.Get<std::string>(i, 0);
    const std::string name = sql::QuoteIdentifier(rows.Get<std::string>(i, 1));
    const std::string what =
        fmt::format("its {} {}", kind == "default" ? "default of" : kind, name);
    const std::string statement = StatementOn(view, copy, kind, name, rows.Get<std::string>(i, 2));
    co_await TryStatement(session, view, what, statement);
  }
  co_await SearchIn(session, "pg_catalog");
}

}  // namespace

Task<std::vector<ViewAnew>> FindViewsAnew(Session& session, std::vector<Replaced> replaced) {
  const pg::Result rows =
      co_await session.db().Query(kViews, LeavingOf(replaced), ComingOf(replaced));
  std::vector<ViewAnew> views;
  for (int i = 0; i < rows.rows(); ++i)
    views.push_back({rows.Get<pg::Oid>(i, 0), rows.Get<std::string>(i, 1),
                     rows.Get<std::string>(i, 2), rows.Get<std::string>(i, 3)});
  co_return views;
}

std::vector<std::int64_t> OidsOf(const std::vector<ViewAnew>& views) {
  Oids oids;
  for (const ViewAnew& view : views) oids.push_back(view.oid);
  return oids;
}

Task<std::string> WhyNotAnew(Session& session, std::vector<ViewAnew> views,
                             std::vector<Replaced> replaced) {
  if (views.empty()) co_return std::string();
  const pg::Result rows =
      co_await session.db().Query(kHindrances, OidsOf(views), LeavingOf(replaced));
  co_return rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
}

Task<ViewStatements> WriteViewsAnew(Session& session, std::vector<ViewAnew> views) {
  ViewStatements texts;
  if (views.empty()) co_return texts;
  std::string names;
  for (const ViewAnew& view : views) names += (names.empty() ? "" : ", ") + view.name;
  // Its options are those that it is made with again.
  for (const ViewAnew& view : views)
    texts.touch.push_back(fmt::format("ALTER VIEW {} RESET (security_barrier)", view.name));
  texts.drop.push_back("DROP VIEW " + names);
  const pg::Result rows = co_await session.db().Query(kMake, OidsOf(views));
  for (int i = 0; i < rows.rows(); ++i) texts.make.push_back(rows.Get<std::string>(i, 0));
  co_return texts;
}

Task<> TryViewsAnew(Session& session, std::vector<ViewAnew> views, std::vector<Replaced> replaced,
                    std::string schema) {
  // Views of one name in two schemas stay apart.
  std::map<std::string, std::string> schemas;
  std::vector<std::string> copies;
  for (const ViewAnew& view : views) {
    const auto [own, added] =
        schemas.try_emplace(view.schema, fmt::format("{}_try{}", schema, schemas.size() + 1));
    if (added) co_await session.db().Query("CREATE SCHEMA " + own->second);
    copies.push_back(own->second + "." + view.relname);
    co_await TryOne(session, view, copies.back(), replaced);
    const pg::Result made = co_await session.db().Query("SELECT $1::regclass::oid", copies.back());
    replaced.push_back({view.oid, made.Get<pg::Oid>(0, 0)});
  }
  for (std::size_t i = 0; i < views.size(); ++i)
    co_await TryWhatHangsOn(session, views[i], copies[i], replaced);
}

}  // namespace pgalter::rebuild
