// `pgalter lint` as it is run: what it prints, where, what it leaves, and its exit code.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kClean = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kFindings = 3;
constexpr int kSkipped = 77;

constexpr const char* kTable = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n";
constexpr const char* kIndex =
    "SET lock_timeout = '1s';\nCREATE INDEX orders_note ON orders (note);\n";

class LintProgram : public ::testing::Test {
 protected:
  LintProgram() {
    std::string folder = fs::temp_directory_path() / "pgalter-lint-XXXXXX";
    folder_ = fs::canonical(::mkdtemp(folder.data()));
    // Paths are given as users give them: from where they are.
    home_ = fs::current_path();
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(home_);
    fs::remove_all(folder_);
  }

  static void Write(const fs::path& name, const std::string& text) {
    if (name.has_parent_path()) fs::create_directories(name.parent_path());
    std::ofstream(name, std::ios::binary) << text;
  }
  static std::string Read(const fs::path& name) {
    const std::ifstream file(name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static Ran Run(const Words& arguments, const Words& environment = {}) {
    return Program(PGALTER_BINARY, arguments, environment).Wait();
  }
  static Ran Lint(Words arguments) {
    arguments.insert(arguments.begin(), "lint");
    return Run(arguments);
  }
  static int Shell(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static json::object Json(const Ran& ran) { return json::parse(ran.out).as_object(); }
  // "rule at file:line:column", in the order of the report. Errors only: notes come and go with the
  // rules.
  static std::vector<std::string> Places(const Ran& ran) {
    std::vector<std::string> places;
    const json::object report = Json(ran);
    for (const json::value& finding : report.at("findings").as_array())
      if (finding.at("severity") == "error")
        places.push_back(fmt::format("{} at {}:{}:{}", finding.at("rule").as_string().c_str(),
                                     finding.at("file").as_string().c_str(),
                                     finding.at("line").as_int64(),
                                     finding.at("column").as_int64()));
    return places;
  }
  static int Validate(const std::string& schema, const std::string& text) {
    Write("judged.json", text);
    return Shell(
        fmt::format("'{}/tests/schemas/validate' '{}' judged.json", PGALTER_SOURCE_DIR, schema));
  }
  static void Git(const std::string& arguments) {
    ASSERT_EQ(Shell("git -c user.name=t -c user.email=t@t -c init.defaultBranch=main "
                    "-c commit.gpgsign=false " +
                    arguments + " >git.log 2>&1"),
              0)
        << arguments << "\n"
        << Read("git.log");
  }
  static void MakeMigrations() {
    Write("m/001_orders.sql", kTable);
    Write("m/002_index.sql", kIndex);
  }

 private:
  fs::path folder_;
  fs::path home_;
};

// ---- what is printed

TEST_F(LintProgram, TextHasTheLineTheLockAndTheWayOut) {
  MakeMigrations();
  const Ran ran = Lint({"m"});
  EXPECT_EQ(ran.code, kFindings);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(ran.out, HasSubstr("m/002_index.sql:2:1: error: "));
  EXPECT_THAT(ran.out, HasSubstr("[create-index-non-concurrent]\n"
                                 "  2 | CREATE INDEX orders_note ON orders (note);\n"
                                 "    | ^"));
  EXPECT_THAT(ran.out, HasSubstr("  lock     SHARE on orders: writes wait\n"));
  EXPECT_THAT(ran.out, HasSubstr("  instead  CREATE INDEX CONCURRENTLY"));
  EXPECT_THAT(ran.out, HasSubstr(" in 1 of 2 files: 1 error"));
  EXPECT_THAT(ran.out, Not(HasSubstr("\x1B")));
}

TEST_F(LintProgram, CleanFilesEndWithZero) {
  Write("1.sql", "SELECT 1;\n");
  const Ran ran = Lint({"1.sql"});
  EXPECT_EQ(ran.code, kClean) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("no findings in 1 file"));
}

TEST_F(LintProgram, JsonIsWhatItsSchemaSaysWithFilesAsGivenInOrder) {
  MakeMigrations();
  Write("m/003_more.sql", "SET lock_timeout = '1s';\n\n  CREATE INDEX i ON orders (note);\n");
  Write("m/readme.txt", "not read");
  const Ran ran = Lint({"--output", "json", "--server-version", "15", "m"});
  EXPECT_EQ(ran.code, kFindings);
  EXPECT_EQ(ran.err, "");
  EXPECT_THAT(Places(ran), ElementsAre("create-index-non-concurrent at m/002_index.sql:2:1",
                                       "create-index-non-concurrent at m/003_more.sql:3:3"));
  EXPECT_EQ(Json(ran).at("summary").at("files"), 3);
  const int code = Validate(PGALTER_SOURCE_DIR "/docs/schemas/lint.json", ran.out);
  if (code == kSkipped) GTEST_SKIP() << "npm, which has the judge, cannot be reached";
  EXPECT_EQ(code, 0);
}

TEST_F(LintProgram, SarifIsWhatItsSchemaSays) {
  MakeMigrations();
  const Ran ran = Lint({"--output", "sarif", "m"});
  EXPECT_EQ(ran.code, kFindings);
  const int code = Validate("sarif", ran.out);
  if (code == kSkipped) GTEST_SKIP() << "npm, which has the schema, cannot be reached";
  EXPECT_EQ(code, 0);
}

TEST_F(LintProgram, EveryFormatEndsAlike) {
  MakeMigrations();
  for (const char* format : {"text", "json", "sarif", "junit", "gitlab", "github", "checkstyle"}) {
    const Ran ran = Lint({"--output", format, "m"});
    EXPECT_EQ(ran.code, kFindings) << format;
    EXPECT_THAT(ran.out, HasSubstr("create-index-non-concurrent")) << format;
    EXPECT_EQ(ran.err, "") << format;
  }
}

TEST_F(LintProgram, AReportGoesToItsFileAndTheSummaryToStderr) {
  MakeMigrations();
  const Ran ran = Lint({"--output", "gitlab", "--out", "report.json", "m"});
  EXPECT_EQ(ran.code, kFindings);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(" in 1 of 2 files: 1 error"));
  EXPECT_FALSE(json::parse(Read("report.json")).as_array().empty());
}

TEST_F(LintProgram, GitlabFingerprintsStayWhenLinesMove) {
  const auto fingerprints = [] {
    std::set<std::string> found;
    const json::value report = json::parse(Lint({"--output", "gitlab", "m"}).out);
    for (const json::value& issue : report.as_array())
      found.insert(issue.at("fingerprint").as_string().c_str());
    return found;
  };
  MakeMigrations();
  const auto before = fingerprints();
  Write("m/002_index.sql", "-- moved\n\n\n" + std::string(kIndex));
  EXPECT_EQ(fingerprints(), before);
  Write("m/002_index.sql", "SET lock_timeout = '1s';\nCREATE INDEX other ON orders (note);\n");
  EXPECT_NE(fingerprints(), before);
}

TEST_F(LintProgram, OutputIsColouredOnATerminalOnly) {
  MakeMigrations();
  if (Shell("command -v script >/dev/null") != 0) GTEST_SKIP() << "script is missing: bsdutils";
  const auto on_terminal = [](const std::string& environment) {
    Shell(fmt::format("{} script -qec \"'{}' lint m\" /dev/null >out </dev/null", environment,
                      PGALTER_BINARY));
    return Read("out");
  };
  EXPECT_THAT(on_terminal(""), HasSubstr("\x1B["));
  EXPECT_THAT(on_terminal("NO_COLOR=1"),
              AllOf(HasSubstr("002_index.sql"), Not(HasSubstr("\x1B["))));
}

// ---- exit codes

TEST_F(LintProgram, FailOnDecidesTheExitCode) {
  MakeMigrations();
  EXPECT_EQ(Lint({"--fail-on", "error", "m"}).code, kFindings);
  EXPECT_EQ(Lint({"--fail-on", "never", "m"}).code, kClean);
  const std::string note = "--severity=create-index-non-concurrent=note";
  EXPECT_EQ(Lint({note, "m"}).code, kClean);
  EXPECT_EQ(Lint({note, "--fail-on", "note", "m"}).code, kFindings);
  EXPECT_EQ(Lint({"--no-rule", "create-index-non-concurrent", "m"}).code, kClean);
  EXPECT_EQ(Lint({"--no-rule", "all", "--rule", "set-not-null", "m"}).code, kClean);
}

TEST_F(LintProgram, WrongUseSaysWhatWhyAndWhatNext) {
  MakeMigrations();
  fs::create_directory("empty");
  const std::vector<std::pair<Words, std::string>> cases = {
      {{}, "name files or directories"},
      {{"missing"}, "there is no such file"},
      {{"empty"}, "there are no migrations in empty"},
      {{"m", "--output", "xml"}, "checkstyle"},
      {{"m", "--server-version", "9"}, "from 13 to 18"},
      {{"m", "--server-version", "new"}, "server-version"},
      {{"m", "--format", "flywy"}, "flyway"},
      {{"m", "--dsn", "host=/nowhere", "--schema", "m/001_orders.sql"}, "give one of them"},
      {{"m", "--fail-on", "fatal"}, "error, warning, note or never"},
      {{"m", "--rule", "set-notnull"}, "did you mean set-not-null?"},
      {{"m", "--severity", "set-not-null"}, "RULE=error"},
      {{"m", "--diff"}, "--fix --diff"},
      {{"m", "--write-baseline"}, "--baseline FILE"},
      {{"m", "--baseline", "none.json"}, "--write-baseline"},
      {{"m", "--table-sizes", "none.csv"}, "none.csv"},
      {{"m", "--schema", "none.sql"}, "none.sql"},
      {{"m", "--config", "none.toml"}, "none.toml"},
      {{"m", "--transaction", "maybe"}, "by-format, always or never"},
      {{"m", "--git-base", "main"}, "no git repository"},
  };
  for (const auto& [arguments, part] : cases) {
    const Ran ran = Lint(arguments);
    EXPECT_EQ(ran.code, kUsage) << part;
    EXPECT_EQ(ran.out, "") << part;
    EXPECT_THAT(ran.err, HasSubstr(part));
  }
}

TEST_F(LintProgram, AFileThatCannotBeReadHidesNoOther) {
  MakeMigrations();
  // Even root cannot read the first byte of it.
  const Ran ran = Lint({"--output", "json", "/proc/self/mem", "m"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.err, HasSubstr("/proc/self/mem"));
  EXPECT_THAT(Places(ran), ElementsAre("create-index-non-concurrent at m/002_index.sql:2:1"));
}

TEST_F(LintProgram, OddBytesHideNoFinding) {
  Write("m/1.sql",
        "\xEF\xBB\xBF" + std::string(kTable) + "SELEC 1;\r\n\\set x 1\nSELECT '\xFF';\n");
  Write("m/2.sql", "");
  Write("m/3.sql", "CREATE INDEX i ON orders (note);\nSELECT 'open");
  Write("m/4.sql", std::string("\0\0\0;", 4));
  const Ran ran = Lint({"--output", "json", "m"});
  EXPECT_EQ(ran.code, kFindings) << ran.err;
  EXPECT_THAT(Places(ran), ::testing::Contains("create-index-non-concurrent at m/3.sql:1:1"));
}

// ---- where files come from

TEST_F(LintProgram, StdinIsADash) {
  Write("in.sql", kIndex);
  EXPECT_EQ(Shell(fmt::format("'{}' lint --output json - <in.sql >out", PGALTER_BINARY)),
            kFindings);
  EXPECT_EQ(json::parse(Read("out")).at_pointer("/findings/0/file"), "-");
}

TEST_F(LintProgram, TheWayDownIsJudgedApart) {
  Write("m/20240101000000_a.sql",
        "-- migrate:up\n" + std::string(kTable) + "-- migrate:down\nDROP TABLE orders;\n");
  Write("m/20240102000000_b.sql",
        "-- migrate:up\nDROP INDEX CONCURRENTLY IF EXISTS old;\n\n"
        "-- migrate:down\nSET lock_timeout = '1s';\nCREATE INDEX old ON orders (note);\n");
  const std::string place = "create-index-non-concurrent at m/20240102000000_b.sql:6:1";
  EXPECT_THAT(Places(Lint({"--output", "json", "m"})), Not(::testing::Contains(place)));
  EXPECT_THAT(Places(Lint({"--output", "json", "--down", "m"})), ::testing::Contains(place));
  EXPECT_THAT(Places(Lint({"--output", "json", "--format", "plain", "m"})),
              ::testing::Contains(place))
      << "plain SQL has no marks";
}

TEST_F(LintProgram, OnlyWhatChangedSinceABaseIsJudged) {
  MakeMigrations();
  Git("init .");
  Git("add m");
  Git("commit -m base");
  Git("checkout -b work");
  Write("m/003_committed.sql", "SET lock_timeout = '1s';\nCREATE INDEX a ON orders (note);\n");
  Git("add m");
  Git("commit -m work");
  Write("m/004_new.sql", "SET lock_timeout = '1s';\nCREATE INDEX b ON orders (note);\n");
  const Ran ran = Lint({"--output", "json", "--git-base", "main", "m"});
  EXPECT_THAT(Places(ran), ElementsAre("create-index-non-concurrent at m/003_committed.sql:2:1",
                                       "create-index-non-concurrent at m/004_new.sql:2:1"));
  EXPECT_EQ(Json(ran).at("summary").at("files"), 2);
  const Ran unknown = Lint({"--git-base", "no-such-branch", "m"});
  EXPECT_EQ(unknown.code, kUsage);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("no-such-branch"), HasSubstr("fetch")));
}

