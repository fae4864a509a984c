#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

// Their columns stay as they are, so they keep their OID, grants and dependants.
constexpr const char* kRows = R"sql(
SELECT 'a', format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, v.relname,
                   ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
FROM (SELECT DISTINCT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = :leaving AND r.ev_class <> :leaving
        AND r.ev_class::int8 <> ALL (:views_anew)) u
JOIN pg_class v ON v.oid = u.ev_class AND v.relkind = 'v'
JOIN pg_namespace n ON n.oid = v.relnamespace
)sql";

}  // namespace

constinit const Carried kViews{.rows = kRows};

}  // namespace pgalter::cutover
