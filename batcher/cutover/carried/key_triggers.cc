#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Triggers of foreign keys, on both tables, that are not on: of a key that is made again they are,
// under names that nobody knows before. Each calls another function.
constexpr const char* kRows = R"sql(
SELECT 'a', format('DO LANGUAGE plpgsql %L', format(
  'DECLARE what text; BEGIN FOR what IN '
  'SELECT format(''ALTER TABLE %%I.%%I %%s TRIGGER %%I'', n.nspname, c.relname, s.state, t.tgname) '
  'FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_trigger t ON t.tgconstraint = f.oid '
  'JOIN (VALUES %s) s (tgfoid, state) ON s.tgfoid = t.tgfoid '
  'JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid '
  'JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace '
  'WHERE f.conrelid = %L::regclass AND f.conname = %L AND f.contype = ''f'' '
  'LOOP EXECUTE what; END LOOP; END', o.states, o.name, o.conname))
FROM (
  SELECT k.name, k.conname,
         string_agg(format('(%s, %L)', t.tgfoid::oid, CASE t.tgenabled WHEN 'D' THEN 'DISABLE'
                             WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END), ', ') AS states
  FROM (
    SELECT f.oid, f.conname, :name AS name FROM pg_constraint f
    WHERE f.conrelid = :leaving AND f.contype = 'f'
    UNION ALL
    SELECT k.oid, f.conname, format('%I.%I', n.nspname, c.relname)
    FROM inbound_key k
    CROSS JOIN LATERAL (SELECT * FROM pg_constraint WHERE oid = k.oid OFFSET 0) f
    CROSS JOIN LATERAL (SELECT * FROM pg_class WHERE oid = f.conrelid OFFSET 0) c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE f.contype = 'f' AND f.confrelid = :leaving AND f.conrelid NOT IN (SELECT oid FROM carried)
    ) k (oid, conname, name)
  CROSS JOIN LATERAL (SELECT * FROM pg_trigger WHERE tgconstraint = k.oid OFFSET 0) t
  WHERE t.tgisinternal AND t.tgenabled <> 'O' AND k.oid NOT IN (SELECT oid FROM going)
  GROUP BY k.oid, k.name, k.conname) o
)sql";

}  // namespace

constinit const Carried kKeyTriggers{.rows = kRows};

}  // namespace pgalter::cutover
