#include "batcher/backfill/rights.h"

#include <fmt/format.h>

namespace pgalter::backfill {

namespace {

// Chunks name each relation by itself, so rights on the partitioned table alone do not suffice; and
// LOCK TABLE asks for a right on the table, not on a column.
constexpr const char* kLacking = R"sql(
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
), needed AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, quote_ident(n.nspname) AS schema,
         quote_ident(pg_get_userbyid(c.relowner)) AS owner,
         quote_ident(pg_get_userbyid(n.nspowner)) AS schema_owner,
         has_schema_privilege(n.oid, 'USAGE') AS visible,
         has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE') AS writable
  FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p')
)
SELECT name, schema, owner, schema_owner, visible, writable, count(*) OVER () - 1,
       quote_ident(current_user)
FROM needed WHERE NOT (visible AND writable)
ORDER BY oid LIMIT 1
)sql";

// The role, the schema, its owner.
constexpr const char* kUsageText =
    "role {0} may not use schema {1} (SQLSTATE 42501); its owner is {2}: GRANT USAGE ON SCHEMA {1} "
    "TO {0}";

// The owner is under it where it is forced.
constexpr const char* kHidden = R"sql(
WITH RECURSIVE tree AS (
  SELECT $1::oid AS oid
  UNION ALL
  SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
)
SELECT format('%I.%I', n.nspname, c.relname), c.relforcerowsecurity, quote_ident(current_user),
       quote_ident(pg_get_userbyid(c.relowner))
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
  AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
ORDER BY c.oid LIMIT 1
)sql";

}  // namespace

Task<std::string> HiddenRows(Session& session, pg::Oid table) {
  const pg::Result hidden = co_await session.db().Query(kHidden, table);
  if (hidden.empty()) co_return "";
  const bool forced = hidden.Get<bool>(0, 1);
  co_return fmt::format(
      "role {0} may not read all rows of {1}, which has row-level security{2}: rows that no policy "
      "shows would be missed (SQLSTATE 42501). Go on as a member of {3} that has BYPASSRLS, or let "
      "a superuser say: ALTER ROLE {0} BYPASSRLS",
      hidden.Get<std::string>(0, 2), hidden.Get<std::string>(0, 0),
      forced ? ", forced on its owner, too" : "", hidden.Get<std::string>(0, 3));
}

Task<std::string> MissingRights(Session& session, pg::Oid table) {
  const pg::Result lacking = co_await session.db().Query(kLacking, table);
  if (lacking.empty()) co_return "";
  const auto name = lacking.Get<std::string>(0, 0);
  const auto schema = lacking.Get<std::string>(0, 1);
  const auto me = lacking.Get<std::string>(0, 7);
  std::string text;
  if (!lacking.Get<bool>(0, 4))
    text = fmt::format(kUsageText, me, schema, lacking.Get<std::string>(0, 3));
  if (!lacking.Get<bool>(0, 5))
    text += fmt::format(
        "{}role {} may not read and update {} (SQLSTATE 42501); its owner is {}: GRANT SELECT, "
        "UPDATE ON {} TO {}",
        text.empty() ? "" : "; ", me, name, lacking.Get<std::string>(0, 2), name, me);
  const auto others = lacking.Get<std::int64_t>(0, 6);
  if (others > 0) text += fmt::format("; and the same for {} more of its partitions", others);
  co_return text;
}

Task<std::string> MissingOwnership(Session& session, pg::Oid table) {
  const pg::Result owner = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, c.relname), quote_ident(r.rolname),"
      " quote_ident(current_user), r.rolsuper"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_roles r ON r.oid = c.relowner"
      " WHERE c.oid = $1 AND NOT pg_has_role(c.relowner, 'USAGE')",
      table);
  if (owner.empty()) co_return "";
  const auto name = owner.Get<std::string>(0, 0);
  const auto role = owner.Get<std::string>(0, 1);
  const auto me = owner.Get<std::string>(0, 2);
  const std::string lacks =
      fmt::format("role {} does not own {} (SQLSTATE 42501); its owner is {}", me, name, role);
  if (!owner.Get<bool>(0, 3)) co_return fmt::format("{}: GRANT {} TO {}", lacks, role, me);
  co_return fmt::format("{}, a superuser: go on as {}, or have it say: ALTER TABLE {} OWNER TO {}",
                        lacks, role, name, me);
}

Task<std::string> MissingUsage(Session& session, pg::Oid table) {
  const pg::Result lacking = co_await session.db().Query(
      "SELECT quote_ident(n.nspname), quote_ident(pg_get_userbyid(n.nspowner)),"
      " quote_ident(current_user) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.oid = $1 AND NOT has_schema_privilege(n.oid, 'USAGE')",
      table);
  if (lacking.empty()) co_return "";
  co_return fmt::format(kUsageText, lacking.Get<std::string>(0, 2), lacking.Get<std::string>(0, 0),
                        lacking.Get<std::string>(0, 1));
}

}  // namespace pgalter::backfill
