#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Serial columns: a sequence follows its owner into another schema, so it has none for a moment.
// Where the new column has one of its own, it stays with the old table.
constexpr const char* kRows = R"sql(
SELECT w.at, CASE w.at WHEN 'b' THEN format('ALTER SEQUENCE %s OWNED BY NONE', s.name)
                       ELSE format('ALTER SEQUENCE %s OWNED BY %s.%I', s.name, :name, m.new) END
FROM (SELECT format('%I.%I', n.nspname, q.relname) AS name, a.attname
      FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
      JOIN pg_namespace n ON n.oid = q.relnamespace
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = :leaving AND d.deptype = 'a') s
JOIN same m ON m.old = s.attname
CROSS JOIN (VALUES ('b'), ('a')) w (at)
WHERE EXISTS (SELECT FROM called, pg_attribute t WHERE t.attrelid = :coming
              AND t.attname = m.new AND NOT t.attisdropped
              AND pg_get_serial_sequence(called.name, t.attname) IS NULL)
)sql";

}  // namespace

constinit const Carried kSequences{.rows = kRows};

}  // namespace pgalter::cutover
