// The command line without a server: its table, its words, its shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/completion_script.h"
#include "cli/config.h"
#include "cli/connect.h"
#include "cli/env_file.h"
#include "cli/help_text.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/lock_tree.h"
#include "cli/nearest.h"
#include "cli/partition/verb_options.h"
#include "cli/pick_run.h"
#include "cli/progress.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "tests/support/json_schema.h"

namespace pgalter::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

run::Verdict RejectionOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Rejected& rejected) {
    return rejected.verdict();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

run::Verdict RejectionOfArguments(const std::vector<std::string>& arguments) {
  return RejectionOf([&] { ParseArguments(arguments); });
}

// ---- the table
// -----------------------------------------------------------------------------------

TEST(CommandTable, IsCompleteAndUnique) {
  std::set<std::string_view> names;
  for (const Command& command : AllCommands()) {
    SCOPED_TRACE(command.name);
    EXPECT_TRUE(names.insert(command.name).second);
    EXPECT_NE(command.body->run, nullptr);
    EXPECT_FALSE(command.body->description.empty());
    EXPECT_EQ(command.body->description.back(), '.');
    EXPECT_FALSE(command.summary.empty());
    EXPECT_NE(command.summary.back(), '.') << "help adds it";
    EXPECT_EQ(command.summary.find_first_of("':\""), std::string_view::npos) << "shells read it";
    EXPECT_LE(command.body->least_operands, command.body->most_operands);
    EXPECT_TRUE(fs::exists(fs::path(PGALTER_SOURCE_DIR) / "cli/commands" /
                           (std::string(command.name) + ".cc")));
  }
}

TEST(CommandTable, EveryCommandFileIsListed) {
  for (const auto& entry : fs::directory_iterator(fs::path(PGALTER_SOURCE_DIR) / "cli/commands"))
    EXPECT_NE(FindCommand(entry.path().stem().string()), nullptr) << entry.path();
}

TEST(CommandTable, EveryCommandHasHelpWithItsOptions) {
  const std::string overview = OverviewText();
  for (const Command& command : AllCommands()) {
    SCOPED_TRACE(command.name);
    const std::string help = HelpText(command);
    EXPECT_THAT(help, HasSubstr(std::string("Usage: pgalter ") + std::string(command.name)));
    for (const std::string& option : OptionNames(command)) EXPECT_THAT(help, HasSubstr(option));
    EXPECT_THAT(overview, HasSubstr("  " + std::string(command.name) + " "));
    EXPECT_TRUE(ParseArguments({std::string(command.name), "--help"}).help);
  }
}

TEST(CommandTable, HelpFitsATerminal) {
  for (const Command& command : AllCommands()) {
    std::istringstream help(HelpText(command));
    for (std::string line; std::getline(help, line);) EXPECT_LE(DisplayWidth(line), 100U) << line;
  }
}

TEST(CommandTable, AVerbHasHelpOfItsOwn) {
  const Command* partition = FindCommand("partition");
  ASSERT_NE(partition, nullptr);
  const std::string all = HelpText(*partition);
  const auto options = OwnOptions(*partition);
  std::istringstream words{std::string(partition->body->words)};
  for (std::string word; words >> word;) {
    SCOPED_TRACE(word);
    const std::string help = HelpText(*partition, word);
    EXPECT_THAT(help, ::testing::StartsWith("Usage: pgalter partition " + word + " "));
    EXPECT_LT(help.size(), all.size());
    for (const auto& own : options.options()) {
      const std::string option = "\n  --" + own->long_name();
      const bool shown = help.find(option + " ") != std::string::npos ||
                         help.find(option + "\n") != std::string::npos;
      EXPECT_EQ(shown, VerbTakes(word, own->long_name())) << option;
    }
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 100U) << line;
  }
  EXPECT_EQ(HelpText(*partition, "events"), all);
  EXPECT_EQ(HelpText(*FindCommand("lint"), "split"), HelpText(*FindCommand("lint")));
}

