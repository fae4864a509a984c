#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <exception>
#include <functional>
#include <optional>

#include "batcher/capture/parts.h"
#include "batcher/rebuild/spec.h"
#include "batcher/throttle/settings.h"
#include "batcher/throttle/throttle.h"
#include "batcher/verify/compare.h"
#include "batcher/verify/pair.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/async/finally.h"
#include "engine/run/plan_spec.h"
#include "engine/state/steps.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

constexpr std::size_t kMostWindows = 20;  // with differences
constexpr const char* kEnded = "the tables have changed places: this ends here";

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("continuous",
       "of a rebuild: again and again, until rows differ or the tables have changed places")  //
      ("workers", po::value<int>()->default_value(1), "sessions that compare at a time")      //
      ("throttle", po::value<Words>()->value_name("KEY=VALUE")->composing(),
       "a limit, as for pgalter throttle")  //
      ("without-signal", po::value<Words>()->composing(), "go on without this signal");
}

throttle::Settings SettingsOf(const Context& context) {
  throttle::Settings settings;
  const auto change = [&settings](const std::string& key, const std::string& value) {
    if (const auto refused = throttle::Change(settings, key, value))
      throw Rejected(ExitCode::kUsage, *refused, "pgalter help verify");
  };
  if (context.Has("throttle")) {
    for (const std::string& text : context.Get<Words>("throttle")) {
      const std::size_t at = text.find('=');
      if (at == std::string::npos || at == 0)
        throw Rejected(ExitCode::kUsage, fmt::format("--throttle \"{}\" is not KEY=VALUE", text),
                       "pgalter help verify");
      change(text.substr(0, at), text.substr(at + 1));
    }
  }
  if (context.Has("without-signal"))
    for (const std::string& signal : context.Get<Words>("without-signal")) change(signal, "off");
  return settings;
}

guard::Settings SettingsOf(const state::Run& run) {
  return run::IsPlan(run) ? run::PlanSpecOf(run).settings : rebuild::FromJson(run.spec).settings;
}

// The flows whose two tables must be the same but for what they have not applied yet.
Task<std::vector<capture::Flow>> FlowsOf(guard::Session& session, const state::Run& run) {
  const auto refuse = [&run](const std::string& why) {
    throw Rejected(ExitCode::kRefused, fmt::format("run {} {}", run.id, why),
                   "pgalter status " + run.id);
  };
  bool rebuilds = false;
  bool has_key = false;
  bool is_swapped = false;
  bool is_released = false;
  // In a plan there may be several, one after the other: of the last that has begun.
  for (const state::Step& step : co_await state::LoadSteps(session, run.id)) {
    rebuilds = rebuilds || step.kind == "shadow";
    if (step.state == state::StepState::kPending) continue;
    const bool done = step.state == state::StepState::kDone;
    if (step.kind == "shadow") has_key = is_swapped = is_released = false;
    has_key = has_key || (step.kind == "key" && done);
    is_swapped = is_swapped || (step.kind == "cutover" && done);
    // Of a backfill its trigger is released.
    is_released =
        is_released || (step.kind == "release" && done && !run::PlannedStep(step).backfill);
  }
  if (!rebuilds) refuse(fmt::format("({}) rebuilds no table", run.command));
  if (run.state == state::RunState::kReverted || run.state == state::RunState::kAborted)
    refuse("was taken back: the new table is gone");
  if (run.finished || is_released) refuse("is finished: the old table is gone");
  if (!has_key) refuse("has not copied its table yet: there is nothing to compare");
  std::string name = "forward";
  if (is_swapped) name = "reverse";
  std::vector<capture::Flow> flows = co_await capture::LoadFlows(session, run.id, std::move(name));
  for (const capture::Flow& flow : flows) {
    const bool moved = flow.from_partitioned && co_await capture::HavePartsChanged(session, flow);
    if (moved)
      refuse(fmt::format(
          "cannot be verified: partitions of {} came, went or were emptied, which {}", flow.from,
          is_swapped ? "only a revert takes over" : "its runner takes over in its next round"));
  }
  co_return flows;
}

