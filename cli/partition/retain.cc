#include "batcher/partition/retain.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
using partition::Afterwards;
using partition::Going;

partition::RetainWish WishOf(const Context& context) {
  partition::RetainWish wish;
  wish.table = context.Operand(1);
  if (!context.Has("keep"))
    throw Rejected(ExitCode::kUsage, "how much is kept?",
                   "--keep '12 months', or --keep 12 for so many ranges");
  wish.keep = context.Get("keep");
  wish.pace.throttle = ThrottleOf(context);
  wish.ladder.hold_budget = HoldBudgetOf(context);
  wish.epoch = EpochOf(context);
  if (context.Has("drop")) wish.afterwards = Afterwards::kDrop;
  if (context.Has("export")) {
    if (context.Has("drop"))
      throw Rejected(ExitCode::kUsage, "--export drops what it has exported: --drop says another",
                     "one of the two");
    wish.afterwards = Afterwards::kExport;
    std::error_code error;
    const fs::path folder = fs::absolute(context.Get("export"), error);
    if (error || !fs::is_directory(folder))
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--export \"{}\" is no folder", context.Get("export")), "");
    wish.folder = folder.string();
  }
  if (context.Has("hold")) {
    if (wish.afterwards == Afterwards::kKeep)
      throw Rejected(ExitCode::kUsage, "--hold is for --drop and --export: nothing else is dropped",
                     "");
    wish.hold = context.Get("hold");
  }
  return wish;
}

std::string WhatHappens(const Going& going, const partition::RetainWish& wish) {
  if (!going.kept_reason.empty()) return "stays: " + going.kept_reason;
  const char* const end = wish.afterwards == Afterwards::kExport ? "exported, dropped" : "dropped";
  if (!going.attached) return going.over ? end : "detached; waits for the end of --hold";
  if (wish.afterwards == Afterwards::kKeep) return "detached";
  return going.over ? fmt::format("detached, {}", end) : fmt::format("detached; later {}", end);
}

void Show(const Context& context, const partition::RetainPlan& plan,
          const partition::RetainWish& wish) {
  if (context.output == Output::kJson) {
    boost::json::array going;
    for (const Going& one : plan.going)
      going.push_back({{"name", one.name},
                       {"bound", one.bound},
                       {"rows", static_cast<std::int64_t>(one.rows)},
                       {"bytes", one.bytes},
                       {"attached", one.attached},
                       {"what", WhatHappens(one, wish)}});
    PrintJson({{"version", 1}, {"table", plan.whole.table.name}, {"partitions", std::move(going)}});
    return;
  }
  std::string text;
  for (const Going& one : plan.going)
    text += fmt::format("{}  {}  {}, {}: {}\n", one.name, one.bound, AboutRows(one.rows, one.bytes),
                        watch::Format(static_cast<double>(one.bytes), watch::Unit::kBytes),
                        WhatHappens(one, wish));
  if (text.empty()) text = fmt::format("{} has nothing that is older\n", plan.whole.table.name);
  Print(text);
}

Task<ExitCode> Run(Context& context) {
  const partition::RetainWish wish = WishOf(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::RetainPlan plan = co_await partition::PlanRetain(session, wish);
    // Without --yes it only shows: nobody drops years by leaving out an option.
    const bool shown_only = context.Has("dry-run") || !context.yes;
    if (context.output != Output::kJson || shown_only || !plan.any()) Show(context, plan, wish);
    if (!plan.any()) co_return ExitCode::kDone;
    if (shown_only) {
      Say(context, "nothing was changed; --yes does it");
      co_return ExitCode::kDone;
    }
    co_await state::RefusePublication(session);
    co_await state::Install(session);
    // What a table that was not there before knows of holds.
    const partition::RetainPlan now = co_await partition::PlanRetain(session, wish);
    run = co_await partition::CreateRetainRun(session, now, wish);
    Say(context, fmt::format("run {}", run));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionRetain;
const PartitionVerb kPartitionRetain{
    .name = "retain",
    .operand = "TABLE",
    .options = "keep epoch drop export hold hold-budget replica dry-run detach",
    .run = &Run};

}  // namespace pgalter::cli
