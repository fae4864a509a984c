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
    boost::json::object object{
        {"version", 1}, {"table", premake.table}, {"until", premake.until}, {"made", 0}};
    if (!premake.nothing.empty()) object["nothing"] = premake.nothing;
    PrintJson(object);
  } else {
    Print(fmt::format("{}: nothing to do\n", WhereItEnds(premake)));
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
    const partition::Whole whole = co_await partition::FindWhole(session, premake.table);
    const std::int64_t misplaced =
        co_await partition::CountInDefault(session, whole, premake.inside);
    if (misplaced > 0) {
      Say(context,
          fmt::format("{} has {} rows that belong into the partitions that are to be made: "
                      "they are moved there",
                      whole.rest, misplaced));
      partition::PreparedRepart prepared =
          co_await partition::PreparePremake(session, whole, premake);
      ReadCopyOptions(context, prepared.rebuild);
      run = co_await StartRepart(context, session, prepared, "partition maintain");
    } else {
      run = co_await StartPlanned(context, session, premake.script,
                                  fmt::format("Make {} partitions of {}, from {} on?",
                                              premake.ranges.size(), premake.table, premake.until));
    }
  }
  co_return co_await FollowRun(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionMaintain;
const PartitionVerb kPartitionMaintain{.name = "maintain",
                                       .operand = "TABLE",
                                       .options = "every epoch time-zone premake dry-run detach",
                                       .copies = true,
                                       .run = &Run};

}  // namespace pgalter::cli
