#include <fmt/format.h>

#include <algorithm>

#include "batcher/rebuild/in_plan.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/govern/open_run.h"
#include "cli/hold_budget.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/plan_input.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/make_run.h"
#include "engine/run/published.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"
#include "planner/plan/json.h"
#include "planner/plan/render/format.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  AddBreakGlass(options);
  AddPlanInput(options);
  options.add_options()  //
      ("through", po::value<std::string>()->default_value("migrate"),
       "expand | migrate | contract: how far to go now")  //
      ("soak", po::value<std::string>()->value_name("DURATION"),
       "every gate stays shut for at least so long, unless it is named")  //
      ("lock-budget", po::value<std::string>()->default_value("60s"),
       "how long a step asks for its lock, in short attempts")  //
      ("hold-budget", po::value<std::string>()->default_value("1s"),
       "how long a step may hold a lock that users wait for")  //
      ("on-blocker", po::value<std::string>()->default_value("wait"),
       "wait | cancel-autovacuum | terminate-idle: what is done about who is in the way")  //
      ("idle-for", po::value<std::string>()->default_value("5min"),
       "how long a session is idle in its transaction before terminate-idle ends it")  //
      ("dry-run", "show the plan, and write nothing")                                  //
      ("detach", "leave a background runner, and return");
  AddPaceOptions(options);
  AddCanaryOption(options);
}

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

async::Milliseconds Duration(const Context& context, const char* option) {
  const auto& text = context.Get(option);
  const auto seconds = watch::Parse(text, watch::Unit::kSeconds);
  if (!seconds || *seconds <= 0)
    Refuse(fmt::format("--{} \"{}\" is no duration", option, text), "write 500ms, 5s or 2min");
  return async::Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

lock::BlockerPolicy Policy(const Context& context) {
  const auto& text = context.Get("on-blocker");
  if (text == "wait") return lock::BlockerPolicy::kWait;
  if (text == "cancel-autovacuum") return lock::BlockerPolicy::kCancelAutovacuum;
  if (text == "terminate-idle") return lock::BlockerPolicy::kTerminateIdle;
  Refuse(fmt::format("--on-blocker \"{}\" is not known", text),
         "one of: wait, cancel-autovacuum, terminate-idle");
}

run::PlannedRun PlannedOf(const Context& context) {
  run::PlannedRun planned;
  const auto through = state::ParsePhase(context.Get("through"));
  if (!through)
    Refuse(fmt::format("--through \"{}\" is not known", context.Get("through")),
           "one of: expand, migrate, contract");
  planned.through = *through;
  planned.spec.ladder.budget = Duration(context, "lock-budget");
  planned.spec.ladder.hold_budget = HoldBudgetOf(context);
  planned.spec.ladder.policy = Policy(context);
  planned.spec.ladder.idle_for =
      std::chrono::duration_cast<std::chrono::seconds>(Duration(context, "idle-for"));
  planned.spec.pace = PaceOf(context);
  AddCanary(context, planned.spec.pace.throttle);
  return planned;
}

void Soak(const Context& context, plan::Plan& plan) {
  if (!context.Has("soak")) return;
  const auto least = std::chrono::duration_cast<std::chrono::seconds>(Duration(context, "soak"));
  for (plan::Step& step : plan.steps)
    if (step.gate) step.gate->soak_s = std::max<long>(step.gate->soak_s, least.count());
}

std::string WayBack(const plan::Plan& plan) {
  if (plan.steps.empty()) return "";
  for (const plan::Step& step : plan.steps)
    if (step.point_of_no_return)
      return fmt::format("Point of no return: step {}; until then pgalter revert takes all back.\n",
                         step.id);
  return "No point of no return: pgalter revert takes all back, also afterwards.\n";
}

// Results go to stdout: of a dry run the plan is the result, else it is a remark.
void Show(const Context& context, const plan::Plan& plan) {
  const bool dry_run = context.Has("dry-run");
  if (context.output == Output::kJson) {
    if (dry_run) PrintJson(plan::ToJson(plan));
    return;
  }
  const std::string text = plan::FindFormat("text")->render(plan) + WayBack(plan);
  if (dry_run) {
    Print(text + "nothing was written\n");
  } else {
    fmt::print(stderr, "{}", text);
  }
}

Task<> RefuseRebuilds(const Context& context, guard::Session& session,
                      const run::PlannedRun& planned) {
  const auto how =
      context.Has("dry-run") ? rebuild::Checking::kLookOnly : rebuild::Checking::kRehearse;
  for (const std::string& remark :
       co_await rebuild::RefuseUnfit(session, planned.plan, planned.spec.pace, how))
    Say(context, "note: " + remark);
}

Task<ExitCode> Run(Context& context) {
  run::PlannedRun planned = PlannedOf(context);
  const PlanWishes wishes = ReadPlanWishes(context);
  const std::string text = ReadPlanText(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    PlanBase base = co_await ReadPlanBase(session);
    wishes.AddTo(base.options);
    if (context.Has("split")) {
      planned.plan = co_await PlanOfSplit(context, session, base);
    } else {
      planned.plan = PlanOf(text, base);
      co_await run::SayPublished(session, planned.plan, base.schema);
    }
    Soak(context, planned.plan);
    if (context.Has("canary") && !HasRoomForCanary(planned.plan))
      Refuse("the plan moves no rows: --canary has nothing to be the first part of",
             "leave --canary out; pgalter plan shows the steps");
    Show(context, planned.plan);
    const bool dry_run = context.Has("dry-run");
    co_await run::RefuseUnfit(session, planned.plan, base.schema);
    co_await RefuseRebuilds(context, session, planned);
    if (dry_run) co_return ExitCode::kDone;
    co_await state::RefusePublication(session);
    planned.spec.settings = co_await guard::RoleSettings(session);
    Confirm(context, fmt::format("Run this plan through {}?", state::Name(planned.through)));
    if (!context.yes) {  // the answer may have taken its time
      base = co_await ReadPlanBase(session);
      co_await run::RefuseUnfit(session, planned.plan, base.schema);
    }
    co_await state::Install(session);
    run = co_await run::CreateRun(session, planned);
    Say(context, fmt::format("run {}", run));
  }
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const CommandBody kRunCommand;
const CommandBody kRunCommand{
    .description =
        "Carries out a plan that `pgalter plan` has made, or ordinary DDL, of which it makes the "
        "plan. Shows it, asks, and runs the phases expand and migrate; old and new programs both "
        "work then. It stops at the gate before contract, which takes away what only old programs "
        "use: `pgalter resume RUN --gate NAME` opens it, `pgalter revert RUN --yes` takes "
        "everything back. With --canary each step that moves rows rests after its first part, at a "
        "gate of its own.\n\n"
        "Strong locks are asked for in short attempts, indexes are built concurrently, rows are "
        "changed in chunks. After a crash of whatever kind `pgalter resume` goes on. A plan whose "
        "tables have changed since it was made is refused (exit code 4).",
    .most_operands = 1,
    .reads_config = true,
    .takes_files = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
