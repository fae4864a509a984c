#include "batcher/dependants/key_triggers.h"

#include <fmt/format.h>

#include "engine/run/failure.h"

namespace pgalter::dependants {

namespace {

// Asked under the locks: each part comes by an index.
constexpr const char* kOff = R"sql(
WITH tables (oid) AS (
  SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass)),
key (oid) AS (
  SELECT f.oid FROM tables t CROSS JOIN LATERAL (
    SELECT oid FROM pg_constraint WHERE conrelid = t.oid AND contype = 'f' OFFSET 0) f
  UNION
  SELECT d.objid FROM tables t CROSS JOIN LATERAL (
    SELECT objid FROM pg_depend WHERE classid = 'pg_constraint'::regclass
      AND refclassid = 'pg_class'::regclass AND refobjid = t.oid OFFSET 0) d),
switched AS (
  SELECT k.oid, t.tgrelid, string_agg(format('ENABLE TRIGGER %I', t.tgname), ', ' ORDER BY t.oid) AS
         on_again
  FROM key k CROSS JOIN LATERAL (
    SELECT * FROM pg_trigger WHERE tgconstraint = k.oid OFFSET 0) t
  WHERE t.tgisinternal AND t.tgenabled <> 'O'
  GROUP BY k.oid, t.tgrelid)
SELECT format('the triggers of foreign key %I of %I.%I are switched off, and %s: '
              'ALTER TABLE %I.%I %s, as a superuser, or drop the key before%s',
              f.conname, n.nspname, c.relname,
              CASE WHEN p.is_parted THEN 'partitioned tables would have them on again'
                   ELSE 'only a superuser switches them off again' END,
              sn.nspname, s.relname, w.on_again,
              CASE WHEN NOT p.is_parted THEN '; or run as a superuser' END)
FROM switched w
CROSS JOIN LATERAL (SELECT * FROM pg_constraint WHERE oid = w.oid AND contype = 'f' OFFSET 0) f
CROSS JOIN LATERAL (SELECT * FROM pg_class WHERE oid = f.conrelid OFFSET 0) c
CROSS JOIN LATERAL (SELECT relkind FROM pg_class WHERE oid = f.confrelid OFFSET 0) r
CROSS JOIN LATERAL (SELECT * FROM pg_class WHERE oid = w.tgrelid OFFSET 0) s
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace sn ON sn.oid = s.relnamespace
CROSS JOIN LATERAL (
  SELECT NOT $2 OR c.relkind = 'p' OR r.relkind = 'p' OR f.conparentid <> 0 AS is_parted) p
WHERE p.is_parted OR NOT current_setting('is_superuser')::bool
ORDER BY w.oid, w.tgrelid LIMIT 1
)sql";

}  // namespace

Task<std::string> FindKeyTriggersOff(Session& session, pg::Oid table, KeyTriggers how) {
  const bool follow = how == KeyTriggers::kFollow;
  const pg::Result rows = co_await session.db().Query(kOff, table, follow);
  co_return rows.empty() ? std::string() : rows.Get<std::string>(0, 0);
}

Task<> RefuseKeyTriggersOff(Session& session, pg::Oid table, std::string name, std::string again,
                            KeyTriggers how) {
  const std::string why = co_await FindKeyTriggersOff(session, table, how);
  if (why.empty()) co_return;
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("{} cannot change its place: {}. Nothing was changed by this step. "
                  "Then: {}",
                  name, why, again));
}

}  // namespace pgalter::dependants
