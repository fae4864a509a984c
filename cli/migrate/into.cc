#include "cli/migrate/into.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/lint/write_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "migrations/convert/alembic.h"
#include "migrations/convert/liquibase.h"
#include "migrations/formats/folder.h"
#include "migrations/history/manifest.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Words = std::vector<std::string>;

void RefuseProblems(const history::Collection& collection) {
  if (collection.problems.empty()) return;
  throw Rejected(ExitCode::kUsage, fmt::format("{}", fmt::join(collection.problems, "\n")),
                 "nothing was written");
}

// Below the other tool's directory its own reader would find the files.
void RefuseInside(const fs::path& directory, const fs::path& into) {
  std::error_code ignored;
  const fs::path outer = fs::weakly_canonical(directory, ignored);
  const fs::path inner = fs::weakly_canonical(into, ignored);
  const auto [end, at] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (end != outer.end()) return;
  throw Rejected(ExitCode::kUsage,
                 fmt::format("--into {} is in {}, whose tool would find the files", into.string(),
                             directory.string()),
                 "name a directory beside it: --into migrations");
}

std::string TextOf(const fs::path& path) {
  try {
    return formats::ReadWhole(path);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kError, fmt::format("cannot read {}: {}", path.string(), error.what()),
                   "");
  }
}

// An import that was interrupted has written some of its files, and is run again.
void RefuseOthers(const convert::Drafts& drafts, const fs::path& into) {
  const formats::Folder folder(into, formats::Depth::kDeep);
  for (const std::string& file : folder.files()) {
    if (file == history::kManifest) continue;  // judged when the files are read
    const auto draft = std::ranges::find(drafts.drafts, file, &convert::Draft::file);
    const bool ours = draft != drafts.drafts.end();
    if (ours && TextOf(into / file) == draft->text) continue;
    throw Rejected(
        ExitCode::kRefused,
        fmt::format("{} is there already, and {}. Nothing was written", (into / file).string(),
                    ours ? "is not what would be written" : "is no file of this import"),
        "name an empty directory: --into DIRECTORY");
  }
}

}  // namespace

void AddIntoOptions(po::options_description& options) {
  options.add_options()  //
      ("into", po::value<std::string>()->value_name("DIRECTORY"),
       "write the migrations into this directory, as files of pgalter's own format")  //
      ("printed", po::value<Words>()->value_name("FILE")->composing(),
       "what Alembic printed of --dir: alembic upgrade base:heads --sql > FILE; with the way down, "
       "alembic downgrade heads:base --sql, in another")  //
      ("changelog", po::value<std::string>()->value_name("FILE"),
       "Liquibase's changelog to begin with; default: the one that no other includes")  //
      ("files-only", "write the files, and ask no database what is applied");
}

history::Collection ReadForInto(const Context& context, const MigrationSettings& settings) {
  const fs::path directory = settings.directory;
  RefuseInside(directory, context.Get("into"));
  history::Collection collection;
  const bool any = settings.format.empty();
  if (context.Has("printed")) {
    std::vector<fs::path> printed;
    for (const std::string& file : context.Get<Words>("printed")) printed.emplace_back(file);
    collection = convert::ReadAlembic(directory, printed);
  } else if (settings.format == "liquibase" || (any && convert::HasChangelog(directory))) {
    collection = convert::ReadLiquibase(
        directory, context.Has("changelog") ? context.Get("changelog") : std::string());
  } else {
    collection = ReadMigrations(settings);
  }
  RefuseProblems(collection);
  for (const std::string& note : collection.notes) Say(context, note);
  return collection;
}

convert::Drafts DraftsOf(const history::Collection& collection, const fs::path& into) {
  convert::Drafts drafts = convert::MakeDrafts(collection);
  if (!drafts.problems.empty())
    throw Rejected(ExitCode::kRefused, fmt::format("{}", fmt::join(drafts.problems, "\n")),
                   "nothing was written; pgalter up applies the directory as it is");
  RefuseOthers(drafts, into);
  return drafts;
}

void WriteDrafts(const convert::Drafts& drafts, const fs::path& into) {
  std::error_code problem;
  fs::create_directories(into, problem);
  if (problem)
    throw Rejected(
        ExitCode::kError,
        fmt::format("cannot make the directory {}: {}", into.string(), problem.message()), "");
  for (const convert::Draft& draft : drafts.drafts) WriteFile(into / draft.file, draft.text);
}

history::Collection ReadWritten(const convert::Drafts& drafts, const fs::path& into) {
  MigrationSettings settings;
  settings.directory = into.string();
  history::Collection written = ReadMigrations(settings);
  const bool same = std::ranges::equal(written.migrations, drafts.drafts, {},
                                       &history::Migration::file, &convert::Draft::file);
  if (!same)
    throw Rejected(ExitCode::kError,
                   fmt::format("the files in {} are not read in the order in which they were "
                               "written; no history was taken over",
                               into.string()),
                   "pgalter status --migrations --dir " + into.string());
  return written;
}

}  // namespace pgalter::cli