TEST_F(LintProgram, ATableThatTheBranchBringsIsNobodysYet) {
  Write("m/001_other.sql", "CREATE TABLE other (id int PRIMARY KEY);\n");
  Git("init .");
  Git("add m");
  Git("commit -m base");
  Write("m/002_orders.sql", kTable);
  Write("m/003_index.sql", kIndex);
  EXPECT_EQ(Lint({"--git-base", "HEAD", "m"}).code, kClean);
  EXPECT_EQ(Lint({"m"}).code, kFindings) << "each file is a deployment of its own";
}

TEST_F(LintProgram, TheConfigurationNamesPathsAndRules) {
  MakeMigrations();
  Write("m/old/000.sql", kIndex);
  Write("pgalter.toml", "[lint]\npaths = [\"m\"]\nfail_on = \"never\"\n");
  EXPECT_EQ(Lint({}).code, kClean);
  EXPECT_EQ(Lint({"--fail-on", "error"}).code, kFindings) << "a flag is over the file";
  Write("other.toml", "[lint]\npaths = [\"m\"]\nignore = [\"m/002*\"]\n");
  EXPECT_EQ(Lint({"--config", "other.toml"}).code, kClean);
  Write("pgalter.toml", "[lint.rules]\ncreate-index-non-concurrent = \"off\"\n");
  EXPECT_EQ(Lint({"m"}).code, kClean);
  Write("pgalter.toml", "[lint]\nfailon = \"never\"\n");
  EXPECT_THAT(Lint({"m"}).err, HasSubstr("did you mean fail_on?"));
}

