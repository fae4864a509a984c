#include "batcher/partition/split.h"

#include <fmt/format.h>

#include "batcher/partition/placing_policy.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/list_parts.h"
#include "cli/partition/planned.h"
#include "cli/partition/repart_run.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"

namespace pgalter::cli {

namespace {

partition::SplitWish WishOf(const Context& context) {
  partition::SplitWish wish;
  wish.partition = context.Operand(1);
  wish.time_zone = context.Get("time-zone");
  if (context.Has("at")) wish.at = context.Get<std::vector<std::string>>("at");
  if (context.Has("every")) wish.every = context.Get("every");
  wish.epoch = EpochOf(context);
  if (wish.epoch != partition::Epoch::kNone && wish.every.empty())
    throw Rejected(ExitCode::kUsage, "--epoch says what --every is a time of", "--every '1 month'");
  if (context.Has("from")) wish.from = context.Get("from");
  if (context.Has("to")) wish.to = context.Get("to");
  if (context.Has("values"))
    for (const std::string& text : context.Get<std::vector<std::string>>("values"))
      wish.lists.push_back(ListPartOf(text));
  return wish;
}

// Otherwise it would be found out once all rows are copied, and each time it is tried again.
void RefuseLongHold(const partition::PreparedRepart& prepared, std::size_t others) {
  const std::size_t pieces = prepared.spec.targets.size();
  const async::Milliseconds budget = prepared.ladder.hold_budget;
  const async::Milliseconds takes = partition::PlacingTakes(pieces, others);
  if (takes <= budget) return;
  const std::size_t fit = partition::PlacedWithin(budget, others);
  const std::string rounds =
      fit < 2 ? std::string()
              : fmt::format(
                    "in two rounds, into at most {} wider ones first, and then each of "
                    "these; or ",
                    fit);
  throw Rejected(
      ExitCode::kRefused,
      fmt::format("users would wait for about {} ms while {} partitions are put in place beside "
                  "{}, and --hold-budget allows {} ms. Nothing was changed",
                  takes.count(), pieces, others, budget.count()),
      fmt::format("{}let them wait: --hold-budget {}s", rounds, (takes.count() + 999) / 1000));
}

Task<ExitCode> Run(Context& context) {
  partition::SplitWish wish = WishOf(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    partition::Split split = co_await partition::PlanSplit(session, std::move(wish));
    for (const std::string& remark : split.remarks) Say(context, "note: " + remark);
    partition::PreparedRepart prepared = co_await partition::PrepareRepart(
        session, split.whole, split.members, split.source, std::move(split.pieces));
    ReadCopyOptions(context, prepared.rebuild);
    prepared.ladder.hold_budget = HoldBudgetOf(context);
    RefuseLongHold(prepared, split.members.size() - 1);
    run = co_await StartRepart(context, session, prepared, "partition split");
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionSplit;
const PartitionVerb kPartitionSplit{
    .name = "split",
    .operand = "PARTITION",
    .options = "at every epoch values from to time-zone hold-budget dry-run detach",
    .copies = true,
    .run = &Run};

}  // namespace pgalter::cli
