// What docs/ci gives to CI systems, run as they run it: the commands are taken out of the files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/program.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kFindings = 3;
constexpr int kSkipped = 77;

// A repository whose branch adds a bad migration to what main has.
class LintInCi : public ::testing::Test {
 protected:
  LintInCi() {
    std::string folder = fs::temp_directory_path() / "pgalter-ci-XXXXXX";
    folder_ = fs::canonical(::mkdtemp(folder.data()));
    home_ = fs::current_path();
    fs::current_path(folder_);
  }
  void SetUp() override {
    if (Shell(Source("tests/ci/yaml_value") + " " + Source(".pre-commit-hooks.yaml") +
              " 0 id >out 2>err") == kSkipped)
      GTEST_SKIP() << Read("err");
    Write("migrations/1.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n");
    Write("migrations/2.sql", "CREATE INDEX old ON orders (note);\n");
    Write("pgalter.toml", "[lint]\npaths = [\"migrations\"]\n");
    Git("init .");
    Git("add migrations pgalter.toml");
    Git("commit -m base");
    Git("checkout -b work");
    Write("migrations/3.sql", "SET lock_timeout = '1s';\nCREATE INDEX new ON orders (id, note);\n");
    Git("add migrations");
  }
  void TearDown() override {
    fs::current_path(home_);
    fs::remove_all(folder_);
  }

  static std::string Source(const std::string& path) {
    return fmt::format("'{}/{}'", PGALTER_SOURCE_DIR, path);
  }
  static void Write(const fs::path& name, const std::string& text) {
    if (name.has_parent_path()) fs::create_directories(name.parent_path());
    std::ofstream(name) << text;
  }
  static std::string Read(const fs::path& name) {
    const std::ifstream file(name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static int Shell(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static void Git(const std::string& arguments) {
    ASSERT_EQ(Shell("git -c user.name=t -c user.email=t@t -c init.defaultBranch=main "
                    "-c commit.gpgsign=false " +
                    arguments + " >git.log 2>&1"),
              0)
        << arguments << "\n"
        << Read("git.log");
  }
  static std::string YamlValue(const std::string& file, const std::string& keys) {
    EXPECT_EQ(
        Shell(fmt::format("{} {} {} >value", Source("tests/ci/yaml_value"), Source(file), keys)),
        0);
    return Read("value");
  }
  // Runs the lines as a CI system does, with the built program first in the path.
  static int RunScript(const std::string& interpreter, const std::string& script,
                       const std::string& environment) {
    Write("script", script);
    return Shell(fmt::format("PATH='{}':\"$PATH\" GITHUB_ACTIONS=true {} {} script >out 2>err",
                             fs::path(PGALTER_BINARY).parent_path().string(), environment,
                             interpreter));
  }

 private:
  fs::path folder_;
  fs::path home_;
};

TEST_F(LintInCi, TheActionAnnotatesWhatTheBranchBrings) {
  Git("commit -m work");
  const std::string script = YamlValue("docs/ci/action.yml", "runs steps 0 run");
  EXPECT_EQ(RunScript("bash --noprofile --norc -eo pipefail", script,
                      "PATHS=migrations BASE=main ARGUMENTS='--server-version 15' "
                      "SARIF=pgalter.sarif"),
            kFindings)
      << Read("err");
  EXPECT_THAT(Read("out"), HasSubstr("::error file=migrations/3.sql,line=2"));
  EXPECT_THAT(Read("out"), Not(HasSubstr("migrations/2.sql")));
  EXPECT_EQ(json::parse(Read("pgalter.sarif")).at("version"), "2.1.0");
}

TEST_F(LintInCi, TheActionWorksWithoutAnyInput) {
  const std::string script = YamlValue("docs/ci/action.yml", "runs steps 0 run");
  EXPECT_EQ(RunScript("bash --noprofile --norc -eo pipefail", script,
                      "PATHS= BASE= ARGUMENTS='--fail-on never' SARIF="),
            0)
      << Read("err");
  EXPECT_THAT(Read("out"), HasSubstr("migrations/2.sql"));
}

TEST_F(LintInCi, TheActionFailsWhereLintCannotWork) {
  const std::string script = YamlValue("docs/ci/action.yml", "runs steps 0 run");
  EXPECT_EQ(RunScript("bash --noprofile --norc -eo pipefail", script,
                      "PATHS=missing BASE= ARGUMENTS= SARIF=pgalter.sarif"),
            1);
  EXPECT_THAT(Read("err"), HasSubstr("missing"));
}

TEST_F(LintInCi, TheWorkflowNamesOurAction) {
  EXPECT_EQ(YamlValue("docs/ci/workflow.yml", "jobs lint steps 3 uses"),
            "./.github/actions/pgalter-lint");
  const json::value with = json::parse(YamlValue("docs/ci/workflow.yml", "jobs lint steps 3 with"));
  const json::value inputs = json::parse(YamlValue("docs/ci/action.yml", "inputs"));
  for (const auto& input : with.as_object()) EXPECT_TRUE(inputs.as_object().contains(input.key()));
}

TEST_F(LintInCi, TheGitlabTemplateLeavesAReport) {
  Git("commit -m work");
  std::string script;
  const json::value lines = json::parse(YamlValue("docs/ci/gitlab.yml", "pgalter-lint script"));
  for (const json::value& line : lines.as_array()) script += std::string(line.as_string()) + "\n";
  EXPECT_EQ(RunScript("sh -e", script,
                      "PGALTER_PATHS=migrations PGALTER_ARGUMENTS= "
                      "CI_MERGE_REQUEST_DIFF_BASE_SHA=main"),
            kFindings)
      << Read("err");
  const json::value report = json::parse(
      Read(json::parse(YamlValue("docs/ci/gitlab.yml", "pgalter-lint artifacts reports"))
               .at("codequality")
               .as_string()
               .c_str()));
  ASSERT_FALSE(report.as_array().empty());
  for (const json::value& issue : report.as_array())
    EXPECT_EQ(issue.at("location").at("path"), "migrations/3.sql");
}

TEST_F(LintInCi, TheHookJudgesWhatIsAboutToBeCommitted) {
  const std::string entry = YamlValue(".pre-commit-hooks.yaml", "0 entry");
  EXPECT_EQ(RunScript("sh -e", entry + "\n", ""), kFindings) << Read("err");
  EXPECT_THAT(Read("out"), HasSubstr("migrations/3.sql:2:1: error"));
  Git("commit -m work");
  EXPECT_EQ(RunScript("sh -e", entry + "\n", ""), 0) << Read("out");
}

}  // namespace
}  // namespace pgalter::test
