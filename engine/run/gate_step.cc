#include "engine/run/gate_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/guard/transaction.h"
#include "engine/lock/blocker.h"
#include "engine/run/gate_policy.h"
#include "engine/run/gate_use.h"
#include "engine/run/plan_spec.h"

namespace pgalter::run {

namespace {

Task<double> SoakLeft(Environment& env, const state::Step& step, long soak_s) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT EXTRACT(epoch FROM started_at + pg_catalog.make_interval(secs => $3)"
      " - pg_catalog.clock_timestamp())::float8 FROM pgalter.step"
      " WHERE run = $1 AND ordinal = $2",
      env.run.id, step.ordinal, static_cast<double>(soak_s));
  co_return row.Get<double>(0, 0);
}

// The plan's query, as the role: it reads only.
Task<bool> Ask(Environment& env, std::string check) {
  guard::Session session = co_await OpenAsRole(env);
  guard::TransactionOptions read_only;
  read_only.access = guard::Access::kReadOnly;
  auto ask = [&]() -> Task<bool> {
    const pg::Result row = co_await session.db().Query(check);
    co_return !row.empty() && !row.IsNull(0, 0) && row.Get<bool>(0, 0);
  };
  co_return co_await guard::RunInTransaction(session, read_only, ask);
}

struct Closed {
  Door door = Door::kNotAskedFor;
  double soak_left = 0;
  std::string use;
};

std::string Sentence(const Environment& env, const plan::Gate& gate, const Closed& closed) {
  const std::string open = fmt::format("pgalter resume {} --gate {}", env.run.id, gate.name);
  switch (closed.door) {
    case Door::kTooEarly:
      return fmt::format(
          "gate {} stays shut for another {}: {}. To open it all the same: {}", gate.name,
          lock::HumanAge(lock::Milliseconds(static_cast<long>(closed.soak_left * 1000))),
          gate.reason, open);
    case Door::kChanged: {
      std::vector<std::string> names;
      for (const auto& relation : PlanSpecOf(env.run).relations)
        names.push_back(sql::ToString(relation));
      return fmt::format(
          "gate {} stays shut: columns, indexes, constraints, triggers or partitions of {} have "
          "changed since it was reached, which the steps behind it do not know of and may take "
          "away. Look at what changed, or take all back and plan anew; to open it all the same: {}",
          gate.name, fmt::join(names, ", "), open);
    }
    case Door::kStillUsed:
      return fmt::format(
          "gate {} stays shut: since it was reached, {}. To open it all the same: {}", gate.name,
          closed.use, open);
    case Door::kCheckFails:
      return fmt::format("gate {} stays shut, its check says no ({}): {}", gate.name, gate.check,
                         gate.reason);
    case Door::kNotAskedFor:
    case Door::kOpen:
      break;
  }
  return fmt::format("gate {}: {}. To go on: {}", gate.name, gate.reason, open);
}

}  // namespace

Task<bool> GateStep::Done(Environment&, const state::Step&) { co_return false; }

Task<> GateStep::Do(Environment& env, const state::Step& step) {
  const auto gate = PlannedStep(step).gate;
  if (!gate) co_return;
  GateFacts facts;
  facts.passed = std::find(env.control.passed.begin(), env.control.passed.end(), gate->name) !=
                 env.control.passed.end();
  facts.through = env.control.through;
  facts.soak_left_s = co_await SoakLeft(env, step, gate->soak_s);
  state::Step noted = step;
  const std::string use = co_await UseSinceReached(env, noted);
  facts.used = !use.empty();
  facts.changed = co_await ChangedSinceReached(env, noted);
  Door door = DoorAt(facts);
  // Whoever has named it is told, and looks; the next time the name counts again.
  if (door == Door::kChanged && facts.passed) {
    co_await state::ForgetGate(env.main, env.run.id, gate->name);
    co_await NoteSchema(env, noted);
  }
  if (noted.spec != step.spec) co_await state::RecordSpec(env.main, env.lease, noted);
  if (door == Door::kOpen && !gate->check.empty()) {
    facts.check = co_await Ask(env, gate->check);
    door = DoorAt(facts);
  }
  if (door != Door::kOpen)
    throw GateClosed(gate->name, Sentence(env, *gate, {door, facts.soak_left_s, use}));
}

Task<> GateStep::Undo(Environment&, const state::Step&) { co_return; }

void ThrowIfBeyond(const Environment& env, const state::Step& step) {
  if (!IsBeyond(step.phase, env.control.through)) return;
  throw GateClosed(step.phase, fmt::format("phase {} was not asked for. To go on: pgalter resume "
                                           "{} --through {}",
                                           step.phase, env.run.id, step.phase));
}

}  // namespace pgalter::run
