#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <set>

#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/into.h"
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
  AddIntoOptions(options);
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

void RefuseUnfit(const history::Collection& source, const history::ForeignHistory& foreign,
                 const history::Adoption& adoption) {
  if (!adoption.failed.empty())
    throw Rejected(
        ExitCode::kHistoryDivergence,
        fmt::format("{} holds {} for half done. Nothing was changed", foreign.table,
                    fmt::join(adoption.failed, ", ")),
        history::HowToMend(foreign.format, adoption.failed.front()) + "; then: pgalter import");
  if (!adoption.differences.empty())
    throw Rejected(ExitCode::kHistoryDivergence,
                   fmt::format("{}. Nothing was changed", fmt::join(adoption.differences, "\n")),
                   fmt::format("bring the files back as they were when they were applied: git log "
                               "--all -- {}",
                               source.directory.string()));
}

void RefuseWithoutInto(const Context& context) {
  for (const char* option : {"printed", "changelog", "files-only"})
    if (context.Has(option) && !context.Has("into"))
      throw Rejected(ExitCode::kUsage, fmt::format("--{} is for --into DIRECTORY", option),
                     "pgalter help import");
}

// The collection whose history is to be taken over, and the files that stand for it from then on:
// itself, or what was written.
struct Import {
  history::Collection source;
  convert::Drafts drafts;       // empty without --into
  history::Collection written;  // the same

  [[nodiscard]] const history::Collection& target() const {
    return drafts.drafts.empty() ? source : written;
  }
  // Null: not written yet.
  [[nodiscard]] const Migration* TargetOf(const Migration* migration) const {
    if (drafts.drafts.empty()) return migration;
    const auto at = static_cast<std::size_t>(migration - source.migrations.data());
    return at < written.migrations.size() ? &written.migrations[at] : nullptr;
  }
};

using Taken = std::vector<const Migration*>;  // of the source

void ShowFiles(const Context& context, const Import& import, boost::json::array& all) {
  for (const convert::Draft& draft : import.drafts.drafts) {
    all.push_back({{"file", draft.file},
                   {"version", draft.version},
                   {"origin", draft.source->version},
                   {"origin_file", draft.source->file}});
    if (context.output == Output::kText)
      Print(fmt::format("{} {} is {} {}\n", context.Has("dry-run") ? "would write" : "written",
                        draft.file, draft.source->format, draft.source->version));
  }
}

void Show(const Context& context, const Import& import, const Taken& taken,
          const std::string& table) {
  boost::json::array files;
  ShowFiles(context, import, files);
  boost::json::array all;
  for (const Migration* source : taken) {
    const Migration* target = import.TargetOf(source);
    const Migration& migration = target == nullptr ? *source : *target;
    all.push_back({{"version", migration.version}, {"file", migration.file}});
    if (context.output == Output::kText)
      Print(fmt::format("imported {} {}\n", migration.version, migration.title));
  }
  if (context.output == Output::kJson)
    PrintJson({{"version", 1}, {"table", table}, {"files", files}, {"migrations", all}});
}

Import Read(const Context& context, const MigrationSettings& settings) {
  Import import;
  if (!context.Has("into")) {
    import.source = ReadMigrations(settings);
    return import;
  }
  const std::filesystem::path into = context.Get("into");
  import.source = ReadForInto(context, settings);
  if (import.source.migrations.empty()) return import;
  import.drafts = DraftsOf(import.source, into);
  return import;
}

void Write(const Context& context, Import& import) {
  if (import.drafts.drafts.empty() || context.Has("dry-run")) return;
  const std::filesystem::path into = context.Get("into");
  WriteDrafts(import.drafts, into);
  import.written = ReadWritten(import.drafts, into);
}

// Of what the other tool has applied, what we do not have yet.
Task<Taken> TakenOver(const Context& context, guard::Session& session, const Import& import,
                      const history::Adoption& adoption) {
  const bool unwritten = !import.drafts.drafts.empty() && context.Has("dry-run");
  if (unwritten) co_return adoption.applied;
  const auto applied = co_await ReadAppliedOrRefuse(session, import.target(), history::Order::kAny);
  Taken taken;
  for (const Migration* migration : adoption.applied)
    if (std::ranges::find(applied, import.TargetOf(migration)->version,
                          &history::Applied::version) == applied.end())
      taken.push_back(migration);
  co_return taken;
}

Task<> Insert(const Context& context, guard::Session& session, const Import& import,
              const Taken& taken, const std::string& table) {
  if (context.Has("dry-run") || taken.empty()) co_return;
  Confirm(context, fmt::format("Take {} migrations for applied, as {} says?", taken.size(), table));
  auto insert = [&]() -> Task<> {
    for (const Migration* migration : taken)
      co_await history::InsertImported(session, *import.TargetOf(migration), table);
  };
  co_await guard::RunInTransaction(session, insert);
}

Task<ExitCode> Run(Context& context) {
  RefuseWithoutInto(context);
  const MigrationSettings settings = SettleMigrations(context);
  Import import = Read(context, settings);
  const std::string format = FormatOf(import.source);
  if (context.Has("files-only")) {
    Write(context, import);
    Show(context, import, {}, "");
    co_return ExitCode::kDone;
  }
  guard::Session session = co_await OpenForChange(context);
  const std::string table = context.Has("table") ? context.Get("table") : "";
  const history::ForeignHistory foreign = co_await history::ReadForeign(session, format, table);
  const history::Adoption adoption = history::Adopt(import.source, foreign);
  RefuseUnfit(import.source, foreign, adoption);
  Write(context, import);
  if (!context.Has("dry-run")) co_await state::Install(session);
  guard::Session locked = co_await OpenForChange(context);
  const auto lock = co_await history::HistoryLock::Acquire(std::move(locked), kWait);
  const Taken taken = co_await TakenOver(context, session, import, adoption);
  co_await Insert(context, session, import, taken, foreign.table);
  Show(context, import, taken, foreign.table);
  if (taken.empty()) Say(context, fmt::format("nothing is new in {}", foreign.table));
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kImportCommand;
const CommandBody kImportCommand{
    .description =
        "Takes over what another tool says of its own directory: the migrations that its table "
        "has as applied become pgalter's baseline: `up` goes on behind them, `down` stops at them. "
        "Reads the tables of dbmate, golang-migrate, goose, Flyway, Prisma, sqitch, Atlas, Alembic "
        "and Liquibase; writes none of them. What the tool holds for half done is refused (8), "
        "and so is a file that is missing, or whose checksum is not the tool's.\n\n"
        "With --into each migration is also written as a file of pgalter's own format, in a "
        "directory of its own, and it is these that count as applied. The other directory stays as "
        "it is. So Alembic's revisions are taken over, from what Alembic prints of them, and "
        "Liquibase's changesets, from changelogs in XML, YAML, JSON and SQL.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
