#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Triggers that stand for a foreign key of the table (partition/checked.h), as an older program has
// made them: ONLY the table was looked into, which has no rows once it is partitioned.
constexpr const char* kRows = R"sql(
SELECT DISTINCT 'a', replace(pg_get_functiondef(p.oid), said.only_it, said.it)
FROM pgalter.run r
CROSS JOIN LATERAL jsonb_array_elements((r.spec -> 'inbound_checks')::jsonb) c
JOIN pg_trigger g ON g.tgrelid = :leaving AND g.tgfoid = to_regprocedure(c ->> 'refers_function')
JOIN pg_class w ON w.oid = :coming AND w.relkind = 'p'
JOIN pg_proc p ON p.oid IN (g.tgfoid, to_regprocedure(c ->> 'function'))
CROSS JOIN LATERAL (SELECT format('ONLY %s AS y', :name) AS only_it,
                           format('%s AS y', :name) AS it) said
WHERE r.command IN ('partition convert', 'rebuild') AND strpos(p.prosrc, said.only_it) > 0
)sql";

}  // namespace

constinit const Carried kCheckedFunctions{.rows = kRows};

}  // namespace pgalter::cutover
