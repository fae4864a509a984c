#include "batcher/verify/verify_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/follow.h"
#include "batcher/verify/compare.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::verify {

namespace {

constexpr std::int64_t kEnough = 1'000;

// Partitions that came, went or were emptied explain differences that no logged change does, until
// they are followed.
Task<bool> HaveMoved(Session& session, const capture::Flow& flow) {
  if (!flow.from_partitioned || !async::SafeguardOn("parts")) co_return false;
  co_return co_await capture::HavePartsChanged(session, flow);
}

}  // namespace

Task<bool> VerifyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> VerifyStep::Do(run::Environment& env, const state::Step&) {
  const capture::Flow flow = co_await capture::LoadFlow(env.main, env.run.id, "forward");
  co_await capture::RefuseEmptied(env.main, flow);
  Session session = co_await copy::OpenSession(env);
  session.db().set_query_deadline(std::chrono::hours(1));
  const OnWindow show = [&env](double share) { env.progress.fraction = share; };
  auto check = [&](throttle::Throttle& throttle) -> Task<> {
    std::vector<Difference> found;
    do {
      const bool moved = co_await HaveMoved(session, flow);
      if (moved) co_await rebuild::Follow(env, env.stopper, session, flow, kEnough);
      found = co_await CompareTables(session, flow, throttle, env.stopper, 1, show);
    } while (!found.empty() && co_await HaveMoved(session, flow));
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
