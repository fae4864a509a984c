#include "cli/serve/maintenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "batcher/partition/lookup.h"
#include "batcher/partition/premake.h"
#include "batcher/partition/whole.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/own_program.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/async/finally.h"
#include "engine/run/failure.h"

namespace pgalter::cli::serve {

using async::Milliseconds;

namespace {

constexpr Milliseconds kLook{100};
constexpr Milliseconds kLongestSleep{60'000};
constexpr Milliseconds kRetryAll{30'000};
// At the end of the server: a plan's run is through by then; one that moves rows is paused.
constexpr Milliseconds kUntilPause{2'000};
constexpr Milliseconds kUntilLeft{7'000};

std::string Why(const std::exception_ptr& error) {
  const run::Verdict verdict = Judge(error);
  return verdict.hint.empty() ? verdict.text : fmt::format("{} ({})", verdict.text, verdict.hint);
}

std::int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Task<> AwaitEnd(OwnProgram& program, Milliseconds limit) {
  const auto until = async::Clock::now() + limit;
  while (!program.Ended() && async::Clock::now() < until) co_await async::SleepFor(kLook);
}

Task<> LetEnd(OwnProgram& program) {
  co_await AwaitEnd(program, kUntilPause);
  program.Pause();
  co_await AwaitEnd(program, kUntilLeft);
  if (!program.Ended())
    Log(fmt::format("process {} still maintains a table, and is left to end by itself",
                    program.process()));
}

Maintained AsAsked(MaintainWish wish, async::Clock::time_point next) {
  Maintained table;
  table.table = wish.table;
  table.wish = std::move(wish);
  table.next = next;
  return table;
}

Task<> RefuseZone(guard::Session& session, const MaintainWish& wish) {
  if (wish.time_zone.empty()) co_return;
  std::string why;
  try {
    co_await partition::RefuseUnknownZone(session, wish.time_zone);
  } catch (const run::Failure& failure) {
    why = failure.what();
  }
  if (why.empty()) co_return;
  throw Rejected(
      run::ExitCode::kUsage,
      fmt::format("cannot maintain {}: {}", wish.table.empty() ? "all" : wish.table, why),
      "SELECT name FROM pg_timezone_names lists them");
}

// 0: there is none of that name, which is found at the first look, and said then.
Task<pg::Oid> OidOf(guard::Session& session, std::string table) {
  try {
    const backfill::Table found = co_await partition::FindAnybodys(session, std::move(table));
    co_return found.oid;
  } catch (const run::Failure&) {
  }
  co_return 0;
}

}  // namespace

Maintenance::Maintenance(const Context& context, MaintainOptions options,
                         std::function<void()> changed)
    : context_(context), options_(std::move(options)), changed_(std::move(changed)) {
  const auto now = async::Clock::now();
  for (const MaintainWish& wish : options_.wishes) {
    if (wish.table.empty())
      all_ = wish;
    else
      tables_.push_back(AsAsked(wish, now + FirstPause(options_.every, Chance())));
  }
}

Task<> Maintenance::RefuseUnfit() {
  if (!asked()) co_return;
  guard::Session session = co_await OpenSession(context_);
  std::map<pg::Oid, std::string> names;
  for (const MaintainWish& wish : options_.wishes) {
    co_await RefuseZone(session, wish);
    if (wish.table.empty()) continue;
    const pg::Oid oid = co_await OidOf(session, wish.table);
    if (oid == 0) continue;
    const auto [same, is_new] = names.emplace(oid, wish.table);
    if (is_new) continue;
    throw Rejected(
        run::ExitCode::kUsage,
        fmt::format("--maintain names one table twice, as {} and as {}", same->second, wish.table),
        "one --maintain for each table, with all of its options");
  }
}

// A name that is no partitioned table's may be a slip: whoever gave it hears of it at once. It is
// no reason to end, since the other tables are to be maintained after the next start, too.
Task<> Maintenance::LookAtNames() {
  std::exception_ptr failure;
  try {
    guard::Session session = co_await OpenForChange(context_);
    for (Maintained& table : tables_) {
      try {
        co_await partition::FindWhole(session, table.wish.table);
      } catch (const run::Failure&) {
        table.next = async::Clock::now();
      }
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && async::IsCancellation(failure)) std::rethrow_exception(failure);
  if (failure) Log("the names of --maintain are not looked up: " + Why(failure));
}

void Maintenance::Changed() {
  ++revision_;
  changed_();
}

// Those that a wish of their own names are not among them; those that are gone are forgotten.
Task<> Maintenance::FindAll() {
  guard::Session session = co_await OpenForChange(context_);
  std::set<std::string> found;
  std::set<std::string> without_range;
  for (partition::ToMaintain& table : co_await partition::TablesToMaintain(session)) {
    if (table.has_range)
      found.insert(std::move(table.name));
    else
      without_range.insert(std::move(table.name));
  }
  for (const Maintained& table : tables_) {
    if (table.wish.table.empty()) continue;
    try {
      const auto named = co_await partition::FindAnybodys(session, table.wish.table);
      found.erase(named.name);
      without_range.erase(named.name);
    } catch (const run::Failure& failure) {
      Log(failure.what());  // the command will say it, too
    }
  }
  std::erase_if(tables_, [&](const Maintained& table) {
    return table.wish.table.empty() && found.count(table.table) == 0;
  });
  for (const Maintained& table : tables_) found.erase(table.table);
  for (const std::string& name : found) {
    Maintained& table = tables_.emplace_back(
        AsAsked(*all_, async::Clock::now() + FirstPause(options_.every, Chance())));
    table.table = name;
  }
  SayWithoutRange(std::move(without_range));
}

// Nothing is there to be gone on from, which is nobody's failure.
void Maintenance::SayWithoutRange(std::set<std::string> tables) {
  for (const std::string& table : tables)
    if (without_range_.count(table) == 0)
      cli::Say(context_,
               fmt::format("{0} has no range to go on from, and is left alone until it has one: "
                           "pgalter partition add {0} --from VALUE --to VALUE",
                           table));
  without_range_ = std::move(tables);
}

Task<> Maintenance::LookForAll() {
  if (!all_ || async::Clock::now() < next_all_) co_return;
  std::exception_ptr failure;
  try {
    co_await FindAll();
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && async::IsCancellation(failure)) std::rethrow_exception(failure);
  std::string problem;
  if (failure) problem = Why(failure);
  if (!problem.empty() && problem != problem_)
    cli::Say(context_,
             fmt::format("which tables are to be maintained cannot be told: {}", problem));
  problem_ = std::move(problem);
  next_all_ = async::Clock::now() +
              (problem_.empty() ? options_.every : std::min(options_.every, kRetryAll));
  Changed();
}

Task<MaintainReport> Maintenance::Call(MaintainWish wish) {
  std::vector<std::string> words{"partition", "maintain", wish.table, "--yes", "--output", "json"};
  words.insert(words.end(), wish.words.begin(), wish.words.end());
  OwnProgram program = OwnProgram::Start(context_, std::move(words), OwnProgram::Keep::kOutput);
  std::exception_ptr failure;
  try {
    while (!program.Ended()) co_await async::SleepFor(kLook);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await async::MaskCancellation();
    co_await async::Apart(LetEnd(program));
    co_await async::UnmaskCancellation();
    std::rethrow_exception(failure);
  }
  co_return ReadMaintainReport(*program.Ended(), program.Out(), program.Err());
}

// What is new to people; the rest is for the log.
void Maintenance::Say(const Maintained& table, const Maintained& before) const {
  const MaintainReport& report = table.last;
  if (report.outcome == MaintainOutcome::kFailed) {
    const std::string text = fmt::format("cannot maintain {}: {}", table.table, report.problem);
    if (before.failing == 0 || before.last.problem != report.problem)
      cli::Say(context_, text);
    else
      Log(text);
    return;
  }
  if (before.failing > 0 && table.failing == 0)
    cli::Say(context_, fmt::format("{} is maintained again", table.table));
  if (report.made > 0)
    cli::Say(context_,
             fmt::format("made {} {} of {}, which go up to {}", report.made,
                         report.made == 1 ? "partition" : "partitions", table.table, report.until));
  else
    Log(fmt::format("maintained {}: {}", table.table, Name(report.outcome)));
  for (const std::string& remark : report.remarks)
    if (std::ranges::count(before.last.remarks, remark) == 0)
      cli::Say(context_, fmt::format("of {}: {}", table.table, remark));
}

Task<> Maintenance::MaintainOne(std::size_t place) {
  const Maintained before = tables_[place];
  MaintainWish wish = before.wish;
  if (wish.table.empty()) wish.table = before.table;
  tables_[place].working = true;
  tables_[place].begun_at = UtcNow();
  Changed();
  MaintainReport report;
  std::exception_ptr failure;
  try {
    report = co_await Call(std::move(wish));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && async::IsCancellation(failure)) std::rethrow_exception(failure);
  if (failure) report.problem = Why(failure);
  Maintained& table = tables_[place];
  Take(table, report, SecondsNow());
  table.ended_at = UtcNow();
  table.next = async::Clock::now() + NextPause(table, options_.every, Chance());
  Say(table, before);
  Changed();
}

Task<> Maintenance::Follow() {
  co_await LookAtNames();
  for (;;) {
    co_await LookForAll();
    const auto now = async::Clock::now();
    auto wake = now + kLongestSleep;
    if (all_) wake = std::min(wake, next_all_);
    const auto next = std::ranges::min_element(tables_, {}, &Maintained::next);
    if (next != tables_.end() && next->next <= now) {
      co_await MaintainOne(static_cast<std::size_t>(next - tables_.begin()));
      continue;
    }
    if (next != tables_.end()) wake = std::min(wake, next->next);
    co_await async::SleepFor(wake - now);
  }
}

}  // namespace pgalter::cli::serve
