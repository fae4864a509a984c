// The pieces of `pgalter lint` that need no run of the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "cli/lint/baseline.h"
#include "cli/lint/config.h"
#include "cli/lint/fix.h"
#include "cli/lint/input.h"
#include "cli/lint/known_schema.h"
#include "cli/lint/rule_pages.h"
#include "cli/lint/table_sizes.h"
#include "cli/lint/unified_diff.h"
#include "cli/lint/write_file.h"
#include "cli/rejected.h"
#include "migrations/formats/folder.h"
#include "planner/lint/rules.h"
#include "tests/support/lint_report.h"

namespace pgalter::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

run::Verdict RejectionOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Rejected& rejected) {
    return rejected.verdict();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

class Folder : public ::testing::Test {
 protected:
  Folder() {
    std::string folder = fs::temp_directory_path() / "pgalter-lint-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  fs::path folder_;
};

// ---- sizes of tables

TEST(TableSizes, ReadsTabsCommasQuotedNamesAndComments) {
  const auto sizes = ParseTableSizes(
      "f", "# table, rows, bytes\npublic.orders\t1000000\t5000000000\r\n\n\"a,b\".\"C\" , 12\n");
  ASSERT_EQ(sizes.size(), 2U);
  EXPECT_EQ(sizes[0].table.schema, "public");
  EXPECT_EQ(sizes[0].rows, 1000000);
  EXPECT_EQ(sizes[0].bytes, 5000000000);
  EXPECT_EQ(sizes[1].table.schema, "a,b");
  EXPECT_EQ(sizes[1].table.name, "C");
  EXPECT_EQ(sizes[1].rows, 12);
  EXPECT_FALSE(sizes[1].bytes);
}

TEST(TableSizes, ATableThatWasNeverAnalysedIsUnknown) {
  EXPECT_TRUE(ParseTableSizes("f", "orders,-1,8192\n").empty());
}

TEST(TableSizes, ALineThatIsNoneIsNamed) {
  EXPECT_THAT(RejectionOf([] { ParseTableSizes("sizes.csv", "a,1\norders\n"); }).text,
              HasSubstr("sizes.csv:2:"));
  EXPECT_THAT(RejectionOf([] { ParseTableSizes("f", "a b,1\n"); }).text, HasSubstr("\"a b\""));
}

// ---- the baseline

TEST(Baseline, IsReadAsItWasWritten) {
  lint::Report report = test::MakeReport("m/\"1\".sql", "CREATE INDEX i ON t (a);\n");
  report.result.findings = {test::FindingAt(report, "CREATE"), test::FindingAt(report, "INDEX")};
  report.result.findings[1].suppressed = "a comment says so";
  const Baseline baseline = ParseBaseline("b.json", BaselineText(report));
  EXPECT_EQ(baseline, (Baseline{{report.result.findings[0].fingerprint, "m/\"1\".sql"}}));
  EXPECT_EQ(StaleEntries(baseline, report), 0);
}

TEST(Baseline, OnlyEntriesOfJudgedFilesGrowStale) {
  const lint::Report report = test::MakeReport("m/1.sql", "");
  EXPECT_EQ(StaleEntries({{"a", "m/1.sql"}, {"b", "m/2.sql"}}, report), 1);
}

TEST(Baseline, WithoutFindingsIsAnEmptyList) {
  const lint::Report report = test::MakeReport("m.sql", "");
  EXPECT_TRUE(ParseBaseline("b", BaselineText(report)).empty());
}

TEST(Baseline, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"version": 2, "findings": []})", R"({"version": 1, "findings": [1]})",
        R"({"version": 1, "findings": [{"fingerprint": "a"}]})", R"({"version": 1})"}) {
    const run::Verdict verdict = RejectionOf([&] { ParseBaseline("b.json", text); });
    EXPECT_EQ(verdict.code, run::ExitCode::kUsage) << text;
    EXPECT_THAT(verdict.text, HasSubstr("b.json")) << text;
  }
}

// ---- diffs

TEST(UnifiedDiff, OfTheSameIsEmpty) { EXPECT_EQ(UnifiedDiff("f", "a\n", "a\n"), ""); }