TEST_F(LintProgram, SizesOfTablesDecideTheSeverity) {
  MakeMigrations();
  Write("sizes.csv", "orders,300\n");
  EXPECT_EQ(Lint({"--table-sizes", "sizes.csv", "m"}).code, kClean);
  Write("sizes.csv", "public.orders\t300000000\t9000000000\n");
  EXPECT_EQ(Lint({"--table-sizes", "sizes.csv", "m"}).code, kFindings);
}

TEST_F(LintProgram, ADumpTellsWhatIsThere) {
  Write("dump.sql",
        "CREATE TABLE public.events (id bigint, at timestamptz) PARTITION BY RANGE (at);\n"
        "CREATE TABLE public.old PARTITION OF public.events DEFAULT;\n");
  Write("1.sql", "SET lock_timeout = '1s';\nCREATE INDEX i ON events (id);\n");
  const Ran ran = Lint({"--output", "json", "--schema", "dump.sql", "1.sql"});
  EXPECT_EQ(ran.code, kFindings);
  EXPECT_THAT(ran.out, HasSubstr("ON ONLY the parent")) << "it knows that it is partitioned";
}

TEST_F(LintProgram, TheLiveDatabaseTellsWhatIsThere) {
  FreshDatabase database;
  database.Sql(
      "CREATE TABLE orders (id bigint PRIMARY KEY, note text);"
      "INSERT INTO orders SELECT generate_series(1, 20000);"
      "CREATE TABLE few (id bigint PRIMARY KEY, note text);"
      "INSERT INTO few VALUES (1); ANALYZE orders, few");
  Write("1.sql",
        "SET lock_timeout = '1s';\nCREATE INDEX few_note ON few (note);\n"
        "CREATE INDEX orders_note ON orders (note);\n");
  const Ran ran = Lint({"--output", "json", "--dsn", database.conninfo(), "1.sql"});
  EXPECT_EQ(ran.code, kFindings) << ran.err;
  EXPECT_THAT(Places(ran), ElementsAre("create-index-non-concurrent at 1.sql:3:1"));
  EXPECT_EQ(Run({"lint", "1.sql"}, {"PGALTER_DSN=host=/nowhere"}).code, kFindings)
      << "the surroundings do not make it connect";
  const Ran nowhere = Lint({"--dsn", "host=/nowhere", "1.sql"});
  EXPECT_EQ(nowhere.code, 9);
  EXPECT_EQ(nowhere.out, "");
}

