#include "cli/wiring.h"

#include "batcher/backfill/backfill_step.h"
#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/capture_step.h"
#include "batcher/copy/copy_step.h"
#include "batcher/cutover/cutover_step.h"
#include "batcher/partition/attach_step.h"
#include "batcher/partition/merge_step.h"
#include "batcher/partition/parent_step.h"
#include "batcher/partition/parts_step.h"
#include "batcher/partition/referrers.h"
#include "batcher/partition/release_step.h"
#include "batcher/partition/retire_steps.h"
#include "batcher/partition/swap_step.h"
#include "batcher/rebuild/in_plan.h"
#include "batcher/rebuild/key_step.h"
#include "batcher/rebuild/shadow_step.h"
#include "batcher/split/steps.h"
#include "batcher/verify/verify_step.h"
#include "engine/run/autocommit_step.h"
#include "engine/run/ddl_step.h"
#include "engine/run/detach_step.h"
#include "engine/run/gate_step.h"
#include "engine/run/index_step.h"

namespace pgalter::cli {

namespace {

const partition::TriggerReferrers kReferrers;

void Add(Wiring& wiring, const char* kind, std::unique_ptr<run::StepHandler> handler) {
  wiring.handlers.emplace(kind, handler.get());
  wiring.owned.push_back(std::move(handler));
}

// Of a rebuild, which has a run of its own or is a step of a plan.
template <class Part>
void AddPart(Wiring& wiring, const char* kind) {
  Add(wiring, kind, std::make_unique<rebuild::PlannedPart>(std::make_unique<Part>()));
}

}  // namespace

Wiring MakeWiring() {
  Wiring wiring;
  Add(wiring, "autocommit", std::make_unique<run::AutocommitStep>());
  Add(wiring, "backfill", std::make_unique<backfill::BackfillStep>());
  AddPart<capture::CaptureStep>(wiring, "capture");
  Add(wiring, "concurrent-index", std::make_unique<run::ConcurrentIndexStep>());
  AddPart<copy::CopyStep>(wiring, "copy");
  AddPart<cutover::CutoverStep>(wiring, "cutover");
  Add(wiring, "ddl", std::make_unique<run::DdlStep>(run::Holding::kShort, kReferrers));
  Add(wiring, "detach", std::make_unique<run::DetachStep>(kReferrers));
  Add(wiring, "drop-index", std::make_unique<run::DropIndexStep>());
  Add(wiring, "gate", std::make_unique<run::GateStep>());
  AddPart<rebuild::IndexesStep>(wiring, "indexes");
  AddPart<rebuild::KeyStep>(wiring, "key");
  Add(wiring, "partition-attach", std::make_unique<partition::AttachStep>());
  Add(wiring, "partition-drop", std::make_unique<partition::DropStep>());
  Add(wiring, "partition-export", std::make_unique<partition::ExportStep>());
  Add(wiring, "partition-merge", std::make_unique<partition::MergeStep>());
  Add(wiring, "partition-parent", std::make_unique<partition::ParentStep>());
  Add(wiring, "partition-parts", std::make_unique<partition::PartsStep>());
  Add(wiring, "partition-release", std::make_unique<partition::ReleaseStep>());
  Add(wiring, "partition-retire", std::make_unique<partition::RetireStep>());
  Add(wiring, "partition-return", std::make_unique<partition::ReturnStep>());
  Add(wiring, "partition-settle", std::make_unique<partition::SettleStep>());
  Add(wiring, "partition-swap", std::make_unique<partition::SwapStep>());
  Add(wiring, "release", std::make_unique<rebuild::ReleaseStep>());
  Add(wiring, "refresh",
      std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes, kReferrers));
  AddPart<cutover::SettleStep>(wiring, "settle");
  AddPart<rebuild::ShadowStep>(wiring, "shadow");
  Add(wiring, "split-copy", std::make_unique<split::CopyStep>());
  Add(wiring, "split-swap", std::make_unique<split::SwapStep>());
  Add(wiring, "sync-trigger", std::make_unique<backfill::SyncTriggerStep>());
  Add(wiring, "validate",
      std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes, kReferrers));
  AddPart<verify::VerifyStep>(wiring, "verify");
  return wiring;
}

}  // namespace pgalter::cli
