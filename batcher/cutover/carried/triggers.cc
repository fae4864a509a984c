#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// A definition names the table as it is called now, which is what the new one will be called.
// Before version 15 the triggers of partitions are the server's own, which a superuser alone
// changes.
constexpr const char* kRows = R"sql(
SELECT 'a', pg_get_triggerdef(oid) FROM users_trigger
WHERE tgrelid = :leaving AND NOT tgisinternal
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s TRIGGER %I', :name,
                   CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                  ELSE 'ENABLE ALWAYS' END, tgname)
FROM users_trigger WHERE tgrelid = :leaving AND NOT tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT 'a', format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, :name,
                   obj_description(oid, 'pg_trigger'))
FROM users_trigger WHERE tgrelid = :leaving AND NOT tgisinternal
  AND obj_description(oid, 'pg_trigger') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP TRIGGER %I ON %s', tgname, :name) FROM users_trigger
WHERE tgrelid = :leaving AND NOT tgisinternal
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s TRIGGER %I', p.name,
                   CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                    WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname)
FROM pair p JOIN users_trigger t ON t.tgrelid = p.leaving JOIN pg_trigger w ON w.oid = t.tgparentid
WHERE p.leaving <> :leaving AND NOT w.tgisinternal AND t.tgenabled <> w.tgenabled
  AND (NOT t.tgisinternal OR current_setting('is_superuser')::bool)
)sql";

}  // namespace

constinit const Carried kTriggers{.rows = kRows};

}  // namespace pgalter::cutover
