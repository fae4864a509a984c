// Every rule against its bad.sql and good.sql (tests/lint), and the table of rules against its
// folders and pages.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <set>

#include "planner/lint/linter.h"
#include "planner/lint/rules.h"
#include "tests/support/lint_case.h"

namespace pgalter::lint {
namespace {

using test::LintCase;
using test::LintScript;

Sending SendingOf(const LintScript& script) {
  if (script.sending == "transaction") return Sending::kTransaction;
  if (script.sending == "one-query") return Sending::kOneQuery;
  return Sending::kOneByOne;
}

std::vector<Finding> FindingsOf(const LintScript& script, const std::string& rule) {
  File base;
  base.name = "base.sql";
  base.text = test::ReadLintBase();
  base.judged = false;
  File file;
  file.name = "script.sql";
  file.text = script.text;
  file.parts = {{{0, script.text.size()}, SendingOf(script)}};
  Options options;
  options.server_version = script.server > 0 ? script.server : 15;
  options.on.insert(rule);
  return Lint({base, file}, options).findings;
}

std::string Describe(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += fmt::format("{}: {}: {}\n", Name(finding.severity), finding.rule, finding.message);
  return text;
}

class LintRule : public ::testing::TestWithParam<LintCase> {};

TEST_P(LintRule, FindsTheBadOne) {
  const auto findings = FindingsOf(GetParam().bad, GetParam().rule);
  const auto ours = std::ranges::find(findings, GetParam().rule, &Finding::rule);
  ASSERT_NE(ours, findings.end()) << Describe(findings);
  EXPECT_FALSE(ours->message.empty());
  EXPECT_FALSE(ours->remedy.empty());
}

TEST_P(LintRule, LeavesTheGoodOneAlone) {
  for (const Finding& finding : FindingsOf(GetParam().good, GetParam().rule)) {
    EXPECT_NE(finding.rule, GetParam().rule) << finding.message;
    EXPECT_EQ(finding.severity, Severity::kNote) << finding.rule << ": " << finding.message;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, LintRule, ::testing::ValuesIn(test::ReadLintCases()),
                         [](const auto& instance) {
                           std::string name = instance.param.rule;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(LintRules, HaveAFolderAndAPageEach) {
  std::set<std::string> folders;
  for (const LintCase& found : test::ReadLintCases()) folders.insert(found.rule);
  std::set<std::string> ids;
  for (const Rule* rule : AllRules()) {
    const std::string id(rule->id);
    EXPECT_TRUE(ids.insert(id).second) << id << " twice";
    EXPECT_FALSE(rule->title.empty() || rule->effect.empty() || rule->remedy.empty()) << id;
    EXPECT_TRUE(rule->check == nullptr || folders.contains(id)) << id << " has no folder";
    EXPECT_TRUE(std::filesystem::exists(fmt::format("{}/docs/rules/{}.md", PGALTER_SOURCE_DIR, id)))
        << id << " has no page";
  }
  for (const std::string& folder : folders) EXPECT_TRUE(ids.contains(folder)) << folder;
}

}  // namespace
}  // namespace pgalter::lint
