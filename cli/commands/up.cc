#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <iterator>
#include <optional>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/kept_plans.h"
#include "cli/migrate/preview.h"
#include "cli/migrate/source.h"
#include "cli/migrate/status.h"
#include "cli/migrate/way_back.h"
#include "cli/migrate/writeback.h"
#include "cli/pace.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "migrations/history/history_lock.h"
#include "migrations/history/replay.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Applied;
using history::Migration;
using history::State;
using Pending = std::vector<const Migration*>;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()                                                                       //
      ("to", po::value<std::string>()->value_name("VERSION"), "up to this one, and with it")  //
      ("count", po::value<int>()->value_name("N"), "at most so many")                         //
      ("expect-count", po::value<int>()->value_name("N"),
       "refuse (4) unless exactly so many are to be applied")  //
      ("plan", po::value<std::string>()->value_name("FILE"),
       "apply what is in this file, which --dry-run --output json has printed, and nothing else: "
       "refused (4) where a migration or a step of it is another one by now")     //
      ("out-of-order", "apply also those that stand before one that is applied")  //
      ("through", po::value<std::string>()->value_name("PHASE"),
       "expand | migrate | contract: how far each goes; default: through of [migrations] in "
       "pgalter.toml, then migrate")  //
      ("as-written",
       "each statement as it stands, and no gates: for a database that nobody uses, as in tests")  //
      ("rehearsed", po::value<std::string>()->value_name("FILE"),
       "with --dry-run: show what the same steps took in pgalter rehearse --rows --out FILE")  //
      ("dry-run", "show the plan of each, and write nothing")                                  //
      ("sql", "print the SQL of all, as it would be sent, without a database");
  AddApplyOptions(options);
  AddCanaryOption(options);
}

// Of those that are pending, what was asked for.
Pending Wanted(const Context& context, const history::Collection& collection,
               const std::vector<Applied>& applied) {
  Pending wanted;
  for (const std::size_t i : history::PendingOf(collection.migrations, applied))
    wanted.push_back(&collection.migrations[i]);
  if (context.Has("to")) {
    const Migration* last = &FindMigration(collection, context.Get("to"));
    std::erase_if(wanted, [&](const Migration* migration) { return migration > last; });
  }
  if (context.Has("count")) {
    const int count = context.Get<int>("count");
    if (count < 0)
      throw Rejected(ExitCode::kUsage, fmt::format("--count {} is below zero", count), "");
    wanted.resize(std::min(wanted.size(), static_cast<std::size_t>(count)));
  }
  if (!context.Has("expect-count")) return wanted;
  const int expected = context.Get<int>("expect-count");
  if (static_cast<std::size_t>(std::max(expected, 0)) != wanted.size() || expected < 0)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("{} migrations are to be applied, and {} were expected. Nothing was "
                               "changed",
                               wanted.size(), expected),
                   "pgalter status --pending lists them");
  return wanted;
}

void RefuseReverting(const std::vector<Applied>& applied) {
  const auto found = std::ranges::find(applied, State::kReverting, &Applied::state);
  if (found == applied.end()) return;
  throw Rejected(ExitCode::kHistoryDivergence,
                 fmt::format("{} is being taken back (run {}, {}), which has not come to its end",
                             found->version, found->down_run, found->run_state),
                 fmt::format("go on with it: pgalter down --yes; or give it up: pgalter revert {} "
                             "--yes",
                             found->down_run));
}

history::Order OrderOf(const Context& context) {
  return context.Has("out-of-order") ? history::Order::kAny : history::Order::kStrict;
}

history::Manner MannerOf(const Context& context) {
  return context.Has("as-written") ? history::Manner::kAsWritten : history::Manner::kOnline;
}

