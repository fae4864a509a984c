#include "cli/undo.h"

#include "batcher/backfill/sync_trigger.h"
#include "cli/connect.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/wiring.h"
#include "engine/async/task_group.h"
#include "engine/run/concurrent_index.h"
#include "engine/run/runner.h"

namespace pgalter::cli {

Task<> UndoWithoutRunner(const Context& context, std::string run, state::RunState to) {
  const Wiring wiring = MakeWiring();
  run::RunnerOptions options;
  options.connect = context.Connect();
  options.run = std::move(run);
  options.handlers = wiring.handlers;
  async::Stopper stopper;
  run::Progress progress;
  bool done = false;
  auto both = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(ShowProgress(context, options.run, progress));
    co_await run::UndoRun(options, to, stopper, progress);
    done = true;
    group.Cancel();  // the progress has no end of its own
  };
  std::exception_ptr failure;
  try {
    co_await async::WithTaskGroup(both);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && !(done && async::IsCancellation(failure))) std::rethrow_exception(failure);
  if (!progress.remark.empty()) Say(context, progress.remark);
}

Task<bool> UndoUnlessBeside(const Context& context, std::string run, state::RunState to,
                            async::Clock::time_point give_up) {
  try {
    co_await UndoWithoutRunner(context, run, to);
    co_return true;
  } catch (const run::Beside&) {
    if (async::Clock::now() > give_up) throw;
  }
  co_return false;
}

Task<> DropLeftovers(const Context& context, guard::Session& session, std::string run) {
  guard::Session observer = co_await OpenSession(context);
  async::Stopper stopper;
  run::Progress progress;
  co_await run::DropUnfinishedIndexes(session, observer, run, stopper, progress);
  const lock::LadderOptions ladder;
  const backfill::Which everything;
  co_await backfill::DropArtefacts(session, observer, run, ladder, stopper, everything);
}

}  // namespace pgalter::cli