TEST(UnifiedDiff, ShowsThreeLinesAround) {
  EXPECT_EQ(UnifiedDiff("m/1.sql", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            "--- a/m/1.sql\n+++ b/m/1.sql\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(UnifiedDiff, SaysWhereTheLastLineHasNoEnd) {
  EXPECT_EQ(UnifiedDiff("f", "a", "a\n"),
            "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

// The judge is git.
TEST_F(Folder, UnifiedDiffIsWhatGitApplies) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"", "a\nb\n"},
      {"a\nb\n", ""},
      {"a\nb\nc\n", "c\nb\na"},
      {"x", "y"},
      {"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "0\n1\n2\n3\n4\n5\n6\n8\n9\n10\n11\n12\n13\n"},
      {"1\r\n2\r\n", "1\r\n1.5\r\n2\r\n"},
      {"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n",
       "1\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"
       "12\n13\n14\n15\n17\n"}};
  int number = 0;
  for (const auto& [before, after] : pairs) {
    const std::string name = std::to_string(++number) + ".sql";
    const fs::path file = Write(name, before);
    const fs::path diff = Write(name + ".diff", UnifiedDiff(name, before, after));
    const std::string command =
        "cd '" + folder_.string() + "' && git apply --unidiff-zero '" + diff.string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << UnifiedDiff(name, before, after);
    EXPECT_EQ(fs::exists(file) ? formats::ReadWhole(file) : "", after);
  }
}

// ---- fixes

TEST(Fix, EditsAreAppliedFromTheFront) {
  EXPECT_EQ(ApplyEdits("abcdef", {{{4, 6}, "E"}, {{0, 1}, "A"}, {{2, 2}, "-"}}), "Ab-cdE");
  EXPECT_EQ(ApplyEdits("ab", {{{2, 2}, "c"}}), "abc");
}

// ---- files

TEST(Ignored, PatternsAreDirectoriesFilesOrGlobs) {
  EXPECT_TRUE(Matches({"old/"}, "old/1.sql"));
  EXPECT_TRUE(Matches({"old"}, "./old/deep/1.sql"));
  EXPECT_TRUE(Matches({"./m/2019*"}, "m/20191231.sql"));
  EXPECT_TRUE(Matches({"m/1.sql"}, "m/1.sql"));
  EXPECT_FALSE(Matches({"old"}, "older/1.sql"));
  EXPECT_FALSE(Matches({}, "m/1.sql"));
}

TEST_F(Folder, AFileIsReplacedWithItsRightsAndThroughItsLink) {
  const fs::path file = Write("f.sql", "old");
  ::chmod(file.c_str(), 0640);
  fs::create_symlink("f.sql", folder_ / "link.sql");
  WriteFile(folder_ / "link.sql", "new");
  EXPECT_EQ(formats::ReadWhole(file), "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.sql"));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "nothing is left beside it";
}

TEST(WriteFile, WhereItCannotItSaysWhy) {
  const run::Verdict verdict = RejectionOf([] { WriteFile("/nonexistent/report", "x"); });
  EXPECT_EQ(verdict.code, run::ExitCode::kError);
  EXPECT_THAT(verdict.text, HasSubstr("/nonexistent/report"));
  WriteFile("/dev/null", "x");
}

// ---- settings

TEST_F(Folder, TheConfigurationIsReadWhole) {
  const fs::path file = Write("pgalter.toml", R"([lint]
paths = ["migrations", "more"]
ignore = ["migrations/2019*"]
format = "flyway"
server_version = 17
transaction = "always"
assume_lock_timeout = "2s"
assume_statement_timeout = "1min"
fail_on = "never"
baseline = "base.json"
small_rows = 50
required_columns = ["created_at"]
[lint.rules]
create-index-non-concurrent = "off"
set-not-null = "note"
[lint.naming]
index = "^ix_"
)");
  LintSettings settings;
  ReadLintConfig(file, settings);
  EXPECT_THAT(settings.paths,
              ElementsAre((folder_ / "migrations").string(), (folder_ / "more").string()));
  EXPECT_THAT(settings.ignore, ElementsAre("migrations/2019*"));
  EXPECT_EQ(settings.format, "flyway");
  EXPECT_EQ(settings.options.server_version, 17);
  EXPECT_EQ(settings.options.runner, lint::Runner::kTransaction);
  EXPECT_EQ(settings.options.assumed_lock_timeout, std::chrono::seconds(2));
  EXPECT_EQ(settings.options.assumed_statement_timeout, std::chrono::minutes(1));
  EXPECT_FALSE(settings.fail_on);
  EXPECT_EQ(settings.baseline, (folder_ / "base.json").string());
  EXPECT_EQ(settings.options.small_rows, 50);
  EXPECT_TRUE(settings.options.required_columns.contains("created_at"));
  EXPECT_TRUE(settings.options.off.contains("create-index-non-concurrent"));
  EXPECT_EQ(settings.options.severities.at("set-not-null"), lint::Severity::kNote);
  EXPECT_EQ(settings.options.naming.at("index"), "^ix_");
}

TEST_F(Folder, TheConfigurationIsReadStrictly) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[lint]\nserver_versions = 15\n", "server_versions"},
      {"[lint]\nserver_version = \"15\"\n", "whole number"},
      {"[lint]\nserver_version = 9\n", "from 13 to 18"},
      {"[lint]\nfail_on = \"fatal\"\n", "\"fatal\""},
      {"[lint]\ntransaction = \"maybe\"\n", "\"maybe\""},
      {"[lint]\npaths = \"migrations\"\n", "a list of texts"},
      {"[lint]\nassume_lock_timeout = \"soon\"\n", "\"soon\""},
      {"[lint.rules]\nno-such-rule = \"off\"\n", "no-such-rule"},
      {"[lint.rules]\nset-not-null = \"loud\"\n", "\"loud\""},
      {"[lint.naming]\nindex = \"(\"\n", "regular expression"},
      {"[lint]\nformat = \"flywy\"\n", "flyway"},
      {"lint = 1\n", "section"},
  };
  for (const auto& [text, part] : cases) {
    LintSettings settings;
    const run::Verdict verdict =
        RejectionOf([&] { ReadLintConfig(Write("pgalter.toml", text), settings); });
    EXPECT_EQ(verdict.code, run::ExitCode::kUsage) << text;
    EXPECT_THAT(verdict.text + verdict.hint, HasSubstr(part)) << text;
    EXPECT_THAT(verdict.text, HasSubstr("pgalter.toml")) << text;
  }
}

