#include "batcher/partition/proof.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"
#include "engine/run/transact.h"

namespace pgalter::partition {

using run::Task;
using Texts = std::vector<std::string>;

namespace {

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
};

Task<> Do(Work work, Texts sql, run::Holding holding = run::Holding::kShort) {
  run::Transacted what;
  what.sql = std::move(sql);
  what.holding = holding;
  what.becomes = work.step.state;
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
Task<std::optional<Proof>> Validate(Work work, const std::vector<Proof>& proofs) {
  std::optional<Proof> contradicted;
  for (const Proof& proof : proofs) {
    Texts validate{ValidateOf(proof)};
    try {
      co_await Do(work, std::move(validate), run::Holding::kAsLongAsItTakes);
    } catch (const pg::PgError& error) {
      if (!error.Is(kCheckViolation)) throw;
      contradicted = proof;
    }
    if (contradicted) break;
  }
  co_return contradicted;
}

}  // namespace

std::string DropOf(const Proof& proof) {
  return fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", proof.table, proof.name);
}

Task<> TakeProofsAway(run::Environment& env, const state::Step& step, std::vector<Proof> proofs) {
  async::Stopper never;  // an abort and a revert are a stop already; and what was added has to go
  const Work work{env, step, never};
  for (const Proof& proof : proofs) {
    Texts drop{DropOf(proof)};
    co_await Do(work, std::move(drop));
  }
  async::FailPoint("proof-taken-away");
}

Task<> Prove(run::Environment& env, const state::Step& step, std::vector<Proof> proofs,
             async::Stopper& stopper, std::string then) {
  const Work work{env, step, stopper};
  for (const Proof& proof : proofs) {
    Texts add{DropOf(proof), AddOf(proof)};
    co_await Do(work, std::move(add));
    async::FailPoint("proof-added");
  }
  const std::optional<Proof> contradicted = co_await Validate(work, proofs);
  if (!contradicted) co_return;
  co_await TakeProofsAway(env, step, proofs);
  RefuseRows(*contradicted, then);
}

void AddProof(const Proof& proof, std::string add, std::string validate, plan::Plan& plan) {
  plan::Step& first = plan.steps.emplace_back();
  first.id = std::move(add);
  first.kind = plan::StepKind::kDdl;
  first.sql = {AddOf(proof)};
  first.undo = {DropOf(proof)};
  plan::Step& second = plan.steps.emplace_back();
  second.id = std::move(validate);
  second.kind = plan::StepKind::kValidate;
  second.sql = {ValidateOf(proof)};
}

}  // namespace pgalter::partition
