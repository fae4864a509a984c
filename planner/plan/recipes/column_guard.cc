#include "planner/plan/recipes/column_guard.h"

#include <fmt/format.h>

#include <string_view>

#include "planner/plan/recipes/carry.h"
#include "planner/plan/refuse_where.h"
#include "planner/plan/views_again.h"

namespace pgalter::plan {

namespace {

using sql::QuoteLiteral;
using sql::ToString;

constexpr std::string_view kAnew = "Take the run back (pgalter revert) and run the change anew";

std::string Regclass(std::string_view table) {
  return QuoteLiteral(table) + "::pg_catalog.regclass";
}

// Of literals, for IN; never empty.
std::string Oids(const std::vector<std::string>& relations) {
  std::string list = "NULL";
  for (const std::string& relation : relations)
    list += fmt::format(", pg_catalog.to_regclass({})", QuoteLiteral(relation));
  return list;
}

std::string Constraints(const Hangers& known) {
  std::string any = "false";
  for (const auto& [table, name] : known.constraints)
    any += fmt::format(" OR (k.conrelid = {} AND k.conname = {})", Regclass(table),
                       QuoteLiteral(name));
  return any;
}

}  // namespace

std::string RefuseRowTypeInUse(const sql::QualifiedName& table) {
  return RefuseWhere(fmt::format(
      R"sql(WITH RECURSIVE of_row (oid) AS (
  SELECT reltype FROM pg_catalog.pg_class WHERE oid = {0}
  UNION
  SELECT CASE WHEN c.oid IS NULL THEN d.objid ELSE c.reltype END
  FROM of_row JOIN pg_catalog.pg_depend d
    ON d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = of_row.oid
  LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND c.oid = d.objid AND d.objsubid > 0 AND c.relkind NOT IN ('r', 'p', 'm')
  WHERE c.reltype <> 0 OR d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass)
SELECT pg_catalog.format('column %s of %s holds rows of %s, and the server changes no type of a column of such a table: a value there would lose this column. Give that column another type, or drop it, before',
  (SELECT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
   WHERE attrelid = d.objid AND attnum = d.objsubid), c.oid::pg_catalog.regclass, {0})
FROM of_row JOIN pg_catalog.pg_depend d
  ON d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = of_row.oid
JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND c.oid = d.objid AND d.objsubid > 0 AND c.relkind IN ('r', 'p', 'm')
LIMIT 1)sql",
      Regclass(ToString(table))));
}

std::string RefuseFunctionsOfRows(const sql::QualifiedName& table, RowsInFunctions which) {
  return RefuseWhere(fmt::format(
      R"sql(SELECT pg_catalog.format('function %s takes or gives back rows of %s, and would fail with those of the view that has the name of the table until the gate is passed. Have it take or give back columns (RETURNS TABLE ...), or drop it before, and run the change anew',
  p.oid::pg_catalog.regprocedure, {0})
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_type t ON t.oid = c.reltype
JOIN pg_catalog.pg_proc p ON {1} OR t.oid = ANY (p.proargtypes::pg_catalog.oid[])
  OR t.typarray = ANY (p.proargtypes::pg_catalog.oid[])
WHERE c.oid = {0} LIMIT 1)sql",
      Regclass(ToString(table)),
      which == RowsInFunctions::kTaken ? "false" : "p.prorettype = t.oid"));
}

std::string RefuseRowSecurity(const sql::QualifiedName& table) {
  return RefuseWhere(fmt::format(
      R"sql(SELECT pg_catalog.format('%s has row security, which would not hold for who reads and writes by the old name: before PostgreSQL 15 a view does so with the rights of its owner. Rename it in one statement, when no program needs the old name: ALTER TABLE by psql', {0})
FROM pg_catalog.pg_class WHERE oid = {0} AND relrowsecurity)sql",
      Regclass(ToString(table))));
}

