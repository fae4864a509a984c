#include "cli/wiring.h"

#include "batcher/backfill/backfill_step.h"
#include "batcher/backfill/sync_trigger.h"
#include "engine/run/ddl_step.h"

namespace pgalter::cli {

namespace {

void Add(Wiring& wiring, const char* kind, std::unique_ptr<run::StepHandler> handler) {
  wiring.handlers.emplace(kind, handler.get());
  wiring.owned.push_back(std::move(handler));
}

}  // namespace

Wiring MakeWiring() {
  Wiring wiring;
  Add(wiring, "backfill", std::make_unique<backfill::BackfillStep>());
  Add(wiring, "ddl", std::make_unique<run::DdlStep>(run::Holding::kShort));
  Add(wiring, "sync-trigger", std::make_unique<backfill::SyncTriggerStep>());
  Add(wiring, "validate", std::make_unique<run::DdlStep>(run::Holding::kAsLongAsItTakes));
  return wiring;
}

}  // namespace pgalter::cli
