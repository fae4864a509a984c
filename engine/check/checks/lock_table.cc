#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql = R"sql(
SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'max_locks_per_transaction')
       * (SELECT sum(setting::bigint) FROM pg_settings
          WHERE name IN ('max_connections', 'max_prepared_transactions'))::bigint,
       (SELECT count(*) FROM pg_locks WHERE NOT fastpath),
       cardinality($1::oid[])
       + (SELECT count(*) FROM pg_index WHERE indrelid = ANY ($1::oid[]))
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  if (context.target.whole_database()) co_return answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result row = co_await context.db.Query(kSql, oids);
  const auto room = row.Get<std::int64_t>(0, 0) - row.Get<std::int64_t>(0, 1);
  // A copy locks the tables and their shadows.
  const std::int64_t needed = 2 * row.Get<std::int64_t>(0, 2);
  if (needed * 2 < room) co_return answers;
  answers.push_back(
      needed < room
          ? Note(fmt::format("the change takes up to {} locks of {} that are free", needed, room),
                 "one transaction that touches every partition may use the lock table up, and "
                 "users get the error out of shared memory",
                 "raise max_locks_per_transaction (needs a restart)")
          : Warning(fmt::format("the change takes up to {} locks, and {} are free", needed, room),
                    "it would fail, and others with it: out of shared memory",
                    "raise max_locks_per_transaction (needs a restart)"));
  co_return answers;
}

}  // namespace

constinit const Check kLockTable{.id = "lock-table",
                                 .fine = "the server's lock table has room for the tables named",
                                 .run = &Run};

}  // namespace pgalter::check