TEST(CommandTable, NoOptionTakesACommonOnesName) {
  for (const Command& command : AllCommands()) {
    SCOPED_TRACE(command.name);
    const auto names = OptionNames(command);
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  }
}

TEST(ManPage, NamesEveryCommandAndEscapesDashes) {
  const std::string page = ManPage("1.2.3");
  for (const Command& command : AllCommands())
    EXPECT_THAT(page, HasSubstr(".SS \"pgalter " + std::string(command.name)));
  EXPECT_THAT(page, HasSubstr("\\-\\-dsn"));
  EXPECT_THAT(page, Not(HasSubstr("\n--")));
  EXPECT_THAT(page, HasSubstr("pgalter 1.2.3"));
}

// ---- arguments
// -----------------------------------------------------------------------------------

TEST(Arguments, AMistypedCommandIsToldTheNearest) {
  const run::Verdict verdict = RejectionOfArguments({"stauts"});
  EXPECT_EQ(verdict.code, ExitCode::kUsage);
  EXPECT_THAT(verdict.hint, HasSubstr("pgalter status"));
}

TEST(Arguments, AMistypedOptionIsToldTheNearest) {
  const run::Verdict verdict = RejectionOfArguments({"resume", "--takeover"});
  EXPECT_EQ(verdict.code, ExitCode::kUsage);
  EXPECT_THAT(verdict.text, HasSubstr("--takeover"));
  EXPECT_THAT(verdict.hint, HasSubstr("--take-over"));
}

TEST(Arguments, AnOptionOfOtherServersIsToldOurs) {
  for (const char* port : {"--port", "--port=8000"})
    EXPECT_EQ(RejectionOfArguments({"serve", port}).hint, "did you mean --listen 127.0.0.1:PORT?");
}

TEST(Arguments, AnAbbreviatedOptionIsRefused) {
  EXPECT_EQ(RejectionOfArguments({"ps", "--out", "json"}).code, ExitCode::kUsage);
}

TEST(Arguments, FarOffWordsGetNoSuggestion) {
  EXPECT_EQ(Nearest("xyzzy", {"status", "resume"}), "");
  EXPECT_EQ(Nearest("re", {"status", "resume"}), "resume");
  EXPECT_EQ(Nearest("resmue", {"status", "resume"}), "resume");
}

TEST(Arguments, OperandsAreCounted) {
  EXPECT_THAT(RejectionOfArguments({"abort"}).hint, HasSubstr("usage: pgalter abort RUN"));
  EXPECT_THAT(RejectionOfArguments({"status", "a", "b"}).text, HasSubstr("\"b\""));
  EXPECT_EQ(ParseArguments({"status", "a"}).Operand(0), "a");
}

TEST(Arguments, WhatFollowsTwoDashesIsNoOption) {
  const Context context = ParseArguments({"sandbox", "psql", "abc", "--", "-c", "SELECT 1"});
  EXPECT_EQ(context.operands, (std::vector<std::string>{"psql", "abc", "-c", "SELECT 1"}));
}

TEST(Arguments, OutputIsTextOrJson) {
  EXPECT_EQ(ParseArguments({"ps", "--output", "json"}).output, Output::kJson);
  EXPECT_EQ(ParseArguments({"ps"}).output, Output::kText);
  EXPECT_EQ(RejectionOfArguments({"ps", "--output", "xml"}).code, ExitCode::kUsage);
  EXPECT_EQ(WantedOutput({"nonsense", "--output", "json"}), Output::kJson);
  EXPECT_EQ(WantedOutput({"nonsense", "--output=json"}), Output::kJson);
}

TEST(Arguments, WithoutACommandThereIsHelp) {
  EXPECT_EQ(ParseArguments({}).command->name, "help");
  EXPECT_EQ(ParseArguments({"--help"}).command->name, "help");
  EXPECT_EQ(ParseArguments({"--version"}).command->name, "version");
}

