#include <fmt/format.h>

#include "batcher/partition/bound_wish.h"
#include "batcher/partition/premake.h"
#include "batcher/partition/split.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/planned.h"
#include "cli/partition/repart_run.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/run/failure.h"

namespace pgalter::cli {

namespace {

partition::PremakeWish WishOf(const Context& context) {
  constexpr int kMostPremade = 1000;
  partition::PremakeWish wish;
  wish.table = context.Operand(1);
  if (context.Has("every")) wish.every = context.Get("every");
  wish.time_zone = context.Get("time-zone");
  wish.epoch = EpochOf(context);
  wish.premake = context.Get<int>("premake");
  if (wish.premake < 1 || wish.premake > kMostPremade)
    throw Rejected(ExitCode::kUsage, fmt::format("--premake {} is out of range", wish.premake),
                   "1 to 1000");
  return wish;
}

std::string WhereItEnds(const partition::Premake& premake) {
  if (!premake.nothing.empty()) return premake.nothing;
  return fmt::format("{} has partitions up to {}", premake.table, premake.until);
}

ExitCode SayNothingToDo(const Context& context, const partition::Premake& premake) {
  if (context.output == Output::kJson) {
    boost::json::array remarks;
    for (const std::string& remark : premake.remarks) remarks.emplace_back(remark);
    boost::json::object object{{"version", 1},
                               {"table", premake.table},
                               {"until", premake.until},
                               {"made", 0},
                               {"remarks", std::move(remarks)}};
    if (!premake.nothing.empty()) object["nothing"] = premake.nothing;
    PrintJson(object);
  } else {
    Print(fmt::format("{}: nothing to do\n", WhereItEnds(premake)));
  }
  return ExitCode::kDone;
}

struct Round {
  std::string run;    // empty: none
  bool more = false;  // rows are to be moved after it
  ExitCode code = ExitCode::kDone;
};

Task<std::string> StartMove(const Context& context, guard::Session& session,
                            const partition::Whole& whole, const partition::Premake& premake) {
  partition::PreparedRepart prepared = co_await partition::PreparePremake(session, whole, premake);
  ReadCopyOptions(context, prepared.rebuild);
  co_return co_await StartRepart(context, session, prepared, "partition maintain");
}

// Rows that belong behind are in nobody's way: what keeps them from being moved is no reason to
// fail, every hour.
Task<std::string> TryMove(const Context& context, guard::Session& session,
                          const partition::Whole& whole, const partition::Premake& premake) {
  const bool one = premake.behind.size() == 1;
  Say(context, fmt::format("{} has rows of {} {} that there {} none for, from {} on: they are "
                           "moved there",
                           whole.rest, premake.behind.size(), one ? "range" : "ranges",
                           one ? "is" : "are", premake.behind.front().from));
  std::string why;
  try {
    co_return co_await StartMove(context, session, whole, premake);
  } catch (const run::Failure& failure) {
    if (failure.code() != ExitCode::kRefused) throw;
    why = failure.what();
  }
  Say(context, fmt::format("warning: they stay in {}: {}", whole.rest, why));
  co_return "";
}

// What lies ahead first; it waits for no rows unless some are in its way.
Task<Round> Begin(const Context& context, bool first) {
  Round round;
  const partition::PremakeWish wish = WishOf(context);
  guard::Session session = co_await OpenForChange(context);
  const partition::Premake premake = co_await partition::FindPremake(session, wish);
  if (first)
    for (const std::string& remark : premake.remarks) Say(context, "warning: " + remark);
  if (premake.script.empty() && premake.behind.empty()) {
    if (first) round.code = SayNothingToDo(context, premake);
    co_return round;
  }
  const partition::Whole whole = co_await partition::FindWhole(session, premake.table);
  if (premake.script.empty()) {
    round.run = co_await TryMove(context, session, whole, premake);
    co_return round;
  }
  const std::int64_t misplaced = co_await partition::CountInDefault(session, whole, premake.inside);
  if (misplaced > 0) {
    Say(context, fmt::format("{} has {} rows that belong into the partitions that are to be made: "
                             "they are moved there",
                             whole.rest, misplaced));
    round.run = co_await StartMove(context, session, whole, premake);
    co_return round;
  }
  round.run = co_await StartPlanned(
      context, session, premake.script,
      fmt::format("Make {} partitions of {}, from {} on?", premake.ranges.size(), premake.table,
                  premake.ranges.front().from));
  round.more = !premake.behind.empty();
  co_return round;
}

Task<ExitCode> Run(Context& context) {
  Round round = co_await Begin(context, true);
  if (round.run.empty()) co_return round.code;
  const ExitCode code = co_await FollowRun(context, round.run);
  if (code != ExitCode::kDone || !round.more || context.Has("detach")) co_return code;
  round = co_await Begin(context, false);
  co_return co_await FollowRun(context, round.run);
}

}  // namespace

extern const PartitionVerb kPartitionMaintain;
const PartitionVerb kPartitionMaintain{.name = "maintain",
                                       .operand = "TABLE",
                                       .options = "every epoch time-zone premake dry-run detach",
                                       .copies = true,
                                       .run = &Run};

}  // namespace pgalter::cli
