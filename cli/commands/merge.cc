#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/json_output.h"
#include "cli/migrate/new_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/history/exclusion.h"
#include "migrations/history/new_name.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("title", po::value<std::string>()->default_value("merge"),
                        "what the migration is called");
}

// A migration that stands on both could never be applied.
void RefuseExcluding(const history::Collection& existing, const std::vector<std::string>& heads) {
  const auto pairs = history::ExclusionsBelow(existing.migrations, heads);
  if (pairs.empty()) return;
  const history::Exclusion& pair = pairs.front();
  throw Rejected(ExitCode::kHistoryDivergence,
                 fmt::format("{} and {} exclude each other, as conflicts_with in the header of {} "
                             "says: they cannot be brought together. Nothing was written",
                             pair.earlier->file, pair.later->file, pair.by->file),
                 "take one of the two files out of the directory, then: pgalter merge");
}

// Those that were named, all of which have to be ends of branches; else all ends.
std::vector<std::string> ToMerge(const Context& context, const history::Collection& existing) {
  const std::vector<std::string> heads = history::HeadsOf(existing.migrations);
  std::vector<std::string> named;
  for (std::size_t i = 0; !context.Operand(i).empty(); ++i) {
    const std::string version = context.Operand(i);
    FindMigration(existing, version);
    if (std::ranges::find(heads, version) == heads.end())
      throw Rejected(ExitCode::kUsage,
                     fmt::format("another migration stands on {} already", version),
                     "pgalter heads prints the ends of the branches");
    if (std::ranges::find(named, version) == named.end()) named.push_back(version);
  }
  if (named.empty()) return heads;
  if (named.size() == 1)
    throw Rejected(ExitCode::kUsage, fmt::format("{} alone cannot be merged", named.front()),
                   "name two or more, or none for all");
  return named;
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const std::string& title = context.Get("title");
  const std::string slug = history::SlugOf(title);
  if (slug.empty())
    throw Rejected(ExitCode::kUsage, fmt::format("\"{}\" has no letter and no digit", title),
                   "pgalter merge --title \"both branches\"");
  const history::Collection existing = ReadMigrationsAsTheyAre(settings);
  RefuseForeignTool(existing);
  const std::vector<std::string> heads = ToMerge(context, existing);
  if (heads.size() < 2) {
    Say(context, "there is one end: nothing is to be merged");
    co_return ExitCode::kDone;
  }
  RefuseExcluding(existing, heads);
  const std::string version = NextVersionOf(existing);
  const fs::path path = fs::path(settings.directory) / fmt::format("{}_{}.sql", version, slug);
  WriteNewFile(path, fmt::format("-- pgalter: 1\n-- title: {}\n-- depends_on: {}\n\n"
                                 "-- pgalter:down\n-- Nothing to take back.\n",
                                 title, fmt::join(heads, ", ")));
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"migration", {{"version", version}, {"file", path.string()}}}});
  } else {
    Print(path.string() + "\n");
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kMergeCommand;
const CommandBody kMergeCommand{
    .description =
        "Brings branches of a directory together: makes a migration that changes nothing and "
        "depends on the versions that are named, or on all that no other one stands on. No "
        "database is asked.",
    .most_operands = kAnyNumber,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
