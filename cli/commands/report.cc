#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>

#include "cli/connect.h"
#include "cli/evidence/bundle.h"
#include "cli/evidence/gather.h"
#include "cli/evidence/profile.h"
#include "cli/evidence/texts.h"
#include "cli/json_output.h"
#include "cli/pick_run.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("out", po::value<std::string>()->value_name("DIR"),
       "where it is written: a directory that is empty, or not there yet")  //
      ("since", po::value<std::string>()->value_name("TIME"),
       "instead of RUN, all that was done since: 2026-03-01 02:30, UTC unless it says otherwise")  //
      ("dir", po::value<std::string>()->value_name("DIRECTORY"),
       "of the migrations: their files as they were run are copied, where the checksum is the "
       "same")  //
      ("profile", po::value<std::string>()->value_name("NAME"),
       "with what a body of rules asks, and what of it this report holds: part11, hipaa, gobd");
}

void RefuseWrongWords(const Context& context) {
  if (!context.Has("out") || context.Get("out").empty())
    throw Rejected(ExitCode::kUsage, "report needs --out DIR", "pgalter report RUN --out DIR");
  if (context.Has("since") == !context.Operand(0).empty())
    throw Rejected(ExitCode::kUsage, "report is about a RUN or --since TIME, one of both",
                   "pgalter ps lists the runs");
  const auto names = evidence::ProfileNames();
  if (context.Has("profile") && std::ranges::find(names, context.Get("profile")) == names.end())
    throw Rejected(ExitCode::kUsage,
                   fmt::format("there is no profile \"{}\"", context.Get("profile")),
                   fmt::format("one of: {}", fmt::join(names, ", ")));
}

Task<evidence::Scope> ScopeOf(const Context& context, guard::Session& session) {
  evidence::Scope scope;
  if (!context.Has("since")) {
    const state::Run run = co_await LoadRun(context, session);
    scope.run = run.id;
    co_return scope;
  }
  const int version = co_await state::InstalledVersion(session);
  if (version == 0)
    throw Rejected(ExitCode::kError, "this database has no schema pgalter",
                   "pgalter init installs it; before that nothing was written down");
  scope.since = co_await evidence::ReadTime(session, context.Get("since"));
  co_return scope;
}

Task<ExitCode> Run(Context& context) {
  RefuseWrongWords(context);
  const std::string out = context.Get("out");
  if (context.Has("dir") && !std::filesystem::is_directory(context.Get("dir")))
    throw Rejected(ExitCode::kUsage, fmt::format("there is no directory {}", context.Get("dir")),
                   "--dir names the directory of the migrations");
  evidence::RefuseUsed(out);
  guard::Session session = co_await OpenSession(context);
  const evidence::Scope scope = co_await ScopeOf(context, session);
  evidence::Gathered gathered = co_await evidence::Gather(session, scope);
  if (context.Has("dir")) evidence::AddTexts(gathered, context.Get("dir"));
  if (context.Has("profile")) gathered.profile = context.Get("profile");
  const auto files = evidence::FilesOf(gathered);
  evidence::WriteFiles(out, files);
  if (context.output == Output::kJson) {
    boost::json::array names;
    for (const evidence::File& file : files) names.emplace_back(file.name);
    PrintJson({{"version", 1}, {"out", out}, {"files", names}, {"whole", !gathered.broken}});
  } else {
    for (const evidence::File& file : files) Print(fmt::format("{}/{}\n", out, file.name));
  }
  if (!gathered.broken) co_return ExitCode::kDone;
  throw Rejected(
      ExitCode::kMismatch,
      fmt::format("the report is written, and it says that the audit log is not as it was "
                  "written: {}",
                  gathered.broken->what),
      "pgalter audit verify");
}

}  // namespace

extern const CommandBody kReportCommand;
const CommandBody kReportCommand{
    .description =
        "Writes what the database keeps of a run, or of a time, into a directory for those who "
        "have to see it later: report.html (one page, to be read and printed), report.json, each "
        "run's plan, the part of the audit log from there to its end, which `audit verify FILE` "
        "checks without a database, and SHA256SUMS over all of them. Migrations with their "
        "checksums, requests and approvals, the steps with their times and outcome, what slowed a "
        "run, what was verified; with --dir the files of the migrations, those whose checksum is "
        "what was "
        "run. Values of rows, texts of errors and connection strings are not in "
        "it. Reads only; 7 where the audit log is not as it was written.",
    .most_operands = 1,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
