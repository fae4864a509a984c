#include "batcher/split/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "batcher/split/objects_sql.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::split {

namespace {

using sql::QuoteLiteral;

// Expressions and types are shown by these settings, and a plan may be made in one session and
// carried out in another.
constexpr const char* kNames =
    "'{search_path, DateStyle, IntervalStyle, TimeZone, extra_float_digits, bytea_output, "
    "quote_all_identifiers}'::pg_catalog.text[]";
constexpr const char* kValues =
    "'{pg_catalog, \"ISO, YMD\", postgres, UTC, 1, hex, off}'::pg_catalog.text[]";

std::string Apply(const std::string& values, const char* local = "true") {
  return fmt::format(
      "(SELECT pg_catalog.count(pg_catalog.set_config(s.n, s.v, {2})) FROM "
      "ROWS FROM (pg_catalog.unnest({0}), pg_catalog.unnest({1})) AS s (n, v))",
      kNames, values, local);
}

// Whoever waits for the lock behind it waits for no longer.
constexpr async::Milliseconds kLockWait{500};
constexpr async::Milliseconds kBusyPause{200};

// {0} the source, {1} the new table, {2} the view, as literals; {3} the columns that move, {4}
// these and the key's, as arrays. What the split itself makes or takes off is left out. NOT NULL is
// taken off a column for a while that is NOT NULL in the new table. Of the view there is only what
// it did not have when it was made.
constexpr const char* kShape = R"sql(
WITH c AS (SELECT * FROM pg_class WHERE oid = to_regclass({0})),
  v AS (SELECT * FROM pg_class WHERE oid = to_regclass({2}) AND relkind = 'v'),
  a AS (SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attgenerated, a.attidentity,
          a.attnotnull, a.attstorage, a.attcompression, a.attstattarget, a.attoptions, a.attacl, quote_ident(a.attname) AS shown, quote_ident(a.attname) = ANY ({3}) AS moves,
          t.typcollation, (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
            WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) AS given
        FROM c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attnum > 0 AND NOT a.attisdropped AND quote_ident(a.attname) = ANY ({4})),
  moved AS (SELECT array_agg(attnum) AS numbers FROM a WHERE moves)
SELECT what, how FROM (
  SELECT 'the owner', quote_ident(pg_get_userbyid(relowner)) FROM c
  UNION ALL SELECT 'LOGGED or UNLOGGED', relpersistence::text FROM c
  UNION ALL SELECT 'the tablespace', coalesce((SELECT spcname FROM pg_tablespace t WHERE t.oid = reltablespace), '') FROM c
  UNION ALL SELECT 'the access method', coalesce((SELECT amname FROM pg_am WHERE pg_am.oid = relam), '') FROM c
  UNION ALL SELECT 'row security', concat_ws(' ', relrowsecurity, relforcerowsecurity) FROM c
  UNION ALL SELECT 'policy ' || quote_ident(polname), concat_ws(' ', polcmd, polpermissive,
      (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ',' ORDER BY r.rolname) FROM unnest(polroles) m LEFT JOIN pg_roles r ON r.oid = m),
      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy JOIN c ON c.oid = polrelid
  UNION ALL SELECT 'rule ' || quote_ident(rulename), pg_get_ruledef(r.oid) || ev_enabled::text FROM pg_rewrite r JOIN c ON c.oid = ev_class
  UNION ALL SELECT 'trigger ' || quote_ident(tgname), pg_get_triggerdef(t.oid) || tgenabled::text FROM pg_trigger t JOIN c ON c.oid = tgrelid
    WHERE NOT tgisinternal AND tgname NOT IN ('pgalter_split', 'pgalter_split_update', 'pgalter_split_truncate')
  UNION ALL SELECT 'inheritance', string_agg(concat_ws(' ', inhrelid::regclass, inhparent::regclass), ', ' ORDER BY inhrelid, inhparent)
    FROM pg_inherits JOIN c ON c.oid IN (inhrelid, inhparent) HAVING count(*) > 0
  UNION ALL SELECT 'who has rights on it', coalesce(string_agg(concat_ws(' ', grantee::regrole, privilege_type, is_grantable), ', '
      ORDER BY grantee::regrole::text, privilege_type, is_grantable), '')
    FROM c, aclexplode(coalesce(relacl, acldefault('r', relowner)))
  UNION ALL SELECT 'who has rights on column ' || shown, string_agg(concat_ws(' ', grantee::regrole, privilege_type, is_grantable), ', '
      ORDER BY grantee::regrole::text, privilege_type, is_grantable) FROM a, aclexplode(attacl) GROUP BY shown
  UNION ALL SELECT 'the type of column ' || shown, concat_ws(' ', format_type(atttypid, atttypmod), attgenerated, attidentity,
      CASE WHEN attcollation <> typcollation THEN attcollation::regcollation END) FROM a
  UNION ALL SELECT 'the default of column ' || shown, given FROM a WHERE moves AND given IS NOT NULL
  UNION ALL SELECT 'NOT NULL of column ' || shown, (attnotnull OR given IS NULL AND EXISTS (SELECT FROM pg_attribute n
      WHERE n.attrelid = to_regclass({1}) AND n.attname = a.attname AND n.attnotnull))::text FROM a WHERE moves
  UNION ALL SELECT 'the comment on column ' || shown, col_description(attrelid, attnum) FROM a WHERE col_description(attrelid, attnum) IS NOT NULL
  UNION ALL SELECT 'the storage or statistics target of column ' || shown, concat_ws(' ', attstorage, attcompression,
      coalesce(attstattarget, -1), (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%')) FROM a
  UNION ALL SELECT 'constraint ' || quote_ident(conname) || CASE WHEN conrelid <> c.oid THEN ' of ' || conrelid::regclass ELSE '' END,
      concat_ws(' ', pg_get_constraintdef(f.oid), convalidated, conrelid <> c.oid)
    FROM pg_constraint f JOIN c ON c.oid IN (conrelid, confrelid), moved
    WHERE contype <> 'n' AND (contype = 'p' AND conrelid = c.oid OR conrelid = c.oid AND conkey && numbers OR confrelid = c.oid AND confkey && numbers)
  UNION ALL SELECT 'index ' || quote_ident(i.relname), concat_ws(' ', pg_get_indexdef(x.indexrelid), indisvalid, indisreplident)
    FROM pg_index x JOIN c ON c.oid = indrelid JOIN pg_class i ON i.oid = indexrelid, moved
    WHERE NOT EXISTS (SELECT FROM pg_constraint f WHERE f.conindid = x.indexrelid AND f.contype IN ('p', 'u', 'x'))
      AND (indkey::int2[] && numbers OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
        AND d.objid = x.indexrelid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = ANY (numbers)))
  UNION ALL SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0), ''
    FROM pg_depend d JOIN c ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid, moved
    WHERE d.refobjsubid = ANY (numbers) AND d.classid NOT IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass)
      AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_index x WHERE x.indexrelid = d.objid))
      AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = c.oid))
      AND NOT (d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite r WHERE r.oid = d.objid AND r.ev_class IN (SELECT oid FROM v)))
  UNION ALL SELECT 'publication ' || quote_ident(pubname), '' FROM pg_publication_tables t
    JOIN pg_namespace n ON n.nspname = t.schemaname JOIN c ON c.relnamespace = n.oid AND c.relname = t.tablename
  UNION ALL SELECT 'the comment on the view ' || {2}, 'there' FROM v WHERE obj_description(oid, 'pg_class') IS NOT NULL
  UNION ALL SELECT 'an option of the view ' || {2}, 'there' FROM v WHERE reloptions IS NOT NULL
  UNION ALL SELECT 'the owner of the view ' || {2}, 'another' FROM v, c WHERE v.relowner <> c.relowner
  UNION ALL SELECT 'the default, comment or name of column ' || quote_ident(n.attname) || ' of the view ' || {2}, 'another'
    FROM v JOIN pg_attribute n ON n.attrelid = v.oid AND n.attnum > 0 LEFT JOIN a ON a.attname = n.attname
    WHERE a.attname IS NULL OR col_description(v.oid, n.attnum) IS NOT NULL
      OR (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = v.oid AND d.adnum = n.attnum)
         IS DISTINCT FROM (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute m
           JOIN pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
           WHERE m.attrelid = to_regclass({1}) AND m.attname = n.attname)
  UNION ALL SELECT 'trigger ' || quote_ident(tgname) || ' of the view ' || {2}, 'there' FROM pg_trigger JOIN v ON v.oid = tgrelid
    WHERE NOT tgisinternal AND (tgname <> 'pgalter_split' OR tgenabled <> 'O')
  UNION ALL SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) || ' (uses ' || {2} || ')', 'there'
    FROM pg_depend d JOIN v ON d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid WHERE d.deptype = 'n'
      AND NOT (d.classid = 'pg_rewrite'::regclass AND EXISTS (SELECT FROM pg_rewrite r WHERE r.oid = d.objid AND r.ev_class = v.oid))
) AS s (what, how)
)sql";

