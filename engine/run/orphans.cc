#include "engine/run/orphans.h"

#include <fmt/format.h>

#include "engine/run/failure.h"

namespace pgalter::run {

Task<> EndOrphans(guard::Session& session, std::string run, async::Milliseconds limit) {
  const auto give_up = async::Clock::now() + limit;
  constexpr async::Milliseconds kPause{50};
  for (;;) {
    const pg::Result orphans = co_await session.db().Query(
        "SELECT pid, pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid()",
        guard::ApplicationName(run));
    if (orphans.empty()) co_return;
    if (async::Clock::now() > give_up)
      throw Failure(ExitCode::kError,
                    fmt::format("backend {} of run {} does not end after pg_terminate_backend; "
                                "nothing was started beside it. See what it waits for in "
                                "pg_stat_activity, then: pgalter resume {}",
                                orphans.Get<std::int32_t>(0, 0), run, run));
    co_await async::SleepFor(kPause);
  }
}

}  // namespace pgalter::run
