#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/transaction.h"
#include "engine/state/schema.h"
#include "migrations/history/foreign.h"
#include "migrations/history/history_lock.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;
using history::Migration;

constexpr async::Milliseconds kWait = std::chrono::minutes(1);

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()  //
      ("table", po::value<std::string>()->value_name("NAME"),
       "the tool's table; found by its name where it is left out")  //
      ("dry-run", "say what would be taken over, and write nothing");
}

// All files are of one tool: each has a history of its own.
std::string FormatOf(const history::Collection& collection) {
  std::set<std::string> formats;
  for (const Migration& migration : collection.migrations) formats.insert(migration.format);
  if (formats.size() == 1) return *formats.begin();
  throw Rejected(ExitCode::kUsage,
                 formats.empty()
                     ? fmt::format("there is no migration in {}", collection.directory.string())
                     : fmt::format("{} has files of more than one tool: {}",
                                   collection.directory.string(), fmt::join(formats, ", ")),
                 "name the tool: --format");
}

void RefuseUnfit(const history::ForeignHistory& foreign, const history::Adoption& adoption) {
  if (!adoption.failed.empty())
    throw Rejected(ExitCode::kRefused,
                   fmt::format("{} holds {} for half done. Nothing was changed", foreign.table,
                               fmt::join(adoption.failed, ", ")),
                   "bring it to an end with its tool, then: pgalter import");
  if (!adoption.differences.empty())
    throw Rejected(ExitCode::kHistoryDivergence,
                   fmt::format("{}. Nothing was changed", fmt::join(adoption.differences, "\n")),
                   "bring the files back as they were when they were applied");
}

void Show(const Context& context, const std::vector<const Migration*>& missing,
          const std::string& table) {
  boost::json::array all;
  for (const Migration* migration : missing) {
    all.push_back({{"version", migration->version}, {"file", migration->file}});
    if (context.output == Output::kText)
      Print(fmt::format("imported {} {}\n", migration->version, migration->title));
  }
  if (context.output == Output::kJson)
    PrintJson({{"version", 1}, {"table", table}, {"migrations", all}});
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const history::Collection collection = ReadMigrations(settings);
  const std::string format = FormatOf(collection);
  guard::Session session = co_await OpenForChange(context);
  const std::string table = context.Has("table") ? context.Get("table") : "";
  const history::ForeignHistory foreign = co_await history::ReadForeign(session, format, table);
  const history::Adoption adoption = history::Adopt(collection, foreign);
  RefuseUnfit(foreign, adoption);
  if (!context.Has("dry-run")) {
    co_await state::Install(session);
    co_await history::TellOsUser(session);
  }
  guard::Session locked = co_await OpenForChange(context);
  const auto lock = co_await history::HistoryLock::Acquire(std::move(locked), kWait);
  const auto applied = co_await ReadAppliedOrRefuse(session, collection, history::Order::kAny);
  std::vector<const Migration*> missing;
  for (const Migration* migration : adoption.applied)
    if (std::ranges::find(applied, migration->version, &history::Applied::version) == applied.end())
      missing.push_back(migration);
  if (!context.Has("dry-run") && !missing.empty()) {
    Confirm(context, fmt::format("Take {} migrations for applied, as {} says?", missing.size(),
                                 foreign.table));
    auto insert = [&]() -> Task<> {
      for (const Migration* migration : missing)
        co_await history::InsertImported(session, *migration, foreign.table);
    };
    co_await guard::RunInTransaction(session, insert);
  }
  Show(context, missing, foreign.table);
  if (missing.empty()) Say(context, fmt::format("nothing is new in {}", foreign.table));
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kImportCommand;
const CommandBody kImportCommand{
    .description =
        "Takes over what another tool says of its own directory: the migrations that its table "
        "has as applied become pgalter's baseline: `up` goes on behind them, `down` stops at them. "
        "Reads the tables of dbmate, golang-migrate, goose, Flyway, Prisma, sqitch and Atlas; "
        "writes none of them. What the tool holds for half done is refused (4); a file that is "
        "missing, or "
        "whose checksum is not the tool's, as well (8).",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
