#include "cli/undo.h"

#include "batcher/backfill/sync_trigger.h"
#include "cli/connect.h"
#include "cli/wiring.h"
#include "engine/run/runner.h"

namespace pgalter::cli {

Task<> UndoWithoutRunner(const Context& context, std::string run) {
  const Wiring wiring = MakeWiring();
  run::RunnerOptions options;
  options.connect = context.Connect();
  options.run = std::move(run);
  options.handlers = wiring.handlers;
  async::Stopper stopper;
  run::Progress progress;
  co_await run::UndoRun(std::move(options), stopper, progress);
}

Task<> DropLeftovers(const Context& context, guard::Session& session, std::string run) {
  guard::Session observer = co_await OpenSession(context);
  async::Stopper stopper;
  const lock::LadderOptions ladder;
  co_await backfill::DropArtefacts(session, observer, run, ladder, stopper);
}

}  // namespace pgalter::cli
