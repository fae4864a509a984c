// `pgalter plan` as it is run: what it reads, what it prints, what it keeps, and its exit code.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kRefused = 4;
constexpr int kConnection = 9;

constexpr const char* kTable = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n";
constexpr const char* kNotNull = "ALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n";

class CliPlan : public ::testing::Test {
 protected:
  CliPlan() {
    std::string folder = fs::temp_directory_path() / "pgalter-plan-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string Path(const std::string& name) const { return folder_ / name; }
  [[nodiscard]] std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    const std::ifstream file(Path(name));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static Ran Plan(Words arguments) {
    arguments.insert(arguments.begin(), "plan");
    return Program(PGALTER_BINARY, arguments).Wait();
  }
  // A shell reads the file into its standard input.
  [[nodiscard]] int PlanOfStdin(const std::string& file, const std::string& out) const {
    const int status = std::system(
        fmt::format("'{}' plan - <'{}' >'{}'", PGALTER_BINARY, file, Path(out)).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] static int Validate(const std::string& file) {
    const int status =
        std::system(fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/plan.json' '{1}'",
                                PGALTER_SOURCE_DIR, file)
                        .c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  fs::path folder_;
};

TEST_F(CliPlan, SqlIsPlannedWithoutADatabase) {
  const Ran ran = Plan({"--sql", kNotNull});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("NOT VALID"), HasSubstr("VALIDATE CONSTRAINT"),
                             HasSubstr("SET NOT NULL")));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(CliPlan, AFileAndStdinSayTheSame) {
  const std::string file = Write("change.sql", kNotNull);
  const Ran ran = Plan({file});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(PlanOfStdin(file, "out"), kDone);
  EXPECT_EQ(Read("out"), ran.out);
}

TEST_F(CliPlan, TheServerVersionDecidesTheForm) {
  const Words words = {"--sql", kNotNull, "--output", "sql", "--server-version"};
  Words before = words;
  before.emplace_back("17");
  EXPECT_THAT(Plan(before).out, HasSubstr("CHECK (note IS NOT NULL) NOT VALID"));
  Words after = words;
  after.emplace_back("18");
  EXPECT_THAT(Plan(after).out,
              AllOf(HasSubstr("NOT NULL note NOT VALID"), Not(HasSubstr("CHECK"))));
}

TEST_F(CliPlan, TheLiveDatabaseIsReadAndLeftAsItIs) {
  const FreshDatabase database;
  database.Sql(kTable);
  database.Sql("INSERT INTO orders SELECT g, 'n' FROM generate_series(1, 100000) g");
  database.Sql("VACUUM ANALYZE orders");
  const std::string kept = Path("plan.json");
  const Ran ran = Plan({"--sql", kNotNull, "--dsn", database.conninfo(), "--out", kept});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("?"))) << "sizes are known";
  EXPECT_EQ(Validate(kept), 0);
  const json::value plan = json::parse(Read("plan.json"));
  EXPECT_EQ(plan.at("schema").at("knowledge"), "live");
  EXPECT_EQ(plan.at("server_version").as_int64(), std::stoi(database.Value("SHOW server_version")));
  EXPECT_FALSE(plan.at("schema").at("fingerprint").as_string().empty());
  EXPECT_EQ(database.Value("SELECT count(*) FROM pg_constraint WHERE conrelid = 'orders'::regclass"
                           " AND contype = 'c'"),
            "0");
  EXPECT_EQ(database.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(CliPlan, ADumpTellsWhatIsThere) {
  const std::string dump =
      Write("dump.sql", std::string(kTable) + "ALTER TABLE orders ADD CHECK (note IS NOT NULL);\n");
  const Ran proven = Plan({"--sql", kNotNull, "--schema", dump, "--output", "sql"});
  EXPECT_EQ(proven.code, kDone) << proven.err;
  EXPECT_THAT(proven.out, Not(HasSubstr("VALIDATE")));
  const Ran unknown = Plan({"--sql", kNotNull, "--output", "sql"});
  EXPECT_THAT(unknown.out, HasSubstr("VALIDATE"));
}

TEST_F(CliPlan, AKeptPlanIsShownAgainInEveryFormat) {
  const std::string kept = Path("plan.json");
  for (const char* format : {"text", "json", "sql", "markdown", "mermaid"}) {
    SCOPED_TRACE(format);
    const Ran made = Plan({"--sql", kNotNull, "--output", format, "--out", kept});
    EXPECT_EQ(made.code, kDone) << made.err;
    EXPECT_THAT(made.out, Not(IsEmpty()));
    const Ran again = Plan({kept, "--output", format});
    EXPECT_EQ(again.code, kDone) << again.err;
    EXPECT_EQ(again.out, made.out);
  }
  EXPECT_EQ(Validate(kept), 0);
}

TEST_F(CliPlan, WhatTheServerWouldRefuseIsRefused) {
  const std::string dump = Write("dump.sql", kTable);
  const Ran ran = Plan({"--sql", "ALTER TABLE orders DROP COLUMN absent", "--schema", dump});
  EXPECT_EQ(ran.code, kRefused);
  EXPECT_THAT(ran.out, HasSubstr("absent"));
}

TEST_F(CliPlan, WrongUseSaysWhatAndWhatNext) {
  const std::string file = Write("change.sql", kNotNull);
  const std::string broken = Write("broken.json", "{\"version\": 1");
  const std::string other = Write("other.json", "{\"version\": 99}");
  const std::vector<std::pair<Words, const char*>> uses = {
      {{}, "needs a file"},
      {{file, "--sql", kNotNull}, "two inputs"},
      {{Path("absent.sql")}, "cannot read"},
      {{broken}, "no JSON"},
      {{other}, "no plan"},
      {{file, "--server-version", "12"}, "13 to 18"},
      {{file, "--schema", Path("absent.sql")}, "--schema: cannot read"},
      {{file, "--schema", file, "--dsn", "host=/nonexistent"}, "two answers"},
      {{file, "--output", "yaml"}, "--output"},
  };
  for (const auto& [words, text] : uses) {
    SCOPED_TRACE(text);
    const Ran ran = Plan(words);
    EXPECT_EQ(ran.code, kUsage);
    EXPECT_THAT(ran.err, HasSubstr(text));
    EXPECT_THAT(ran.out, IsEmpty());
  }
  EXPECT_EQ(Plan({file, "--dsn", "host=/nonexistent"}).code, kConnection);
}

}  // namespace
}  // namespace pgalter::test
