#include <fmt/format.h>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT a.pid, coalesce(a.state, ''), coalesce(quote_ident(a.usename), ''),
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
       greatest(age(a.backend_xmin), age(a.backend_xid)) IS NOT NULL,
       a.datname IS NOT DISTINCT FROM current_database(), coalesce(a.backend_type, '')
FROM pg_stat_activity a
WHERE a.xact_start < clock_timestamp() - make_interval(secs => $1) AND a.pid <> pg_backend_pid()
  AND coalesce(a.backend_type, '') <> 'autovacuum worker'
ORDER BY a.xact_start LIMIT 10
)sql";

constexpr double kVeryOld = 600;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql, context.options.old_transaction_s);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto seconds = rows.Get<double>(row, 3);
    const bool here = rows.Get<bool>(row, 5);
    std::string what =
        fmt::format("pid {} of {}{}: {}, transaction open for {}", rows.Get<std::int32_t>(row, 0),
                    rows.Get<std::string>(row, 2), here ? "" : ", in another database",
                    rows.Get<std::string>(row, 1), watch::Format(seconds, watch::Unit::kSeconds));
    std::string meaning =
        here ? "every lock that it holds stays; CREATE INDEX CONCURRENTLY waits for its end"
             : "it may hold what WAL and vacuum can remove";
    if (here && rows.Get<bool>(row, 4))
      meaning += "; dead rows since then cannot be removed, so a backfill grows the table";
    const char* const remedy = "wait for it, or ask its owner to end it";
    answers.push_back(here && seconds > kVeryOld
                          ? Warning(std::move(what), std::move(meaning), remedy)
                          : Note(std::move(what), std::move(meaning), remedy));
  }
  co_return answers;
}

}  // namespace

constinit const Check kOldTransactions{
    .id = "old-transactions", .fine = "no transaction is old", .run = &Run};

}  // namespace pgalter::check
