#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT coalesce(nullif(r.application_name, ''), 'pid ' || r.pid), age(r.backend_xmin)::bigint
FROM pg_stat_replication r WHERE r.backend_xmin IS NOT NULL
UNION ALL
SELECT 'slot ' || s.slot_name, age(s.xmin)::bigint FROM pg_replication_slots s
WHERE s.xmin IS NOT NULL
ORDER BY 2 DESC
)sql";

constexpr std::int64_t kOldTransactions = 100'000;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto age = rows.Get<std::int64_t>(row, 1);
    std::string what = fmt::format("standby {} has hot_standby_feedback on, {} transactions back",
                                   rows.Get<std::string>(row, 0), age);
    const char* const meaning =
        "long queries on the standby keep dead rows on the primary: a backfill beside them grows "
        "the table";
    answers.push_back(age > kOldTransactions
                          ? Warning(std::move(what), meaning, "end the old query on that standby")
                          : Note(std::move(what), meaning, "have no long queries there meanwhile"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kStandbyFeedback{
    .id = "standby-feedback", .fine = "no standby holds back vacuum", .run = &Run};

}  // namespace pgalter::check
