#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/partition/merge_step.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/partition/copy_options.h"
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

bool ByCopy(const partition::PreparedMerge& prepared) {
  return prepared.repart.moving == partition::Moving::kByCopy;
}

std::string Layout(const partition::PreparedMerge& prepared) {
  const partition::PreparedRepart& repart = prepared.repart;
  const partition::Target& target = repart.spec.targets.front();
  return fmt::format(
      "{} of {} become {}, {}; {}, {}, {}\n{}", fmt::join(prepared.merged, ", "),
      repart.spec.parent, target.becomes, target.bound, AboutRows(repart.rows, repart.bytes),
      watch::Format(static_cast<double>(repart.bytes), watch::Unit::kBytes),
      ByCopy(prepared)
          ? std::string("are copied while they are in use: needs about as much disk again, and as "
                        "much WAL")
          : fmt::format("are moved while users wait, for at most {} ms",
                        repart.ladder.hold_budget.count()),
      AboutReferring(repart.referring, repart.spec.parent));
}

void Show(const Context& context, const partition::PreparedMerge& prepared) {
  if (context.output != Output::kJson) {
    Print(Layout(prepared) + "nothing was written\n");
    return;
  }
  const partition::PreparedRepart& repart = prepared.repart;
  const partition::Target& target = repart.spec.targets.front();
  boost::json::object object{{"version", 1},
                             {"table", repart.spec.parent},
                             {"merged", state::ArrayOf(prepared.merged)},
                             {"partition", target.becomes},
                             {"bound", target.bound},
                             {"rows", RowsJson(repart.rows, repart.bytes)},
                             {"bytes", repart.bytes},
                             {"moved", ByCopy(prepared) ? "by copy" : "under lock"},
                             {"hold_budget_ms", repart.ladder.hold_budget.count()}};
  if (ByCopy(prepared)) AddRoom(object, repart.bytes);
  PrintJson(object);
}

// They may be small today, and a command in cron says how they are copied once they are not.
void SayPaceWithoutCopy(const Context& context) {
  for (const auto& [option, value] : CopyOptionsOf(context))
    if (option != "replica" && option != "throttle" && option != "max-lag" &&
        option != "without-signal")
      Say(context,
          fmt::format("note: --{} is for a copy: so few rows are moved while users wait", option));
}

partition::MergeWish WishOf(const Context& context) {
  partition::MergeWish wish;
  wish.partitions.assign(context.operands.begin() + 1, context.operands.end());
  if (wish.partitions.size() < 2)
    throw Rejected(ExitCode::kUsage, "merge what with what?",
                   "pgalter partition merge PARTITION PARTITION...");
  if (context.Has("name")) wish.name = context.Get("name");
  wish.hold_budget = HoldBudgetOf(context);
  return wish;
}

Task<ExitCode> Run(Context& context) {
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    partition::PreparedMerge prepared = co_await partition::PrepareMerge(session, WishOf(context));
    if (ByCopy(prepared)) {
      co_await RefuseManyKeys(session, prepared.repart);
      ReadCopyOptions(context, prepared.repart.rebuild);
    } else {
      prepared.pace.throttle = ThrottleOf(context);
      SayPaceWithoutCopy(context);
    }
    if (context.Has("dry-run")) {
      Show(context, prepared);
      co_return ExitCode::kDone;
    }
    if (context.output != Output::kJson) fmt::print(stderr, "{}", Layout(prepared));
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
                                    .options = "name hold-budget dry-run detach",
                                    .copies = true,
                                    .run = &Run};

}  // namespace pgalter::cli
