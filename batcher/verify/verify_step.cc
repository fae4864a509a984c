#include "batcher/verify/verify_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <utility>

#include "batcher/capture/crash_mark.h"
#include "batcher/capture/dead_mans_switch.h"
#include "batcher/capture/parts.h"
#include "batcher/copy/pace.h"
#include "batcher/rebuild/build.h"
#include "batcher/rebuild/follow.h"
#include "batcher/verify/compare.h"
#include "engine/async/fail_point.h"
#include "engine/async/task_group.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/json_texts.h"
#include "engine/state/steps.h"

namespace pgalter::verify {

namespace {

constexpr std::int64_t kEnough = 1'000;
constexpr int kMostUnfit = 20;

// Partitions that came, went or were emptied, and a table that was rewritten, explain differences
// that no logged change does, until they are followed.
Task<bool> HaveMoved(Session& session, const capture::Flow& flow) {
  if (!async::SafeguardOn("parts")) co_return false;
  co_return co_await capture::HavePartsChanged(session, flow);
}

// What is compared stays so: changes that come later are carried over as those before.
std::string MarkName(const capture::Flow& flow) { return fmt::format("compared_{}", flow.to_oid); }

boost::json::array Array(const std::vector<Compared>& all) {
  boost::json::array array;
  for (const Compared& one : all)
    array.push_back(
        boost::json::array{one.blocks.part, one.filenode, one.blocks.first, one.blocks.end});
  return array;
}

// A mark of an older program does not say.
std::vector<Compared> ReadCompared(const boost::json::value& mark, const char* name) {
  std::vector<Compared> all;
  const auto* array = mark.as_object().if_contains(name);
  if (array == nullptr) return all;
  for (const boost::json::value& one : array->as_array()) {
    Compared compared;
    compared.blocks.part = one.at(0).to_number<pg::Oid>();
    compared.filenode = one.at(1).to_number<pg::Oid>();
    compared.blocks.first = one.at(2).to_number<Block>();
    compared.blocks.end = one.at(3).to_number<Block>();
    all.push_back(compared);
  }
  return all;
}

Mark ReadMark(const state::Step& step, const capture::Flow& flow) {
  const auto* mark = step.spec.if_contains(MarkName(flow));
  if (mark == nullptr) return {};
  return {state::TextsOf(mark->at("walk")), state::TextsOf(mark->at("key")),
          ReadCompared(*mark, "from"), ReadCompared(*mark, "to")};
}

Task<> KeepMark(run::Environment& env, state::Step& step, const capture::Flow& flow, Mark mark) {
  step.spec[MarkName(flow)] = boost::json::object{{"walk", state::ArrayOf(mark.walk)},
                                                  {"key", state::ArrayOf(mark.key)},
                                                  {"from", Array(mark.from)},
                                                  {"to", Array(mark.to)}};
  co_await state::RecordSpec(env.main, env.lease, step);
}

// Dead rows that nobody meets then, a visibility map, and statistics for the indexes, too: users
// plan by them from the first moment. It reads what the comparison reads.
Task<> Tidy(run::Environment& env, throttle::Throttle& throttle, std::string table) {
  Session session = co_await rebuild::OpenForLong(env);
  co_await throttle.Admit(env.stopper);
  co_await session.db().Query(fmt::format("VACUUM (FREEZE, ANALYZE) {}", table));
}

// The share of all tables that is compared, as it is shown. What is compared once more, as the
// table was rewritten or the run taken up, is seen again where it is new; and not all is done
// before the step is.
struct Shown {
  run::Progress& progress;
  double before = 0;  // of the tables before this one
  double of_one = 1;  // of each
  double most = 0;    // so far

  void Show(double share) {
    constexpr double kNotAll = 0.999;
    most = std::max(most, std::min(before + of_one * share, kNotAll));
    progress.fraction = most;
  }
};

Task<> Verify(run::Environment& env, state::Step& step, const capture::Flow& flow, Shown& shown) {
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
  options.on_window = [&shown](double share) { shown.Show(share); };
  options.from = ReadMark(step, flow);
  options.keep = [&](Mark mark) -> Task<> { co_await KeepMark(env, step, flow, std::move(mark)); };
  // A row that does not fit into the new table is named by who carries it over, or is gone by then.
  auto compare = [&](throttle::Throttle& throttle) -> Task<std::vector<Difference>> {
    std::vector<Difference> found;
    for (int unfit = 0;; ++unfit) {
      try {
        found = co_await CompareTables(sessions, flow, throttle, env.stopper, options);
        break;
      } catch (const pg::PgError& error) {
        if (error.klass() != pg::SqlstateClass::kData || unfit == kMostUnfit) throw;
      }
      co_await rebuild::Follow(env, env.stopper, session, flow, kEnough);
    }
    co_return found;
  };
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
      found = co_await compare(throttle);
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
  auto beside = [&](throttle::Throttle& throttle) -> Task<> {
    auto both = [&](async::TaskGroup& group) -> Task<> {
      group.Spawn(Tidy(env, throttle, flow.to));
      co_await check(throttle);
    };
    co_await async::WithTaskGroup(both);
  };
  const std::function<Task<>(throttle::Throttle&)> body = beside;
  co_await copy::WithThrottle(env, flow.from, body);
}

}  // namespace

Task<bool> VerifyStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> VerifyStep::Do(run::Environment& env, const state::Step& step) {
  state::Step own = step;
  const std::vector<capture::Flow> flows =
      co_await capture::LoadFlows(env.main, env.run.id, "forward");
  Shown shown{env.progress};
  shown.of_one = 1.0 / static_cast<double>(std::max<std::size_t>(flows.size(), 1));
  if (!run::IsPlan(env.run)) shown.Show(env.progress.fraction);
  for (const capture::Flow& flow : flows) {
    shown.Show(0);
    co_await Verify(env, own, flow, shown);
    shown.before += shown.of_one;
  }
}

Task<> VerifyStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::verify
