#include "batcher/dependants/by_place.h"

#include <fmt/format.h>

#include "engine/run/failure.h"

namespace pgalter::dependants {

namespace {

// $1 the table that leaves, $2 the one that comes. The trees are those of outfuncs.c (an entry of
// the range table has its alias, all names, its kind: 0 is a relation, 2 a join); where a text has
// names that no user has given, ruleutils.c needed them to tell columns apart. A column that
// is only added at the end is one too many on the way back.
constexpr const char* kByPlace = R"sql(
WITH layout AS (
  SELECT array_agg(attname::text ORDER BY attnum) FILTER (WHERE attrelid = $1) AS old,
         array_agg(attname::text ORDER BY attnum) FILTER (WHERE attrelid = $2) AS new
  FROM pg_attribute WHERE attrelid IN ($1, $2) AND attnum > 0 AND NOT attisdropped),
named AS (
  SELECT ':alias \{ALIAS :aliasname \S+ :colnames \((?:[^)\\]|\\.)*\)\} '
         ':eref \{ALIAS :aliasname \S+ :colnames \((?:[^)\\]|\\.)*\)\} :rtekind ' AS entry,
         regexp_replace(format('%I.%I', n.nspname, c.relname), '(\W)', '\\\1', 'g')
           || ' (?:"(?:[^"]|"")*"|[^ ,()"]+)\(' AS text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1),
reader (what, tree, text) AS (
  SELECT CASE WHEN r.rulename <> '_RETURN'
              THEN format('rule %I on %I.%I', r.rulename, n.nspname, v.relname)
              ELSE format('%s %I.%I', CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END,
                          n.nspname, v.relname) END,
         r.ev_action::text, pg_get_ruledef(r.oid)
  FROM (SELECT DISTINCT objid FROM pg_depend WHERE classid = 'pg_rewrite'::regclass
          AND refclassid = 'pg_class'::regclass AND refobjid = $1) d
  JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = v.relnamespace
  UNION ALL
  SELECT format('policy %I', polname), concat(polqual::text, polwithcheck::text),
         concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy WHERE polrelid = $1)
SELECT what FROM layout, named, reader
WHERE old <> new
  AND (tree ~ (entry || '2 ') OR tree ~ (entry || '0 :relid ' || $1::text || ' ')
       OR reader.text ~ named.text)
LIMIT 1
)sql";

}  // namespace

Task<std::string> FindByPlace(Session& session, pg::Oid leaving, pg::Oid coming) {
  const pg::Result rows = co_await session.db().Query(kByPlace, leaving, coming);
  if (rows.empty()) co_return "";
  co_return fmt::format(
      "{} calls columns of it by their places (as in FROM t AS x (a, b)), which are others in the "
      "new definition: make it anew with the columns' own names",
      rows.Get<std::string>(0, 0));
}

Task<> RefuseByPlace(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                     std::string again) {
  const std::string why = co_await FindByPlace(session, leaving, coming);
  if (why.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("{} cannot change its place: {}. Nothing was changed by this "
                                 "step. Then: {}",
                                 name, why, again));
}

}  // namespace pgalter::dependants
