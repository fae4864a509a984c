#include "batcher/partition/likeness.h"

#include <fmt/format.h>

#include <optional>

#include "planner/sql/identifier.h"

namespace pgalter::partition {

Task<Likeness> LikeTheOthers(Session& session, const backfill::Table& parent, std::string sibling) {
  Likeness likeness;
  const pg::Result row = co_await session.db().Query(
      "SELECT quote_ident(pg_get_userbyid(c.relowner)),"
      " c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user),"
      " EXISTS (SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid"
      "   WHERE i.inhparent = c.oid AND p.relreplident = 'f'),"
      " (SELECT bool_and(p.relpersistence = 'u') FROM pg_inherits i JOIN pg_class p"
      "   ON p.oid = i.inhrelid WHERE i.inhparent = c.oid),"
      " (SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident("
      "     pg_get_userbyid(a.grantee)) END, ', ')"
      "   FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE d.defaclobjtype = 'r'"
      "   AND d.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
      "   AND d.defaclnamespace IN (0, c.relnamespace) AND a.grantee <> d.defaclrole)"
      " FROM pg_class c WHERE c.oid = $1",
      parent.oid);
  if (row.Get<std::optional<bool>>(0, 3).value_or(false)) likeness.persistence = "UNLOGGED ";
  if (const auto grantees = row.Get<std::optional<std::string>>(0, 4))
    likeness.after.push_back("REVOKE ALL ON TABLE {} FROM " + *grantees);
  if (row.Get<bool>(0, 2)) likeness.after.emplace_back("ALTER TABLE {} REPLICA IDENTITY FULL");
  if (row.Get<bool>(0, 1))
    likeness.after.push_back("ALTER TABLE {} OWNER TO " + row.Get<std::string>(0, 0));
  if (!sibling.empty()) {
    Storage storage = co_await StorageOf(session, sibling);
    likeness.storage = std::move(storage.rest);
  } else {
    sibling = parent.name;
  }
  likeness.columns = co_await ColumnsLike(session, sibling, parent.name);
  co_return likeness;
}

std::vector<std::string> MakePartition(const Likeness& likeness, const std::string& name,
                                       const std::string& parent, const std::string& bound) {
  std::vector<std::string> statements{fmt::format("CREATE {}TABLE {} PARTITION OF {} {}{}",
                                                  likeness.persistence, name, parent, bound,
                                                  likeness.storage)};
  for (const std::string& form : likeness.after)
    statements.push_back(fmt::format(fmt::runtime(form), name));
  AddFor(name, likeness.columns, statements);
  return statements;
}

std::vector<std::string> MakeDivided(const Likeness& likeness, const Subdivision& subdivision,
                                     const std::string& home, const std::string& relname,
                                     const std::string& parent, const std::string& bound) {
  const std::string name = home + "." + sql::QuoteIdentifier(relname);
  std::vector<std::string> statements{fmt::format(
      "CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
      "INCLUDING STORAGE INCLUDING COMPRESSION) PARTITION BY {}",
      name, parent, subdivision.by)};
  const auto alike = [&](const std::string& of) {
    for (const std::string& form : likeness.after)
      statements.push_back(fmt::format(fmt::runtime(form), of));
    AddFor(of, likeness.columns, statements);
  };
  alike(name);
  for (std::string& leaf : MakeSubParts(subdivision, home, relname, ""))
    statements.push_back(std::move(leaf));
  for (const std::string& leaf : NamesOf(subdivision, relname)) alike(home + "." + leaf);
  statements.push_back(fmt::format("ALTER TABLE {} ATTACH PARTITION {} {}", parent, name, bound));
  return statements;
}

}  // namespace pgalter::partition
