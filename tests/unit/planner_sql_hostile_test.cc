// Text that is meant to break the readers in planner/sql: each gets an answer, none a crash.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"
#include "planner/sql/placeholder.h"
#include "planner/sql/requalify.h"
#include "planner/sql/set_clause.h"
#include "planner/sql/statement.h"
#include "planner/sql/view.h"

namespace pgalter::sql {
namespace {

std::string Repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

void ReadInEveryWay(const std::string& text) {
  (void)ParseSetClause(text);
  (void)ParseSetClause("a = " + text);
  (void)ParseExpression(text);
  (void)ParseQualifiedName(text);
  (void)RequalifyColumns(text, "t", "new");
  (void)ViewTargets(text);
  (void)ViewTargets("SELECT " + text + " AS a FROM t");
  (void)BindPlaceholders(text, {{"a", "$1"}});
  (void)NormaliseStatement(text);
  (void)SplitStatements(text);
}

// Each piece nests or chains in another part of the grammar.
std::vector<std::string> DeepTexts(int levels) {
  return {
      Repeat("(", levels) + "1" + Repeat(")", levels),
      Repeat("(", levels),
      "1" + Repeat("+1", levels),
      "1" + Repeat("||a", levels),
      Repeat("(1+", levels) + "1" + Repeat(")", levels),
      Repeat("(", levels) + "1" + Repeat("+1)", levels),
      "a" + Repeat("::int", levels),
      Repeat("- ", levels) + "a",
      Repeat("NOT ", levels) + "a",
      Repeat("f(", levels) + "a" + Repeat(")", levels),
      Repeat("f(1,", levels) + "a" + Repeat(")", levels),
      Repeat("ARRAY[", levels) + "1" + Repeat("]", levels),
      Repeat("(SELECT ", levels) + "1" + Repeat(")", levels),
      "(SELECT 1" + Repeat(" UNION SELECT 1", levels) + ")",
      "(SELECT 1 FROM a" + Repeat(" JOIN b ON x AND y", levels) + ")",
      Repeat("CASE WHEN a AND ", levels) + "b" + Repeat(" THEN 1 END", levels),
      "a" + Repeat(" COLLATE \"C\"", levels),
      "a" + Repeat(" AT TIME ZONE b", levels),
      "a" + Repeat("[1]", levels),
      "a" + Repeat(".b", levels),
      // The library takes quadratic time for these.
      Repeat("/*", std::min(levels, 1'000)) + Repeat("*/", std::min(levels, 1'000)) + " 1",
      Repeat("\"", levels),
      Repeat("'", levels),
      Repeat("$", levels),
      Repeat(";", levels),
      Repeat(":", levels),
  };
}

TEST(HostileText, ThousandLevelsAreAnswered) {
  for (const std::string& text : DeepTexts(1'000)) ReadInEveryWay(text);
  EXPECT_TRUE(ParseExpression(Repeat("(", 1'000) + "1" + Repeat(")", 1'000)));
  EXPECT_TRUE(ParseExpression("a" + Repeat(" || b", 1'000)));
}

TEST(HostileText, ThirtyThousandLevelsAreRefused) {
  for (const std::string& text : DeepTexts(30'000)) {
    (void)ParseExpression(text);
    (void)SplitStatements(text);
  }
  EXPECT_FALSE(ParseExpression("a" + Repeat(" || b", 30'000)));
  EXPECT_FALSE(ParseExpression(Repeat("(", 30'000) + "1" + Repeat(")", 30'000)));
}

// A left-deep tree may go on inside the brackets at its left end: what counts is the sum.
TEST(HostileText, DepthAddsUpThroughBrackets) {
  const std::string chain = Repeat("+1", 1'000) + ")";
  const std::string text = Repeat("(", 100) + "1" + Repeat(chain, 100);
  const auto facts = ParseExpression(text);
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().message.find("nested too deeply"), std::string::npos);
  EXPECT_FALSE(facts.error().hint.empty());
}

TEST(HostileText, LongFlatTextsAreRead) {
  const auto list = ParseExpression("a IN (1" + Repeat(",1", 50'000) + ")");
  EXPECT_TRUE(list) << list.error().message;
  EXPECT_TRUE(ParseExpression("'" + Repeat("😀", 500'000) + "'"));
  std::string clause = "c0 = 1";
  for (int i = 1; i < 1'600; ++i) clause += ", c" + std::to_string(i) + " = lower(x)";
  const auto assignments = ParseSetClause(clause);
  ASSERT_TRUE(assignments) << assignments.error().message;
  EXPECT_EQ(assignments->size(), 1'600U);
  const auto statements = SplitStatements(Repeat("SELECT 1;", 5'000));
  ASSERT_TRUE(statements);
  EXPECT_EQ(statements->size(), 5'000U);
}

TEST(HostileText, ZeroBytesHideNothing) {
  const std::string text("a = 1\0; DROP TABLE x", 20);
  const auto parsed = ParseSetClause(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().position, 6);
  EXPECT_FALSE(ParseExpression(std::string("1\0", 2)));
  EXPECT_FALSE(SplitStatements(std::string("SELECT 1;\0SELECT 2", 18)));
}

TEST(HostileText, BrokenUtf8IsRefused) {
  for (const char* text : {"'\xff'", "'\xc0\xaf'", "'\xed\xa0\x80'", "'\xf4\x90\x80\x80'",
                           "'\xe2\x82'", "\x80", "'\xf0\x9f\x98'"}) {
    EXPECT_FALSE(ParseExpression(text));
    ReadInEveryWay(text);
  }
}

TEST(HostileText, NestedDollarQuotesStayWhole) {
  const std::string text = "f($a$ $b$ ; :x -- $$ ' $b$ $a$, $$ $a$ $$)";
  EXPECT_TRUE(ParseExpression(text));
  EXPECT_EQ(*BindPlaceholders(text, {}), text);
  EXPECT_EQ(NormaliseStatement(text), "f($1, $2)");
}

TEST(HostileText, OddNamesRoundTrip) {
  for (const std::string& name : {std::string("a\"b"), std::string("'; DROP TABLE x; --"),
                                  std::string("\n\t\x01\x7f"), std::string("😀 \u202e \u200b"),
                                  std::string("A"), std::string(63, '"'), std::string("NULL")}) {
    const auto parsed = ParseSetClause(QuoteIdentifier(name) + " = " + QuoteLiteral(name));
    ASSERT_TRUE(parsed) << name << parsed.error().message;
    EXPECT_EQ(parsed->front().column, name);
    EXPECT_EQ(parsed->front().expression, QuoteLiteral(name));
  }
}

// A small fixed-seed walk over fragments that matter to a scanner.
TEST(HostileText, RandomFragmentsAreAnswered) {
  const std::vector<std::string> pieces = {
      "a",       "\"",     "'",    "$$",    "$q$",  "(",  ")",           "[",       "]", ",",
      ";",       "--",     "/*",   "*/",    "\n",   "::", ":a",          ":",       "=", "1",
      "1.5e",    "E'",     "U&\"", "U&'",   "\\",   "é",  "😀",           "$1",      " ", "t.*",
      "SELECT ", " FROM ", " AS ", "CASE ", " END", "x'", "UESCAPE '!'", "DEFAULT", "@", ".",
  };
  std::uint64_t state = 42;
  const auto next = [&](std::size_t limit) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(state >> 33) % limit;
  };
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (std::size_t size = 1 + next(12); size > 0; --size) text += pieces[next(pieces.size())];
    SCOPED_TRACE(text);
    ReadInEveryWay(text);
    // What passes as an expression stays one when it is put between brackets.
    if (ParseExpression(text)) {
      EXPECT_TRUE(ParseExpression("(" + text + ")"));
    }
    const auto moved = RequalifyColumns(text, "t", "new");
    if (moved) {
      EXPECT_TRUE(ParseExpression(*moved)) << *moved;
    }
  }
}

TEST(HostileText, ThreadsMayReadAtOnce) {
  std::vector<std::thread> threads;
  std::array<int, 4> read{};
  for (int& count : read) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 200; ++i) {
        if (ParseExpression("lower(a) || " + std::to_string(i))) ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : read) EXPECT_EQ(count, 200);
}

}  // namespace
}  // namespace pgalter::sql
