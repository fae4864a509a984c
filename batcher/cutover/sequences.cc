#include "batcher/cutover/sequences.h"

#include <fmt/format.h>

#include "batcher/rebuild/mapping.h"
#include "planner/sql/identifier.h"

namespace pgalter::cutover {

namespace {

// An ALTER SEQUENCE that changes nothing takes the lock. With any option it makes the sequence a
// new file as well (sequence.c), so that a setval() behind it is taken back with the transaction:
// the last ELSE counts on that. Where the numbers left are not a thousand times those left out,
// none are.
constexpr const char* kBody = R"sql(
  old_is pg_sequence;
  new_is pg_sequence;
  at_number int8;
  is_called bool;
  next numeric;
  gap numeric;
  room numeric;
  what text;
BEGIN
  EXECUTE (SELECT format('ALTER SEQUENCE %s OWNER TO %I', old_name, pg_get_userbyid(relowner))
           FROM pg_class WHERE oid = old_name::regclass);
  SELECT * INTO STRICT old_is FROM pg_sequence WHERE seqrelid = old_name::regclass;
  SELECT * INTO STRICT new_is FROM pg_sequence WHERE seqrelid = new_name::regclass;
  FOR what IN
    SELECT format('ALTER SEQUENCE %s SET %s', new_name,
                  CASE o.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE 'LOGGED' END)
    FROM pg_class o JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = o.oid
      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_class n ON n.oid = new_name::regclass
    WHERE o.oid = old_name::regclass AND o.relpersistence <> t.relpersistence
      AND o.relpersistence <> n.relpersistence
  LOOP
    EXECUTE what;
  END LOOP;
  EXECUTE format('SELECT last_value, is_called FROM %s', old_name) INTO at_number, is_called;
  next := at_number + CASE WHEN is_called THEN old_is.seqincrement ELSE 0 END;
  gap := old_is.seqincrement::numeric * old_is.seqcache
    * current_setting('max_connections')::int;
  room := CASE WHEN gap > 0 THEN least(old_is.seqmax, new_is.seqmax)
               ELSE greatest(old_is.seqmin, new_is.seqmin) END - next;
  IF is_dropped THEN
    PERFORM setval(new_name::regclass, at_number, is_called);
  ELSIF sign(new_is.seqincrement) = sign(gap) AND room / gap >= 1000 THEN
    next := next + gap;
    PERFORM setval(new_name::regclass, next::int8, false);
    IF gap > 0 THEN
      EXECUTE format('ALTER SEQUENCE %s MAXVALUE %s START WITH %s NO CYCLE', old_name, next - 1,
                     least(old_is.seqstart, next - 1));
    ELSE
      EXECUTE format('ALTER SEQUENCE %s MINVALUE %s START WITH %s NO CYCLE', old_name, next + 1,
                     greatest(old_is.seqstart, next + 1));
    END IF;
  ELSE
    PERFORM setval(new_name::regclass, at_number, is_called);
    EXECUTE format('ALTER SEQUENCE %s NO CYCLE', old_name);
    PERFORM setval(old_name::regclass,
                   CASE WHEN gap > 0 THEN old_is.seqmax ELSE old_is.seqmin END, true);
  END IF;
  FOR what IN
    WITH granted AS (
      SELECT c.oid = new_name::regclass AS is_new, a.privilege_type, a.is_grantable,
             CASE a.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
      WHERE c.oid IN (old_name::regclass, new_name::regclass) AND a.grantee <> c.relowner),
    differing AS (
      SELECT FROM granted GROUP BY privilege_type, is_grantable, grantee
      HAVING count(DISTINCT is_new) = 1)
    SELECT w.sql FROM (
      SELECT 1, format('REVOKE ALL ON SEQUENCE %s FROM %s CASCADE', new_name, grantee)
      FROM granted WHERE is_new
      UNION
      SELECT 2, format('GRANT %s ON SEQUENCE %s TO %s%s', privilege_type, new_name, grantee,
                       CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM granted WHERE NOT is_new) w (turn, sql)
    WHERE EXISTS (SELECT FROM differing) ORDER BY w.turn
  LOOP
    EXECUTE what;
  END LOOP;
  what := obj_description(old_name::regclass, 'pg_class');
  IF what IS DISTINCT FROM obj_description(new_name::regclass, 'pg_class') THEN
    EXECUTE format('COMMENT ON SEQUENCE %s IS %L', new_name, what);
  END IF;
END
)sql";

// $1 the table that leaves, $2 the one that comes, $3 the leaving one's name to be, $4 and $5
// columns that have another name in the one that comes, $6 kBody. What else is filled from the
// sequence that leaves goes on with it: that one is not bounded.
constexpr const char* kSequences = R"sql(
WITH same AS (
  SELECT t.attname::text AS old, t.attname::text AS new FROM pg_attribute t
  WHERE t.attrelid = $2 AND t.attnum > 0 AND NOT t.attisdropped
    AND t.attname <> ALL ($4::text[]) AND t.attname <> ALL ($5::text[])
  UNION ALL SELECT u.old, u.new FROM unnest($4::text[], $5::text[]) u (old, new)),
sequence AS (
  SELECT a.attrelid, a.attname, a.attidentity <> '' AS identity, q.oid, q.relname,
         format('%I.%I', n.nspname, q.relname) AS name
  FROM pg_attribute a
  CROSS JOIN LATERAL pg_get_serial_sequence(a.attrelid::regclass::text, a.attname) g (name)
  JOIN pg_class q ON q.oid = g.name::regclass JOIN pg_namespace n ON n.oid = q.relnamespace
  WHERE a.attrelid IN ($1, $2) AND a.attnum > 0 AND NOT a.attisdropped),
pair AS (
  SELECT o.oid, o.relname, o.name AS old_name, n.name AS new_name,
         o.identity AND n.identity AND o.relname <> n.relname AS renamed,
         EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass
                   AND d.refobjid = o.oid AND d.deptype = 'n'
                   AND NOT (d.classid = 'pg_attrdef'::regclass AND d.objid IN (
                     SELECT oid FROM pg_attrdef WHERE adrelid = $1))) AS is_used
  FROM sequence o JOIN same m ON m.old = o.attname
  JOIN sequence n ON n.attname = m.new AND n.attrelid = $2 WHERE o.attrelid = $1)
SELECT 'b', format('DO LANGUAGE plpgsql %L',
                   format('DECLARE old_name CONSTANT text := %L; new_name CONSTANT text := %L;'
                          ' is_dropped CONSTANT bool := %L;', old_name, new_name, is_used) || $6)
FROM pair
UNION ALL
SELECT 'b', format('ALTER SEQUENCE %s RENAME TO %I', new_name, relname) FROM pair WHERE renamed
UNION ALL
SELECT 'r', format('ALTER SEQUENCE %I.%I MINVALUE %s MAXVALUE %s START WITH %s %s',
                   (parse_ident($3))[1], relname, seqmin, seqmax, seqstart,
                   CASE WHEN seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
FROM pair JOIN pg_sequence ON seqrelid = pair.oid WHERE NOT is_used
)sql";

}  // namespace

std::string HandOver(const std::string& leaving, const std::string& coming, Former former) {
  const std::string body = fmt::format(
      "DECLARE old_name CONSTANT text := {}; new_name CONSTANT text := {};"
      " is_dropped CONSTANT bool := {};{}",
      sql::QuoteLiteral(leaving), sql::QuoteLiteral(coming), former == Former::kIsDropped, kBody);
  return "DO LANGUAGE plpgsql " + sql::QuoteLiteral(body);
}

pg::Statement AskSequences(pg::Oid leaving, pg::Oid coming, std::string name_to_be,
                           const std::vector<rebuild::SameColumn>& renamed) {
  return {kSequences, pg::Params::Of(leaving, coming, name_to_be, rebuild::FromOf(renamed),
                                     rebuild::ToOf(renamed), std::string(kBody))};
}

}  // namespace pgalter::cutover
