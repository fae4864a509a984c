#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kServer =
    "SELECT current_setting('autovacuum') = 'off', current_setting('track_counts') = 'off'";

constexpr const char* kTables = R"sql(
SELECT c.oid::regclass::text
FROM pg_class c, pg_options_to_table(c.reloptions) o
WHERE c.relkind IN ('r', 'm') AND o.option_name = 'autovacuum_enabled'
  AND lower(o.option_value) IN ('false', 'off', 'no', '0', 'f', 'n')
  AND (cardinality($1::oid[]) = 0 OR c.oid = ANY ($1::oid[]))
ORDER BY 1 LIMIT 20
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result server = co_await context.db.Query(kServer);
  if (server.Get<bool>(0, 0) || server.Get<bool>(0, 1))
    answers.push_back(Warning(
        fmt::format("{} is off", server.Get<bool>(0, 0) ? "autovacuum" : "track_counts"),
        "what a backfill leaves dead stays: the table grows by every row that it changes, and "
        "statistics of new columns are missing",
        "set it on, or VACUUM (ANALYZE) by hand during and after the change"));
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result tables = co_await context.db.Query(kTables, oids);
  for (int row = 0; row < tables.rows(); ++row) {
    const auto table = tables.Get<std::string>(row, 0);
    answers.push_back(
        Note(fmt::format("autovacuum is off for {}", table),
             "what a backfill leaves dead stays, and statistics of new columns are missing",
             fmt::format("VACUUM (ANALYZE) {0} after the change, or ALTER TABLE {0} RESET "
                         "(autovacuum_enabled)",
                         table)));
  }
  co_return answers;
}

}  // namespace

constinit const Check kAutovacuum{.id = "autovacuum", .fine = "autovacuum is on", .run = &Run};

}  // namespace pgalter::check
