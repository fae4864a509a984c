#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <set>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/source.h"
#include "cli/migrate/writeback.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "migrations/history/history_lock.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Applied;
using history::Migration;
using history::State;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()  //
      ("to", po::value<std::string>()->value_name("VERSION"),
       "all that were applied after this one, which stays")  //
      ("count", po::value<int>()->value_name("N"), "so many, the last first; default: 1");
  AddApplyOptions(options);
}

using Told = std::set<std::string>;

// What the tool applied is taken back here where it learns of that.
Task<Told> ToldTo(guard::Session& session, const std::optional<writeback::Book>& book) {
  if (!book) co_return Told();
  co_return co_await history::ReadTold(session);
}

// The last that was applied first.
std::vector<Applied> Wanted(const Context& context, std::vector<Applied> applied,
                            const Told& told) {
  std::ranges::reverse(applied);
  std::size_t count = 1;
  if (context.Has("to") && context.Has("count"))
    throw Rejected(ExitCode::kUsage, "--to and --count say different things", "give one of them");
  if (context.Has("count")) {
    const int given = context.Get<int>("count");
    if (given < 0)
      throw Rejected(ExitCode::kUsage, fmt::format("--count {} is below zero", given), "");
    count = static_cast<std::size_t>(given);
  }
  if (context.Has("to")) {
    const auto last = std::ranges::find(applied, context.Get("to"), &Applied::version);
    if (last == applied.end())
      throw Rejected(ExitCode::kUsage, fmt::format("{} is not applied", context.Get("to")),
                     "pgalter status --migrations lists what is");
    count = static_cast<std::size_t>(last - applied.begin());
  }
  applied.resize(std::min(applied.size(), count));
  for (const Applied& row : applied)
    if (row.state == State::kBaseline && !told.contains(row.version))
      throw Rejected(ExitCode::kRefused,
                     fmt::format("{} was not applied by pgalter: it was there at the baseline, and "
                                 "stays",
                                 row.version),
                     "pgalter status --migrations");
  return applied;
}

// Before anything is changed: each has a way down.
Task<> RefuseBlocked(guard::Session& session, const history::Collection& collection,
                     const std::vector<Applied>& wanted) {
  std::vector<std::string> blocked;
  for (const Applied& row : wanted) {
    const auto& all = collection.migrations;
    const auto found = std::ranges::find(all, row.version, &Migration::version);
    const Migration* migration = found == all.end() ? nullptr : &*found;
    std::string why = co_await WhyNotDown(session, row, migration);
    if (!why.empty()) blocked.push_back(std::move(why));
  }
  if (blocked.empty()) co_return;
  throw Rejected(
      ExitCode::kRefused, fmt::format("{}. Nothing was changed", fmt::join(blocked, "\n")),
      "write a way down below \"-- pgalter:down\", or beside it as its tool has it; or a "
      "migration that makes the opposite change");
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings source = SettleMigrations(context);
  // Whoever takes a migration back means all of it.
  ApplySettings settings = SettleApply(context, state::Phase::kContract);
  const history::Collection collection = ReadMigrations(source);
  guard::Session session = co_await OpenForChange(context);
  auto book = co_await FindSharedBook(session, source, collection);
  co_await state::RefusePublication(session);
  co_await state::Install(session);
  guard::Session locked = co_await OpenForChange(context);
  auto lock = co_await history::HistoryLock::Acquire(std::move(locked), settings.wait);
  if (book) {
    co_await ShareBook(context, session, lock, settings.wait, *book, collection);
    settings.book = &*book;
  }
  const auto told = co_await ToldTo(session, book);
  auto applied = co_await ReadAppliedOrRefuse(session, collection, history::Order::kAny);
  const std::vector<Applied> wanted = Wanted(context, std::move(applied), told);
  co_await RefuseBlocked(session, collection, wanted);
  if (wanted.empty()) {
    Print("nothing to take back\n");
    co_return ExitCode::kDone;
  }
  Confirm(context, fmt::format("Take back {} migrations, {} to {}?", wanted.size(),
                               wanted.front().version, wanted.back().version));
  co_await FinishMigrations(context, session);
  boost::json::array done;
  for (const Applied& row : wanted) {
    const auto& all = collection.migrations;
    const auto found = std::ranges::find(all, row.version, &Migration::version);
    const Migration* migration = found == all.end() ? nullptr : &*found;
    const ExitCode code = co_await TakeDown(context, session, row, migration, settings);
    if (code != ExitCode::kDone) co_return code;
    done.push_back({{"version", row.version}, {"file", row.file}, {"state", "pending"}});
    if (context.output == Output::kText)
      Print(fmt::format("taken back {} {}\n", row.version, row.title));
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"migrations", done}});
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kDownCommand;
const CommandBody kDownCommand{
    .description =
        "Takes migrations back, the last first, by their way down, carried out as carefully as the "
        "way up: strong locks in short attempts, indexes concurrently. One that is half applied, "
        "or waits at a gate, is taken back by its own run, step by step. What has no way down, or "
        "says that it is irreversible, is refused (4) before anything is changed.\n\n"
        "Killed at any moment it goes on where it was: pgalter down again.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