class Surroundings : public ::testing::Test {
 protected:
  Surroundings()
      : folder_(fs::temp_directory_path() / ("pgalter-cli-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    ::setenv("PGALTER_DSN", "service=surroundings", 1);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    ::unsetenv("PGALTER_DSN");
  }
  std::string Config(const std::string& text) {
    const fs::path file = folder_ / "pgalter.toml";
    std::ofstream(file) << text;
    return file.string();
  }

 private:
  fs::path folder_;
};

TEST_F(Surroundings, FlagBeatsNamedEnvironmentBeatsVariable) {
  const std::string config = Config("[env.staging]\ndsn = \"service=staging\"\n");
  EXPECT_EQ(ParseArguments({"ps"}).dsn, "service=surroundings");
  EXPECT_EQ(ParseArguments({"ps", "--env", "staging", "--config", config}).dsn, "service=staging");
  EXPECT_EQ(ParseArguments({"ps", "--dsn", "service=flag"}).dsn, "service=flag");
  EXPECT_EQ(RejectionOfArguments({"ps", "--dsn", "x=y", "--env", "staging"}).code,
            ExitCode::kUsage);
}

TEST_F(Surroundings, AnEnvFileSaysWhatTheEnvironmentDoesNot) {
  const std::string file = Config(
      "# of the application\r\nexport DATABASE_URL='postgresql+psycopg2://app@db/shop' # here\n\n"
      "PGALTER_TEST_A = \"a # b\"\nPGALTER_TEST_B=b # c\nPGALTER_DSN=service=file\n");
  ::setenv("PGALTER_TEST_B", "mine", 1);
  EXPECT_EQ(ParseArguments({"ps", "--env-file", file}).dsn, "service=surroundings");
  EXPECT_STREQ(std::getenv("PGALTER_TEST_A"), "a # b");
  EXPECT_STREQ(std::getenv("PGALTER_TEST_B"), "mine");
  ::unsetenv("PGALTER_DSN");
  EXPECT_EQ(ParseArguments({"ps"}).dsn, "") << "a DATABASE_URL alone may be another program's";
  EXPECT_EQ(ParseArguments({"ps", "--env-file", file}).dsn, "service=file");
  ::unsetenv("PGALTER_DSN");
  EXPECT_EQ(ParseArguments({"ps", "--env-file", Config("\n")}).dsn, "postgresql://app@db/shop");
  for (const char* name : {"DATABASE_URL", "PGALTER_TEST_A", "PGALTER_TEST_B"}) ::unsetenv(name);
}

TEST_F(Surroundings, AnEnvFileIsReadStrictlyAndItsSecretsAreNotSaid) {
  for (const char* text :
       {"A=1\nhush-hush\n", "\nA='hush-hush\n", "\nA=\"x\" hush-hush\n", "\n1A=hush-hush"}) {
    const auto rejection = RejectionOfArguments({"ps", "--env-file", Config(text)});
    EXPECT_EQ(rejection.code, ExitCode::kUsage);
    EXPECT_THAT(rejection.text, AllOf(HasSubstr(":2:"), Not(HasSubstr("hush"))));
  }
  ::unsetenv("A");
  EXPECT_EQ(RejectionOfArguments({"ps", "--env-file", "/nonexistent.env"}).code, ExitCode::kUsage);
  const std::string file = Config("");
  fs::permissions(file, fs::perms::owner_read | fs::perms::group_read);
  EXPECT_TRUE(IsOpenToOthers(file));
  fs::permissions(file, fs::perms::owner_read);
  EXPECT_FALSE(IsOpenToOthers(file));
}

TEST_F(Surroundings, TheConfigurationIsReadStrictly) {
  const std::string config = Config("[env.staging]\ndsn = \"service=staging\"\nlogfile = \"x\"\n");
  EXPECT_THAT(RejectionOf([&] { DsnOfEnvironment(config, "staging"); }).text,
              HasSubstr("no setting \"logfile\""));
  EXPECT_THAT(RejectionOf([&] { DsnOfEnvironment(config, "stagin"); }).hint,
              HasSubstr("--env staging"));
  EXPECT_THAT(RejectionOf([&] { DsnOfEnvironment(Config("[env"), "a"); }).text, HasSubstr(":1:"));
  EXPECT_EQ(RejectionOf([&] { DsnOfEnvironment("/nonexistent.toml", "a"); }).code,
            ExitCode::kUsage);
}

// ---- completion
// ----------------------------------------------------------------------------------

TEST(Completion, MentionsEveryCommandAndOption) {
  for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    const std::string script = CompletionScript(shell);
    for (const Command& command : AllCommands()) {
      EXPECT_THAT(script, HasSubstr(std::string(command.name)));
      for (const std::string& option : OptionNames(command))
        EXPECT_THAT(script, HasSubstr(option.substr(2)));
    }
  }
}

