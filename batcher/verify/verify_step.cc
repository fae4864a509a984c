#include "batcher/verify/verify_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/capture/catch_up.h"
#include "batcher/copy/pace.h"
#include "batcher/verify/compare.h"
#include "engine/run/failure.h"

namespace pgalter::verify {

Task<bool> VerifyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> VerifyStep::Do(run::Environment& env, const state::Step&) {
  const capture::Flow flow = co_await capture::LoadFlow(env.main, env.run.id, "forward");
  Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(std::chrono::hours(1));
  const OnWindow show = [&env](double share) { env.progress.fraction = share; };
  auto check = [&](throttle::Throttle& throttle) -> Task<> {
    const auto found = co_await CompareTables(session, flow, throttle, env.stopper, 1, show);
    if (found.empty()) co_return;
    const Difference& first = found.front();
    throw run::Failure(
        run::ExitCode::kMismatch,
        fmt::format("{} rows of {} {} {}, and no change explains it; keys {}. Nothing was swapped, "
                    "the table is as it was. This should never happen: please report it. Then: "
                    "pgalter abort {} --yes",
                    first.rows, first.of, first.one_way ? "are not in" : "are not the same in",
                    first.in, fmt::join(first.keys, "; "), env.run.id));
  };
  const std::function<Task<>(throttle::Throttle&)> body = check;
  co_await copy::WithThrottle(env, flow.from, body);
}

Task<> VerifyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::verify