std::string Array(const std::vector<std::string>& columns) {
  std::vector<std::string> texts;
  for (const std::string& column : columns) texts.push_back(QuoteLiteral(column));
  return fmt::format("ARRAY[{}]::text[]", fmt::join(texts, ", "));
}

// Rows (what, how). Under the settings above.
std::string ShapeQuery(const plan::Split& split) {
  std::vector<std::string> all = split.columns;
  all.insert(all.end(), split.key.begin(), split.key.end());
  return fmt::format(fmt::runtime(kShape), QuoteLiteral(split.source), QuoteLiteral(split.target),
                     QuoteLiteral(split.view), Array(split.columns), Array(all));
}

// One row: what is not as it was, without values; NULL: nothing. The query of a view is a rule, of
// which nobody knows.
std::string Differences(const plan::Split& split) {
  return fmt::format(
      "SELECT string_agg(regexp_replace(what, '^rule _RETURN on ', '') || CASE WHEN was.how IS "
      "NULL THEN ' is new' WHEN now.how IS NULL "
      "THEN ' is gone' ELSE ' has changed' END, '; ' ORDER BY what) FROM ({}) AS now FULL JOIN "
      "jsonb_each_text({}::jsonb) AS was (what, how) USING (what) WHERE now.how IS DISTINCT FROM "
      "was.how",
      ShapeQuery(split), QuoteLiteral(split.shape));
}

