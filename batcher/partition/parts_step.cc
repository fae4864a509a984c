#include "batcher/partition/parts_step.h"

#include <fmt/format.h>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/flow_sql.h"
#include "batcher/partition/shape.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"

namespace pgalter::partition {

Task<rebuild::Shadow> MakeParts(Session& session, std::string run, const backfill::Table& source,
                                const rebuild::Spec& rebuild, const RepartSpec& spec) {
  rebuild::Shadow shadow = co_await rebuild::MakeShadow(session, run, source, rebuild);
  // There is no table whose place the new partitions would give back.
  shadow.reverse.reset();
  shadow.stored.definition.revertible = false;
  for (const Target& target : spec.targets)
    if (!target.inside.empty())
      co_await session.db().Query(
          fmt::format("ALTER TABLE {}.{} ADD CONSTRAINT pgalter_bound CHECK ({})",
                      shadow.stored.schema, target.name, target.inside));
  co_return shadow;
}

Task<std::string> ShapesOf(Session& session, pg::Oid whole, pg::Oid source) {
  const std::string one = co_await ShapeOf(session, whole);
  const std::string other = co_await ShapeOf(session, source);
  const pg::Result place = co_await session.db().Query(
      "SELECT format(' %s %s %s', relpersistence, relam, reltablespace) FROM pg_class"
      " WHERE oid = $1",
      source);
  co_return one + other + place.Get<std::string>(0, 0);
}

run::Task<bool> PartsStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> PartsStep::Do(run::Environment& env, const state::Step& step) {
  Session& session = env.main;
  const rebuild::Spec rebuild = rebuild::FromJson(env.run.spec);
  const RepartSpec spec = RepartFromJson(env.run.spec.at(kRepart).as_object());
  const backfill::Table source = co_await backfill::FindTableByOid(session, env.run.relid, "part");
  auto make = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    const rebuild::Shadow shadow = co_await MakeParts(session, env.run.id, source, rebuild, spec);
    for (const std::string& sql : capture::MakeTables(shadow.flow))
      co_await session.db().Query(sql);
    co_await capture::RecordFlow(session, shadow.flow);
    co_await rebuild::Record(session, env.run.id, shadow.stored);
    const std::string& schema = shadow.stored.schema;
    co_await state::RecordArtefact(session, env.run.id, "schema", schema);
    co_await state::RecordArtefact(session, env.run.id, "schema", schema + "_old");
    for (const std::string& table :
         {shadow.flow.log(), shadow.flow.dirty(), shadow.flow.crash_mark(), shadow.flow.to})
      co_await state::RecordArtefact(session, env.run.id, "table", table);
    state::Step kept = step;
    kept.spec[kShape] = co_await ShapesOf(session, spec.parent_oid, source.oid);
    co_await state::RecordSpec(session, env.lease, kept);
    co_await state::RecordStep(session, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(session, make);
  async::FailPoint("parts-made");
}

// The ledger names all that it made.
run::Task<> PartsStep::Undo(run::Environment& env, const state::Step&) {
  async::Stopper never;  // an abort is a stop already
  const lock::LadderOptions options = run::LadderOf(env.run);
  const backfill::Which own = &rebuild::IsOfRebuild;
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, never, own);
}

}  // namespace pgalter::partition
