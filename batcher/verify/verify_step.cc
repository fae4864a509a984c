#include "batcher/verify/verify_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <chrono>
#include <utility>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/follow.h"
#include "batcher/verify/compare.h"
#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/state/steps.h"

namespace pgalter::verify {

namespace {

constexpr std::int64_t kEnough = 1'000;

// Partitions that came, went or were emptied explain differences that no logged change does, until
// they are followed.
Task<bool> HaveMoved(Session& session, const capture::Flow& flow) {
  if (!flow.from_partitioned || !async::SafeguardOn("parts")) co_return false;
  co_return co_await capture::HavePartsChanged(session, flow);
}

// What is compared stays so: changes that come later are carried over as those before.
std::string MarkName(const capture::Flow& flow) { return fmt::format("compared_{}", flow.to_oid); }

std::vector<std::string> Texts(const boost::json::value& array) {
  std::vector<std::string> texts;
  for (const boost::json::value& text : array.as_array())
    texts.emplace_back(text.as_string().c_str());
  return texts;
}

boost::json::array Array(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

Mark ReadMark(const state::Step& step, const capture::Flow& flow) {
  const auto* mark = step.spec.if_contains(MarkName(flow));
  if (mark == nullptr) return {};
  return {Texts(mark->at("walk")), Texts(mark->at("key"))};
}

Task<> KeepMark(run::Environment& env, state::Step& step, const capture::Flow& flow, Mark mark) {
  step.spec[MarkName(flow)] =
      boost::json::object{{"walk", Array(mark.walk)}, {"key", Array(mark.key)}};
  co_await state::RecordSpec(env.main, env.lease, step);
}

Task<> Verify(run::Environment& env, state::Step& step, const capture::Flow& flow) {
  co_await capture::RefuseEmptied(env.main, flow);
  co_await capture::RefuseGivenUp(env.main, flow);
  std::vector<Session> sessions;
  for (int i = 0; i < copy::WorkersOf(env); ++i) {
    Session session = co_await copy::OpenSession(env);
    session.db().set_query_deadline(std::chrono::hours(1));
    sessions.push_back(std::move(session));
  }
  Session& session = sessions.front();
  CompareOptions options;
  options.on_window = [&env](double share) { env.progress.fraction = share; };
  options.from = ReadMark(step, flow);
  options.keep = [&](Mark mark) -> Task<> { co_await KeepMark(env, step, flow, std::move(mark)); };
  auto check = [&](throttle::Throttle& throttle) -> Task<> {
    std::vector<Difference> found;
    do {
      const bool moved = co_await HaveMoved(session, flow);
      if (moved) {
        // What had been compared by then is compared again, after a kill, too.
        options.from = Mark();
        co_await KeepMark(env, step, flow, options.from);
        co_await rebuild::Follow(env, env.stopper, session, flow, kEnough);
      }
      found = co_await CompareTables(sessions, flow, throttle, env.stopper, options);
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

}  // namespace

Task<bool> VerifyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> VerifyStep::Do(run::Environment& env, const state::Step& step) {
  state::Step own = step;
  for (const capture::Flow& flow : co_await capture::LoadFlows(env.main, env.run.id, "forward"))
    co_await Verify(env, own, flow);
}

Task<> VerifyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::verify