// A rewrite that changed values explains differences, and no logged change does.
Task<> RefuseRewritten(guard::Session& session, const std::vector<capture::Flow>& flows) {
  for (const capture::Flow& flow : flows) {
    const bool rewritten = co_await capture::HavePartsChanged(session, flow);
    if (!rewritten) continue;
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("run {} cannot be verified: {} was rewritten meanwhile (ALTER TABLE, "
                    "VACUUM FULL, CLUSTER), which {}",
                    flow.run, flow.from,
                    flow.name.starts_with("reverse") ? "only a revert takes over"
                                                     : "its runner takes over in its next round"),
        "pgalter status " + flow.run);
  }
}

struct Subject {
  std::vector<capture::Flow> flows;
  std::vector<std::string> unshared;
  guard::Settings settings;  // of sessions that read it
};

Task<Subject> Read(const Context& context, guard::Session& session) {
  Subject subject;
  if (context.operands.size() == 2) {
    verify::Pair pair = co_await verify::ReadPair(session, context.Operand(0), context.Operand(1));
    subject.flows.push_back(std::move(pair.flow));
    subject.unshared = std::move(pair.unshared);
    co_return subject;
  }
  const state::Run run = co_await LoadRun(context, session);
  subject.flows = co_await FlowsOf(session, run);
  subject.settings = SettingsOf(run);
  co_return subject;
}

// False: they have changed places since, or the old ones are gone.
Task<bool> IsStill(const Context& context, guard::Session& session, const Subject& subject) {
  const state::Run run = co_await LoadRun(context, session);
  if (run.finished) co_return false;
  const std::vector<capture::Flow> now = co_await FlowsOf(session, run);
  co_return now.front().name == subject.flows.front().name;
}

const char* KindOf(const verify::Difference& difference) {
  if (difference.twice) return "twice";
  return difference.one_way ? "absent" : "absent-or-different";
}

const char* Said(const verify::Difference& difference) {
  if (difference.twice) return "are there more than once, not so in";
  return difference.one_way ? "are not in" : "are absent or not the same in";
}

void Show(const Context& context, const Subject& subject,
          const std::vector<verify::Difference>& differences) {
  if (context.output == Output::kJson) {
    boost::json::array list;
    for (const verify::Difference& one : differences) {
      boost::json::array keys;
      for (const std::string& key : one.keys) keys.emplace_back(key);
      list.push_back({{"of", one.of},
                      {"in", one.in},
                      {"kind", KindOf(one)},
                      {"rows", one.rows},
                      {"keys", keys}});
    }
    boost::json::array unshared;
    for (const std::string& column : subject.unshared) unshared.emplace_back(column);
    boost::json::array tables;
    for (const capture::Flow& flow : subject.flows)
      tables.insert(tables.end(), {flow.from, flow.to});
    PrintJson({{"version", 1},
               {"tables", tables},
               {"same", differences.empty() && subject.unshared.empty()},
               {"differences", list},
               {"unshared_columns", unshared}});
    return;
  }
  for (const std::string& column : subject.unshared)
    Print(fmt::format("column {} is not in the other table\n", column));
  for (const verify::Difference& one : differences)
    Print(fmt::format("{} rows of {} {} {}; keys {}\n", one.rows, one.of, Said(one), one.in,
                      fmt::join(one.keys, "; ")));
  if (differences.size() >= kMostWindows) Print("there may be more: ended here\n");
  if (!differences.empty()) return;
  const char* by = subject.unshared.empty() ? "" : "by the columns of both, ";
  for (const capture::Flow& flow : subject.flows)
    Print(fmt::format("{}{} and {} hold the same rows\n", by, flow.from, flow.to));
}

Task<> Compare(const Context& context, std::vector<guard::Session>& sessions,
               const capture::Flow& flow, std::vector<verify::Difference>& differences) {
  throttle::ThrottleOptions options;
  options.settings = SettingsOf(context);
  options.settings.watch.table = flow.from;
  guard::SessionOptions watching;
  watching.connect = context.Connect();
  throttle::Throttle throttle(co_await boost::asio::this_coro::executor, watching, options);
  async::Stopper stopper;
  auto work = [&]() -> Task<> {
    std::optional<Rejected> refused;
    try {
      std::string note;
      co_await throttle.Start(stopper, note);
    } catch (const throttle::SignalsUnreadable& unreadable) {
      refused.emplace(unreadable.missing_right() ? ExitCode::kUnsupported : ExitCode::kRefused,
                      unreadable.what(), "");
    }
    if (refused) throw *refused;
    verify::CompareOptions how;
    how.most = kMostWindows;
    for (verify::Difference& one :
         co_await verify::CompareTables(sessions, flow, throttle, stopper, how))
      differences.push_back(std::move(one));
  };
  co_await async::Finally(work(), throttle.Stop());
}

