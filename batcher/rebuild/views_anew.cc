#include "batcher/rebuild/views_anew.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "batcher/rebuild/replaced.h"
#include "engine/run/failure.h"
#include "planner/plan/views_again.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

using Oids = std::vector<std::int64_t>;

constexpr const char* kFirst = "$1::int8[]::oid[]";

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
  const std::string query = plan::WhyViewsCannotGo(kFirst, "$2::int8[]::oid[]");
  const pg::Result rows = co_await session.db().Query(query, OidsOf(views), LeavingOf(replaced));
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
  const std::string query = plan::StatementsThatMakeViews(kFirst);
  const pg::Result rows = co_await session.db().Query(query, OidsOf(views));
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
