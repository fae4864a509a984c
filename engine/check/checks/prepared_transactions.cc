#include <fmt/format.h>

#include "engine/check/checks.h"
#include "engine/watch/unit.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT quote_literal(p.gid), quote_ident(p.owner),
       extract(epoch FROM clock_timestamp() - p.prepared)::float8,
       p.database = current_database()
FROM pg_prepared_xacts p ORDER BY p.prepared LIMIT 10
)sql";

constexpr double kForgottenSeconds = 60;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto seconds = rows.Get<double>(row, 2);
    const bool here = rows.Get<bool>(row, 3);
    const auto gid = rows.Get<std::string>(row, 0);
    std::string what = fmt::format(
        "prepared transaction {} of {}, {} old{}", gid, rows.Get<std::string>(row, 1),
        watch::Format(seconds, watch::Unit::kSeconds), here ? "" : ", of another database");
    std::string remedy = fmt::format(
        "if nobody finishes it any more: ROLLBACK PREPARED {} (or COMMIT PREPARED)", gid);
    const char* const meaning =
        "its locks outlive sessions, crashes and failovers, and it holds back vacuum until "
        "somebody ends it";
    answers.push_back(here && seconds > kForgottenSeconds
                          ? Warning(std::move(what), meaning, std::move(remedy))
                          : Note(std::move(what), meaning, std::move(remedy)));
  }
  co_return answers;
}

}  // namespace

constinit const Check kPreparedTransactions{
    .id = "prepared-transactions", .fine = "no prepared transaction is left", .run = &Run};

}  // namespace pgalter::check
