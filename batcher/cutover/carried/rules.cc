#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kRows = R"sql(
SELECT 'a', pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = :leaving AND rulename <> '_RETURN'
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s RULE %I', :name,
                   CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                   ELSE 'ENABLE ALWAYS' END, rulename)
FROM pg_rewrite WHERE ev_class = :leaving AND ev_enabled <> 'O'
UNION ALL
SELECT 'a', format('COMMENT ON RULE %I ON %s IS %L', rulename, :name,
                   obj_description(oid, 'pg_rewrite'))
FROM pg_rewrite WHERE ev_class = :leaving AND obj_description(oid, 'pg_rewrite') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP RULE %I ON %s', rulename, :name)
FROM pg_rewrite WHERE ev_class = :leaving AND rulename <> '_RETURN'
)sql";

}  // namespace

constinit const Carried kRules{.rows = kRows};

}  // namespace pgalter::cutover
