// Questions that have a name, and how their answers are reported.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/migrate/assert_report.h"
#include "migrations/history/assertion.h"

namespace pgalter {
namespace {

using history::ParseAssertion;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(Assertion, WhatIsSqlStaysSql) {
  for (const char* sql : {"SELECT true", "select(true)", "VALUES (true)",
                          "WITH x AS (SELECT 1) "
                          "SELECT true FROM x",
                          "TABLE t", "(SELECT true)", "exists", ""}) {
    const auto read = ParseAssertion(sql);
    EXPECT_FALSE(read.assertion) << sql;
    EXPECT_FALSE(read.problem) << sql;
  }
}

TEST(Assertion, NamesAreBoundAsLiterals) {
  const auto read = ParseAssertion("EXISTS(table \"o'r\".\"a \"\"b\"\"\")");
  ASSERT_TRUE(read.assertion);
  EXPECT_THAT(read.assertion->sql,
              AllOf(HasSubstr("n.nspname = 'o''r'"), HasSubstr("c.relname = 'a \"b\"'")));
  EXPECT_TRUE(ParseAssertion("not exists(column public.t.c)").assertion->negated);
}

TEST(Assertion, AnArgumentMayHoldCommasAndBrackets) {
  const auto labels = ParseAssertion("enum(public.mood, 'a, b', 'c)', 'd''e')");
  ASSERT_TRUE(labels.assertion);
  EXPECT_THAT(labels.assertion->sql, HasSubstr("ARRAY['a, b', 'c)', 'd''e']"));
  const auto query = ParseAssertion("policy_allows(\"App\", SELECT f(1, 2) = ')')");
  ASSERT_TRUE(query.assertion);
  EXPECT_EQ(query.assertion->role, "App");
  EXPECT_EQ(query.assertion->sql, "SELECT f(1, 2) = ')'");
}

TEST(Assertion, SaysWhatIsWrong) {
  const auto what = [](const char* text) {
    const auto read = ParseAssertion(text);
    return read.problem ? read.problem->what : "";
  };
  EXPECT_THAT(what("exsts(table public.t)"), HasSubstr("\"exsts\" is no question"));
  EXPECT_THAT(ParseAssertion("exsts(table public.t)").problem->known, Contains("exists"));
  EXPECT_THAT(what("exists(table t)"), HasSubstr("not of the form schema.name"));
  EXPECT_THAT(what("exists(tabel public.t)"), HasSubstr("does not know a \"tabel\""));
  EXPECT_THAT(what("exists(function f(int))"), HasSubstr("schema.name(types)"));
  EXPECT_THAT(what("index_valid(i)"), HasSubstr("needs a name with its schema"));
  EXPECT_THAT(what("enum(public.m)"), HasSubstr("needs its labels"));
  EXPECT_THAT(what("enum(public.m, sad)"), HasSubstr("is no label"));
  EXPECT_THAT(what("rows(public.t, many)"), HasSubstr("is no number"));
  EXPECT_THAT(what("rows(public.t, 1; DROP TABLE t)"), HasSubstr("is no number"));
  EXPECT_THAT(what("rows(public.t, 1) AND true"), HasSubstr("does not end with its bracket"));
  EXPECT_THAT(what("no_orphans(t)"), HasSubstr("schema.table.key"));
  EXPECT_THAT(what("policy_allows(app)"), HasSubstr("needs a role and a query"));
  EXPECT_THAT(what("not policy_denies(app, SELECT 1)"), HasSubstr("no \"not\""));
  EXPECT_THAT(what("round_trip('key')"), HasSubstr("from the environment"));
  EXPECT_THAT(what("round_trip(env:)"), HasSubstr("from the environment"));
  EXPECT_THAT(what("decrypts(public.t.c, key)"), HasSubstr("from the environment"));
  EXPECT_THAT(what("decrypts(public.t, env:KEY)"), HasSubstr("schema.table.column"));
}

std::vector<cli::Questioned> Answers() {
  cli::Questioned file;
  file.name = "a<b>.sql";
  history::Answered holds;
  holds.line = 3;
  holds.question = "SELECT 'x # SKIP'\n  = 'y'";
  holds.holds = true;
  history::Answered fails;
  fails.line = 9;
  fails.question = "SELECT 1 < 2";
  fails.why = "it says \"no\"";
  file.answers = {holds, fails};
  return {file};
}

TEST(AssertReport, TapHasAPlanAndNoDirectiveOfAQuestion) {
  EXPECT_EQ(
      cli::AnswersAsTap(Answers()),
      "TAP version 13\n1..2\nok 1 - a<b>.sql:3 SELECT 'x \\# SKIP' = 'y'\n"
      "not ok 2 - a<b>.sql:9 SELECT 1 < 2\n  ---\n  message: \"it says \\\"no\\\"\"\n  ...\n");
}

TEST(AssertReport, JunitIsEscaped) {
  const std::string xml = cli::AnswersAsJunit(Answers());
  EXPECT_THAT(xml, AllOf(HasSubstr("tests=\"2\" failures=\"1\""), HasSubstr("a&lt;b&gt;.sql"),
                         HasSubstr("SELECT 1 &lt; 2"),
                         HasSubstr("<failure message=\"it says &quot;no&quot;\"/>")));
}

TEST(AssertReport, TextCounts) {
  EXPECT_THAT(cli::AnswersAsText(Answers()), HasSubstr("FAILS a<b>.sql:9"));
  EXPECT_THAT(cli::AnswersAsText(Answers()), HasSubstr("1 of 2 hold\n"));
}

}  // namespace
}  // namespace pgalter
