#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/migrate/writeback.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/history_lock.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Migration;

constexpr async::Milliseconds kWait = std::chrono::minutes(1);

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("reason", po::value<std::string>()->value_name("TEXT")->default_value(""),
                        "why, for the history");
}

// Up to and with the version, what the database does not know yet.
std::vector<const Migration*> Missing(const history::Collection& collection,
                                      const std::string& version,
                                      const std::vector<history::Applied>& applied) {
  const Migration* last = &FindMigration(collection, version);
  std::vector<const Migration*> missing;
  for (const std::size_t i : history::PendingOf(collection.migrations, applied))
    if (&collection.migrations[i] <= last) missing.push_back(&collection.migrations[i]);
  return missing;
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings source = SettleMigrations(context);
  const history::Collection collection = ReadMigrations(source);
  FindMigration(collection, context.Operand(0));
  guard::Session session = co_await OpenForChange(context);
  auto book = co_await FindSharedBook(session, source, collection);
  co_await state::Install(session);
  guard::Session locked = co_await OpenForChange(context);
  auto lock = co_await history::HistoryLock::Acquire(std::move(locked), kWait);
  if (book) co_await ShareBook(context, session, lock, kWait, *book, collection);
  const auto applied = co_await history::ReadApplied(session);
  RefuseDivergence(history::Compare(collection.migrations, applied, history::Order::kAny));
  const auto missing = Missing(collection, context.Operand(0), applied);
  RefuseExclusions(collection, applied, missing);
  if (!missing.empty())
    Confirm(context, fmt::format("Take {} migrations, up to {}, for applied, without running them?",
                                 missing.size(), context.Operand(0)));
  auto insert = [&]() -> Task<> {
    for (const Migration* migration : missing) {
      co_await history::InsertSettled(session, *migration, history::State::kBaseline,
                                      context.Get("reason"));
      if (!book) continue;
      const writeback::Entry entry = writeback::EntryOf(*book, *migration);
      for (const std::string& statement : entry.in) co_await session.db().Execute(statement);
    }
  };
  co_await guard::RunInTransaction(session, insert);
  boost::json::array all;
  for (const Migration* migration : missing) {
    all.push_back({{"version", migration->version}, {"file", migration->file}});
    if (context.output == Output::kText)
      Print(fmt::format("baseline {} {}\n", migration->version, migration->title));
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"migrations", all}});
  if (missing.empty() && context.output == Output::kText) Print("nothing to take for applied\n");
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kBaselineCommand;
const CommandBody kBaselineCommand{
    .description =
        "Takes the migrations of the directory up to VERSION for applied, without running one: for "
        "a database that had them before pgalter knew it. `up` goes on behind them, `down` stops "
        "at them.",
    .most_operands = 1,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