TEST(Completion, BashReadsItAndCompletes) {
  const fs::path file = fs::temp_directory_path() / ("pgalter-bash-" + std::to_string(getpid()));
  std::ofstream(file) << CompletionScript(Shell::kBash);
  EXPECT_EQ(std::system(("bash -n " + file.string()).c_str()), 0);
  const std::string ask = "bash -c 'source " + file.string() +
                          "; COMP_WORDS=(pgalter resume --ta); COMP_CWORD=2; _pgalter; "
                          "test \"${COMPREPLY[*]}\" = --take-over'";
  EXPECT_EQ(std::system(ask.c_str()), 0);
  fs::remove(file);
}

// ---- which run
// -----------------------------------------------------------------------------------

state::Run MakeRun(const std::string& id, state::RunState state) {
  state::Run run;
  run.id = id;
  run.command = "backfill";
  run.target = "public.t";
  run.state = state;
  run.phase = "backfill";
  run.created_at = "2024-05-01T10:00:00Z";
  run.updated_at = "2024-05-01T10:01:00Z";
  return run;
}

TEST(PickRun, TakesAUniquePrefix) {
  const std::vector<state::Run> runs{MakeRun("aa11", state::RunState::kDone),
                                     MakeRun("aa22", state::RunState::kDone),
                                     MakeRun("bb33", state::RunState::kDone)};
  EXPECT_EQ(PickRun(runs, "b").id, "bb33");
  EXPECT_EQ(PickRun(runs, "aa22").id, "aa22");
  EXPECT_THAT(RejectionOf([&] { PickRun(runs, "aa"); }).hint, HasSubstr("aa11, aa22"));
  const run::Verdict unknown = RejectionOf([&] { PickRun(runs, "cc"); });
  EXPECT_EQ(unknown.code, ExitCode::kUsage);
  EXPECT_EQ(unknown.hint, "pgalter ps");
}

TEST(PickRun, LeftOutItIsTheOnlyActiveOne) {
  std::vector<state::Run> runs{MakeRun("aa11", state::RunState::kDone),
                               MakeRun("aa22", state::RunState::kPaused)};
  EXPECT_EQ(PickRun(runs, "").id, "aa22");
  runs.push_back(MakeRun("bb33", state::RunState::kRunning));
  EXPECT_THAT(RejectionOf([&] { PickRun(runs, ""); }).hint, HasSubstr("aa22, bb33"));
  EXPECT_EQ(RejectionOf([&] { PickRun({}, ""); }).code, ExitCode::kUsage);
}

// ---- shapes
// --------------------------------------------------------------------------------------

json::value LoadSchema(const std::string& name) {
  const std::ifstream file(fs::path(PGALTER_SOURCE_DIR) / "docs/schemas" / name);
  std::ostringstream text;
  text << file.rdbuf();
  return json::parse(text.str());
}

run::Progress Halfway() {
  run::Progress progress;
  progress.phase = "backfill";
  progress.done_rows = 420'000;
  progress.total_rows = 1'000'000;
  progress.fraction = 0.4219;
  progress.rows_per_s = 12'345.6;
  progress.eta_low_s = 40;
  progress.eta_high_s = 60;
  progress.throttle_ratio = 0.35;
  progress.throttle_reason = "replay-lag-seconds 8 s of 10 s";
  progress.hot_share = 0.83;
  return progress;
}

