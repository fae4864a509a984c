#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/partition/merge_step.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/partition/planned.h"
#include "cli/partition/repart_run.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/room.h"
#include "engine/state/json_texts.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

void Show(const Context& context, const partition::PreparedMerge& prepared) {
  const partition::Target& target = prepared.spec.targets.front();
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1},
               {"table", prepared.spec.parent},
               {"merged", state::ArrayOf(prepared.merged)},
               {"partition", target.becomes},
               {"bound", target.bound},
               {"rows", RowsJson(prepared.rows, prepared.bytes)},
               {"bytes", prepared.bytes},
               {"hold_budget_ms", prepared.ladder.hold_budget.count()}});
    return;
  }
  Print(
      fmt::format("{} of {} become {}, {}; {}, {}, are moved while users wait, for at "
                  "most {} ms\n{}nothing was written\n",
                  fmt::join(prepared.merged, ", "), prepared.spec.parent, target.becomes,
                  target.bound, AboutRows(prepared.rows, prepared.bytes),
                  watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
                  prepared.ladder.hold_budget.count(),
                  AboutReferring(prepared.referring, prepared.spec.parent)));
}

Task<ExitCode> Run(Context& context) {
  const std::vector<std::string> partitions(context.operands.begin() + 1, context.operands.end());
  if (partitions.size() < 2)
    throw Rejected(ExitCode::kUsage, "merge what with what?",
                   "pgalter partition merge PARTITION PARTITION...");
  std::string name = context.Has("name") ? context.Get("name") : std::string();
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    partition::PreparedMerge prepared =
        co_await partition::PrepareMerge(session, partitions, std::move(name));
    prepared.ladder.hold_budget = HoldBudgetOf(context);
    if (context.Has("dry-run")) {
      Show(context, prepared);
      co_return ExitCode::kDone;
    }
    prepared.pace.throttle = ThrottleOf(context);
    co_await state::RefusePublication(session);
    Confirm(context, fmt::format("Make one partition of {}?", fmt::join(prepared.merged, ", ")));
    co_await state::Install(session);
    run = co_await partition::CreateMergeRun(session, prepared);
    Say(context, fmt::format("run {}", run));
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionMerge;
const PartitionVerb kPartitionMerge{.name = "merge",
                                    .operand = "PARTITION PARTITION...",
                                    .many = true,
                                    .options = "name hold-budget replica dry-run detach",
                                    .run = &Run};

}  // namespace pgalter::cli
