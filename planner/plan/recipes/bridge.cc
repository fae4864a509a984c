#include "planner/plan/recipes/bridge.h"

#include <fmt/format.h>

namespace pgalter::plan {

namespace {

// Before it a view reads with its owner's rights, past row security.
constexpr int kSecurityInvoker = 15;

}  // namespace

Texts BridgeView(const sql::QualifiedName& view, const std::string& targets,
                 const sql::QualifiedName& table, int server_version) {
  const std::string name = sql::ToString(view);
  const std::string base = sql::QuoteLiteral(sql::ToString(table));
  // The rights that are there when it runs: nobody has to know them before.
  const std::string grants = fmt::format(
      "DO $pgalter$ DECLARE r record; BEGIN FOR r IN SELECT privilege_type AS privilege, "
      "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid("
      "grantee)) END AS grantee FROM pg_catalog.pg_class, pg_catalog.aclexplode(relacl) "
      "WHERE oid = {}::pg_catalog.regclass AND grantee <> relowner AND privilege_type IN "
      "('SELECT', "
      "'INSERT', 'UPDATE', 'DELETE') LOOP EXECUTE pg_catalog.format('GRANT %s ON %s TO %s', "
      "r.privilege, {}, r.grantee); END LOOP; END $pgalter$",
      base, sql::QuoteLiteral(name));
  return {fmt::format("CREATE VIEW {}{} AS SELECT {} FROM {}", name,
                      server_version >= kSecurityInvoker ? " WITH (security_invoker = true)" : "",
                      targets, sql::ToString(table)),
          grants};
}

std::vector<std::string> BridgeRemarks(int server_version) {
  std::vector<std::string> remarks = {
      "through the view reads, INSERT, UPDATE, DELETE and ON CONFLICT go on; COPY FROM, TRUNCATE, "
      "LOCK and DDL by the old name do not"};
  if (server_version < kSecurityInvoker)
    remarks.emplace_back(
        "before PostgreSQL 15 a view reads with its owner's rights: row security does not hold "
        "through it");
  return remarks;
}

}  // namespace pgalter::plan