TEST(JsonShapes, RunsMatchTheirSchema) {
  state::Run run = MakeRun("00000000-0000-4000-8000-000000000001", state::RunState::kRunning);
  run.progress = {{"rows_per_s", 10.5},
                  {"eta_low_s", 4},
                  {"eta_high_s", 7.5},
                  {"throttle_ratio", 0.5},
                  {"throttle_reason", "x"}};
  const json::object runs =
      RunsJson({run, MakeRun("00000000-0000-4000-8000-000000000002", state::RunState::kDone)});
  test::ExpectMatches(runs, LoadSchema("runs.json").as_object(), "runs");
  const json::object& first = runs.at("runs").as_array().at(0).as_object();
  EXPECT_EQ(json::serialize(first.at("eta_s")), R"({"low":4E0,"high":7.5E0})");
  EXPECT_EQ(first.at("rows_per_s").as_double(), 10.5);
  EXPECT_EQ(json::serialize(runs.at("runs").as_array().at(1).as_object().at("eta_s")),
            R"({"low":null,"high":null})");
}

TEST(JsonShapes, ARestingRunHasNoSpeed) {
  state::Run run = MakeRun("aa", state::RunState::kPaused);
  run.progress = {{"rows_per_s", 10.5}, {"eta_low_s", 4}, {"eta_high_s", 7.5}};
  EXPECT_EQ(ProgressOf(run).rows_per_s, 0);
  EXPECT_LT(ProgressOf(run).eta_low_s, 0);
}

TEST(JsonShapes, ProgressMatchesItsSchema) {
  const json::value schema = LoadSchema("progress.json");
  for (const run::Progress& progress : {Halfway(), run::Progress{}})
    test::ExpectMatches(
        ProgressJson("00000000-0000-4000-8000-000000000001", "running", progress, UtcNow()),
        schema.as_object(), "progress");
}

TEST(JsonShapes, ErrorsMatchTheirSchema) {
  const json::value schema = LoadSchema("error.json");
  run::Verdict verdict;
  verdict.text = "it failed";
  test::ExpectMatches(ErrorJson(verdict), schema.as_object(), "error");
  verdict.code = ExitCode::kUnsupported;
  verdict.sqlstate = "42501";
  verdict.object = "public.t";
  verdict.hint = "GRANT it";
  const json::object error = ErrorJson(verdict);
  test::ExpectMatches(error, schema.as_object(), "error");
  EXPECT_EQ(error.at("error").at("exit_code").as_int64(), 10);
}

TEST(JsonShapes, LocksAreATree) {
  lock::LockNode root;
  root.session.pid = 1;
  lock::LockNode waiter;
  waiter.session.pid = 2;
  waiter.wanted = lock::LockInfo{"relation", "public.t", locks::LockMode::kAccessExclusive, false};
  waiter.blocked_by = {1};
  root.waiters.push_back(waiter);
  const json::object tree = LocksJson({root});
  EXPECT_EQ(tree.at("trees").at(0).at("waiters").at(0).at("wanted").at("mode").as_string(),
            "ACCESS EXCLUSIVE");
  const std::string text = LockTreeText({root});
  EXPECT_THAT(text, HasSubstr("pid 1\n└─ pid 2 waits for ACCESS EXCLUSIVE on public.t"));
}

// ---- errors
// --------------------------------------------------------------------------------------

TEST(Judge, AHintIsSaidOnce) {
  pg::PgErrorFields fields;
  fields.sqlstate = "42P01";
  fields.message = "no such table";
  fields.hint = "look again";
  const run::Verdict verdict = Judge(std::make_exception_ptr(pg::PgError(fields)));
  EXPECT_EQ(verdict.text, "no such table (SQLSTATE 42P01)");
  EXPECT_EQ(verdict.hint, "look again");
}

TEST(Judge, AWrongPasswordIsAFailedConnection) {
  pg::PgErrorFields fields;
  fields.sqlstate = "28P01";
  fields.message = "password authentication failed";
  const run::Verdict verdict = Judge(std::make_exception_ptr(pg::ConnectError(fields)));
  EXPECT_EQ(verdict.code, ExitCode::kConnection);
  EXPECT_THAT(verdict.hint, HasSubstr("--dsn"));
}

