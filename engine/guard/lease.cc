#include "engine/guard/lease.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/guard/admit.h"
#include "engine/guard/transaction.h"

namespace pgalter::guard {

LeaseLost::LeaseLost(const Lease& lease)
    : std::runtime_error(
          fmt::format("another runner has taken over run {} (ours was epoch {}); nothing was "
                      "written after that. See: pgalter status {}",
                      lease.run, lease.epoch, lease.run)) {}

namespace {

pg::PgError NoSuchRun(const std::string& run) {
  pg::PgErrorFields fields;
  fields.sqlstate = "02000";  // no_data
  fields.message = fmt::format("there is no lease for run {} to take over", run);
  fields.object = "pgalter.lease";
  fields.hint = "pgalter ps lists the runs of this database";
  return pg::PgError(std::move(fields));
}

}  // namespace

Task<> CheckLease(Session& session, const Lease& lease) {
  if (!async::SafeguardOn("lease")) co_return;
  const pg::Result row = co_await session.db().Query(
      "SELECT 1 FROM pgalter.lease WHERE run = $1 AND epoch = $2 FOR SHARE", lease.run,
      lease.epoch);
  if (row.empty()) throw LeaseLost(lease);
}

Task<Lease> TakeLease(Session& session, std::string run, std::string owner, Milliseconds limit,
                      Takeover takeover) {
  const Admit anybody;
  co_return co_await TakeLeaseIf(session, std::move(run), std::move(owner), limit, takeover,
                                 anybody);
}

Task<Lease> TakeLeaseIf(Session& session, std::string run, std::string owner, Milliseconds limit,
                        Takeover takeover, const Admit& admit) {
  const auto give_up = async::Clock::now() + limit;
  constexpr Milliseconds kPause{50};
  for (;;) {
    bool taken = false;
    std::int64_t epoch = 0;
    std::exception_ptr failure;
    auto take = [&]() -> Task<> {
      const pg::Result now = co_await session.db().Query(
          "SELECT owner IS NOT DISTINCT FROM $2, epoch FROM pgalter.lease WHERE run = $1 FOR "
          "UPDATE NOWAIT",
          run, owner);
      if (now.empty()) throw NoSuchRun(run);
      const bool own = now.Get<bool>(0, 0);
      if (takeover == Takeover::kOnlyOwn && !own)
        throw LeaseLost(Lease{run, now.Get<std::int64_t>(0, 1)});
      const pg::Result next = co_await session.db().Query(
          "UPDATE pgalter.lease SET epoch = epoch + 1, owner = $2, taken_at = now()"
          " WHERE run = $1 RETURNING epoch",
          run, owner);
      epoch = next.Get<std::int64_t>(0, 0);
      const Lease lease{run, epoch};
      const Before before = own ? Before::kOwn : Before::kOthers;
      if (admit) co_await admit(lease, before);
      taken = true;
    };
    const TransactionOptions options;
    try {
      co_await RunInTransaction(session, options, take);
    } catch (const pg::PgError& error) {
      if (error.klass() != pg::SqlstateClass::kLockNotAvailable || async::Clock::now() > give_up)
        failure = std::current_exception();
      taken = false;
    }
    if (failure) std::rethrow_exception(failure);
    if (taken) {
      Lease lease{std::move(run), epoch};
      co_return lease;
    }
    co_await async::SleepFor(kPause);
  }
}

}  // namespace pgalter::guard
