#include "batcher/dependants/publications.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::dependants {

namespace {

// From 15 on publications have column lists, filters and schemas.
constexpr int kColumnLists = 150000;

constexpr const char* kQuery = R"sql(
SELECT 'a', format(w.form, p.pubname, $2::text, $3::text,
                   ' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                            FROM unnest(r.prattrs) k JOIN pg_attribute a
                            ON a.attrelid = r.prrelid AND a.attnum = k) || ')',
                   ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')')
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
CROSS JOIN (VALUES (false, 'ALTER PUBLICATION %1$I ADD TABLE %2$s%4$s%5$s'),
                   (true, 'ALTER PUBLICATION %1$I DROP TABLE %3$s')) w (drops, form)
WHERE r.prrelid = $1 AND (NOT w.drops OR $3::text IS NOT NULL) ORDER BY p.pubname, w.drops
)sql";
constexpr const char* kQueryOf14 = R"sql(
SELECT 'a', format(w.form, p.pubname, $2::text, $3::text)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
CROSS JOIN (VALUES (false, 'ALTER PUBLICATION %1$I ADD TABLE %2$s'),
                   (true, 'ALTER PUBLICATION %1$I DROP TABLE %3$s')) w (drops, form)
WHERE r.prrelid = $1 AND (NOT w.drops OR $3::text IS NOT NULL) ORDER BY p.pubname, w.drops
)sql";

// Those that send the table ($1), listed or with all of its schema.
constexpr std::string_view kSending = R"sql(
SELECT DISTINCT p.pubname, p.pubviaroot FROM pg_publication p
LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = $1
WHERE r.oid IS NOT NULL{}
)sql";
constexpr std::string_view kOfSchema =
    " OR EXISTS (SELECT FROM pg_publication_namespace n JOIN pg_class c ON c.relnamespace = "
    "n.pnnspid WHERE c.oid = $1 AND n.pnpubid = p.oid)";

// Subscribers keep what they are sent by its name.
constexpr std::string_view kByTheirNames = R"sql(
SELECT format(CASE WHEN partitioned.before THEN
  'publication %1$I sends its partitions by their own names: ALTER PUBLICATION %1$I SET '
  '(publish_via_partition_root = true), then on each subscriber ALTER SUBSCRIPTION ... REFRESH '
  'PUBLICATION WITH (copy_data = false), while nobody writes'
ELSE
  'publication %1$I would publish the partitions, which its subscribers do not have: ALTER '
  'PUBLICATION %1$I SET (publish_via_partition_root = true)' END, pubname)
)sql";

std::string Sending(Session& session) {
  return fmt::format(kSending, session.db().server_version() >= kColumnLists ? kOfSchema : "");
}

Task<bool> IsPublished(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(Sending(session), table);
  co_return !rows.empty();
}

// EXPLAIN asks what an UPDATE is asked, and fires no trigger.
constexpr std::string_view kWrites = R"sql(
SELECT format('EXPLAIN UPDATE ONLY %1$I.%2$I SET %3$I = DEFAULT WHERE false', n.nspname, c.relname,
              (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
               AND NOT attisdropped AND attgenerated = '' ORDER BY attnum LIMIT 1)),
       format('EXPLAIN DELETE FROM ONLY %1$I.%2$I WHERE false', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1 AND c.relkind <> 'p'
   OR c.oid IN (SELECT relid FROM pg_partition_tree($1::oid::regclass) WHERE isleaf)
)sql";

// Replica identity of the one that leaves, on the one that comes and its partitions.
constexpr std::string_view kIdentity = R"sql(
SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY %s', n.nspname, t.relname,
              CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
                WHEN 'd' THEN 'DEFAULT' ELSE 'USING INDEX ' || quote_ident(i.relname) END)
FROM pg_class c
LEFT JOIN pg_index x ON x.indrelid = c.oid AND x.indisreplident
LEFT JOIN pg_class i ON i.oid = x.indexrelid,
pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE c.oid = $1 AND c.relreplident <> 'd'
  AND (t.oid = $2 OR t.oid IN (SELECT relid FROM pg_partition_tree($2::oid::regclass)))
)sql";

// The server's refusal; nullopt: it has none.
Task<std::optional<pg::PgError>> Ask(Session& session, const std::string& sql) {
  std::optional<pg::PgError> refusal;
  try {
    co_await session.db().Query(sql);
  } catch (const pg::PgError& error) {
    if (!session.db().open() || error.klass() == pg::SqlstateClass::kLockNotAvailable ||
        error.klass() == pg::SqlstateClass::kCancelled)
      throw;
    refusal = error;
  }
  co_return refusal;
}

