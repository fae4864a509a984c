#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "batcher/partition/bound_wish.h"
#include "batcher/partition/premake.h"
#include "batcher/partition/split.h"
#include "batcher/partition/whole.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/left_run.h"
#include "cli/partition/planned.h"
#include "cli/partition/repart_run.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/undo.h"
#include "engine/run/failure.h"
#include "engine/state/json_texts.h"
#include "engine/state/runs.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

constexpr const char* kMaintainCommand = "partition maintain";
constexpr const char* kRetainCommand = "partition retain";

// Arbitrary, fixed: with the table's oid, one call at a time.
constexpr std::int32_t kMaintainLock = 0x70676d74;

// A plan's run does not say which command it is of.
Task<> MarkAsOurs(guard::Session& session, std::string run) {
  co_await session.db().Query(
      "UPDATE pgalter.run SET spec = spec || '{\"maintain\": true}' WHERE run = $1", run);
}

// Of a retain, too: it keeps this command from the table, and nobody else goes on with it.
Task<std::string> FindOurs(guard::Session& session, const backfill::Table& table) {
  const std::vector<std::string> commands{kMaintainCommand, kRetainCommand};
  co_return co_await FindLeftRun(session, table.oid, commands, "maintain");
}

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

// What all of it came to, for programs.
struct Report {
  std::string table;
  std::string until;    // a literal: where the partitions end
  std::string nothing;  // why none was made, nor ever will be
  bool elsewhere = false;
  bool dry_run = false;
  std::size_t made = 0;
  std::vector<std::string> partitions;  // those, quoted, with their schema
  std::vector<std::string> runs;
  std::vector<std::string> remarks;
};

void PrintReport(const Report& report) {
  boost::json::object object{{"version", 1},
                             {"table", report.table},
                             {"until", report.until},
                             {"dry_run", report.dry_run},
                             {"made", report.made},
                             {"partitions", state::ArrayOf(report.partitions)},
                             {"runs", state::ArrayOf(report.runs)},
                             {"remarks", state::ArrayOf(report.remarks)}};
  if (!report.nothing.empty()) object["nothing"] = report.nothing;
  if (report.elsewhere) object["elsewhere"] = true;
  PrintJson(object);
}

void SayNothingToDo(const Context& context, const Report& report) {
  if (context.output == Output::kJson) return;
  const std::string why =
      report.nothing.empty() ? fmt::format("{} has partitions up to {}", report.table, report.until)
                             : report.nothing;
  Print(fmt::format("{}: nothing to do\n", why));
}

void Note(const Context& context, const partition::Premake& premake, Report& report) {
  report.table = premake.table;
  report.until = premake.until;
  report.nothing = premake.nothing;
  for (const std::string& remark : premake.remarks) {
    Say(context, "warning: " + remark);
    report.remarks.push_back(remark);
  }
}

struct Round {
  std::string run;                    // empty: none
  bool more = false;                  // rows are to be moved after it
  std::optional<run::Failure> after;  // what it could not do is told then
};

// Rows that cannot be moved: nothing is wrong with the call itself.
bool IsAboutTheRows(const run::Failure& failure) {
  return failure.code() == ExitCode::kRefused || failure.code() == ExitCode::kUnsupported;
}

Task<std::string> StartMove(const Context& context, guard::Session& session,
                            const partition::Whole& whole, const partition::Premake& premake,
                            Report& report) {
  partition::PreparedRepart prepared = co_await partition::PreparePremake(session, whole, premake);
  ReadCopyOptions(context, prepared.rebuild);
  std::vector<std::string> made = partition::NewPartitions(prepared.spec);
  made.pop_back();  // the new default one
  std::vector<std::size_t> exchanges{made.size()};
  std::string run =
      co_await StartRepart(context, session, prepared, kMaintainCommand, std::move(exchanges));
  for (std::string& name : made) report.partitions.push_back(std::move(name));
  co_return run;
}

