#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// Bits of tgtype: INSERT 4, DELETE 8, UPDATE 16.
constexpr const char* kSql = R"sql(
SELECT t.tgrelid::regclass::text, quote_ident(t.tgname), t.tgfoid::regproc::text
FROM pg_trigger t
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid = ANY ($1::oid[])
  AND t.tgname NOT LIKE '~pgalter%' AND (t.tgtype & 28) <> 0
ORDER BY 1, 2 LIMIT 20
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row)
    answers.push_back(
        Note(fmt::format("trigger {} on {} runs {}", rows.Get<std::string>(row, 1),
                         rows.Get<std::string>(row, 0), rows.Get<std::string>(row, 2)),
             "it fires for every row that a backfill changes: audit tables grow, columns such as "
             "updated_at get new values",
             "let its function skip sessions whose application_name begins with pgalter/"));
  co_return answers;
}

}  // namespace

constinit const Check kRowTriggers{
    .id = "row-triggers", .fine = "no user trigger fires on the tables named", .run = &Run};

}  // namespace pgalter::check