// ---- living with it

TEST_F(LintProgram, CommentsSilenceWithAReason) {
  const auto findings = [](const std::string& comment) {
    Write("1.sql", "SET lock_timeout = '1s';\n" + comment + "\nCREATE INDEX i ON orders (note);\n");
    return Lint({"--output", "json", "1.sql"});
  };
  const std::string rule = "create-index-non-concurrent";
  const Ran ours = findings("-- pgalter:ignore " + rule + " reason=\"a small table\"");
  EXPECT_EQ(ours.code, kClean);
  EXPECT_EQ(json::parse(ours.out).at_pointer("/findings/0/suppressed/reason"), "a small table");
  EXPECT_EQ(findings("-- pgalter:ignore " + rule).code, kFindings) << "without a reason";
  EXPECT_EQ(findings("-- squawk-ignore require-concurrent-index-creation").code, kClean);
  EXPECT_EQ(findings("-- atlas:nolint PG101").code, kClean);
  const Ran stale = findings("-- pgalter:ignore set-not-null reason=\"x\"");
  EXPECT_THAT(stale.out, HasSubstr("\"unused-ignore\""));
}

TEST_F(LintProgram, TheBaselineCountsOnlyWhatIsNew) {
  MakeMigrations();
  const Ran written = Lint({"--baseline", "base.json", "--write-baseline", "m"});
  EXPECT_EQ(written.code, kClean);
  EXPECT_THAT(written.err, HasSubstr("in the baseline base.json"));
  const Ran known = Lint({"--baseline", "base.json", "m"});
  EXPECT_EQ(known.code, kClean);
  EXPECT_THAT(known.out, HasSubstr("in the baseline"));
  Write("m/002_index.sql", "\n\n-- moved\n" + std::string(kIndex));
  EXPECT_EQ(Lint({"--baseline", "base.json", "m"}).code, kClean) << "lines may move";
  EXPECT_EQ(Lint({"--baseline", "base.json", "./m/"}).code, kClean) << "named another way";
  Write("m/003_new.sql", "SET lock_timeout = '1s';\nCREATE INDEX b ON orders (note);\n");
  EXPECT_EQ(Lint({"--baseline", "base.json", "m"}).code, kFindings);
  fs::remove("m/003_new.sql");
  Write("m/002_index.sql", "SELECT 1;\n");
  EXPECT_THAT(Lint({"--baseline", "base.json", "m"}).err, HasSubstr("not there any more"));
}

