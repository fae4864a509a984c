#include "batcher/partition/later.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <chrono>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/json_texts.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using Texts = std::vector<std::string>;

namespace {

// In a step's spec.
constexpr const char* kValidate = "validate";
constexpr const char* kAdopt = "adopt";
constexpr const char* kSettledOn = "settled_on";  // what these are about
constexpr std::chrono::hours kLong{24 * 7};

Texts TextsOf(const state::Step& step, const char* key) {
  const auto* kept = step.spec.if_contains(key);
  return kept == nullptr ? Texts() : state::TextsOf(*kept);
}

cutover::SettledOn SettledOnOf(const state::Step& step) {
  cutover::SettledOn on;
  // A run of an older program does not say.
  if (const auto* kept = step.spec.if_contains(kSettledOn))
    for (const auto& [sql, oid] : kept->as_object()) on[sql] = oid.to_number<pg::Oid>();
  return on;
}

Task<std::string> ValidateAll(run::Environment& env, const state::Step& step,
                              async::Stopper& stopper, cutover::Validating how) {
  std::string said;
  const Texts statements = TextsOf(step, kValidate);
  if (statements.empty()) co_return said;
  const cutover::SettledOn on = SettledOnOf(step);
  guard::Session session = co_await run::OpenAsRole(env);
  session.db().set_query_deadline(kLong);
  for (const std::string& sql : statements) {
    stopper.ThrowIfStopping();
    cutover::Say(said, co_await cutover::RunAsOfNow(session, sql, on, how));
    async::FailPoint("key-validated");
  }
  co_return said;
}

// Each leaves the list in its transaction.
Task<std::string> AdoptAll(run::Environment& env, state::Step step, async::Stopper& stopper,
                           const Settling& settling) {
  std::string said;
  Texts left = TextsOf(step, kAdopt);
  const cutover::SettledOn on = SettledOnOf(step);
  while (!left.empty()) {
    const std::string sql = left.front();
    left.erase(left.begin());
    auto record = [&]() -> Task<> {
      step.spec[kAdopt] = state::ArrayOf(left);
      co_await state::RecordSpec(env.main, env.lease, step);
    };
    auto adopt = [&](std::string now) -> Task<> {
      lock::Work work;
      work.statements.push_back({now, {}});
      work.record = record;
      const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
          env.main, env.observer, std::move(work), settling.ladder, stopper);
      async::FailPoint("key-adopted");
      if (outcome.result == lock::LadderResult::kDone) co_return;
      throw Failure(
          ExitCode::kLockNotObtained,
          fmt::format("\"{}\" found no lock, the tables were too busy: {}. The key holds "
                      "for every partition already. At a quieter time: pgalter {} {}",
                      now, fmt::join(lock::Lines(outcome), "\n"), settling.again, env.run.id));
    };
    cutover::Say(said, co_await cutover::AdoptAsOfNow(env.main, sql, on, adopt, record));
  }
  co_return said;
}

}  // namespace

Task<std::optional<state::Step>> FindStep(run::Environment& env, std::string kind) {
  for (state::Step& step : co_await state::LoadSteps(env.main, env.run.id))
    if (step.kind == kind) co_return std::move(step);
  co_return std::nullopt;
}

Task<> KeepForLater(run::Environment& env, state::Step step, const Later& later) {
  step.spec[kValidate] = state::ArrayOf(later.validate);
  step.spec[kAdopt] = state::ArrayOf(later.adopt);
  boost::json::object on;
  for (const auto& [sql, oid] : later.on) on[sql] = oid;
  step.spec[kSettledOn] = on;
  co_await state::RecordSpec(env.main, env.lease, step);
}

Later LeftOf(const std::optional<state::Step>& step) {
  if (!step || step->state == state::StepState::kDone) return {};
  return {TextsOf(*step, kValidate), TextsOf(*step, kAdopt), SettledOnOf(*step)};
}

Task<std::string> Settle(run::Environment& env, state::Step step, async::Stopper& stopper,
                         Settling settling) {
  std::string said = co_await ValidateAll(env, step, stopper, settling.how);
  cutover::Say(said, co_await AdoptAll(env, step, stopper, settling));
  co_return said;
}

}  // namespace pgalter::partition
