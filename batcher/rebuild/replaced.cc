#include "batcher/rebuild/replaced.h"

namespace pgalter::rebuild {

std::vector<std::int64_t> LeavingOf(const std::vector<Replaced>& all) {
  std::vector<std::int64_t> oids;
  for (const Replaced& one : all) oids.push_back(one.leaving);
  return oids;
}

std::vector<std::int64_t> ComingOf(const std::vector<Replaced>& all) {
  std::vector<std::int64_t> oids;
  for (const Replaced& one : all) oids.push_back(one.coming);
  return oids;
}

Task<std::string> SchemasOf(Session& session, std::vector<std::int64_t> relations) {
  const pg::Result row = co_await session.db().Query(
      "SELECT string_agg(name, ', ' ORDER BY first) FROM (SELECT quote_ident(n.nspname) AS name,"
      "  min(o.n) AS first FROM unnest($1::int8[]) WITH ORDINALITY o (oid, n)"
      "  JOIN pg_class c ON c.oid = o.oid::oid JOIN pg_namespace n ON n.oid = c.relnamespace"
      "  GROUP BY n.nspname) s",
      relations);
  co_return row.Get<std::string>(0, 0);
}

Task<> SearchIn(Session& session, std::string schemas) {
  co_await session.db().Query("SELECT set_config('search_path', $1, true)", schemas);
}

}  // namespace pgalter::rebuild
