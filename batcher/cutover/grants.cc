#include "batcher/cutover/grants.h"

#include <utility>

#include "engine/async/fail_point.h"

namespace pgalter::cutover {

namespace {

// One by one (OFFSET 0), since it is asked under the locks: the server would guess far too many,
// and read the whole of pg_class.
constexpr const char* kGrants = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT unnest($2::int8[])::oid
  UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid),
asked (oid) AS (SELECT unnest($1::int8[])::oid UNION SELECT oid FROM tree)
SELECT coalesce(string_agg(format('%s: %s %s', c.oid, c.relacl, a.acl), '; ' ORDER BY c.oid), '')
FROM asked
CROSS JOIN LATERAL (SELECT oid, relacl FROM pg_class WHERE oid = asked.oid OFFSET 0) c
CROSS JOIN LATERAL (
  SELECT string_agg(format('%s %s', attnum, attacl), ' ' ORDER BY attnum) AS acl
  FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL) a
)sql";

pg::Statement Ask(GrantsOf of) { return {kGrants, pg::Params::Of(of.relations, of.trees)}; }

[[noreturn]] void ThrowChanged() {
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kLockNotAvailable;
  fields.message = "somebody has granted or revoked rights at that moment";
  throw pg::PgError(std::move(fields));
}

// heapam.c, simple_heap_update.
bool MetAnother(const pg::PgError& error) {
  return error.Is(pg::sqlstate::kInternalError) &&
         error.fields().message.find("concurrently updated") != std::string::npos;
}

}  // namespace

Task<std::string> ReadGrants(Session& session, GrantsOf of) {
  const pg::Result row = co_await session.db().Query(kGrants, of.relations, of.trees);
  co_return row.Get<std::string>(0, 0);
}

Task<> ExecuteBesideGrants(Session& session, const std::vector<std::string>& statements,
                           GrantsOf of, std::string before) {
  std::vector<pg::Statement> batch;
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  batch.push_back(Ask(std::move(of)));
  std::string now;
  try {
    const auto results = co_await session.db().Pipeline(std::move(batch));
    now = results.back().Get<std::string>(0, 0);
  } catch (const pg::PgError& error) {
    if (!MetAnother(error)) throw;
    ThrowChanged();
  }
  if (now != before && async::SafeguardOn("grants")) ThrowChanged();
}

}  // namespace pgalter::cutover
