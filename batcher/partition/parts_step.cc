#include "batcher/partition/parts_step.h"

#include <fmt/format.h>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/log_tables.h"
#include "batcher/partition/shape.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
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

Task<std::string> ShapesOf(Session& session, pg::Oid whole, std::vector<capture::Source> sources) {
  std::string shapes = co_await ShapeOf(session, whole);
  for (const capture::Source& source : sources) {
    shapes += co_await ShapeOf(session, source.oid);
    const pg::Result place = co_await session.db().Query(
        "SELECT format(' %s %s %s', relpersistence, relam, reltablespace) FROM pg_class"
        " WHERE oid = $1",
        source.oid);
    shapes += place.Get<std::string>(0, 0);
  }
  co_return shapes;
}

namespace {

Task<std::vector<capture::Source>> ReadAlso(Session& session, const RepartSpec& spec) {
  std::vector<std::string> names = OldPartitions(spec);
  names.erase(names.begin());
  std::vector<capture::Source> also;
  for (std::string& name : names) {
    const pg::Result found = co_await session.db().Query("SELECT to_regclass($1)::oid", name);
    if (found.IsNull(0, 0))
      throw run::Failure(run::ExitCode::kRefused,
                         fmt::format("{} is not there any more. Nothing was changed: abort the "
                                     "run, and begin again",
                                     name));
    also.push_back({found.Get<pg::Oid>(0, 0), std::move(name)});
  }
  co_return also;
}

Task<std::int64_t> SizeOf(Session& session, const std::vector<capture::Source>& tables) {
  std::int64_t bytes = 0;
  for (const capture::Source& table : tables) {
    const pg::Result size =
        co_await session.db().Query("SELECT pg_total_relation_size($1::oid)", table.oid);
    bytes += size.Get<std::int64_t>(0, 0);
  }
  co_return bytes;
}

}  // namespace

run::Task<bool> PartsStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> PartsStep::Do(run::Environment& env, const state::Step& step) {
  Session& session = env.main;
  const rebuild::Spec rebuild = rebuild::FromJson(env.run.spec);
  const RepartSpec spec = RepartFromJson(env.run.spec.at(kRepart).as_object());
  const backfill::Table source = co_await backfill::FindTableByOid(session, env.run.relid, "part");
  auto make = [&]() -> Task<> {
    co_await guard::CheckLease(session, env.lease);
    rebuild::Shadow shadow = co_await MakeParts(session, env.run.id, source, rebuild, spec);
    shadow.flow.also = co_await ReadAlso(session, spec);
    if (rebuild.log_limit == 0 && !shadow.flow.also.empty())
      shadow.flow.log_limit += co_await SizeOf(session, shadow.flow.also);
    co_await capture::MakeLogTables(session, shadow.flow);
    co_await capture::RecordFlow(session, shadow.flow);
    co_await rebuild::Record(session, env.run.id, shadow.stored);
    const std::string& schema = shadow.stored.schema;
    co_await state::RecordArtefact(session, env.run.id, "schema", schema);
    co_await state::RecordArtefact(session, env.run.id, "schema", schema + "_old");
    for (const std::string& table :
         {shadow.flow.log(), shadow.flow.dirty(), shadow.flow.crash_mark(), shadow.flow.to})
      co_await state::RecordArtefact(session, env.run.id, "table", table);
    state::Step kept = step;
    kept.spec[kShape] = co_await ShapesOf(session, spec.parent_oid, shadow.flow.sources());
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
