#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT DISTINCT c.oid::regclass::text, quote_ident(t.pubname)
FROM pg_publication_tables t
JOIN pg_publication p ON p.pubname = t.pubname AND (p.pubupdate OR p.pubdelete)
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE (cardinality($1::oid[]) = 0 OR c.oid = ANY ($1::oid[]))
  AND (c.relreplident = 'n'
       OR c.relreplident = 'd'
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
       OR c.relreplident = 'i'
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident))
ORDER BY 1 LIMIT 20
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    std::string what = fmt::format("{} is published by {} and has no replica identity",
                                   rows.Get<std::string>(row, 0), rows.Get<std::string>(row, 1));
    const char* const meaning = "the server refuses every UPDATE and DELETE on it: no backfill";
    std::string remedy =
        fmt::format("give it a primary key, or ALTER TABLE {} REPLICA IDENTITY FULL",
                    rows.Get<std::string>(row, 0));
    answers.push_back(context.target.whole_database()
                          ? Note(std::move(what), meaning, std::move(remedy))
                          : Warning(std::move(what), meaning, std::move(remedy)));
  }
  co_return answers;
}

}  // namespace

constinit const Check kReplicaIdentity{
    .id = "replica-identity", .fine = "every published table can be updated", .run = &Run};

}  // namespace pgalter::check
