#include "migrations/history/manifest.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <fstream>

#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/formats/folder.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("check", "write nothing; 8 where the directory is another");
}

void Write(const fs::path& path, const std::string& text) {
  const fs::path beside = path.string() + ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code problem;
  if (file) fs::rename(beside, path, problem);
  if (file && !problem) return;
  fs::remove(beside, problem);
  throw Rejected(ExitCode::kError, fmt::format("cannot write {}", path.string()),
                 "may you write to its directory?");
}

ExitCode Check(const Context& context, const fs::path& path,
               const history::Collection& collection) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw Rejected(ExitCode::kHistoryDivergence,
                   fmt::format("there is no manifest {}", path.string()), "pgalter manifest");
  const auto found = history::CheckManifest(formats::ReadWhole(path), collection.migrations);
  boost::json::array mismatches;
  for (const history::Mismatch& mismatch : found) {
    if (context.output == Output::kJson) {
      mismatches.push_back({{"file", mismatch.file}, {"what", mismatch.what}});
    } else {
      Print(fmt::format("{} {}\n", mismatch.file.empty() ? path.string() : mismatch.file,
                        mismatch.what));
    }
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"mismatches", mismatches}});
  if (found.empty() && context.output == Output::kText)
    Print(fmt::format("{} files are as {} says\n", collection.migrations.size(), path.string()));
  return found.empty() ? ExitCode::kDone : ExitCode::kHistoryDivergence;
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const history::Collection collection = ReadMigrationsAsTheyAre(settings);
  const fs::path path = fs::path(settings.directory) / history::kManifest;
  if (context.Has("check")) co_return Check(context, path, collection);
  Write(path, history::WriteManifest(collection.migrations));
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"file", path.string()}, {"files", collection.migrations.size()}});
  } else {
    Print(fmt::format("{}: {} files\n", path.string(), collection.migrations.size()));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kManifestCommand;
const CommandBody kManifestCommand{
    .description =
        "Writes pgalter.sum: the SHA-256 of each migration of the directory, in their order, and "
        "of all of them together. Kept in version control it shows what was edited, put in "
        "between, renamed or deleted; where there is one, pgalter up refuses (8) what does not "
        "agree with it. Two branches that each add a migration meet in a conflict of its first "
        "line: put the migrations in order, then write it anew.",
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