// A cut-over that comes later asks for it. Who may not write there tells the user only.
Task<> Note(const Context& context, const Subject& subject,
            const std::vector<verify::Difference>& differences) {
  if (context.operands.size() == 2) co_return;
  guard::Session session = co_await OpenSession(context);
  try {
    for (const capture::Flow& flow : subject.flows) {
      const bool same = std::ranges::none_of(differences, [&flow](const verify::Difference& one) {
        return one.of == flow.from || one.of == flow.to;
      });
      co_await capture::NoteVerified(session, flow.run, flow.name, same);
    }
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
  }
}

int WorkersOf(const Context& context) {
  constexpr int kMostWorkers = 64;
  const int workers = context.Get<int>("workers");
  if (workers < 1 || workers > kMostWorkers)
    throw Rejected(ExitCode::kUsage, fmt::format("--workers {} is out of range", workers),
                   "1 to 64");
  return workers;
}

Task<ExitCode> Run(Context& context) {
  constexpr std::chrono::seconds kBetween{1};
  const bool again = context.Has("continuous");
  if (again && context.operands.size() == 2)
    throw Rejected(ExitCode::kUsage, "--continuous is for the tables of a rebuild",
                   "pgalter verify RUN --continuous");
  std::vector<guard::Session> sessions;
  for (int i = 0; i < WorkersOf(context); ++i) {
    guard::Session session = co_await OpenSession(context);
    // The server sees to it that nothing is written.
    co_await session.db().Query("SELECT set_config('default_transaction_read_only', 'on', false)");
    session.db().set_query_deadline(std::chrono::hours(1));
    sessions.push_back(std::move(session));
  }
  guard::Session& first = sessions.front();
  const Subject subject = co_await Read(context, first);
  for (guard::Session& session : sessions)
    for (const auto& [name, value] : subject.settings)
      co_await session.db().Query("SELECT set_config($1, $2, false)", name, value);
  for (;;) {
    std::vector<verify::Difference> differences;
    std::optional<pg::PgError> gone;
    try {
      for (const capture::Flow& flow : subject.flows)
        co_await Compare(context, sessions, flow, differences);
      if (differences.empty() && context.operands.size() == 2)
        differences = co_await verify::FindTwice(first, subject.flows.front());
    } catch (const pg::PgError& error) {
      if (!error.Is(pg::sqlstate::kUndefinedTable) || context.operands.size() == 2) throw;
      gone = error;  // the names are others' after the swap
    }
    if (gone) {
      const bool there = co_await IsStill(context, first, subject);
      if (there) throw *gone;
      if (!again)
        throw Rejected(ExitCode::kRefused, "the tables changed places while they were compared",
                       "the same command compares them as they are now");
      Say(context, kEnded);
      co_return ExitCode::kDone;
    }
    if (!differences.empty() && context.operands.size() == 1)
      co_await RefuseRewritten(first, subject.flows);
    co_await Note(context, subject, differences);
    Show(context, subject, differences);
    if (!differences.empty() || !subject.unshared.empty()) co_return ExitCode::kMismatch;
    if (!again) co_return ExitCode::kDone;
    co_await async::SleepFor(kBetween);
    const bool still = co_await IsStill(context, first, subject);
    if (still) continue;
    Say(context, kEnded);
    co_return ExitCode::kDone;
  }
}

}  // namespace

extern const CommandBody kVerifyCommand;
const CommandBody kVerifyCommand{
    .description =
        "Compares every row of two tables both ways, in windows, throttled, in a session that "
        "cannot "
        "write. With RUN: the tables of a rebuild, before its cut-over or after it until `finish`; "
        "rows whose change is still to be carried over do not count. With two tables: those, by "
        "the "
        "columns of the same name; a column that one of them has alone is a difference, and it is "
        "said "
        "whether the rest is the same; users who write into one alone while it runs make "
        "differences. "
        "Exit code 7 when they differ, with the keys of some. With --continuous a rebuild that "
        "waits "
        "for its cut-over is compared all the time; end it with SIGINT.",
    .most_operands = 2,
    .least_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
