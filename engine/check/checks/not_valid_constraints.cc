#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// Not the copies of a foreign key for each partition of the table that it points at: VALIDATE
// leaves them as they are.
constexpr const char* kSql = R"sql(
SELECT c.conrelid::regclass::text, quote_ident(c.conname)
FROM pg_constraint c
WHERE NOT c.convalidated AND c.conrelid <> 0 AND c.contype IN ('c', 'f', 'n')
  AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
  AND (cardinality($1::oid[]) = 0 OR c.conrelid = ANY ($1::oid[]))
ORDER BY 1, 2 LIMIT 20
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto table = rows.Get<std::string>(row, 0);
    const auto name = rows.Get<std::string>(row, 1);
    answers.push_back(Note(
        fmt::format("constraint {} on {} is NOT VALID", name, table),
        "old rows may break it: a backfill fails on such a row, and a restored dump may not load",
        fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {} (reads the table, blocks nobody)", table,
                    name)));
  }
  co_return answers;
}

}  // namespace

constinit const Check kNotValidConstraints{
    .id = "not-valid-constraints", .fine = "every constraint is validated", .run = &Run};

}  // namespace pgalter::check