Task<> PrintOutcome(const Context& context, guard::Session& session, const Pending& wanted) {
  const auto applied = co_await history::ReadApplied(session);
  boost::json::array all;
  for (const Migration* migration : wanted) {
    const auto row = std::ranges::find(applied, migration->version, &Applied::version);
    const bool there = row != applied.end();
    if (context.output == Output::kJson) {
      all.push_back({{"version", migration->version},
                     {"file", migration->file},
                     {"state", there ? history::Name(row->state) : "pending"},
                     {"run", there ? row->run : ""}});
    } else {
      Print(fmt::format("{} {} {}\n", there ? StateOf(*row) : "pending", migration->version,
                        migration->title));
    }
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"migrations", all}});
}

// By a runner that died, or waiting for something.
Pending Begun(const history::Collection& collection, const std::vector<Applied>& applied) {
  Pending begun;
  for (const Applied& row : applied) {
    if (row.state != State::kApplying && row.state != State::kUnverified) continue;
    const auto& all = collection.migrations;
    const auto found = std::ranges::find(all, row.version, &Migration::version);
    if (found != all.end()) begun.push_back(&*found);  // else refused as deleted
  }
  return begun;
}

// A tool without a lock of its own may have been at the same one.
Task<ExitCode> ApplyOne(const Context& context, guard::Session& session,
                        const history::Collection& collection, const Migration& migration,
                        const ApplySettings& settings) {
  std::exception_ptr failure;
  ExitCode code = ExitCode::kError;
  try {
    code = co_await ApplyMigration(context, session, migration, settings);
  } catch (...) {
    failure = std::current_exception();
  }
  if (code != ExitCode::kDone && settings.book != nullptr && session.open()) {
    const bool theirs =
        co_await AppliedMeanwhile(context, session, *settings.book, collection, migration);
    if (theirs) co_return ExitCode::kDone;
  }
  if (failure) std::rethrow_exception(failure);
  co_return code;
}

Task<ExitCode> ApplyAll(const Context& context, guard::Session& session,
                        const history::Collection& collection, const Pending& begun,
                        const Pending& wanted, const ApplySettings& settings) {
  co_await FinishMigrations(context, session);
  if (settings.through == state::Phase::kContract) co_await ReleaseOldTables(context, session);
  for (const Migration* migration : begun) {
    const ExitCode code = co_await GoOn(context, session, *migration, settings);
    if (code != ExitCode::kDone) co_return code;
  }
  for (const Migration* migration : wanted) {
    const ExitCode code = co_await ApplyOne(context, session, collection, *migration, settings);
    if (code != ExitCode::kDone) co_return code;
  }
  co_return ExitCode::kDone;
}

// With what the tool has done since, where its history is shared.
Task<std::vector<Applied>> AppliedByBoth(const Context& context, guard::Session& session,
                                         const history::Collection& collection,
                                         const writeback::Book* book) {
  if (book == nullptr)
    co_return co_await ReadAppliedOrRefuse(session, collection, OrderOf(context));
  history::Remembered remembered = co_await history::ReadRemembered(session);
  const auto found = co_await LookAtBook(session, *book, collection, remembered.applied);
  RefuseDivergence(found.divergences);
  RefuseDivergence(history::CompareWithLog(remembered.events, remembered.applied));
  std::vector<Applied> both =
      writeback::Overlaid(std::move(remembered.applied), found, book->called);
  RefuseDivergence(history::Compare(collection.migrations, both, OrderOf(context)));
  co_return both;
}

Task<ExitCode> DryRun(const Context& context, const MigrationSettings& source,
                      const history::Collection& collection) {
  std::optional<RehearsedTimes> rehearsed;
  if (context.Has("rehearsed")) rehearsed = RehearsedTimes::Read(context.Get("rehearsed"));
  guard::Session session = co_await OpenForChange(context);
  const auto found = co_await FindSharedBook(session, source, collection);
  const writeback::Book* book = found ? &*found : nullptr;
  const RehearsedTimes* times = rehearsed ? &*rehearsed : nullptr;
  const auto applied = co_await AppliedByBoth(context, session, collection, book);
  const Pending wanted = Wanted(context, collection, applied);
  RefuseExclusions(collection, applied, wanted);
  co_await PrintPlans(context, session, wanted, MannerOf(context), book, times);
  co_return wanted.empty() ? ExitCode::kDone : ExitCode::kPending;
}

