#include "engine/run/old_snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/lock/blocker.h"

namespace pgalter::run {

namespace {

using async::Milliseconds;
using Transactions = std::vector<std::string>;

// Most transactions are over in a moment: no attempt need be lost for them.
constexpr Milliseconds kMoment{100};
constexpr Milliseconds kBetweenLooks{10};

// What others' transactions are known by. One that keeps its snapshot keeps its xmin, too: where
// that has changed, another snapshot has taken its place. Its begin is hidden from a role without
// pg_read_all_stats, the xmin is not.
constexpr const char* kTransaction =
    "format('%s %s %s', a.pid, extract(epoch FROM a.xact_start), a.backend_xmin)";

// Of users, and of what reads for them. A parallel worker has its leader's snapshot, no longer than
// that. VACUUM, and what builds an index concurrently, stand in no transaction of their user's: no
// statement of it comes afterwards. $1: of these alone, if any.
constexpr const char* kAtWork = R"sql(
SELECT {0} FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
  AND a.leader_pid IS NULL AND a.backend_xmin IS NOT NULL AND a.application_name NOT LIKE 'pgalter%'
  AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index i
                  WHERE i.pid = a.pid AND i.command LIKE '%CONCURRENTLY')
  AND ($1::text[] = '{{}}' OR {0} = ANY ($1::text[]))
)sql";

// Of other roles' sessions a role without pg_read_all_stats learns neither state nor time: they are
// taken for idle where their snapshot is older than this transaction, and no lock keeps them. $1:
// the transactions that are waited for though they are not idle.
constexpr const char* kHolder = R"sql(
SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.usename, ''), coalesce(a.state, ''),
       (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint,
       (extract(epoch FROM clock_timestamp() - a.state_change) * 1000)::bigint
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_xmin IS NOT NULL AND a.application_name NOT LIKE 'pgalter%'
  AND (a.state LIKE 'idle in transaction%'
       OR {0} = ANY ($1::text[])
       OR a.state IS NULL AND a.usesysid IS NOT NULL
          AND age(a.backend_xmin) > age(pg_current_xact_id()::xid)
          AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted))
ORDER BY a.xact_start LIMIT 1
)sql";

// A role without pg_read_all_stats sees no statements of others. The CASE: whom somebody waits for
// is asked of few.
constexpr const char* kLateReader = R"sql(
SELECT a.pid, coalesce(a.application_name, ''), coalesce(a.usename, '')
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.wait_event_type = 'Lock' AND a.backend_xmin IS NOT NULL
  AND CASE WHEN a.query ~* '(^|;|\*/)\s*(copy|lock)\M'
           THEN pg_backend_pid() = ANY (pg_blocking_pids(a.pid)) ELSE false END
LIMIT 1
)sql";

async::Task<Transactions> ReadAtWork(guard::Session& session, Transactions among) {
  const pg::Result rows = co_await session.db().Query(fmt::format(kAtWork, kTransaction), among);
  Transactions found;
  for (int i = 0; i < rows.rows(); ++i) found.push_back(rows.Get<std::string>(i, 0));
  co_return found;
}

std::string AgeOf(const pg::Result& row, int column) {
  const auto age = row.Get<std::optional<std::int64_t>>(0, column).value_or(0);
  return lock::HumanAge(Milliseconds(std::max<std::int64_t>(age, 0)));
}

std::string DescribeHolder(const pg::Result& row) {
  lock::SessionInfo holder;
  holder.pid = row.Get<std::int32_t>(0, 0);
  holder.application_name = row.Get<std::string>(0, 1);
  holder.user = row.Get<std::string>(0, 2);
  const auto state = row.Get<std::string>(0, 3);
  const std::string since =
      state.empty() ? "what it does is hidden from this role (GRANT pg_monitor shows it)"
                    : fmt::format("in its transaction for {}, {} for {}", AgeOf(row, 4), state,
                                  AgeOf(row, 5));
  return fmt::format(
      "{} holds a snapshot from before the swap, in which the new table or column would be empty; "
      "{}. Its "
      "transaction is waited for, under READ COMMITTED its statement: SELECT "
      "pg_terminate_backend({}) ends it",
      lock::Who(holder), since, holder.pid);
}

async::Task<> Await(guard::Session& session, const Transactions& transactions) {
  if (!async::SafeguardOn("old-snapshots")) co_return;
  std::vector<pg::Statement> statements;
  // Within a transaction the server shows what it showed first.
  statements.push_back({"SELECT pg_stat_clear_snapshot()", {}});
  statements.push_back({fmt::format(kHolder, kTransaction), pg::Params::Of(transactions)});
  const auto results = co_await session.db().Pipeline(std::move(statements));
  const pg::Result& holder = results.back();
  if (holder.empty()) co_return;
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kLockNotAvailable;
  fields.message = DescribeHolder(holder);
  throw pg::PgError(std::move(fields));
}

}  // namespace

async::Task<> AwaitOldSnapshots(guard::Session& session) {
  const Transactions none;
  co_await run::Await(session, none);
}

async::Task<> LetLateReadersThrough(guard::Session& session) {
  if (!async::SafeguardOn("late-readers")) co_return;
  std::vector<pg::Statement> statements;
  statements.push_back({"SELECT pg_stat_clear_snapshot()", {}});
  statements.push_back({kLateReader, {}});
  const auto results = co_await session.db().Pipeline(std::move(statements));
  const pg::Result& reader = results.back();
  if (reader.empty()) co_return;
  lock::SessionInfo waiting;
  waiting.pid = reader.Get<std::int32_t>(0, 0);
  waiting.application_name = reader.Get<std::string>(0, 1);
  waiting.user = reader.Get<std::string>(0, 2);
  pg::PgErrorFields fields;
  fields.sqlstate = pg::sqlstate::kLockNotAvailable;
  fields.message = fmt::format(
      "{} waits for the lock of the swap with a COPY or a LOCK TABLE whose snapshot is from before "
      "it, and would miss what was carried over last: it is let through first",
      lock::Who(waiting));
  throw pg::PgError(std::move(fields));
}

async::Task<> OldSnapshots::RememberOnce(guard::Session& session) {
  if (transactions_) co_return;
  Transactions all;
  Transactions left = co_await ReadAtWork(session, std::move(all));
  for (Milliseconds waited{0}; !left.empty() && waited < kMoment; waited += kBetweenLooks) {
    co_await async::SleepFor(kBetweenLooks);
    left = co_await ReadAtWork(session, std::move(left));
  }
  transactions_ = std::move(left);
}

async::Task<> OldSnapshots::Await(guard::Session& session) const {
  const Transactions now = transactions_.value_or(Transactions());
  co_await run::Await(session, now);
}

}  // namespace pgalter::run
