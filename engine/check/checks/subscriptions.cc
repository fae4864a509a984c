#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT quote_ident(s.subname), string_agg(r.srrelid::regclass::text, ', ' ORDER BY r.srrelid)
FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (cardinality($1::oid[]) = 0 OR r.srrelid = ANY ($1::oid[]))
GROUP BY s.subname ORDER BY s.subname
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row)
    answers.push_back(
        Note(fmt::format("subscription {} writes {}", rows.Get<std::string>(row, 0),
                         rows.Get<std::string>(row, 1)),
             "the publisher goes on with its own schema: a column that is renamed, dropped or made "
             "NOT NULL here stops the subscription",
             "change the subscriber first when columns are added, last when they are dropped"));
  co_return answers;
}

}  // namespace

constinit const Check kSubscriptions{
    .id = "subscriptions", .fine = "nothing is written here by logical replication", .run = &Run};

}  // namespace pgalter::check
