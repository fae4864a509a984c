#include "batcher/partition/proof.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/run/make_run.h"
#include "engine/run/transact.h"
#include "engine/state/json_texts.h"

namespace pgalter::partition {

using run::Task;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kProof = "proof";  // in the step's spec
constexpr const char* kThen = "then";
constexpr const char* kCheckViolation = "23514";

std::string AddOf(const Proof& proof) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({}) NOT VALID", proof.table,
                     proof.name, proof.condition);
}

std::string ValidateOf(const Proof& proof) {
  return fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", proof.table, proof.name);
}

struct Work {
  run::Environment& env;
  const state::Step& step;
  async::Stopper& stopper;
  state::StepState meanwhile;
};

Task<> Do(Work work, Texts sql, state::StepState becomes,
          run::Holding holding = run::Holding::kShort) {
  run::Transacted what;
  what.sql = std::move(sql);
  what.holding = holding;
  what.becomes = becomes;
  co_await run::Transact(work.env, work.step, std::move(what), work.stopper);
}

// What contradicts it: "NOT (…)" without its NOT.
std::string Contradiction(const std::string& condition) {
  if (condition.starts_with("NOT (") && condition.ends_with(")")) return condition.substr(4);
  return fmt::format("NOT ({})", condition);
}

[[noreturn]] void RefuseRows(const Proof& proof, const std::string& then) {
  throw run::Failure(
      run::ExitCode::kRefused,
      fmt::format("rows of {0} are in the way: SELECT * FROM {0} WHERE {1}. Users may write such "
                  "rows as before, and none was changed. {2}",
                  proof.table, Contradiction(proof.condition), then));
}

// In the order in which they were added. What rows contradict; empty: nothing.
Task<std::optional<Proof>> Validate(Work work, const std::vector<Proof>& proofs,
                                    state::StepState becomes) {
  std::optional<Proof> contradicted;
  for (const Proof& proof : proofs) {
    const state::StepState now = &proof == &proofs.back() ? becomes : work.meanwhile;
    Texts validate{ValidateOf(proof)};
    try {
      co_await Do(work, std::move(validate), now, run::Holding::kAsLongAsItTakes);
    } catch (const pg::PgError& error) {
      if (!error.Is(kCheckViolation)) throw;
      contradicted = proof;
    }
    if (contradicted) break;
  }
  co_return contradicted;
}

Task<bool> IsThere(guard::Session& session, const Proof& proof) {
  const pg::Result row = co_await session.db().Query(
      "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass($1)::oid"
      " AND quote_ident(conname) = $2 AND contype = 'c')",
      proof.table, proof.name);
  co_return row.Get<bool>(0, 0);
}

// An abort and a revert are a stop already; and what was added has to go.
Task<> TakeAway(Work work, const std::vector<Proof>& proofs) {
  async::Stopper never;
  const Work unstopped{work.env, work.step, never, work.meanwhile};
  for (const Proof& proof : proofs) {
    Texts drop{DropOf(proof)};
    co_await Do(unstopped, std::move(drop), work.meanwhile);
  }
  async::FailPoint("proof-taken-away");
}

Proof ProofOf(const state::Step& step) {
  const auto& kept = step.spec.at(kProof).as_object();
  return {state::Text(kept, "table"), state::Text(kept, "name"), state::Text(kept, "condition")};
}

}  // namespace

std::string DropOf(const Proof& proof) {
  return fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", proof.table, proof.name);
}

Task<> Prove(run::Environment& env, const state::Step& step, std::vector<Proof> proofs,
             async::Stopper& stopper, std::string then) {
  const Work work{env, step, stopper, step.state};
  for (const Proof& proof : proofs) {
    Texts add{DropOf(proof), AddOf(proof)};
    co_await Do(work, std::move(add), step.state);
    async::FailPoint("proof-added");
  }
  const std::optional<Proof> contradicted = co_await Validate(work, proofs, step.state);
  if (!contradicted) co_return;
  co_await TakeAway(work, proofs);
  RefuseRows(*contradicted, then);
}

Task<bool> ProveStep::Done(run::Environment&, const state::Step&) { co_return false; }

Task<> ProveStep::Do(run::Environment& env, const state::Step& step) {
  const Work work{env, step, env.stopper, state::StepState::kRunning};
  const std::vector<Proof> proofs{ProofOf(step)};
  const bool there = co_await IsThere(env.main, proofs.front());
  if (!there) {
    Texts add{AddOf(proofs.front())};
    co_await partition::Do(work, std::move(add), work.meanwhile);
  }
  const std::optional<Proof> contradicted =
      co_await Validate(work, proofs, state::StepState::kDone);
  if (!contradicted) co_return;
  co_await TakeAway(work, proofs);
  RefuseRows(*contradicted, state::Text(step.spec, kThen));
}

Task<> ProveStep::Undo(run::Environment&, const state::Step&) { co_return; }

std::vector<state::Step> ProofSteps(const Proof& proof, std::string id, std::string validate,
                                    const std::string& then) {
  plan::Plan plan;
  plan::Step& add = plan.steps.emplace_back();
  add.id = std::move(id);
  add.kind = plan::StepKind::kDdl;
  add.sql = {AddOf(proof)};
  add.undo = {DropOf(proof)};
  plan::Step& read = plan.steps.emplace_back();
  read.id = std::move(validate);
  read.kind = plan::StepKind::kValidate;
  read.sql = {ValidateOf(proof)};
  std::vector<state::Step> steps = run::StepsOf(plan);
  state::Step& prove = steps.back();
  prove.kind = "partition-prove";
  prove.spec[kProof] = {
      {"table", proof.table}, {"name", proof.name}, {"condition", proof.condition}};
  prove.spec[kThen] = then;
  return steps;
}

}  // namespace pgalter::partition