TEST(RuleSwitches, AllOffAndOneOnLeavesOne) {
  LintSettings settings;
  SetRule(settings, "--no-rule", "all", "off");
  SetRule(settings, "--rule", "set-not-null", "on");
  EXPECT_EQ(settings.options.off.size(), lint::AllRules().size() - 1);
  EXPECT_FALSE(settings.options.off.contains("set-not-null"));
}

TEST(RuleSwitches, AMistypedRuleIsToldTheNearest) {
  LintSettings settings;
  EXPECT_THAT(RejectionOf([&] { SetRule(settings, "--rule", "set-notnull", "on"); }).hint,
              HasSubstr("set-not-null"));
  EXPECT_THAT(RejectionOf([] { RuleNamed("set-notnull"); }).hint, HasSubstr("set-not-null"));
}

// ---- pages

TEST(RulePages, EveryRuleHasOne) {
  for (const lint::Rule* rule : lint::AllRules()) {
    const std::string page = RulePage(*rule);
    EXPECT_THAT(page, HasSubstr(std::string(rule->id)));
    EXPECT_TRUE(page.ends_with('\n'));
  }
}

TEST(RulePages, TheListHasEveryRuleOnALine) {
  lint::Options options;
  options.off.insert("set-not-null");
  const std::string list = RuleListText(options);
  for (const lint::Rule* rule : lint::AllRules())
    EXPECT_THAT(list, HasSubstr("\n" + std::string(rule->id) + " "));
  EXPECT_THAT(list, ::testing::ContainsRegex("set-not-null +off "));
}

// ---- a dump

TEST(Dump, BuildsTheSchema) {
  catalog::Schema schema;
  const int unread = ApplyDump(
      "SELECT pg_catalog.set_config('search_path', '', false);\n"
      "CREATE TABLE app.orders (id bigint NOT NULL, note text);\n"
      "COPY app.orders (id, note) FROM stdin;\n1\tx;y\n\\.\n\n"
      "ALTER TABLE ONLY app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n"
      "GRANT NONSENSE;;\n",
      schema);
  EXPECT_EQ(unread, 1);
  const catalog::Table* orders = schema.FindTable({"app", "orders"});
  ASSERT_NE(orders, nullptr);
  EXPECT_NE(orders->PrimaryKey(), nullptr);
}

}  // namespace
}  // namespace pgalter::cli
