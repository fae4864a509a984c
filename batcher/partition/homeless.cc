#include "batcher/partition/homeless.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/lock/blocker.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

namespace {

// As long as a check may take.
constexpr async::Milliseconds kLongest{20'000};

}  // namespace

Task<std::string> RefuseHomeless(Session& session, const backfill::Table& table, std::string inside,
                                 std::string why) {
  const std::string outside = fmt::format("({}) IS NOT TRUE", inside);
  guard::TransactionOptions options;
  options.access = guard::Access::kReadOnly;
  const async::Milliseconds longest = async::LimitOf("homeless", kLongest);
  options.statement_timeout = longest;
  bool any = false;
  bool unknown = false;
  auto look = [&]() -> Task<> {
    const pg::Result row = co_await session.db().Query(
        fmt::format("SELECT EXISTS (SELECT FROM {} WHERE {})", table.name, outside));
    any = row.Get<bool>(0, 0);
  };
  try {
    co_await guard::RunInTransaction(session, options, look);
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    // What is no value of the column is refused where the partitions are tried.
    const pg::SqlstateClass klass = error.klass();
    if (klass != pg::SqlstateClass::kCancelled && klass != pg::SqlstateClass::kData) throw;
    unknown = klass == pg::SqlstateClass::kCancelled;
  }
  if (any)
    throw run::Failure(run::ExitCode::kRefused,
                       fmt::format("cannot part {0}: {1}. They are found by: SELECT * FROM {0} "
                                   "WHERE {2}. Nothing was changed",
                                   table.name, why, outside));
  if (!unknown) co_return "";
  co_return fmt::format(
      "whether rows have no place was not to be found out in {}: the copy stops at the first of "
      "them, and names it. To look before: SELECT * FROM {} WHERE {} LIMIT 1",
      lock::HumanAge(longest), table.name, outside);
}

}  // namespace pgalter::partition
