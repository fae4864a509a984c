#include <fmt/format.h>

#include <algorithm>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/apply.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/history_lock.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Applied;
using history::Migration;
using history::State;

constexpr async::Milliseconds kWait = std::chrono::minutes(1);

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()                                    //
      ("forget", "it is not applied: forget that it was")  //
      ("version-now", po::value<std::string>()->value_name("VERSION"),
       "the version that its file has now")  //
      ("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
       "why, for the history");
}

// What is at work, or half done, is not to be talked away.
void RefuseUnsettled(const Applied& row) {
  // There is none, or it is forgotten, or at its end: then somebody has changed the row.
  for (const auto ended : {"", "done", "aborted", "reverted"})
    if (row.run_state == ended) return;
  if (row.state == State::kApplying)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("{} is half applied: run {} is {}. Nothing was changed", row.version,
                               row.run, row.run_state),
                   fmt::format("go on with it: pgalter up; or take back what was done: pgalter "
                               "revert {} --yes",
                               row.run));
  if (row.state == State::kReverting)
    throw Rejected(ExitCode::kRefused,
                   fmt::format("{} is being taken back: run {} is {}. Nothing was changed",
                               row.version, row.down_run, row.run_state),
                   "go on with it: pgalter down --yes");
}

// One that somebody has deleted is in the log still, and can be forgotten there.
Task<bool> IsInLog(guard::Session& session, std::string version) {
  const auto events = co_await history::ReadEvents(session);
  co_return std::ranges::any_of(events, [&](const history::Event& event) {
    return event.event.starts_with(history::kMigrationEvent) && event.version == version;
  });
}

Task<Applied> FindRow(const Context& context, guard::Session& session) {
  const std::string version = context.Operand(0);
  auto row = co_await FindApplied(session, version);
  if (!row && context.Has("forget")) {
    const bool in_log = co_await IsInLog(session, version);
    if (in_log) {
      row.emplace();
      row->version = version;
    }
  }
  if (!row)
    throw Rejected(ExitCode::kUsage, fmt::format("{} is not applied here", version),
                   "pgalter status --migrations lists what is");
  co_return *std::move(row);
}

Task<> Forget(const Context& context, guard::Session& session, Applied row) {
  Confirm(context, fmt::format("Forget that {} was applied?", row.version));
  auto forget = [&]() -> Task<> {
    co_await history::Remove(session, row.version, "migration.forgotten", context.Get("reason"));
  };
  co_await guard::RunInTransaction(session, forget);
}

Task<> TakeAsItIs(const Context& context, guard::Session& session, Applied row,
                  const history::Collection& collection) {
  const std::string version = context.Has("version-now") ? context.Get("version-now") : row.version;
  const Migration& now = FindMigration(collection, version);
  if (version != row.version) {
    const auto taken = co_await FindApplied(session, version);
    if (taken)
      throw Rejected(ExitCode::kRefused, fmt::format("{} is applied as well", version),
                     "two migrations cannot become one");
  }
  Confirm(context,
          fmt::format("Take {} for what was applied as {}, as it is now?", now.file, row.version));
  auto take = [&]() -> Task<> {
    co_await history::TakeAsItIs(session, row.version, now, context.Get("reason"));
  };
  co_await guard::RunInTransaction(session, take);
}

Task<ExitCode> Run(Context& context) {
  const history::Collection collection = ReadMigrationsAsTheyAre(SettleMigrations(context));
  if (context.Has("forget") && context.Has("version-now"))
    throw Rejected(ExitCode::kUsage, "--forget and --version-now say different things",
                   "give one of them");
  guard::Session session = co_await OpenForChange(context);
  co_await state::Install(session);
  guard::Session locked = co_await OpenForChange(context);
  const auto lock = co_await history::HistoryLock::Acquire(std::move(locked), kWait);
  Applied row = co_await FindRow(context, session);
  RefuseUnsettled(row);
  if (context.Has("forget")) {
    co_await Forget(context, session, row);
  } else {
    co_await TakeAsItIs(context, session, row, collection);
  }
  const std::string what = context.Has("forget") ? "forgotten" : "repaired";
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"migration", row.version}, {"outcome", what}});
  } else {
    Print(fmt::format("{} {}\n", what, row.version));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kRepairCommand;
const CommandBody kRepairCommand{
    .description =
        "Corrects what the database remembers of a migration, where it and the directory do not "
        "agree and the directory is right: takes the file's name and contents as they are now, or "
        "forgets that it was applied. Runs nothing of it, and changes no table of yours. What is "
        "half applied is refused (4), with the way on and the way back. The history keeps both.",
    .most_operands = 1,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