TEST_F(LintProgram, AFixIsCleanAndTheSecondOneChangesNothing) {
  MakeMigrations();
  const Ran diff = Lint({"--fix", "--diff", "m"});
  EXPECT_EQ(diff.code, kFindings);
  EXPECT_THAT(diff.out, HasSubstr("--- a/m/002_index.sql\n+++ b/m/002_index.sql\n@@ "));
  EXPECT_THAT(diff.out, HasSubstr("+CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n"));
  EXPECT_EQ(Read("m/002_index.sql"), kIndex) << "--diff writes nothing";
  const Ran fixed = Lint({"--fix", "m"});
  EXPECT_EQ(fixed.code, kClean) << fixed.out;
  EXPECT_THAT(fixed.err, HasSubstr("1 finding fixed"));
  const std::string once = Read("m/002_index.sql");
  EXPECT_THAT(once, HasSubstr("CREATE INDEX CONCURRENTLY orders_note"));
  EXPECT_EQ(Lint({"m"}).code, kClean);
  EXPECT_EQ(Lint({"--fix", "m"}).code, kClean);
  EXPECT_EQ(Read("m/002_index.sql"), once);
  EXPECT_EQ(Lint({"--fix", "--diff", "m"}).out, "");
}

TEST_F(LintProgram, StdinIsFixedToStdout) {
  Write("in.sql", kIndex);
  Shell(fmt::format("'{}' lint --fix - <in.sql >out 2>err", PGALTER_BINARY));
  EXPECT_THAT(Read("out"), HasSubstr("SET lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY"));
}

