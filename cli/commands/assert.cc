#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "cli/connect.h"
#include "cli/json_output.h"
#include "cli/migrate/assert_report.h"
#include "cli/migrate/source.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/guard/role_settings.h"
#include "migrations/formats/folder.h"
#include "migrations/history/store.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

struct Asked {
  std::string name;
  std::string text;
};

void AddOptions(po::options_description& options) {
  AddSourceOptions(options);
  options.add_options()("reporter", po::value<std::string>()->default_value("text"),
                        "text | tap | junit");
}

std::string TextOf(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  try {
    return formats::ReadWhole(file);
  } catch (const std::runtime_error& error) {
    throw Rejected(ExitCode::kUsage, fmt::format("cannot read {}: {}", file, error.what()), "");
  }
}

// What verifies the migrations that are applied.
Task<std::vector<Asked>> OfMigrations(const Context& context, guard::Session& session) {
  const history::Collection collection = ReadMigrations(SettleMigrations(context));
  const auto applied = co_await history::ReadApplied(session);
  std::vector<Asked> asked;
  for (const history::Migration& migration : collection.migrations) {
    const auto row = std::ranges::find(applied, migration.version, &history::Applied::version);
    const bool there = row != applied.end() && (row->state == history::State::kApplied ||
                                                row->state == history::State::kUnverified ||
                                                row->state == history::State::kBaseline);
    if (there && !migration.verify.empty()) asked.push_back({migration.file, migration.verify});
  }
  co_return asked;
}

std::string Rendered(const std::string& reporter, const std::vector<Questioned>& all) {
  if (reporter == "tap") return AnswersAsTap(all);
  if (reporter == "junit") return AnswersAsJunit(all);
  return AnswersAsText(all);
}

Task<ExitCode> Run(Context& context) {
  const std::string reporter = context.Get("reporter");
  if (reporter != "text" && reporter != "tap" && reporter != "junit")
    throw Rejected(ExitCode::kUsage, fmt::format("there is no reporter \"{}\"", reporter),
                   "one of: text, tap, junit");
  std::vector<Asked> asked;
  for (const std::string& file : context.operands) asked.push_back({file, TextOf(file)});
  guard::Session session = co_await OpenSession(context);
  if (asked.empty()) asked = co_await OfMigrations(context, session);
  const guard::Settings settings = co_await guard::RoleSettings(session);
  std::vector<Questioned> all;
  for (const Asked& one : asked) {
    auto answers = co_await history::Verify(session, settings, one.text);
    all.push_back({one.name, std::move(answers)});
  }
  const Tally tally = TallyOf(all);
  if (tally.asked == 0)
    throw Rejected(ExitCode::kUsage, "there is nothing to ask",
                   context.operands.empty()
                       ? "no applied migration has a verify section; or name files with questions"
                       : "docs/format.md has the questions");
  if (context.output == Output::kJson) {
    PrintJson(AnswersAsJson(all));
  } else {
    Print(Rendered(reporter, all));
  }
  co_return tally.failed == 0 ? ExitCode::kDone : ExitCode::kMismatch;
}

}  // namespace

extern const CommandBody kAssertCommand;
const CommandBody kAssertCommand{
    .description =
        "Asks a database what has to be true, and says what does not hold (7): each question a "
        "query whose first column has to be true in every row, or one that has a name, as "
        "exists(table public.person), index_valid(public.person_name), enum(public.mood, 'sad', "
        "'ok'), rows(public.person, >= 10), no_orphans(public.pet), policy_allows(app, SELECT "
        "…), policy_denies(app, SELECT …), decrypts(public.person.mail, env:APP_KEY). From files, "
        "from standard input (-), or, without any, "
        "from the verify sections of the migrations that are applied. Read-only. --reporter tap "
        "and junit are for CI.",
    .most_operands = kAnyNumber,
    .reads_config = true,
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
