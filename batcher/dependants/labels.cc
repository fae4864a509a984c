#include "batcher/dependants/labels.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/run/failure.h"

namespace pgalter::dependants {

namespace {

// Columns that only one of the two has are nobody's business: those of the old table keep theirs.
constexpr const char* kLabels = R"sql(
WITH renamed AS (SELECT * FROM unnest($4::text[], $5::text[]) r (old, new)),
same (leaving, coming, attname) AS (
  SELECT 0, 0, NULL
  UNION ALL
  SELECT a.attnum, t.attnum, t.attname
  FROM pg_attribute a LEFT JOIN renamed r ON r.old = a.attname
  JOIN pg_attribute t ON t.attrelid = $2 AND t.attname = coalesce(r.new, a.attname)
    AND t.attnum > 0 AND NOT t.attisdropped
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
    AND (r.old IS NOT NULL OR a.attname NOT IN (SELECT new FROM renamed))),
label AS (
  SELECT objoid, objsubid, provider, label FROM pg_seclabel
  WHERE classoid = 'pg_class'::regclass AND objoid IN ($1, $2))
SELECT 'a', format('SECURITY LABEL FOR %I ON %s IS %s', provider,
                   CASE coming WHEN 0 THEN 'TABLE ' || $3
                               ELSE format('COLUMN %s.%I', $3, attname) END,
                   quote_nullable(has))
FROM same CROSS JOIN LATERAL (
  SELECT provider, h.label AS has, g.label AS gets
  FROM (SELECT * FROM label WHERE objoid = $1 AND objsubid = same.leaving) h
  FULL JOIN (SELECT * FROM label WHERE objoid = $2 AND objsubid = same.coming) g USING (provider)) l
WHERE has IS DISTINCT FROM gets
)sql";

}  // namespace

pg::Statement AskLabels(pg::Oid leaving, pg::Oid coming, std::string name, NewNames renamed) {
  return {kLabels, pg::Params::Of(leaving, coming, name, renamed.from, renamed.to)};
}

// The server says "security label provider … is not loaded" where this session has not loaded it
// (src/backend/commands/seclabel.c); what a provider itself refuses is its own affair.
Task<std::string> SetLabels(Session& session, pg::Statement asked) {
  pg::Connection& db = session.db();
  std::vector<pg::Statement> ask;
  ask.push_back(std::move(asked));
  const auto answers = co_await db.Pipeline(std::move(ask));
  const pg::Result& rows = answers.front();
  if (rows.empty()) co_return "";
  co_await db.Query("SAVEPOINT labels");
  std::optional<pg::PgError> refused;
  std::string statement;
  try {
    for (int i = 0; i < rows.rows(); ++i) {
      statement = rows.Get<std::string>(i, 1);
      co_await db.Query(statement);
    }
  } catch (const pg::PgError& error) {
    if (!db.open()) throw;
    refused = error;
  }
  if (refused) {
    co_await db.Query("ROLLBACK TO SAVEPOINT labels");
    co_return fmt::format(
        "it has a security label that the new table does not get: {} ({}). Let this role load the "
        "provider (session_preload_libraries), and let it set labels",
        refused->what(), statement);
  }
  co_await db.Query("RELEASE SAVEPOINT labels");
  co_return "";
}

Task<std::string> FindLabel(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('it has a security label of provider %s', provider) FROM pg_seclabel"
      " WHERE classoid = 'pg_class'::regclass AND objoid = $1 LIMIT 1",
      table);
  co_return rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
}

Task<std::string> FindLabelToBeLost(Session& session, pg::Oid table) {
  std::string label = co_await FindLabel(session, table);
  if (!label.empty()) label += ", which its partitions would not have";
  co_return label;
}

Task<> RefuseLabelToBeLost(Session& session, pg::Oid table, std::string name, std::string again) {
  const std::string why = co_await FindLabelToBeLost(session, table);
  if (why.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("{} cannot change its place: {}. Nothing was changed by this "
                                 "step. Then: {}",
                                 name, why, again));
}

}  // namespace pgalter::dependants
