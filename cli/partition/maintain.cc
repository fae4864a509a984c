#include <fmt/format.h>

#include "batcher/partition/premake.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/json_output.h"
#include "cli/partition/verb.h"
#include "cli/plan_input.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/make_run.h"
#include "engine/state/schema.h"
#include "planner/plan/json.h"
#include "planner/plan/render/format.h"

namespace pgalter::cli {

namespace {

partition::PremakeWish WishOf(const Context& context) {
  constexpr int kMostPremade = 1000;
  partition::PremakeWish wish;
  wish.table = context.Operand(1);
  if (context.Has("every")) wish.every = context.Get("every");
  wish.time_zone = context.Get("time-zone");
  wish.premake = context.Get<int>("premake");
  if (wish.premake < 1 || wish.premake > kMostPremade)
    throw Rejected(ExitCode::kUsage, fmt::format("--premake {} is out of range", wish.premake),
                   "1 to 1000");
  return wish;
}

// All steps are of the expanding kind: attached at once.
run::PlannedRun PlannedOf(plan::Plan plan) {
  run::PlannedRun planned;
  planned.plan = std::move(plan);
  planned.through = state::Phase::kContract;
  return planned;
}

ExitCode SayNothingToDo(const Context& context, const partition::Premake& premake) {
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"table", premake.table}, {"until", premake.until}, {"made", 0}});
  } else {
    Print(fmt::format("{} has partitions up to {}: nothing to do\n", premake.table, premake.until));
  }
  return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  const partition::PremakeWish wish = WishOf(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::Premake premake = co_await partition::FindPremake(session, wish);
    if (premake.script.empty()) co_return SayNothingToDo(context, premake);
    std::string script;
    for (const std::string& statement : premake.script) script += statement + ";\n";
    PlanBase base = co_await ReadPlanBase(session);
    run::PlannedRun planned = PlannedOf(PlanOf(script, base));
    if (context.Has("dry-run")) {
      if (context.output == Output::kJson) {
        PrintJson(plan::ToJson(planned.plan));
      } else {
        Print(plan::FindFormat("text")->render(planned.plan) + "nothing was written\n");
      }
      co_return ExitCode::kDone;
    }
    co_await run::RefuseUnfit(session, planned.plan, base.schema);
    co_await state::RefusePublication(session);
    planned.spec.settings = co_await guard::RoleSettings(session);
    Confirm(context, fmt::format("Make {} partitions of {}, from {} on?", premake.script.size(),
                                 premake.table, premake.until));
    co_await state::Install(session);
    run = co_await run::CreateRun(session, planned);
    Say(context, fmt::format("run {}", run));
  }
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionMaintain;
const PartitionVerb kPartitionMaintain{.name = "maintain", .run = &Run};

}  // namespace pgalter::cli