KeptPlans KeptOf(const Context& context) {
  if (!context.Has("plan")) return {};
  if (context.Has("dry-run") || context.Has("sql"))
    throw Rejected(ExitCode::kUsage, "--plan goes with neither --dry-run nor --sql",
                   "these two make what is kept");
  for (const std::string option : {"rebuild-matviews", "fire-triggers"})
    if (context.Has(option))
      throw Rejected(
          ExitCode::kUsage, fmt::format("--{} is for statements, and this plan is made", option),
          fmt::format("make it anew, with it: pgalter up --dry-run --output json --{}", option));
  return ReadKeptPlans(context.Get("plan"));
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings source = SettleMigrations(context);
  ApplySettings settings = SettleApply(context, source.through);
  settings.manner = MannerOf(context);
  if (context.Has("canary") && (context.Has("as-written") || context.Has("sql")))
    throw Rejected(ExitCode::kUsage, "--canary goes with neither --as-written nor --sql",
                   "statements that run as they stand have no first part");
  AddCanary(context, settings.pace.throttle);
  if (context.Has("rehearsed") && !context.Has("dry-run"))
    throw Rejected(ExitCode::kUsage, "--rehearsed is for --dry-run",
                   "pgalter up --dry-run --rehearsed FILE");
  const KeptPlans kept = KeptOf(context);
  if (context.Has("plan")) settings.kept = &kept;
  const history::Collection collection = ReadMigrations(source);
  for (const std::string& note : collection.notes) Say(context, note);
  if (context.Has("sql")) {
    RefuseDivergence(history::Compare(collection.migrations, {}, history::Order::kAny));
    const Pending all = Wanted(context, collection, {});
    RefuseExclusions(collection, {}, all);
    PrintSql(context, all, MannerOf(context));
    co_return ExitCode::kDone;
  }
  if (context.Has("dry-run")) co_return co_await DryRun(context, source, collection);
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
  const history::Remembered remembered = co_await history::ReadRemembered(session);
  const std::vector<Applied>& applied = remembered.applied;
  RefuseReverting(applied);
  RefuseDivergence(DivergencesOf(remembered, collection, OrderOf(context)));
  const Pending wanted = Wanted(context, collection, applied);
  RefuseExclusions(collection, applied, wanted);
  if (settings.kept != nullptr) RefuseOthers(kept, wanted, applied);
  if (!wanted.empty())
    Confirm(context, fmt::format("Apply {} migrations, {} to {}?", wanted.size(),
                                 wanted.front()->version, wanted.back()->version));
  const Pending begun = Begun(collection, applied);
  std::exception_ptr failure;
  ExitCode code = ExitCode::kDone;
  try {
    code = co_await ApplyAll(context, session, collection, begun, wanted, settings);
  } catch (...) {
    failure = std::current_exception();
  }
  Pending all = begun;
  std::ranges::copy(wanted, std::back_inserter(all));
  if (all.empty() && context.output == Output::kText) {
    Print("nothing to apply\n");
  } else {
    co_await PrintOutcome(context, session, all);
  }
  if (failure) std::rethrow_exception(failure);
  co_return code;
}

}  // namespace

extern const CommandBody kUpCommand;
const CommandBody kUpCommand{
    .description =
        "Applies the migrations of a directory that this database does not have, in their order, "
        "each as a run of a plan: strong locks in short attempts, indexes concurrently, rows in "
        "chunks. What takes away what older programs use waits at its gate, unless --through "
        "contract is given, and so does the old table of a rebuild, which is the way back. With "
        "--canary each migration that moves rows rests after its first "
        "part, and "
        "those behind it wait (3). Reads pgalter's own format and those of other tools, as they "
        "are; "
        "nothing in the directory is written.\n\n"
        "Killed at any moment it goes on where it was: pgalter up again. Of several that are "
        "started at once each migration is applied by one. A migration that was edited, renamed, "
        "deleted or put before others after it was applied is refused (8), with what to do.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