// The detail of these is about columns, never about rows: there are none in an EXPLAIN.
std::string Said(const pg::PgError& error) {
  const std::string& detail = error.fields().detail;
  return fmt::format("{}{}{} ({})", error.fields().message, detail.empty() ? "" : ": ", detail,
                     error.sqlstate());
}

// Why users could not change rows.
Task<std::string> FindUnwritable(Session& session, pg::Oid table) {
  const std::string query(kWrites);
  const pg::Result rows = co_await session.db().Query(query, table);
  for (int row = 0; row < rows.rows(); ++row)
    for (int column = 0; column < rows.columns(); ++column) {
      const auto refusal = co_await Ask(session, rows.Get<std::string>(row, column));
      if (refusal) co_return Said(*refusal);
    }
  co_return "";
}

Task<std::string> FindUnsendable(Session& session, pg::Oid leaving, pg::Oid coming,
                                 const std::string& name) {
  pg::Connection& db = session.db();
  const pg::Statement asked = AskPublications(db.server_version(), leaving, name, std::nullopt);
  const pg::Result adds = co_await db.QueryParams(asked.sql, asked.params, pg::Format::kText);
  const std::string query(kIdentity);
  const pg::Result identities = co_await db.Query(query, leaving, coming);
  for (const pg::Result* rows : {&adds, &identities})
    for (int row = 0; row < rows->rows(); ++row) {
      const auto statement = rows->Get<std::string>(row, rows->columns() - 1);
      const auto refusal = co_await Ask(session, statement);
      if (refusal) co_return fmt::format("\"{}\" would fail: {}", statement, Said(*refusal));
    }
  const std::string why = co_await FindUnwritable(session, coming);
  if (why.empty()) co_return "";
  co_return fmt::format(
      "it is published, and users could not change rows afterwards: {}. Have the column lists and "
      "filters of its publications agree with its new key (ALTER PUBLICATION … SET TABLE)",
      why);
}

}  // namespace

pg::Statement AskPublications(int server_version, pg::Oid listed, std::string name,
                              std::optional<std::string> name_to_be) {
  const auto* const query = server_version >= kColumnLists ? kQuery : kQueryOf14;
  return {query, pg::Params::Of(listed, name, name_to_be)};
}

Task<std::string> FindUnfitPublication(Session& session, pg::Oid leaving, pg::Oid coming) {
  const std::string query = std::string(kByTheirNames) + "FROM (" + Sending(session) +
                            ") s, (SELECT bool_or(relkind = 'p') AS any, bool_or(relkind = 'p' AND "
                            "oid = $1) AS before FROM pg_class WHERE oid IN ($1, $2)) partitioned "
                            "WHERE NOT pubviaroot AND partitioned.any ORDER BY pubname LIMIT 1";
  const pg::Result rows = co_await session.db().Query(query, leaving, coming);
  co_return rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
}

Task<> RefuseUnfitPublication(Session& session, pg::Oid leaving, pg::Oid coming, std::string name,
                              std::string again) {
  const std::string why = co_await FindUnfitPublication(session, leaving, coming);
  if (why.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("{} cannot change its place: {}. Nothing was changed by this "
                                 "step. Then: {}",
                                 name, why, again));
}

Task<std::string> RehearsePublications(Session& session, pg::Oid leaving, pg::Oid coming,
                                       std::string name) {
  const bool published = co_await IsPublished(session, leaving);
  if (!published) co_return "";
  co_await session.db().Execute("SAVEPOINT pgalter_publications");
  std::string why = co_await FindUnsendable(session, leaving, coming, name);
  co_await session.db().Execute("ROLLBACK TO SAVEPOINT pgalter_publications");
  co_return why;
}

Task<> CheckUsersMayChange(Session& session, pg::Oid table, std::string name, std::string again) {
  const bool published = co_await IsPublished(session, table);
  if (!published || !async::SafeguardOn("published-writes")) co_return;
  const std::string why = co_await FindUnwritable(session, table);
  if (why.empty()) co_return;
  throw run::Failure(run::ExitCode::kRefused,
                     fmt::format("{} is published, and users could not change rows after the "
                                 "swap: {}. Nothing was changed by this step. Mend the "
                                 "publication, then: {}",
                                 name, why, again));
}

}  // namespace pgalter::dependants
