#include "engine/run/read_firing.h"

#include "engine/guard/replication_role.h"

namespace pgalter::run {

namespace {

// tgtype: 1 row, 16 UPDATE (pg_trigger.h). Statements of ours name partitions, so what fires once a
// statement on the whole does not.
constexpr const char* kStates = R"sql(
SELECT n.nspname, c.relname, t.tgname, u.fires AND t.tgenabled IN ('O', 'A'),
       u.fires AND t.tgenabled IN ('R', 'A')
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT t.tgtype & 16 <> 0 AND (c.relkind <> 'p' OR t.tgtype & 1 <> 0)) AS u (fires)
WHERE NOT t.tgisinternal AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgalter')
)sql";

}  // namespace

Task<plan::Firing> ReadFiring(guard::Session& session) {
  plan::Firing firing;
  firing.may_silence = co_await guard::MaySetReplicationRole(session);
  const pg::Result rows = co_await session.db().Query(kStates);
  for (int i = 0; i < rows.rows(); ++i) {
    const sql::QualifiedName table{rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)};
    firing.states[{sql::ToString(table), rows.Get<std::string>(i, 2)}] = {rows.Get<bool>(i, 3),
                                                                          rows.Get<bool>(i, 4)};
  }
  co_return firing;
}

}  // namespace pgalter::run
