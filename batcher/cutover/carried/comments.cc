#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kRows = R"sql(
SELECT 'a', format('COMMENT ON %s %s IS %L',
                   CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, p.name,
                   obj_description(c.oid, 'pg_class'))
FROM pair p JOIN pg_class c ON c.oid = p.leaving
WHERE obj_description(c.oid, 'pg_class') IS DISTINCT FROM obj_description(p.coming, 'pg_class')
)sql";

}  // namespace

constinit const Carried kComments{.rows = kRows};

}  // namespace pgalter::cutover