// Rows that belong behind are in nobody's way: what keeps them from being moved is no reason to
// fail, every hour.
Task<std::string> TryMove(const Context& context, guard::Session& session,
                          const partition::Whole& whole, const partition::Premake& premake,
                          Report& report) {
  const bool one = premake.behind.size() == 1;
  Say(context, fmt::format("{} has rows of {} {} that there {} none for, from {} on: they are "
                           "moved there",
                           whole.rest, premake.behind.size(), one ? "range" : "ranges",
                           one ? "is" : "are", premake.behind.front().from));
  std::string why;
  try {
    std::string run = co_await StartMove(context, session, whole, premake, report);
    report.made += premake.behind.size();
    co_return run;
  } catch (const run::Failure& failure) {
    if (!IsAboutTheRows(failure)) throw;
    why = fmt::format("they stay in {}: {}", whole.rest, failure.what());
  }
  Say(context, "warning: " + why);
  report.remarks.push_back(why);
  co_return "";
}

Task<std::string> StartMaking(const Context& context, guard::Session& session,
                              const partition::Premake& premake) {
  const char* const partitions = premake.ranges.size() == 1 ? "partition" : "partitions";
  Planned planned{premake.table, premake.script};
  planned.partitions = premake.names;
  planned.question = fmt::format("Make {} {} of {}, from {} on?", premake.ranges.size(), partitions,
                                 premake.table, premake.ranges.front().from);
  std::function<Task<>(std::string)> mark = [&session](std::string run) {
    return MarkAsOurs(session, std::move(run));
  };
  co_return co_await StartPlanned(context, session, std::move(planned), std::move(mark));
}

// The ranges that no row is in the way of do not wait for those that cannot be moved.
Task<Round> MakeTheOthers(const Context& context, guard::Session& session,
                          partition::PremakeWish wish, const partition::Whole& whole,
                          const partition::Premake& all, run::Failure why, Report& report) {
  wish.misplaced = partition::Misplaced::kLeftOut;
  const partition::Premake others = co_await partition::FindPremake(session, std::move(wish));
  if (others.script.empty()) throw why;
  const auto made = [&others](const partition::Range& range) {
    return std::ranges::find(others.ranges, range.from, &partition::Range::from) !=
           others.ranges.end();
  };
  const auto first = std::ranges::find_if_not(all.ranges, made);
  Round round;
  round.after.emplace(
      why.code(), fmt::format("{} of the {} ranges that are due for {}, from {} on, are not made: "
                              "{} has rows of them, which cannot be moved there. {}. The others "
                              "are made",
                              all.ranges.size() - others.ranges.size(), all.ranges.size(),
                              all.table, first->from, whole.rest, why.what()));
  report.made += others.ranges.size();
  report.until = others.ranges.back().to;
  round.run = co_await StartMaking(context, session, others);
  report.partitions = others.names;
  co_return round;
}

// What lies ahead first; it waits for no rows unless some are in its way.
Task<Round> Begin(const Context& context, bool first, Report& report) {
  Round round;
  const partition::PremakeWish wish = WishOf(context);
  guard::Session session = co_await OpenForChange(context);
  const partition::Premake premake = co_await partition::FindPremake(session, wish);
  if (first) Note(context, premake, report);
  if (premake.script.empty() && premake.behind.empty()) {
    if (first) SayNothingToDo(context, report);
    co_return round;
  }
  const partition::Whole whole = co_await partition::FindWhole(session, premake.table);
  if (premake.script.empty()) {
    round.run = co_await TryMove(context, session, whole, premake, report);
    co_return round;
  }
  const std::int64_t misplaced = co_await partition::CountInDefault(session, whole, premake.inside);
  std::optional<run::Failure> why;
  if (misplaced > 0) {
    Say(context, fmt::format("{} has {} rows that belong into the partitions that are to be made: "
                             "they are moved there",
                             whole.rest, misplaced));
    try {
      round.run = co_await StartMove(context, session, whole, premake, report);
    } catch (const run::Failure& failure) {
      if (!IsAboutTheRows(failure)) throw;
      why = failure;
    }
  }
  if (why)
    co_return co_await MakeTheOthers(context, session, wish, whole, premake, std::move(*why),
                                     report);
  report.made += premake.ranges.size();
  report.until = premake.ranges.back().to;
  if (misplaced > 0) co_return round;
  round.run = co_await StartMaking(context, session, premake);
  report.partitions = premake.names;
  round.more = !premake.behind.empty();
  co_return round;
}