// Between the table and what to do next.
std::string Changed(const plan::Split& split) {
  return fmt::format(
      "{} is not as it was when the run was planned, and the new table would not have what was "
      "changed: ",
      split.source);
}

}  // namespace

run::Task<> ShowPlainly(guard::Session& session) {
  co_await session.db().Query("SELECT " + Apply(kValues, "false"));
}

run::Task<std::string> ReadShape(guard::Session& session, const plan::Split& split) {
  auto read = [&]() -> run::Task<std::string> {
    co_await session.db().Query("SELECT " + Apply(kValues));
    const pg::Result row = co_await session.db().Query(
        fmt::format("SELECT coalesce(jsonb_object_agg(what, how), '{{}}')::text FROM ({}) AS shape",
                    ShapeQuery(split)));
    co_return row.Get<std::string>(0, 0);
  };
  co_return co_await guard::RunInTransaction(session, read);
}

run::Task<> CheckShape(run::Environment& env, const plan::Split& split) {
  // A run that was planned by a pgalter that did not keep the shape.
  if (split.shape.empty()) co_return;
  auto read = [&]() -> run::Task<std::string> {
    co_await env.main.db().Query("SELECT " + Apply(kValues));
    const pg::Result row =
        co_await env.main.db().Query(fmt::format("SELECT coalesce(({}), '')", Differences(split)));
    co_return row.Get<std::string>(0, 0);
  };
  // The functions that show an expression lock its table.
  guard::TransactionOptions options;
  options.lock_timeout = kLockWait;
  std::optional<std::string> found;
  while (!found) {
    env.stopper.ThrowIfStopping();
    try {
      found = co_await guard::RunInTransaction(env.main, options, read);
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kLockNotAvailable) throw;
    }
    if (found) break;
    env.progress.note = "somebody holds a lock that keeps readers out; trying again";
    co_await env.stopper.SleepFor(kBusyPause);
  }
  env.progress.note.clear();
  const std::string& differences = *found;
  if (differences.empty()) co_return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("{}{}. Nothing was swapped, and programs go on. Take that back, and make it "
                  "again after the swap, on the table that it is for; then: pgalter resume {}. Or: "
                  "pgalter revert {} --yes, and split the table as it is now",
                  Changed(split), differences, env.run.id, env.run.id));
}

std::string ShapeGuard(const plan::Split& split) {
  return "DO " + DollarQuoted(fmt::format(
                     "DECLARE kept pg_catalog.text[]; changed pg_catalog.text;\n"
                     "BEGIN\n"
                     "  kept := ARRAY(SELECT pg_catalog.current_setting(n) FROM "
                     "pg_catalog.unnest({}) n);\n"
                     "  PERFORM {};\n"
                     "  changed := ({});\n"
                     "  PERFORM {};\n"
                     "  IF changed IS NOT NULL THEN\n"
                     "    RAISE EXCEPTION USING ERRCODE = '{}', MESSAGE = {} || changed;\n"
                     "  END IF;\n"
                     "END",
                     kNames, Apply(kValues), Differences(split), Apply("kept"), kShapeChanged,
                     QuoteLiteral(Changed(split))));
}

}  // namespace pgalter::split
