#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kRows = R"sql(
SELECT 'b', format('DROP STATISTICS %I.%I', n.nspname, s.stxname)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = :leaving
UNION ALL
SELECT 'a', pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxrelid = :leaving
UNION ALL
SELECT 'a', format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname,
                   to_jsonb(s)->>'stxstattarget')
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = :leaving AND (to_jsonb(s)->>'stxstattarget')::int >= 0
UNION ALL
SELECT 'a', format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, s.stxname,
                   obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = :leaving AND obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL
UNION ALL
SELECT 'a', format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, s.stxname,
                   pg_get_userbyid(s.stxowner))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = :leaving AND pg_get_userbyid(s.stxowner) <> current_user
UNION ALL
SELECT 'v', format('ANALYZE %s', :name)
WHERE EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = :leaving)
)sql";

}  // namespace

constinit const Carried kStatistics{.rows = kRows};

}  // namespace pgalter::cutover
