#include "batcher/rebuild/shadow_step.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/log_tables.h"
#include "batcher/rebuild/readers.h"
#include "batcher/rebuild/shadow.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/plan_spec.h"
#include "engine/run/undo.h"
#include "engine/state/artefacts.h"

namespace pgalter::rebuild {

namespace {

// The table to be is the run's own as the one that it replaces: after the swap it is the one that
// others would take.
Task<> Claim(Session& session, const std::string& run, pg::Oid shadow) {
  co_await session.db().Query(
      "INSERT INTO pgalter.run_table (run, relid) VALUES ($1, $2) ON CONFLICT DO NOTHING", run,
      shadow);
}

// Known from here on, so that a revert is refused before it changes anything.
Task<> MarkNoReturn(run::Environment& env, int shadow) {
  for (state::Step step : co_await state::LoadSteps(env.main, env.run.id)) {
    if (step.kind != "cutover" || step.ordinal < shadow) continue;
    step.spec[run::kNoReturn] = true;
    co_await state::RecordSpec(env.main, env.lease, step);
    co_return;  // a plan may have other rebuilds behind this one
  }
}

Task<Shadow> MakeOne(Session& session, const state::Run& run, const Spec& spec, int number) {
  const pg::Oid relid =
      number == 1 ? run.relid : spec.companions.at(static_cast<std::size_t>(number) - 2).relid;
  const backfill::Table table = co_await backfill::FindTableByOid(session, relid, "rebuild");
  const Spec one = OfTable(spec, number);
  co_return co_await MakeShadow(session, run.id, table, one, number);
}

// What is to be known of it from now on.
Task<> Keep(Session& session, const std::string& run, const Shadow& shadow) {
  std::vector<capture::Flow> flows{shadow.flow};
  if (shadow.reverse) flows.push_back(*shadow.reverse);
  for (const capture::Flow& flow : flows) {
    co_await capture::MakeLogTables(session, flow);
    co_await capture::RecordFlow(session, flow);
    co_await state::RecordArtefact(session, run, "table", flow.log());
    co_await state::RecordArtefact(session, run, "table", flow.dirty());
    co_await state::RecordArtefact(session, run, "table", flow.crash_mark());
  }
  co_await Record(session, run, shadow.stored);
  co_await Claim(session, run, shadow.stored.shadow);
  const std::string& schema = shadow.stored.schema;
  co_await state::RecordArtefact(session, run, "schema", schema);
  co_await state::RecordArtefact(session, run, "schema", schema + "_old");
  co_await state::RecordArtefact(session, run, "table", shadow.flow.to);
}

}  // namespace

run::Task<bool> ShadowStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ShadowStep::Do(run::Environment& env, const state::Step& step) {
  Session& session = env.main;
  const Spec spec = FromJson(env.run.spec);
  auto make = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    std::vector<Shadow> shadows;
    for (int number = 1; number <= CountTables(spec); ++number) {
      Shadow shadow = co_await MakeOne(session, env.run, spec, number);
      shadows.push_back(std::move(shadow));
    }
    std::vector<Stored> made;
    for (const Shadow& shadow : shadows) made.push_back(shadow.stored);
    co_await TryReaders(session, std::move(made), env.run.target, MatviewsOf(spec));
    // All go back together, or none.
    const bool revertible = std::ranges::all_of(
        shadows, [](const Shadow& shadow) { return shadow.reverse.has_value(); });
    for (Shadow& shadow : shadows) {
      shadow.stored.definition.revertible = revertible;
      if (!revertible) shadow.reverse.reset();
      co_await Keep(session, env.run.id, shadow);
    }
    if (!revertible) co_await MarkNoReturn(env, step.ordinal);
    co_await state::RecordStep(session, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(session, make);
  async::FailPoint("shadow-made");
}

// The ledger names all that it made.
run::Task<> ShadowStep::Undo(run::Environment& env, const state::Step&) {
  async::Stopper never;  // an abort is a stop already
  const lock::LadderOptions options = run::LadderOf(env.run);
  const backfill::Which own = &IsOfRebuild;
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, never, own);
}

}  // namespace pgalter::rebuild