Task<ExitCode> Follow(const Context& context, const Round& round, Report& report) {
  if (round.run.empty()) co_return ExitCode::kDone;
  report.runs.push_back(round.run);
  co_return co_await FollowRun(context, round.run);
}

Task<ExitCode> Maintain(const Context& context, Report& report) {
  Round round = co_await Begin(context, true, report);
  const ExitCode code = co_await Follow(context, round, report);
  if (code == ExitCode::kDone && round.after) throw *round.after;
  if (code != ExitCode::kDone || !round.more || context.Has("detach")) co_return code;
  round = co_await Begin(context, false, report);
  co_return co_await Follow(context, round, report);
}

// Held by the session until it is closed.
Task<bool> TakeTurn(guard::Session& session, const backfill::Table& table, Report& report) {
  const auto number = static_cast<std::int32_t>(table.oid);
  const pg::Result lock =
      co_await session.db().Query("SELECT pg_try_advisory_lock($1, $2)", kMaintainLock, number);
  if (lock.Get<bool>(0, 0)) co_return true;
  report.table = table.name;
  report.elsewhere = true;
  report.nothing = fmt::format("somebody else maintains {} at this moment", table.name);
  co_return false;
}

Task<ExitCode> TakeBack(const Context& context, std::string run) {
  Say(context, fmt::format("takes back what run {} has made, and looks anew", run));
  co_await UndoWithoutRunner(context, run, state::RunState::kAborted);
  co_return ExitCode::kDone;
}

// A call before this one that was ended, or has failed in the middle: its run has the table.
Task<ExitCode> GoOnWithOurs(const Context& context, guard::Session& session,
                            const backfill::Table& table, Report& report) {
  const std::string left = co_await FindOurs(session, table);
  if (left.empty()) co_return ExitCode::kDone;
  report.runs.push_back(left);
  const ExitCode code = co_await GoOnWithLeftRun(context, session, left);
  if (code != ExitCode::kRefused) co_return code;
  const auto run = co_await state::FindRun(session, left);
  if (run && run->command == kRetainCommand) co_return code;  // what has gone is gone
  co_return co_await TakeBack(context, left);
}

// Rows that users wrote meanwhile were in its way: they are seen from the beginning the next time.
Task<ExitCode> MaintainOnceMore(const Context& context, guard::Session& session,
                                const backfill::Table& table, Report& report) {
  const std::string left = co_await FindOurs(session, table);
  if (left.empty()) co_return ExitCode::kRefused;
  const auto run = co_await state::FindRun(session, left);
  if (!run || run->command == kRetainCommand) co_return ExitCode::kRefused;
  co_await TakeBack(context, left);
  co_return co_await Maintain(context, report);
}

Task<ExitCode> Run(Context& context) {
  Report report;
  report.dry_run = context.Has("dry-run");
  ExitCode code = ExitCode::kDone;
  const bool follows = !context.Has("dry-run") && !context.Has("detach");
  if (!follows) {
    code = co_await Maintain(context, report);
  } else {
    guard::Session turn = co_await OpenForChange(context);
    const backfill::Table table = co_await partition::FindAnybodys(turn, context.Operand(1));
    co_await partition::RefuseStranger(turn, table.oid);
    if (co_await TakeTurn(turn, table, report)) {
      code = co_await GoOnWithOurs(context, turn, table, report);
      if (code == ExitCode::kDone) code = co_await Maintain(context, report);
      if (code == ExitCode::kRefused)
        code = co_await MaintainOnceMore(context, turn, table, report);
    } else {
      SayNothingToDo(context, report);
    }
  }
  const bool nothing = report.runs.empty() && report.made == 0;
  if (context.output == Output::kJson && code == ExitCode::kDone &&
      (follows || nothing || report.dry_run))
    PrintReport(report);
  co_return code;
}

}  // namespace

extern const PartitionVerb kPartitionMaintain;
const PartitionVerb kPartitionMaintain{.name = "maintain",
                                       .operand = "TABLE",
                                       .options = "every epoch time-zone premake dry-run detach",
                                       .copies = true,
                                       .run = &Run};

}  // namespace pgalter::cli
