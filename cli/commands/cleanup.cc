#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/persist.h"
#include "cli/pick_run.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/run/orphans.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "engine/state/retention.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr int kKeepDays = 30;
constexpr async::Milliseconds kOrphanLimit{10'000};

void AddOptions(po::options_description& options) {
  options.add_options()("older-than",
                        po::value<int>()->value_name("DAYS")->default_value(kKeepDays),
                        "forget runs that ended at least so many days ago");
}

struct Swept {
  boost::json::array cleaned;  // ids
  boost::json::array kept;     // done runs that keep something on purpose
  state::Forgotten forgotten;
};

Task<> Sweep(const Context& context, guard::Session& session, const state::Run& run, Swept& swept) {
  if (state::IsActive(run.state)) co_return;
  const auto runner = co_await state::LiveRunner(session, run.id);
  if (runner) co_return;  // it is about to end, or being taken up again
  co_await run::EndOrphans(session, run.id, kOrphanLimit);
  const auto artefacts = co_await state::LiveArtefacts(session, run.id);
  if (artefacts.empty()) co_return;
  if (run.state == state::RunState::kDone && !run.finished) {
    swept.kept.emplace_back(run.id);
    co_return;
  }
  // A failed run could be resumed, and would believe that its trigger is there: it becomes aborted.
  // Of a plan only what was not finished goes: the run makes it anew.
  if (run.state == state::RunState::kFailed && !run::IsPlan(run)) {
    co_await UndoWithoutRunner(context, run.id, state::RunState::kAborted);
  } else {
    auto drop = [&](guard::Session& on) -> Task<> { co_await DropLeftovers(context, on, run.id); };
    const OnSession work = drop;
    co_await Persist(context, session, work, "pgalter cleanup");
  }
  swept.cleaned.emplace_back(run.id);
}

void Show(const Context& context, const Swept& swept) {
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"cleaned", swept.cleaned},
               {"kept", swept.kept},
               {"forgotten", swept.forgotten.gone},
               {"retained", swept.forgotten.kept}});
    return;
  }
  for (const auto& run : swept.cleaned)
    Print(fmt::format("{} cleaned up\n", std::string(run.as_string())));
  for (const auto& run : swept.kept)
    Print(fmt::format("{0} is done and keeps its trigger on purpose: pgalter finish {0} --yes\n",
                      std::string(run.as_string())));
  if (swept.forgotten.kept > 0)
    Print(fmt::format("{} ended runs stay: the policy has them kept for {}\n", swept.forgotten.kept,
                      swept.forgotten.retention));
  Print(fmt::format("{} ended runs forgotten\n", swept.forgotten.gone));
}

Task<ExitCode> Run(Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const std::vector<state::Run> runs = co_await LoadRuns(session);
  Confirm(context, "remove what ended runs left in this database?");
  Swept swept;
  for (const state::Run& run : runs) co_await Sweep(context, session, run, swept);
  if (!runs.empty())
    swept.forgotten = co_await state::ForgetEnded(session, context.Get<int>("older-than"));
  Show(context, swept);
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kCleanupCommand;
const CommandBody kCleanupCommand{
    .description =
        "Ends sessions that ended runs left, removes their triggers and functions, and forgets "
        "runs that ended long ago; with a policy that has a retention, those that are older than "
        "it. A failed run that left something is aborted. What a done run "
        "keeps on purpose is listed, not touched.",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