std::string RefuseTriggersBehind(const sql::QualifiedName& table, const std::string& trigger,
                                 Asked asked) {
  // By bytes, as the server sorts them. Those of other columns' changes leave this one alone.
  return RefuseWhere(fmt::format(
      R"sql(SELECT pg_catalog.format('trigger %s of %s fires behind %s, which keeps the new column up, and may change the row after it. Give it a name that sorts before (ALTER TRIGGER %1$s ON %2$s RENAME TO ...){2}',
  pg_catalog.quote_ident(tgname), tgrelid::pg_catalog.regclass, {1})
FROM pg_catalog.pg_trigger WHERE tgrelid = {0} AND NOT tgisinternal
  AND tgtype::pg_catalog.int4 & 3 = 3 AND tgtype::pg_catalog.int4 & 20 <> 0
  AND tgname::text COLLATE pg_catalog."C" > {1}
  AND NOT pg_catalog.starts_with((SELECT proname::text FROM pg_catalog.pg_proc WHERE oid = tgfoid), 'pgalter_sync_')
LIMIT 1)sql",
      Regclass(ToString(table)), QuoteLiteral(trigger),
      asked == Asked::kBefore ? ""
                              : ", take the run back (pgalter revert) and run the change anew"));
}

std::string RefuseViewsInUse(const std::vector<sql::QualifiedName>& views) {
  return RefuseWhere(fmt::format(
      "SELECT pg_catalog.format('%s. The view is dropped and made again, since a column under it "
      "changes its type', what) FROM ({}) v (what)",
      WhyViewsCannotGo(OidsOf(views), "ARRAY[]::pg_catalog.oid[]")));
}

std::string RefuseTouched(const sql::QualifiedName& table, const std::string& trigger) {
  return RefuseWhere(fmt::format(
      R"sql(SELECT pg_catalog.format('trigger %I of %s, which keeps the new column up, was switched off, changed or dropped: users'' changes may be missing there. {2}', {1}, {0})
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
  WHERE t.tgrelid = {0} AND t.tgname = {1} AND t.tgenabled = 'A'
    AND t.xmin = (SELECT f.xmin FROM pg_catalog.pg_proc f WHERE f.oid = t.tgfoid)
    AND t.xmin = (SELECT d.xmin FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
        AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass LIMIT 1)))sql",
      Regclass(ToString(table)), QuoteLiteral(trigger), kAnew));
}

std::string RefuseOtherHangers(const sql::QualifiedName& table, const std::string& column,
                               const Hangers& known, Asked asked) {
  const char* way =
      asked == Asked::kBefore
          ? "Drop it before; what is to stay, make again after"
          : "If it can go, drop it and resume; to keep it, take the run back (pgalter revert) and "
            "run the change anew";
  std::vector<std::string> relations = known.indexes;
  relations.insert(relations.end(), known.sequences.begin(), known.sequences.end());
  // Defaults and statistics are carried whatever they are. Nothing else may take its numbers from
  // the sequence of an identity, which goes.
  return RefuseWhere(fmt::format(
      R"sql(SELECT pg_catalog.format('%s %s column %s of %s, and the plan does not take it along to the column that comes in its place. {8}',
  what, hangs, {1}, {0})
FROM (SELECT a.attrelid, a.attnum, a.attnotnull FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = {0} AND a.attname = {1}) a
CROSS JOIN LATERAL (
  SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), 'depends on'
  FROM pg_catalog.pg_depend d
  LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.objid
  LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
  LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND f.oid = d.objid
  LEFT JOIN pg_catalog.pg_policy p ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid
  LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = d.objid
  LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid
  WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
    AND d.classid <> 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass
    AND (c.oid IN ({2}) OR ({7} AND c.relkind = 'S' AND d.deptype = 'i') OR k.contype = 'n' OR {3}
      OR (f.adrelid = a.attrelid AND f.adnum = a.attnum)
      OR ({4} AND (p.polrelid = a.attrelid OR t.tgrelid = a.attrelid))
      OR (r.rulename = '_RETURN' AND r.ev_class IN ({5}))) IS NOT TRUE
  UNION ALL
  SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), 'depends on the sequence of'
  FROM pg_catalog.pg_depend i JOIN pg_catalog.pg_depend d ON d.refclassid = i.classid AND d.refobjid = i.objid AND d.deptype = 'n'
  WHERE i.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.refclassid = i.classid
    AND i.refobjid = a.attrelid AND i.refobjsubid = a.attnum AND i.deptype = 'i'
  UNION ALL
  SELECT 'NOT NULL', 'was set on' WHERE a.attnotnull AND NOT {6}) x (what, hangs)
LIMIT 1)sql",
      Regclass(ToString(table)), QuoteLiteral(column), Oids(relations), Constraints(known),
      known.readers, Oids(known.views), known.not_null, known.identity, way));
}

}  // namespace pgalter::plan
