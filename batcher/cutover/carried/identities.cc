#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Identity: the number goes on where the old sequence was, never from max().
constexpr const char* kRows = R"sql(
SELECT 'b', format('SELECT setval(%L::regclass, last_value, is_called) FROM %s',
                   pg_get_serial_sequence(called.name, t.attname),
                   pg_get_serial_sequence(:name, s.attname))
FROM called CROSS JOIN pg_attribute s JOIN same m ON m.old = s.attname
JOIN pg_attribute t ON t.attname = m.new AND t.attrelid = :coming
WHERE s.attrelid = :leaving AND s.attnum > 0 AND t.attnum > 0
  AND NOT s.attisdropped AND NOT t.attisdropped
  AND pg_get_serial_sequence(called.name, t.attname) IS NOT NULL
  AND pg_get_serial_sequence(:name, s.attname) IS NOT NULL
UNION ALL
SELECT 'b', format('ALTER SEQUENCE %s RENAME TO %I',
                   pg_get_serial_sequence(called.name, t.attname), o.relname)
FROM called CROSS JOIN pg_attribute s JOIN same m ON m.old = s.attname
JOIN pg_attribute t ON t.attname = m.new AND t.attrelid = :coming
JOIN pg_class o ON o.oid = pg_get_serial_sequence(:name, s.attname)::regclass
JOIN pg_class q ON q.oid = pg_get_serial_sequence(called.name, t.attname)::regclass
WHERE s.attrelid = :leaving AND s.attidentity <> '' AND t.attidentity <> ''
  AND q.relname <> o.relname AND NOT s.attisdropped AND NOT t.attisdropped
)sql";

}  // namespace

constinit const Carried kIdentities{.rows = kRows, .stays = &Staying::identities};

}  // namespace pgalter::cutover
