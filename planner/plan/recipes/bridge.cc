#include "planner/plan/recipes/bridge.h"

#include <fmt/format.h>

namespace pgalter::plan {

namespace {

// Before it a view reads with its owner's rights, past row security.
constexpr int kSecurityInvoker = 15;

using sql::QuoteLiteral;

// The table's: else programs that connect as the owner would have no rights on the view. Where the
// role may not give it away the owner gets the rights from Rights.
std::string Owner(const std::string& view, const std::string& base) {
  return fmt::format(
      "DO $pgalter$ DECLARE owner pg_catalog.name; BEGIN SELECT "
      "pg_catalog.pg_get_userbyid(relowner) "
      "INTO owner FROM pg_catalog.pg_class WHERE oid = {}::pg_catalog.regclass; EXECUTE "
      "pg_catalog.format('ALTER VIEW %s OWNER TO %I', {}, owner); EXCEPTION WHEN "
      "insufficient_privilege THEN NULL; END $pgalter$",
      QuoteLiteral(base), QuoteLiteral(view));
}

// Default privileges may have given rights that nobody has on the table.
std::string Taken(const std::string& view) {
  return fmt::format(
      "DO $pgalter$ DECLARE g pg_catalog.text; BEGIN FOR g IN SELECT DISTINCT CASE grantee WHEN 0 "
      "THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END FROM "
      "pg_catalog.pg_class, pg_catalog.aclexplode(relacl) WHERE oid = {0}::pg_catalog.regclass AND "
      "grantee <> relowner LOOP EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', {0}, "
      "g); END LOOP; END $pgalter$",
      QuoteLiteral(view));
}

// The rights that are there when it runs: nobody has to know them before.
std::string Rights(const std::string& view, const std::string& base,
                   const std::optional<RenamedColumn>& renamed) {
  const std::string also = renamed
                               ? fmt::format(" UNION ALL SELECT {} WHERE attname = {}",
                                             QuoteLiteral(renamed->from), QuoteLiteral(renamed->to))
                               : "";
  return fmt::format(
      "DO $pgalter$ DECLARE r record; BEGIN FOR r IN SELECT privilege_type || part AS privilege, "
      "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid("
      "grantee)) END AS grantee, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS "
      "further FROM (SELECT a.*, '' AS part FROM pg_catalog.pg_class c, "
      "pg_catalog.aclexplode(coalesce(relacl, pg_catalog.acldefault('r', relowner))) a WHERE c.oid "
      "= "
      "{0}::pg_catalog.regclass UNION ALL SELECT a.*, pg_catalog.format(' (%I)', n.name) FROM "
      "pg_catalog.pg_attribute, pg_catalog.aclexplode(attacl) a, LATERAL (SELECT attname::"
      "pg_catalog.text AS name{2}) n WHERE attrelid = {0}::pg_catalog.regclass AND attnum > 0 AND "
      "NOT attisdropped) g WHERE grantee <> (SELECT relowner FROM pg_catalog.pg_class WHERE oid = "
      "{1}::pg_catalog.regclass) AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') "
      "LOOP EXECUTE pg_catalog.format('GRANT %s ON %s TO %s%s', "
      "r.privilege, {1}, r.grantee, r.further); END LOOP; END $pgalter$",
      QuoteLiteral(base), QuoteLiteral(view), also);
}

// A view that reads with its user's rights wants them on every column of the table: one that reads
// with the owner's lets roles through that have some, where no row security asks who they are.
std::string ForColumnRights(const std::string& view, const std::string& base) {
  return fmt::format(
      "DO $pgalter$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
      "{0}::pg_catalog.regclass AND attacl IS NOT NULL AND NOT attisdropped) AND NOT (SELECT "
      "relrowsecurity FROM pg_catalog.pg_class WHERE oid = {0}::pg_catalog.regclass) THEN EXECUTE "
      "pg_catalog.format('ALTER VIEW %s RESET (security_invoker)', {1}); END IF; END $pgalter$",
      QuoteLiteral(base), QuoteLiteral(view));
}

}  // namespace

Texts BridgeRefusals(const sql::QualifiedName& table, RowsInFunctions which, int server_version) {
  Texts sql = {RefuseFunctionsOfRows(table, which)};
  if (server_version < kSecurityInvoker) sql.push_back(RefuseRowSecurity(table));
  return sql;
}

Texts BridgeView(const sql::QualifiedName& view, const sql::QualifiedName& table,
                 const std::optional<RenamedColumn>& renamed, int server_version) {
  const std::string name = sql::ToString(view);
  const std::string base = sql::ToString(table);
  const bool invoker = server_version >= kSecurityInvoker;
  const std::string also = renamed ? fmt::format(", {} AS {}", sql::QuoteIdentifier(renamed->to),
                                                 sql::QuoteIdentifier(renamed->from))
                                   : "";
  Texts sql = {fmt::format("CREATE VIEW {}{} AS SELECT *{} FROM {}", name,
                           invoker ? " WITH (security_invoker = true)" : "", also, base),
               Owner(name, base), Taken(name), Rights(name, base, renamed)};
  if (invoker) sql.push_back(ForColumnRights(name, base));
  return sql;
}

std::vector<std::string> BridgeRemarks(int server_version) {
  constexpr int kMergesIntoViews = 17;
  std::vector<std::string> remarks = {
      fmt::format(
          "through the view reads, INSERT, UPDATE, DELETE and ON CONFLICT (columns) go on; until "
          "the gate is passed these fail by the old name: COPY FROM, TRUNCATE, LOCK, DDL, ON "
          "CONFLICT ON CONSTRAINT, {}WHERE CURRENT OF, ctid and tableoid, functions made meanwhile "
          "that take rows of "
          "the table; VACUUM and ANALYZE pass it over with a warning",
          server_version < kMergesIntoViews ? "MERGE, " : ""),
      "GRANT, REVOKE and COMMENT by the view's name hold for the view alone and end with it: say "
      "them for the table as well, or wait until the gate is passed"};
  if (server_version < kSecurityInvoker)
    remarks.emplace_back(
        "before PostgreSQL 15 a view reads with its owner's rights: a table that has row security "
        "is refused, and none is to be given it until the gate is passed");
  return remarks;
}

}  // namespace pgalter::plan