TEST_F(LintProgram, WhatIsSilencedIsNotFixed) {
  Write("1.sql",
        "SET lock_timeout = '1s';\n"
        "-- pgalter:ignore create-index-non-concurrent reason=\"at night\"\n"
        "CREATE INDEX i ON orders (note);\n");
  const std::string before = Read("1.sql");
  EXPECT_EQ(Lint({"--fix", "1.sql"}).code, kClean);
  EXPECT_EQ(Read("1.sql"), before);
}

// ---- rules

TEST_F(LintProgram, RulesAreListedAndExplained) {
  const Ran list = Lint({"--list-rules"});
  EXPECT_EQ(list.code, kClean);
  EXPECT_THAT(list.out, HasSubstr("create-index-non-concurrent"));
  const json::object rules = Json(Lint({"--list-rules", "--output", "json"}));
  ASSERT_FALSE(rules.at("rules").as_array().empty());
  for (const json::value& rule : rules.at("rules").as_array()) {
    const Ran page = Run({"explain", rule.at("rule").as_string().c_str()});
    EXPECT_EQ(page.code, kClean);
    EXPECT_THAT(page.out, HasSubstr(rule.at("rule").as_string().c_str()));
  }
  EXPECT_EQ(Run({"explain", "no-such-rule"}).code, kUsage);
  const int code = Validate(PGALTER_SOURCE_DIR "/docs/schemas/rules.json", json::serialize(rules));
  if (code == kSkipped) GTEST_SKIP() << "npm, which has the judge, cannot be reached";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace pgalter::test
