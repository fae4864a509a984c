#include "batcher/cutover/carried.h"

namespace pgalter::cutover {

namespace {

constexpr const char* kRows = R"sql(
SELECT 'a', format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, :name,
                   CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                   CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                               WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                   (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC'
                                             ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
                    FROM unnest(polroles) r),
                   ' USING (' || pg_get_expr(polqual, polrelid) || ')',
                   ' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
FROM pg_policy WHERE polrelid = :leaving
UNION ALL
SELECT 'a', format('COMMENT ON POLICY %I ON %s IS %L', polname, :name,
                   obj_description(oid, 'pg_policy'))
FROM pg_policy WHERE polrelid = :leaving AND obj_description(oid, 'pg_policy') IS NOT NULL
UNION ALL
SELECT 'b', format('DROP POLICY %I ON %s', polname, :name) FROM pg_policy WHERE polrelid = :leaving
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s ROW LEVEL SECURITY', p.name,
                   CASE WHEN s.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END)
FROM pair p JOIN pg_class s ON s.oid = p.leaving JOIN pg_class t ON t.oid = p.coming
WHERE s.relrowsecurity <> t.relrowsecurity
UNION ALL
SELECT 'a', format('ALTER TABLE %s %s ROW LEVEL SECURITY', p.name,
                   CASE WHEN s.relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END)
FROM pair p JOIN pg_class s ON s.oid = p.leaving JOIN pg_class t ON t.oid = p.coming
WHERE s.relforcerowsecurity <> t.relforcerowsecurity
)sql";

}  // namespace

constinit const Carried kRowSecurity{.rows = kRows};

}  // namespace pgalter::cutover
