#include "cli/migrate/new_file.h"

#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "cli/rejected.h"
#include "migrations/history/new_name.h"

namespace pgalter::cli {

namespace fs = std::filesystem;

void WriteNewFile(const fs::path& path, const std::string& text) {
  std::error_code ignored;
  if (fs::exists(path, ignored))
    throw Rejected(ExitCode::kError, fmt::format("{} is there already", path.string()), "");
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    throw Rejected(ExitCode::kError, fmt::format("cannot write {}", path.string()),
                   "is the directory there, and may you write to it?");
}

history::Collection ExistingMigrations(const MigrationSettings& settings) {
  std::error_code problem;
  fs::create_directories(settings.directory, problem);
  if (problem)
    throw Rejected(
        ExitCode::kError,
        fmt::format("cannot make the directory {}: {}", settings.directory, problem.message()), "");
  return ReadMigrationsAsTheyAre(settings);
}

void RefuseForeignTool(const history::Collection& existing) {
  for (const history::Migration& migration : existing.migrations) {
    if (migration.format == "pgalter" || migration.format == "plain") continue;
    throw Rejected(ExitCode::kUsage,
                   fmt::format("{} is a directory of {}: its tool makes the names of its files",
                               existing.directory.string(), migration.format),
                   "make the file with that tool; pgalter up applies it");
  }
}

std::string NextVersionOf(const history::Collection& existing) {
  const auto now = std::chrono::system_clock::now();
  return history::NextVersion(existing.migrations, std::chrono::system_clock::to_time_t(now));
}

}  // namespace pgalter::cli
