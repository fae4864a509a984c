#include "batcher/partition/split.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "batcher/partition/placing_policy.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
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
#include "cli/shell_words.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

namespace {

partition::SplitWish WishOf(const Context& context) {
  partition::SplitWish wish;
  wish.partition = context.Operand(1);
  wish.time_zone = context.Get("time-zone");
  if (context.Has("at"))
    for (const std::string& text : context.Get<std::vector<std::string>>("at"))
      wish.at.push_back(partition::ReadGivens(text, "--at"));
  if (context.Has("every")) wish.every = context.Get("every");
  wish.epoch = EpochOf(context);
  if (wish.epoch != partition::Epoch::kNone && wish.every.empty())
    throw Rejected(ExitCode::kUsage, "--epoch says what --every is a time of", "--every '1 month'");
  if (context.Has("from")) wish.from = partition::ReadGivens(context.Get("from"), "--from");
  if (context.Has("to")) wish.to = partition::ReadGivens(context.Get("to"), "--to");
  if (context.Has("values"))
    for (const std::string& text : context.Get<std::vector<std::string>>("values"))
      wish.lists.push_back(ListPartOf(text));
  return wish;
}

// Otherwise it would be found out once all rows are copied, and each time it is tried again.
std::vector<std::size_t> ExchangesOf(const Context& context, const partition::Split& split,
                                     const partition::Placing& placing) {
  if (partition::PlacedNext(placing) == placing.pieces) return {placing.pieces};
  std::vector<std::size_t> exchanges;
  if (partition::GoesInParts(split)) exchanges = partition::Exchanges(placing);
  const async::Milliseconds takes = partition::PlacingTakes(placing.pieces, placing.others);
  const std::string wait = fmt::format(
      "users would wait for about {} ms while {} partitions are put in place beside {}, and "
      "--hold-budget allows {} ms",
      takes.count(), placing.pieces, placing.others, placing.budget.count());
  const std::string longer = fmt::format("--hold-budget {}s", (takes.count() + 999) / 1000);
  if (exchanges.empty())
    throw Rejected(ExitCode::kRefused, wait + ". Nothing was changed",
                   fmt::format("let them wait: {}; or fewer partitions", longer));
  if (context.Has("detach"))
    throw Rejected(ExitCode::kUsage,
                   fmt::format("{}: that takes {} runs, one after the other, and --detach leaves "
                               "one in the background. Nothing was changed",
                               wait, exchanges.size()),
                   fmt::format("without --detach; or {}", longer));
  return exchanges;
}

void SayExchanges(const Context& context, const std::vector<std::size_t>& exchanges,
                  const partition::Placing& placing) {
  Say(context,
      fmt::format("users wait for at most {} ms at a time, so the {} partitions are put in "
                  "place in {} exchanges, a run each: {}; rows that wait for a later one "
                  "are copied again, {:.1f} times in all where each partition has as many",
                  placing.budget.count(), placing.pieces, exchanges.size(),
                  fmt::join(exchanges, ", "), partition::TimesCopied(exchanges)));
}

std::string CommandOf(const Context& context, const partition::SplitWish& wish) {
  std::string command = "pgalter partition split " + ForShell(wish.partition);
  const auto add = [&command](const char* option, const std::string& value) {
    command += fmt::format(" --{} {}", option, ForShell(value));
  };
  for (const partition::Givens& at : wish.at) add("at", partition::ToText(at));
  if (context.Has("values")) {
    const auto& values = context.Get<std::vector<std::string>>("values");
    for (std::size_t i = 0; i < wish.lists.size(); ++i) add("values", values[i]);
  }
  for (const char* option : {"every", "epoch", "time-zone", "hold-budget"})
    if (context.Has(option) && !context.options[option].defaulted())
      add(option, context.Get(option));
  for (const auto& [option, value] : CopyOptionsOf(context)) add(option.c_str(), value);
  return command + " --yes";
}

// What says how a copy is made would say nothing, and not be noticed.
void RefusePaceWithoutCopy(const Context& context, const partition::PreparedRepart& prepared) {
  if (prepared.moving == partition::Moving::kByCopy) return;
  for (const auto& [option, value] : CopyOptionsOf(context))
    if (option != "replica")
      throw Rejected(ExitCode::kUsage,
                     fmt::format("--{} is for a copy, and no unique index over NOT NULL columns "
                                 "tells the rows of {} apart: they are moved while users wait",
                                 option, prepared.spec.parent),
                     fmt::format("without --{}; or add a primary key to the whole", option));
}

struct Exchange {
  std::string run;                            // empty: there is none to be followed
  std::optional<partition::SplitWish> after;  // what is left then
};

Task<Exchange> Begin(const Context& context, partition::SplitWish wish, bool first) {
  Exchange exchange;
  guard::Session session = co_await OpenForChange(context);
  partition::Split split = co_await partition::PlanSplit(session, wish);
  if (first) partition::RefuseNothingToCut(split);
  if (split.pieces.empty()) co_return exchange;
  if (first)
    for (const std::string& remark : split.remarks) Say(context, "note: " + remark);
  const bool rest_stays = split.source.is_default;
  const partition::Placing placing{split.pieces.size(), split.members.size() - 1, rest_stays,
                                   HoldBudgetOf(context)};
  const std::vector<std::size_t> exchanges = ExchangesOf(context, split, placing);
  if (exchanges.size() > 1) SayExchanges(context, exchanges, placing);
  // What is shown is all of it.
  const std::size_t now = context.Has("dry-run") ? placing.pieces : exchanges.front();
  split = co_await partition::LastOf(session, std::move(split), now);
  partition::PreparedRepart prepared = co_await partition::PrepareRepart(
      session, split.whole, split.members, split.source, std::move(split.pieces));
  RefusePaceWithoutCopy(context, prepared);
  ReadCopyOptions(context, prepared.rebuild);
  prepared.ladder.hold_budget = placing.budget;
  if (now < placing.pieces) {
    const std::vector<std::string> made = partition::NewPartitions(prepared.spec);
    exchange.after =
        partition::Without(std::move(wish), now, rest_stays ? made.back() : made.front());
    prepared.after_it = CommandOf(context, *exchange.after);
  }
  exchange.run = co_await StartRepart(context, session, prepared, "partition split", exchanges);
  co_return exchange;
}

// A run that rests at a gate has not ended.
Task<bool> IsDone(const Context& context, std::string run) {
  guard::Session session = co_await OpenSession(context);
  const auto found = co_await state::FindRun(session, run);
  co_return found && found->state == state::RunState::kDone;
}

Task<ExitCode> Run(Context& context) {
  partition::SplitWish wish = WishOf(context);
  bool first = true;
  for (;;) {
    const Exchange exchange = co_await Begin(context, wish, first);
    const ExitCode code = co_await FollowRun(context, exchange.run);
    if (code != ExitCode::kDone || !exchange.after) co_return code;
    const bool done = co_await IsDone(context, exchange.run);
    if (!done) co_return code;
    wish = *exchange.after;
    first = false;
    context.yes = true;  // to all of it
  }
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
