#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <filesystem>
#include <utility>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/new_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace fs = std::filesystem;

std::string Sentence(const state::Installation& done) {
  if (done.before == done.now)
    return fmt::format("schema pgalter is there already, version {}\n", done.now);
  if (done.before == 0) return fmt::format("schema pgalter installed, version {}\n", done.now);
  return fmt::format("schema pgalter upgraded from version {} to {}\n", done.before, done.now);
}

// The server says what is missing, not how to get it.
[[noreturn]] void ThrowMissingRight(guard::Session& session, const pg::PgError& error) {
  run::Verdict verdict = run::Judge(std::make_exception_ptr(error));
  verdict.code = ExitCode::kUnsupported;
  verdict.text = fmt::format("cannot install schema pgalter: {} (SQLSTATE {})",
                             error.fields().message, error.sqlstate());
  verdict.hint = fmt::format("as the database's owner: GRANT CREATE ON DATABASE {} TO {}",
                             sql::QuoteIdentifier(session.db().database()),
                             sql::QuoteIdentifier(session.db().user()));
  throw Rejected(std::move(verdict));
}

constexpr const char* kConfigText =
    R"(# docs: migrations.md, approvals.md. No passwords here: service files, .pgpass, PGPASSWORD.
[migrations]
dir = "migrations"
# changes = "changes"        # change records: pgalter change new ID --title "..."

# [env.production]
# dsn = "service=production"
# [env.production.policy]
# quorum = { technical = "dba" }
# headers = ["ticket", "author"]
# require_down = true
# evidence = { backup = "24 hours", rehearsal = "7 days" }
)";

constexpr const char* kReadmeText = R"(# Migrations

One file a change, applied in the order of the numbers in front; a file that was applied is not edited any more.

    pgalter new "full names"          a new file
    pgalter lint migrations           would it keep anybody waiting?
    pgalter rehearse --round-trip     up, down and up again on a throwaway server
    pgalter up --dry-run              the plan of each on the database
    pgalter up                        apply what is pending; again, to go on where it was
    pgalter status --pending          3 if there is something to do
    pgalter down                      take the last one back

Each file has `-- pgalter:up` and `-- pgalter:down`, or `-- irreversible: why` in its header.
)";

constexpr const char* kCiText =
    R"(# For GitHub Actions: copy it to .github/workflows/pgalter.yml. pgalter has to be installed on the runner.
name: migrations
on: pull_request
jobs:
  migrations:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - run: pgalter lint --git-base "origin/${{ github.base_ref }}" --output github migrations
      - run: pgalter rehearse --round-trip
)";

// What is there already stays as it is.
ExitCode MakeFiles(const Context& context) {
  const std::array<std::pair<fs::path, const char*>, 3> files{{
      {"pgalter.toml", kConfigText},
      {"migrations/README.md", kReadmeText},
      {"pgalter-ci.example.yml", kCiText},
  }};
  boost::json::array made;
  std::error_code error;
  fs::create_directories("migrations", error);
  if (error)
    throw Rejected(ExitCode::kError, fmt::format("cannot make migrations: {}", error.message()),
                   "");
  for (const auto& [path, text] : files) {
    const bool there = fs::exists(path, error);
    if (!there) WriteNewFile(path, text);
    if (!there) made.emplace_back(path.string());
    if (context.output == Output::kText)
      Print(fmt::format("{} {}\n", there ? "is there" : "made", path.string()));
  }
  if (context.output == Output::kJson) PrintJson({{"version", 1}, {"files", made}});
  return ExitCode::kDone;
}

void AddOptions(boost::program_options::options_description& options) {
  options.add_options()  //
      ("files",
       "instead, in this directory: pgalter.toml, migrations/ with a README, and an example for "
       "CI; "
       "what is there stays, and no database is asked");
}

Task<ExitCode> Run(Context& context) {
  if (context.Has("files")) co_return MakeFiles(context);
  guard::Session session = co_await OpenForChange(context);
  state::Installation done;
  try {
    done = co_await state::Install(session);
  } catch (const pg::PgError& error) {
    if (error.klass() != pg::SqlstateClass::kNoRight) throw;
    ThrowMissingRight(session, error);
  }
  if (context.output == Output::kJson) {
    const boost::json::object schema{{"before", done.before}, {"now", done.now}};
    PrintJson({{"version", 1}, {"schema", schema}});
  } else {
    Print(Sentence(done));
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kInitCommand;
const CommandBody kInitCommand{
    .description =
        "Installs the schema pgalter, in which runs keep their state, or upgrades it. Running it "
        "again changes nothing.\n\n"
        "Needs CREATE on the database. Refused where a publication would send the schema's tables "
        "to subscribers.\n\n"
        "--files begins a directory of migrations: a configuration, a README and an example for "
        "CI.",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
