#include "batcher/partition/release_step.h"

#include <fmt/format.h>

#include "batcher/backfill/sync_trigger.h"
#include "batcher/backfill/window_store.h"
#include "batcher/cutover/snapshot_guard.h"
#include "batcher/partition/repart.h"
#include "batcher/rebuild/store.h"
#include "engine/async/fail_point.h"
#include "engine/guard/transaction.h"
#include "engine/run/plan_spec.h"
#include "engine/run/standby_readers.h"
#include "engine/state/artefacts.h"

namespace pgalter::partition {

Task<std::vector<std::string>> GuardWhole(run::Environment& env, std::string schema,
                                          std::string whole, std::vector<std::string> partitions) {
  const cutover::SnapshotGuard guard = cutover::GuardOf(env.run.id, schema);
  co_return co_await cutover::MakeGuard(env.main, guard, std::move(whole), std::move(partitions));
}

// They are dropped in the opposite order: the whole first, as users lock them.
Task<> RecordWholeGuard(run::Environment& env, std::string schema, std::string whole,
                        std::vector<std::string> partitions) {
  if (!async::SafeguardOn("snapshot-guard")) co_return;
  const cutover::SnapshotGuard guard = cutover::GuardOf(env.run.id, schema);
  std::vector<std::string> names;
  if (!async::SafeguardOn("snapshot-guard-of-partitions")) partitions.clear();
  for (std::size_t i = 0; i < partitions.size(); ++i) names.push_back(guard.TriggerOf(i));
  names.push_back(guard.trigger);
  partitions.push_back(std::move(whole));
  co_await state::RecordTriggers(env.main, env.run.id, std::move(names), std::move(partitions));
  state::Artefact function;
  function.run = env.run.id;
  function.kind = "function";
  function.name = guard.function + "()";
  co_await state::RecordArtefact(env.main, function);
}

Task<> DropWhatIsLeft(run::Environment& env, async::Stopper& stopper) {
  run::Tables tables;  // that triggers go from
  for (const state::Artefact& artefact : co_await state::LiveArtefacts(env.main, env.run.id))
    if (artefact.kind == "trigger") tables.push_back(artefact.relid);
  const std::string remark = co_await run::AwaitStandbyReaders(env, stopper, std::move(tables));
  if (!remark.empty()) env.progress.remark = remark;
  const lock::LadderOptions options = run::LadderOf(env.run);
  const backfill::Which everything;
  co_await backfill::DropArtefacts(env.main, env.observer, env.run.id, options, stopper,
                                   everything);
}

run::Task<bool> ReleaseStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> ReleaseStep::Do(run::Environment& env, const state::Step& step) {
  co_await cutover::AwaitOlderTransactions(env.main);
  co_await DropWhatIsLeft(env, env.stopper);
  async::FailPoint("old-partition-dropped");
  auto forget = [&]() -> Task<> {
    co_await guard::CheckLease(env.main, env.lease);
    co_await rebuild::Forget(env.main, env.run.id);
    co_await backfill::ForgetWindows(env.main, env.run.id);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  co_await guard::RunInTransaction(env.main, forget);
  if (const auto* rest = env.run.spec.if_contains(kAfterIt)) {
    std::string& remark = env.progress.remark;
    remark += fmt::format("{}the rest is split by: {}", remark.empty() ? "" : "; ",
                          std::string_view(rest->as_string()));
  }
}

run::Task<> ReleaseStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::partition
