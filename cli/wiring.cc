#include "cli/wiring.h"

#include "batcher/backfill/backfill_step.h"
#include "batcher/backfill/sync_trigger.h"
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
  Add(wiring, "concurrent-index", std::make_unique<run::ConcurrentIndexStep>());
  Add(wiring, "ddl", std::make_unique<run::DdlStep>(run::Holding::kShort));
  Add(wiring, "detach", std::make_unique<run::DetachStep>());
  Add(wiring, "drop-index", std::make_unique<run::DropIndexStep>());
  Add(wiring, "gate", std::make_unique<run::GateStep>());
  Add(wiring, "refresh", std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes));
  Add(wiring, "sync-trigger", std::make_unique<backfill::SyncTriggerStep>());
  Add(wiring, "validate", std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes));
  return wiring;
}

}  // namespace pgalter::cli
