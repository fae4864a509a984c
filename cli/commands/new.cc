#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "cli/json_output.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/formats/folder.h"
#include "migrations/history/new_name.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr const char* kTemplate = R"(-- pgalter: 1
-- title: {title}

-- pgalter:up


-- pgalter:down

)";

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("template", po::value<std::string>()->value_name("FILE"),
                        "what it begins with; {title} and {version} in it are filled in");
}

std::string TemplateOf(const Context& context) {
  if (!context.Has("template")) return kTemplate;
  try {
    return formats::ReadWhole(context.Get("template"));
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage,
                   fmt::format("cannot read {}: {}", context.Get("template"), error.what()), "");
  }
}

void Replace(std::string& text, std::string_view mark, const std::string& with) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + with.size()))
    text.replace(at, mark.size(), with);
}

// Only where there is none of that name.
void WriteNew(const fs::path& path, const std::string& text) {
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

history::Collection Existing(const MigrationSettings& settings) {
  std::error_code problem;
  fs::create_directories(settings.directory, problem);
  if (problem)
    throw Rejected(
        ExitCode::kError,
        fmt::format("cannot make the directory {}: {}", settings.directory, problem.message()), "");
  return ReadMigrationsAsTheyAre(settings);
}

void RefuseForeign(const history::Collection& existing) {
  for (const history::Migration& migration : existing.migrations) {
    if (migration.format == "pgalter" || migration.format == "plain") continue;
    throw Rejected(ExitCode::kUsage,
                   fmt::format("{} is a directory of {}: its tool makes the names of its files",
                               existing.directory.string(), migration.format),
                   "make the file with that tool; pgalter up applies it");
  }
}

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const std::string slug = history::SlugOf(context.Operand(0));
  if (slug.empty())
    throw Rejected(ExitCode::kUsage,
                   fmt::format("\"{}\" has no letter and no digit", context.Operand(0)),
                   "pgalter new \"add a column\"");
  std::string text = TemplateOf(context);
  const history::Collection existing = Existing(settings);
  RefuseForeign(existing);
  const std::string version = history::NextVersion(
      existing.migrations, std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  Replace(text, "{title}", context.Operand(0));
  Replace(text, "{version}", version);
  const fs::path path = fs::path(settings.directory) / fmt::format("{}_{}.sql", version, slug);
  WriteNew(path, text);
  if (context.output == Output::kJson) {
    PrintJson({{"version", 1}, {"migration", {{"version", version}, {"file", path.string()}}}});
  } else {
    Print(path.string() + "\n");
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kNewCommand;
const CommandBody kNewCommand{
    .description =
        "Makes an empty migration, YYYYMMDDHHMMSS_name.sql, by the clock in UTC, and behind every "
        "other of the directory whatever the clock says; where the others are numbered, the next "
        "number. Nothing is applied, and no database is asked.",
    .most_operands = 1,
    .least_operands = 1,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
