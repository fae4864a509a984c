#include "cli/wiring.h"

#include "batcher/backfill/backfill_step.h"
#include "batcher/backfill/sync_trigger.h"
#include "batcher/capture/capture_step.h"
#include "batcher/copy/copy_step.h"
#include "batcher/cutover/cutover_step.h"
#include "batcher/rebuild/key_step.h"
#include "batcher/rebuild/shadow_step.h"
#include "batcher/verify/verify_step.h"
#include "engine/run/autocommit_step.h"
#include "engine/run/ddl_step.h"
#include "engine/run/detach_step.h"
#include "engine/run/gate_step.h"
#include "engine/run/index_step.h"

namespace pgalter::cli {

namespace {

void Add(Wiring& wiring, const char* kind, std::unique_ptr<run::StepHandler> handler) {
  wiring.handlers.emplace(kind, handler.get());
  wiring.owned.push_back(std::move(handler));
}

}  // namespace

Wiring MakeWiring() {
  Wiring wiring;
  Add(wiring, "autocommit", std::make_unique<run::AutocommitStep>());
  Add(wiring, "backfill", std::make_unique<backfill::BackfillStep>());
  Add(wiring, "capture", std::make_unique<capture::CaptureStep>());
  Add(wiring, "concurrent-index", std::make_unique<run::ConcurrentIndexStep>());
  Add(wiring, "copy", std::make_unique<copy::CopyStep>());
  Add(wiring, "cutover", std::make_unique<cutover::CutoverStep>());
  Add(wiring, "ddl", std::make_unique<run::DdlStep>(run::Holding::kShort));
  Add(wiring, "detach", std::make_unique<run::DetachStep>());
  Add(wiring, "drop-index", std::make_unique<run::DropIndexStep>());
  Add(wiring, "gate", std::make_unique<run::GateStep>());
  Add(wiring, "indexes", std::make_unique<rebuild::IndexesStep>());
  Add(wiring, "key", std::make_unique<rebuild::KeyStep>());
  Add(wiring, "refresh", std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes));
  Add(wiring, "settle", std::make_unique<cutover::SettleStep>());
  Add(wiring, "shadow", std::make_unique<rebuild::ShadowStep>());
  Add(wiring, "sync-trigger", std::make_unique<backfill::SyncTriggerStep>());
  Add(wiring, "validate", std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes));
  Add(wiring, "verify", std::make_unique<verify::VerifyStep>());
  return wiring;
}

}  // namespace pgalter::cli
