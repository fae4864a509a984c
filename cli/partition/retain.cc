#include "batcher/partition/retain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <string_view>
#include <vector>

#include "batcher/partition/lookup.h"
#include "batcher/partition/moment.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/hold_budget.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/pace.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/left_run.h"
#include "cli/partition/planned.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/room.h"
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

// What becomes of a partition: now, and by a later call.
struct Fate {
  std::vector<std::string_view> now;
  std::vector<std::string_view> later;
};

Fate FateOf(const Going& going, const partition::RetainWish& wish) {
  Fate fate;
  if (!going.kept_reason.empty()) return fate;
  if (going.attached) fate.now.emplace_back("detached");
  if (wish.afterwards == Afterwards::kKeep) return fate;
  auto& end = going.over ? fate.now : fate.later;
  if (wish.afterwards == Afterwards::kExport) end.emplace_back("exported");
  end.emplace_back("dropped");
  return fate;
}

std::string InWords(const Going& going, const Fate& fate) {
  if (!going.kept_reason.empty()) return "stays: " + going.kept_reason;
  if (fate.now.empty()) return "detached; waits for the end of --hold";
  std::string text = fmt::format("{}", fmt::join(fate.now, ", "));
  if (!fate.later.empty()) text += fmt::format("; later {}", fmt::join(fate.later, ", "));
  return text;
}

boost::json::array ArrayOf(const std::vector<std::string_view>& words) {
  return boost::json::array(words.begin(), words.end());
}

boost::json::object ToJson(const Going& going, const partition::RetainWish& wish,
                           const partition::Gone& gone) {
  const Fate fate = FateOf(going, wish);
  const auto text = [](const std::string& said) {
    return said.empty() ? boost::json::value() : boost::json::value(said);
  };
  return {{"name", going.name},
          {"bound", going.bound},
          {"rows", RowsJson(going.rows, going.bytes)},
          {"bytes", going.bytes},
          {"attached", going.attached},
          {"now", ArrayOf(fate.now)},
          {"later", ArrayOf(fate.later)},
          {"stays", text(going.kept_reason)},
          {"what", InWords(going, fate)},
          {"detached_at", text(gone.detached_at)},
          {"exported_at", text(gone.exported_at)},
          {"file", text(gone.file)},
          {"sha256", text(gone.sha256)},
          {"exported_rows", gone.rows ? boost::json::value(*gone.rows) : boost::json::value()},
          {"dropped_at", text(gone.dropped_at)}};
}

// `run`: that has done it; empty: none has. What became of each is asked when it is printed.
Task<> PrintRetain(guard::Session& session, const partition::RetainPlan& plan,
                   const partition::RetainWish& wish, std::string run) {
  boost::json::array going;
  for (const Going& one : plan.going) {
    const partition::Gone gone = co_await partition::FindGone(session, one.oid);
    going.push_back(ToJson(one, wish, gone));
  }
  PrintJson({{"version", 1},
             {"table", plan.whole.table.name},
             {"run", run.empty() ? boost::json::value() : boost::json::value(run)},
             {"partitions", std::move(going)}});
}

std::string WithTimes(const std::string& bound) {
  const std::string times = partition::TimesOfBound(bound);
  return times.empty() ? bound : bound + " = " + times;
}

void Show(const partition::RetainPlan& plan, const partition::RetainWish& wish) {
  std::string text;
  for (const Going& one : plan.going)
    text += fmt::format("{}  {}  {}, {}: {}\n", one.name, WithTimes(one.bound),
                        AboutRows(one.rows, one.bytes),
                        watch::Format(static_cast<double>(one.bytes), watch::Unit::kBytes),
                        InWords(one, FateOf(one, wish)));
  if (text.empty()) text = fmt::format("{} has nothing that is older\n", plan.whole.table.name);
  Print(text);
}

// Which went and which stayed, whatever the run has come to.
Task<> PrintEnd(const Context& context, partition::RetainPlan plan, partition::RetainWish wish,
                std::string run) {
  if (context.output != Output::kJson) co_return;
  guard::Session session = co_await OpenSession(context);
  co_await PrintRetain(session, plan, wish, std::move(run));
}

// What was begun goes to its end before more does: it has the table.
Task<ExitCode> GoOnWithOurs(const Context& context) {
  guard::Session session = co_await OpenForChange(context);
  const backfill::Table table = co_await partition::FindAnybodys(session, context.Operand(1));
  const std::vector<std::string> commands{"partition retain"};
  std::string left = co_await FindLeftRun(session, table.oid, commands);
  if (left.empty()) co_return ExitCode::kDone;
  co_return co_await GoOnWithLeftRun(context, session, std::move(left));
}

Task<ExitCode> Run(Context& context) {
  const partition::RetainWish wish = WishOf(context);
  const bool json = context.output == Output::kJson;
  if (context.yes && !context.Has("dry-run") && !context.Has("detach")) {
    const ExitCode code = co_await GoOnWithOurs(context);
    if (code != ExitCode::kDone) co_return code;
  }
  std::string run;
  partition::RetainPlan done;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::RetainPlan plan = co_await partition::PlanRetain(session, wish);
    // Without --yes it only shows: nobody drops years by leaving out an option.
    const bool shown_only = context.Has("dry-run") || !context.yes;
    if (!json) Show(plan, wish);
    if (json && (shown_only || !plan.any())) co_await PrintRetain(session, plan, wish, "");
    if (!plan.any()) co_return ExitCode::kDone;
    if (shown_only) {
      Say(context, "nothing was changed; --yes does it");
      co_return ExitCode::kDone;
    }
    co_await state::RefusePublication(session);
    co_await state::Install(session);
    // What a table that was not there before knows of holds.
    done = co_await partition::PlanRetain(session, wish);
    run = co_await partition::CreateRetainRun(session, done, wish);
    Say(context, fmt::format("run {}", run));
  }
  const ExitCode code = co_await FollowRun(context, run);
  co_await PrintEnd(context, std::move(done), wish, run);
  co_return code;
}

}  // namespace

extern const PartitionVerb kPartitionRetain;
const PartitionVerb kPartitionRetain{
    .name = "retain",
    .operand = "TABLE",
    .options = "keep epoch drop export hold hold-budget replica dry-run detach",
    .run = &Run};

}  // namespace pgalter::cli
