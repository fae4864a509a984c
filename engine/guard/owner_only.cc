#include "engine/guard/owner_only.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

namespace pgalter::guard {

namespace {

// `objects`: their kind, name, owner and rights.
std::string TakeBack(std::string_view objects) {
  return fmt::format(
      R"sql(DO $take_back$ DECLARE given record; BEGIN
FOR given IN
  SELECT DISTINCT o.kind, o.name, CASE g.grantee WHEN 0 THEN 'PUBLIC'
         ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS who
  FROM ({}) o (kind, name, owner, rights), pg_catalog.aclexplode(o.rights) g
  WHERE g.grantee <> o.owner
LOOP
  EXECUTE pg_catalog.format('REVOKE ALL ON %s %s FROM %s', given.kind, given.name, given.who);
END LOOP; END $take_back$)sql",
      objects);
}

}  // namespace

std::string TakeBackSchema(const std::string& schema) {
  return TakeBack(
      fmt::format("SELECT 'SCHEMA', pg_catalog.quote_ident(nspname), nspowner, nspacl"
                  " FROM pg_catalog.pg_namespace WHERE oid = $name${}$name$::regnamespace",
                  schema));
}

std::string TakeBackRelations(const std::string& schema, const std::vector<std::int64_t>& before) {
  return TakeBack(fmt::format(
      "SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,"
      " pg_catalog.format('%I.%I', n.nspname, c.relname), c.relowner, c.relacl"
      " FROM pg_catalog.pg_class c"
      " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
      " WHERE n.oid = $name${}$name$::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')"
      " AND c.oid <> ALL ('{{{}}}'::oid[])",
      schema, fmt::join(before, ", ")));
}

}  // namespace pgalter::guard
