#include "batcher/rebuild/shadow_step.h"

#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/rebuild/shadow.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/undo.h"
#include "engine/state/artefacts.h"

namespace pgalter::rebuild {

namespace {

Task<> Ledger(Session& session, const std::string& run, const char* kind, std::string name) {
  state::Artefact artefact;
  artefact.run = run;
  artefact.kind = kind;
  artefact.name = std::move(name);
  co_await state::RecordArtefact(session, artefact);
}

// Known from here on, so that a revert is refused before it changes anything.
Task<> MarkNoReturn(run::Environment& env) {
  for (state::Step step : co_await state::LoadSteps(env.main, env.run.id)) {
    if (step.kind != "cutover") continue;
    step.spec[run::kNoReturn] = true;
    co_await state::RecordSpec(env.main, env.lease, step);
  }
}

}  // namespace

run::Task<bool> ShadowStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ShadowStep::Do(run::Environment& env, const state::Step& step) {
  Session& session = env.main;
  const Spec spec = FromJson(env.run.spec);
  const backfill::Table table = co_await backfill::FindTableByOid(session, env.run.relid);
  auto make = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    const Shadow shadow = co_await MakeShadow(session, env.run.id, table, spec);
    std::vector<capture::Flow> flows{shadow.flow};
    if (shadow.reverse) flows.push_back(*shadow.reverse);
    for (const capture::Flow& flow : flows) {
      for (const std::string& sql : capture::MakeTables(flow)) co_await session.db().Query(sql);
      co_await capture::RecordFlow(session, flow);
      co_await Ledger(session, env.run.id, "table", flow.log());
      co_await Ledger(session, env.run.id, "table", flow.dirty());
    }
    co_await Record(session, env.run.id, shadow.stored);
    if (!shadow.reverse) co_await MarkNoReturn(env);
    const std::string& schema = shadow.stored.schema;
    co_await Ledger(session, env.run.id, "schema", schema);
    co_await Ledger(session, env.run.id, "schema", schema + "_old");
    co_await Ledger(session, env.run.id, "table", shadow.flow.to);
    co_await state::RecordStep(session, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(session, make);
  async::FailPoint("shadow-made");
}

// The ledger names all that it made.
run::Task<> ShadowStep::Undo(run::Environment& env, const state::Step&) {
  const lock::LadderOptions options;
  async::Stopper never;  // an abort is a stop already
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, never);
}

}  // namespace pgalter::rebuild
