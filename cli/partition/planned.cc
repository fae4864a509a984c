#include "cli/partition/planned.h"

#include <fmt/format.h>

#include <utility>

#include "batcher/partition/patience.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/hold_budget.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/plan_input.h"
#include "cli/report.h"
#include "engine/run/make_run.h"
#include "engine/run/transact.h"
#include "engine/state/schema.h"
#include "planner/plan/json.h"
#include "planner/plan/render/format.h"

namespace pgalter::cli {

Task<> PlanPatiently(const Context& context, guard::Session& session, std::string tried,
                     std::function<Task<>()> plan) {
  guard::Session observer = co_await OpenSession(context);
  bool told = false;
  const auto tell = [&context, &told](const lock::LadderReport& report) {
    if (report.last_blockers.empty() || std::exchange(told, true)) return;
    Say(context, run::WaitingFor(report));
  };
  co_await partition::LookPatiently(session, observer, std::move(tried), std::move(plan), tell);
}

Task<std::string> StartPlanned(const Context& context, guard::Session& session, Planned what,
                               std::function<Task<>(std::string run)> also) {
  std::string text;
  for (const std::string& statement : what.script) text += statement + ";\n";
  PlanBase base = co_await ReadPlanBase(session);
  run::PlannedRun planned;
  planned.plan = PlanOf(text, base);
  planned.table = std::move(what.table);
  planned.asked = "partition " + context.Operand(0);
  planned.partitions = std::move(what.partitions);
  planned.spec.pace.throttle = ThrottleOf(context);
  planned.spec.ladder.hold_budget = HoldBudgetOf(context);
  planned.through = state::Phase::kContract;
  if (context.Has("dry-run")) {
    if (context.output == Output::kJson) {
      PrintJson(plan::ToJson(planned.plan));
    } else {
      Print(plan::FindFormat("text")->render(planned.plan) + "nothing was written\n");
    }
    co_return "";
  }
  co_await run::RefuseUnfit(session, planned.plan, base.schema);
  co_await state::RefusePublication(session);
  planned.spec.settings = co_await guard::RoleSettings(session);
  Confirm(context, what.question);
  co_await state::Install(session);
  std::string run = co_await run::CreateRun(session, planned, std::move(also));
  Say(context, fmt::format("run {}", run));
  co_return run;
}

Task<ExitCode> FollowRun(const Context& context, std::string run) {
  if (run.empty()) co_return ExitCode::kDone;
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace pgalter::cli
