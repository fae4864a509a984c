#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// pg_publication_namespace came with 15.
constexpr const char* kOfSchema =
    " OR EXISTS (SELECT FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid"
    " WHERE s.pnpubid = p.oid AND n.nspname = 'pgalter')";

constexpr const char* kHarmful =
    "SELECT quote_ident(p.pubname), p.puballtables FROM pg_publication p WHERE p.puballtables"
    " OR EXISTS (SELECT FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.prpubid = p.oid AND n.nspname = 'pgalter')";

constexpr const char* kOfTarget = R"sql(
SELECT quote_ident(t.pubname), string_agg(DISTINCT c.oid::regclass::text, ', ')
FROM pg_publication_tables t
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE c.oid = ANY ($1::oid[])
GROUP BY 1 ORDER BY 1
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  std::string harmful_sql = kHarmful;
  if (context.db.server_version() >= 150000) harmful_sql += kOfSchema;
  const pg::Result harmful = co_await context.db.Query(harmful_sql);
  for (int row = 0; row < harmful.rows(); ++row)
    answers.push_back(Blocker(
        fmt::format("publication {} {}", harmful.Get<std::string>(row, 0),
                    harmful.Get<bool>(row, 1) ? "is FOR ALL TABLES" : "names schema pgalter"),
        "it would send pgalter's own tables to its subscribers, which stop when they lack them",
        "publish the application's schemas or tables instead: docs/operations/publications.md"));
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result tables = co_await context.db.Query(kOfTarget, oids);
  for (int row = 0; row < tables.rows(); ++row)
    answers.push_back(Note(
        fmt::format("publication {} sends {}", tables.Get<std::string>(row, 0),
                    tables.Get<std::string>(row, 1)),
        "changes of schema are not sent: a subscriber that lacks a new column stops at the first "
        "row that has it",
        "add the column on every subscriber first; drop columns there last"));
  co_return answers;
}

}  // namespace

constinit const Check kPublications{
    .id = "publications", .fine = "no publication takes part", .run = &Run};

}  // namespace pgalter::check
