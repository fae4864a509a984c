#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT n.oid IS NOT NULL, coalesce(pg_has_role(n.nspowner, 'USAGE'), false),
       coalesce(quote_ident(pg_get_userbyid(n.nspowner)), ''),
       has_database_privilege(current_database(), 'CREATE'),
       has_database_privilege(current_database(), 'TEMPORARY'),
       quote_ident(current_database()), quote_ident(current_user), coalesce(o.rolsuper, false)
FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = 'pgalter'
LEFT JOIN pg_roles o ON o.oid = n.nspowner
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  const auto database = row.Get<std::string>(0, 5);
  const auto role = row.Get<std::string>(0, 6);
  const bool exists = row.Get<bool>(0, 0);
  if (exists && !row.Get<bool>(0, 1)) {
    const auto owner = row.Get<std::string>(0, 2);
    answers.push_back(Blocker(fmt::format("schema pgalter belongs to {}", owner),
                              "runs are recorded there, and nothing in it is granted to others",
                              row.Get<bool>(0, 7)
                                  ? "use that role"
                                  : fmt::format("use that role, or GRANT {} TO {}", owner, role),
                              Cause::kRightOrServer));
  } else if (!exists && !row.Get<bool>(0, 3)) {
    answers.push_back(
        Blocker(fmt::format("no CREATE on database {}", database),
                "schema pgalter, where runs are recorded, cannot be made",
                fmt::format("GRANT CREATE ON DATABASE {} TO {}; or have pgalter init run by a role "
                            "that this one is a member of",
                            database, role),
                Cause::kRightOrServer));
  }
  if (!row.Get<bool>(0, 4))
    answers.push_back(Blocker(fmt::format("no TEMPORARY on database {}", database),
                              "expressions of a backfill are written out through temporary views",
                              fmt::format("GRANT TEMPORARY ON DATABASE {} TO {}", database, role),
                              Cause::kRightOrServer));
  co_return answers;
}

}  // namespace

constinit const Check kOwnSchema{
    .id = "own-schema", .fine = "the state of runs can be kept in schema pgalter", .run = &Run};

}  // namespace pgalter::check
