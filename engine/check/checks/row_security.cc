#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT c.oid::regclass::text
FROM pg_class c
WHERE c.oid = ANY ($1::oid[]) AND c.relrowsecurity
  AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
  AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
ORDER BY 1
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row)
    answers.push_back(
        Blocker(fmt::format("{} has row security, and this role is under it",
                            rows.Get<std::string>(row, 0)),
                "a backfill or a copy would miss rows, so the server refuses the statement",
                "use the table's owner (without FORCE ROW LEVEL SECURITY) or a role with BYPASSRLS",
                Cause::kRightOrServer));
  co_return answers;
}

}  // namespace

constinit const Check kRowSecurity{
    .id = "row-security", .fine = "no row security hides rows from this role", .run = &Run};

}  // namespace pgalter::check