TEST(Servers, FourteenToEighteenAreChanged) {
  EXPECT_NE(WhyNotSupported(130010), "");
  EXPECT_EQ(WhyNotSupported(140000), "");
  EXPECT_EQ(WhyNotSupported(180003), "");
  EXPECT_THAT(WhyNotSupported(190000), HasSubstr("14 to 18"));
}

// ---- for people
// ----------------------------------------------------------------------------------

TEST(ProgressLine, SaysWhatCounts) {
  EXPECT_EQ(ProgressLine(Halfway()),
            "backfill 42.1 %, 420,000 of about 1,000,000 rows, 12,346 rows/s, ETA 40 s to 60 s, "
            "HOT 83 %, pace 35 % (replay-lag-seconds 8 s of 10 s)");
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(ProgressLine(run::Progress{}), "starting 0.0 %, 0 rows, 0 rows/s, pace 100 %");
}

TEST(ProgressLine, ARestingRunHasNoSpeedAndNoPace) {
  const std::string line = ProgressLine(run::Progress{}, Motion::kResting);
  EXPECT_EQ(line, "starting 0.0 %, 0 rows");
}

TEST(ProgressLine, NeverShowsMoreDoneThanThereIs) {
  run::Progress progress = Halfway();
  progress.total_rows = 10;
  EXPECT_THAT(ProgressLine(progress), HasSubstr("420,000 of about 420,000 rows"));
}

TEST(ProgressLine, WhatWasEstimatedIsNotShownOnceItIsDone) {
  run::Progress progress = Halfway();
  progress.phase = "done";
  progress.fraction = 1;
  EXPECT_THAT(ProgressLine(progress, Motion::kResting), HasSubstr("done 100.0 %, 420,000 rows,"));
}

TEST(ProgressLine, NotesAndNamesCannotSteerTheTerminal) {
  run::Progress progress;
  progress.note = "waits for \x1b[2Jt\n";
  const std::string line = ProgressLine(progress);
  EXPECT_THAT(line, HasSubstr("; waits for \\x1B[2Jt\\x0A"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(ProgressBar, FitsTheTerminal) {
  for (const std::size_t width : {5U, 21U, 40U, 80U, 200U}) {
    SCOPED_TRACE(width);
    EXPECT_LE(DisplayWidth(ProgressBar(Halfway(), width, Color::kNo)), width);
  }
  EXPECT_EQ(ProgressBar(Halfway(), 80, Color::kNo),
            "[####......] backfill 42.1 % 420,000/1,000,000 rows 12,346/s ETA 40 s to 60 s pa");
  EXPECT_THAT(ProgressBar(Halfway(), 200, Color::kNo),
              HasSubstr("[########............] backfill"));
}

TEST(ProgressBar, IsColouredOnlyWhereAsked) {
  EXPECT_THAT(ProgressBar(Halfway(), 80, Color::kNo), Not(HasSubstr("\x1b")));
  EXPECT_THAT(ProgressBar(Halfway(), 80, Color::kYes), HasSubstr("\x1b[33m"));
}

TEST(Human, NumbersReadWell) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(-1'234'567), "-1,234,567");
  EXPECT_EQ(HumanShare(0.99999), "99.9 %");
  EXPECT_EQ(HumanShare(1), "100.0 %");
  EXPECT_EQ(HumanRange(10, 10.2), "10 s");
  EXPECT_EQ(HumanRange(100, 200), "100 s to 3 min");
  EXPECT_EQ(HumanRange(-1, -1), "unknown");
}

TEST(Tables, ColumnsStandUnderEachOther) {
  Table table({"NAME", "N"});
  table.Add({"größe", "1"});
  table.Add({"a\nb", "2"});
  EXPECT_EQ(table.Text(), "NAME    N\ngröße   1\na\\x0Ab  2\n");
}

}  // namespace
}  // namespace pgalter::cli
