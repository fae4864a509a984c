#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT i.indexrelid::regclass::text, i.indrelid::regclass::text, i.indisready,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid),
       c.relkind = 'I'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND (cardinality($1::oid[]) = 0 OR i.indrelid = ANY ($1::oid[]))
ORDER BY 2, 1 LIMIT 20
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto index = rows.Get<std::string>(row, 0);
    std::string what =
        fmt::format("index {} on {} is not valid", index, rows.Get<std::string>(row, 1));
    if (rows.Get<bool>(row, 3)) {
      answers.push_back(Note(what + ": it is being built", "the table has one such build at a time",
                             "wait for it"));
    } else if (rows.Get<bool>(row, 4)) {
      answers.push_back(Note(std::move(what),
                             "some partition has no index to go with it yet: it is of no use to "
                             "anybody",
                             "CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX ... "
                             "ATTACH PARTITION"));
    } else {
      answers.push_back(Warning(
          std::move(what),
          rows.Get<bool>(row, 2)
              ? "a build that failed left it behind: every write keeps it up, no "
                "query uses it, and its name is taken"
              : "a build that failed left it behind: no query uses it, and its "
                "name is taken",
          fmt::format("DROP INDEX CONCURRENTLY {0}, or REINDEX INDEX CONCURRENTLY {0}", index)));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kInvalidIndexes{
    .id = "invalid-indexes", .fine = "no index is invalid", .run = &Run};

}  // namespace pgalter::check
