#include <fmt/format.h>

#include <filesystem>

#include "cli/json_output.h"
#include "cli/migrate/new_file.h"
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

Task<ExitCode> Run(Context& context) {
  const MigrationSettings settings = SettleMigrations(context);
  const std::string slug = history::SlugOf(context.Operand(0));
  if (slug.empty())
    throw Rejected(ExitCode::kUsage,
                   fmt::format("\"{}\" has no letter and no digit", context.Operand(0)),
                   "pgalter new \"add a column\"");
  std::string text = TemplateOf(context);
  const history::Collection existing = ExistingMigrations(settings);
  RefuseForeignTool(existing);
  const std::string version = NextVersionOf(existing);
  Replace(text, "{title}", context.Operand(0));
  Replace(text, "{version}", version);
  const fs::path path = fs::path(settings.directory) / fmt::format("{}_{}.sql", version, slug);
  WriteNewFile(path, text);
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
