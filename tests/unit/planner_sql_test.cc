#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/sql/expression.h"
#include "planner/sql/identifier.h"
#include "planner/sql/placeholder.h"
#include "planner/sql/relocate.h"
#include "planner/sql/requalify.h"
#include "planner/sql/set_clause.h"
#include "planner/sql/statement.h"
#include "planner/sql/view.h"

namespace pgalter::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// ParseSetClause

std::vector<std::pair<std::string, std::string>> Pairs(std::string_view clause) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto parsed = ParseSetClause(clause);
  if (!parsed) {
    ADD_FAILURE() << clause << ": " << parsed.error().message;
    return pairs;
  }
  for (const auto& [column, expression] : *parsed) pairs.emplace_back(column, expression);
  return pairs;
}

using Pair = std::pair<std::string, std::string>;

TEST(SetClause, KeepsEachExpressionAsWritten) {
  EXPECT_THAT(Pairs("a = b + 1, \"Odd Name\" = lower(c)"),
              ElementsAre(Pair("a", "b + 1"), Pair("Odd Name", "lower(c)")));
  EXPECT_THAT(Pairs("A=b"), ElementsAre(Pair("a", "b")));
  EXPECT_THAT(Pairs("a = (NOT b) IS NULL"), ElementsAre(Pair("a", "(NOT b) IS NULL")));
  EXPECT_THAT(Pairs(" a\n=\n b ,c =\td  "), ElementsAre(Pair("a", "b"), Pair("c", "d")));
}

TEST(SetClause, CommasAndEqualsInsideAnExpressionBelongToIt) {
  EXPECT_THAT(Pairs("a = f(b = c, d), e = '=,', g = ARRAY[1, 2], \"x,=\" = $q$, h = 1$q$"),
              ElementsAre(Pair("a", "f(b = c, d)"), Pair("e", "'=,'"), Pair("g", "ARRAY[1, 2]"),
                          Pair("x,=", "$q$, h = 1$q$")));
  EXPECT_THAT(Pairs("a = b = c, d = (SELECT max(x) FROM u WHERE u.y = 1)"),
              ElementsAre(Pair("a", "b = c"), Pair("d", "(SELECT max(x) FROM u WHERE u.y = 1)")));
}

TEST(SetClause, CutsAfterUnicodeEscapes) {
  EXPECT_THAT(Pairs("a = U&'d\\0061t', U&\"\\0062\" = U&'!0063' UESCAPE '!'"),
              ElementsAre(Pair("a", "U&'d\\0061t'"), Pair("b", "U&'!0063' UESCAPE '!'")));
}

TEST(SetClause, CutsAtBytesNotCharacters) {
  EXPECT_THAT(Pairs("\"größe😀\" = '😀' || ü, b = 'é'"),
              ElementsAre(Pair("größe😀", "'😀' || ü"), Pair("b", "'é'")));
}

struct Refused {
  const char* text;
  const char* message;
};

TEST(SetClause, RefusesWhatIsNotAListOfAssignments) {
  const Refused cases[] = {
      {"", "nothing is assigned"},
      {"  \n", "nothing is assigned"},
      {"a", "syntax error"},
      {"a =", "syntax error at end of input"},
      {"a = 1,", "syntax error"},
      {"a = 1 b = 2", "syntax error"},
      {"(a, b) = (1, 2)", "several columns"},
      {"(a, b) = (SELECT 1, 2)", "several columns"},
      {"(a) = ROW(1)", "several columns"},
      {"a[1] = 2", "only a whole column"},
      {"a.b = 2", "only a whole column"},
      {"a = DEFAULT", "DEFAULT cannot be assigned to a"},
      {"a = (DEFAULT)", "DEFAULT"},
      {"a = 1, a = 2", "a is assigned twice"},
      {"a = 1, \"a\" = 2", "a is assigned twice"},
      {"a = 1; DROP TABLE x", "semicolon"},
      {"a = 1;", "semicolon"},
      {"a = 1 WHERE true", "WHERE"},
      {"a = 1 FROM b", "FROM"},
      {"a = 1 RETURNING a", "RETURNING"},
      {"a = 1 -- , b = 2", "comment"},
      {"a = 1 /* , b = 2 */", "comment"},
      {"a = 1 /* no end", "unterminated"},
      {"a = 'no end", "unterminated"},
      {"a = $q$ no end $Q$", "unterminated"},
      {"a = 1) OR (true", "syntax error"},
      {"a = 1 UNION SELECT 2", "syntax error"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = ParseSetClause(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(message)) << text;
  }
}

TEST(SetClause, NamesThePlaceInTheCallersText) {
  const std::map<std::string, int> cases = {
      {"a = 1, a = 2", 8}, {"ä = '😀', b[1] = 2", 10}, {"a = = 1", 5},
      {"a = 1; b", 6},     {"é = 1 + -- oh", 9},      {"a = ", 5},
  };
  for (const auto& [text, position] : cases) {
    const auto parsed = ParseSetClause(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().position, position) << text << ": " << parsed.error().message;
  }
}

// ParseExpression

ExpressionFacts FactsOf(std::string_view text) {
  auto facts = ParseExpression(text);
  if (facts) return *facts;
  ADD_FAILURE() << text << ": " << facts.error().message;
  return {};
}

TEST(Expression, ListsColumnsOnceWithTheirQualifiers) {
  const auto facts = FactsOf("a + T.b + a + s.t.\"C d\" + coalesce(t.*::text, x[1])");
  EXPECT_THAT(facts.columns,
              ElementsAre(ColumnUse{"", "", "a", false}, ColumnUse{"", "t", "b", false},
                          ColumnUse{"s", "t", "C d", false}, ColumnUse{"", "t", "", true},
                          ColumnUse{"", "", "x", false}));
  EXPECT_THAT(facts.functions, IsEmpty());
  EXPECT_FALSE(facts.has_subquery);
  EXPECT_FALSE(facts.untyped);
}

TEST(Expression, FindsColumnsWhereverTheyStand) {
  for (const char* text : {"CASE WHEN x THEN 1 END",
                           "ARRAY[x]",
                           "ROW(1, x)",
                           "x IS NULL",
                           "NOT x",
                           "x::int",
                           "(x).y",
                           "f(v => x)",
                           "x COLLATE \"C\"",
                           "x BETWEEN 1 AND 2",
                           "1 IN (2, x)",
                           "1 = ANY (x)",
                           "(1, x)",
                           "a[x]",
                           "xmlelement(name n, x)",
                           "count(*) FILTER (WHERE x)",
                           "x AT TIME ZONE 'utc'",
                           "nullif(1, x)",
                           "greatest(1, x)",
                           "(SELECT x)",
                           "sum(1) OVER (PARTITION BY x)",
                           "array_agg(1 ORDER BY x)",
                           "x IS DISTINCT FROM 1",
                           "extract(year FROM x)",
                           "x IS TRUE"}) {
    EXPECT_THAT(FactsOf(text).columns, ::testing::Contains(ColumnUse{"", "", "x", false})) << text;
  }
}

TEST(Expression, ListsCalls) {
  const auto facts = FactsOf(
      "lower(a) || pg_catalog.upper(b) || lower(c) || now() || CURRENT_TIMESTAMP(3) || "
      "current_user || (d AT TIME ZONE 'utc') || lower(a, b)");
  EXPECT_THAT(facts.functions,
              ElementsAre(FunctionUse{{"lower"}, 1}, FunctionUse{{"pg_catalog", "upper"}, 1},
                          FunctionUse{{"now"}, 0}, FunctionUse{{"current_timestamp"}, 0},
                          FunctionUse{{"current_user"}, 0},
                          FunctionUse{{"pg_catalog", "timezone"}, 2}, FunctionUse{{"lower"}, 2}));
}

TEST(Expression, ListsParametersAndSubqueries) {
  const auto facts = FactsOf("$2 + $1 + $2 + (SELECT 1)");
  EXPECT_THAT(facts.parameters, ElementsAre(1, 2));
  EXPECT_TRUE(facts.has_subquery);
  EXPECT_TRUE(FactsOf("NULL").untyped);
  EXPECT_TRUE(FactsOf("('2026')").untyped);
  EXPECT_FALSE(FactsOf("2026").untyped);
  EXPECT_FALSE(FactsOf("'2026'::date").untyped);
  EXPECT_TRUE(FactsOf("EXISTS (SELECT 1)").has_subquery);
  EXPECT_TRUE(FactsOf("ARRAY(SELECT 1)").has_subquery);
  EXPECT_TRUE(FactsOf("a IN (SELECT 1)").has_subquery);
}

TEST(Expression, RefusesAllButOneExpression) {
  for (const char* text : {"",
                           " ",
                           "1, 2",
                           "1; 2",
                           "1;",
                           "1 AS a",
                           "1 a",
                           "1 FROM t",
                           "a INTO b",
                           "*",
                           "DISTINCT a",
                           "ALL a",
                           "1 UNION SELECT 2",
                           "1 LIMIT 1",
                           "1 ORDER BY 1",
                           "SELECT 1",
                           "true) OR (true",
                           "1 WHERE true",
                           "1 GROUP BY 1",
                           "1)",
                           "(1",
                           "1 -- x",
                           "/* x */ 1",
                           "DEFAULT",
                           "f(DEFAULT)",
                           "1 FOR UPDATE",
                           "'a",
                           "\"a",
                           "$$a",
                           "1 /* a",
                           "a b c",
                           "1 +",
                           "DISTINCT ON (a) b"}) {
    EXPECT_FALSE(ParseExpression(text)) << text;
  }
}

TEST(Expression, TakesWhatOnlyLooksLikeMore) {
  for (const char* text :
       {"'; DROP TABLE x; --'", "\"a;b--\"", "$q$ /* $q$", "(1, 2)", "(SELECT 1)", "f(a, b)",
        "'it''s'", "E'\\''", "U&'d\\0061t'", "a - -1", "'a'\n'b'"}) {
    const auto facts = ParseExpression(text);
    EXPECT_TRUE(facts) << text << ": " << facts.error().message;
  }
}

// Names

TEST(QualifiedNames, ReadAsSqlQuotesThem) {
  const std::map<std::string, QualifiedName> cases = {
      {"orders", {std::nullopt, "orders"}},
      {"Orders", {std::nullopt, "orders"}},
      {"public.\"Order Items\"", {"public", "Order Items"}},
      {"\"a.b\".\"c\"\"d\"", {"a.b", "c\"d"}},
      {" S . T ", {"s", "t"}},
      {"Größe", {std::nullopt, "größe"}},
      {"\"😀\".\"\n\x01\t\"", {"😀", "\n\x01\t"}},
      {"a$1._b2", {"a$1", "_b2"}},
      {"order", {std::nullopt, "order"}},
      {"public.user", {"public", "user"}},
      {"\" \"", {std::nullopt, " "}},
  };
  for (const auto& [text, expected] : cases) {
    const auto name = ParseQualifiedName(text);
    ASSERT_TRUE(name) << text << ": " << name.error().message;
    EXPECT_EQ(*name, expected) << text;
  }
}

TEST(QualifiedNames, RefuseWhatIsNoName) {
  for (const std::string& text : {std::string(),
                                  std::string(" "),
                                  std::string("a.b.c"),
                                  std::string("a."),
                                  std::string(".a"),
                                  std::string("a..b"),
                                  std::string("\"\""),
                                  std::string("\"a"),
                                  std::string("a b"),
                                  std::string("a;"),
                                  std::string("1a"),
                                  std::string("a-b"),
                                  std::string("a*"),
                                  std::string("\"a\"b"),
                                  std::string("a\"b\""),
                                  std::string("a --"),
                                  std::string("'a'"),
                                  std::string("$a"),
                                  std::string("\"a\0b\"", 5),
                                  std::string("\"\xff\""),
                                  std::string("a\xc3"),
                                  std::string(64, 'a'),
                                  "\"" + std::string(64, 'a') + "\"",
                                  std::string("U&\"a\"")}) {
    const auto name = ParseQualifiedName(text);
    EXPECT_FALSE(name) << text;
  }
  EXPECT_TRUE(ParseQualifiedName(std::string(63, 'a')));
}

TEST(QualifiedNames, SurviveBeingWrittenAndRead) {
  for (const QualifiedName& name :
       {QualifiedName{"public", "t"}, QualifiedName{"Odd \"Schema\"", "a.b"},
        QualifiedName{std::nullopt, "select"}, QualifiedName{"user", "1st"},
        QualifiedName{std::nullopt, "größe\n😀"}, QualifiedName{"a", "$x"}}) {
    const auto again = ParseQualifiedName(ToString(name));
    ASSERT_TRUE(again) << ToString(name);
    EXPECT_EQ(*again, name);
  }
}

TEST(Quoting, QuotesOnlyWhatNeedsIt) {
  const std::map<std::string, std::string> cases = {
      {"a_1", "a_1"},
      {"A", "\"A\""},
      {"select", "\"select\""},
      {"1a", "\"1a\""},
      {"a b", "\"a b\""},
      {"a\"b", "\"a\"\"b\""},
      {"", "\"\""},
      {"größe", "\"größe\""},
      {"a$", "\"a$\""},
      {"new", "new"},
      {"system_user", "\"system_user\""},
      {"int", "\"int\""},
      {"json_table", "\"json_table\""},
      {"left", "\"left\""},
  };
  for (const auto& [name, quoted] : cases) EXPECT_EQ(QuoteIdentifier(name), quoted);
}

TEST(Quoting, QuotedNamesAreReadBackByTheGrammar) {
  for (const char* name :
       {"select", "user", "values",       "coalesce", "int",        "left", "between",
        "row",    "name", "current_date", "interval", "xmlelement", "it's", "a\"b",
        "é😀",     "--",   "/*",           "a;b",      "$1",         "U&",   "\\"}) {
    const auto facts = ParseExpression(QuoteIdentifier(name));
    ASSERT_TRUE(facts) << name << ": " << facts.error().message;
    EXPECT_THAT(facts->columns, ElementsAre(ColumnUse{"", "", name, false})) << name;
    EXPECT_THAT(facts->functions, IsEmpty()) << name;
  }
}

TEST(Quoting, LiteralsHoldQuotesAndBackslashes) {
  EXPECT_EQ(QuoteLiteral(""), "''");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral("a\\b'c"), "E'a\\\\b''c'");
  EXPECT_EQ(QuoteLiteral("😀\n"), "'😀\n'");
}

// RequalifyColumns

std::string Requalified(std::string_view text, const std::optional<std::string>& from,
                        std::string_view to,
                        const std::map<std::string, std::string>& substitutions = {}) {
  const auto result = RequalifyColumns(text, from, to, substitutions);
  return result ? *result : "refused: " + result.error().message;
}

TEST(Requalify, PutsTheQualifierBeforeEveryColumn) {
  EXPECT_EQ(Requalified("a + t.b * s.t.c", "t", "new"), "new.a + new.b * new.c");
  EXPECT_EQ(Requalified("lower(a) || 'a' || $q$a$q$ || \"A\"", "t", "new"),
            "lower(new.a) || 'a' || $q$a$q$ || new.\"A\"");
  EXPECT_EQ(Requalified("(NOT a) IS NULL", {}, "new"), "(NOT new.a) IS NULL");
  EXPECT_EQ(Requalified("row_to_json(t.*)", "t", "new"), "row_to_json(new.*)");
  EXPECT_EQ(Requalified("t.a[1].b", "t", "new"), "new.a[1].b");
  EXPECT_EQ(Requalified("a", {}, "Odd Alias"), "\"Odd Alias\".a");
  EXPECT_EQ(Requalified("f(a => a)", {}, "n"), "f(a => n.a)");
  EXPECT_EQ(Requalified("'😀' || ü", {}, "n"), "'😀' || n.\"ü\"");
  EXPECT_EQ(Requalified("t . \"a\" + 1", "t", "new"), "new.a + 1");
  EXPECT_EQ(Requalified("now()", {}, "new"), "now()");
}

TEST(Requalify, TakesQualifiersOff) {
  EXPECT_EQ(Requalified("t.a + b", "t", ""), "a + b");
  EXPECT_EQ(Requalified("t.select + t.\"B\"", "t", ""), "\"select\" + \"B\"");
  EXPECT_THAT(Requalified("f(t.*)", "t", ""), HasSubstr("whole row"));
}

TEST(Requalify, KeepsTokensApart) {
  EXPECT_EQ(Requalified("u&a", {}, "A"), "\"A\".u& \"A\".a");
  EXPECT_EQ(Requalified("a+b", {}, "new"), "new.a+new.b");
  EXPECT_EQ(Requalified("\"a\"is null", {}, "new"), "new.a is null");
  EXPECT_EQ(Requalified("-a::int", {}, "new"), "-new.a::int");
  EXPECT_EQ(Requalified("U&\"d!0061t\" UESCAPE '!' || U&\"b\"||c", {}, "n"), "n.dat || n.b||n.c");
}

TEST(Requalify, InlinesSubstitutionsInBrackets) {
  const std::map<std::string, std::string> substitutions = {{"total", "price + t.tax"}};
  EXPECT_EQ(Requalified("total * 2", "t", "new", substitutions), "(new.price + new.tax) * 2");
  EXPECT_EQ(Requalified("t.total", "t", "new", substitutions), "(new.price + new.tax)");
  EXPECT_EQ(Requalified("\"Total\"", "t", "new", substitutions), "new.\"Total\"");
  // Not again: a column may have the name of one that is substituted.
  EXPECT_EQ(Requalified("a", {}, "", {{"a", "b"}, {"b", "c"}}), "(b)");
  EXPECT_THAT(Requalified("f(t.*)", "t", "new", substitutions), HasSubstr("generated column"));
  EXPECT_THAT(Requalified("total", "t", "new", {{"total", "1) + (2"}}), HasSubstr("refused"));
}

TEST(Requalify, RefusesWhatItCannotTellApart) {
  EXPECT_THAT(Requalified("u.a", "t", "new"), HasSubstr("u is not the table"));
  EXPECT_THAT(Requalified("t.a", {}, "new"), HasSubstr("t is not the table"));
  EXPECT_THAT(Requalified("(SELECT a)", "t", "new"), HasSubstr("subquery"));
  EXPECT_THAT(Requalified("a = 1; b", "t", "new"), HasSubstr("semicolon"));
  const auto refused = RequalifyColumns("'é' || u.a", "t", "new");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().position, 8);
}

TEST(Requalify, ThereAndBackIsTheSame) {
  for (const char* text :
       {"CASE WHEN a THEN b ELSE c END", "a BETWEEN b AND c", "a::numeric(10,2) ",
        "(ARRAY[a, b])[c]", "a IS DISTINCT FROM b", "(a, b) = (c, d)", "extract(year FROM a)",
        "trim(BOTH a FROM b)", "a LIKE b ESCAPE c", "a COLLATE \"C\" || b", "a IN (b, c)",
        "a = ANY (b)", "a OPERATOR(pg_catalog.+) b"}) {
    const auto there = RequalifyColumns(text, {}, "new");
    ASSERT_TRUE(there) << text << ": " << there.error().message;
    EXPECT_THAT(*there, HasSubstr("new.")) << text;
    EXPECT_EQ(Requalified(*there, "new", ""), text);
  }
}

// ViewTargets

std::vector<std::string> Targets(std::string_view definition) {
  const auto targets = ViewTargets(definition);
  if (targets) return *targets;
  ADD_FAILURE() << definition << ": " << targets.error().message;
  return {};
}

TEST(ViewTargets, ReadsWhatTheServerRenders) {
  EXPECT_THAT(Targets(" SELECT t.a,\n    (t.b + 1) AS c,\n    t.* AS w\n   FROM s.t;"),
              ElementsAre("t.a", "(t.b + 1)", "t.*"));
  EXPECT_THAT(
      Targets(" SELECT CASE\n            WHEN a IS DISTINCT FROM b THEN 1\n        END AS x,\n"
              "    CAST(a AS int) AS y, EXTRACT(year FROM c) AS \"from\"\n   FROM t;"),
      ElementsAre("CASE\n            WHEN a IS DISTINCT FROM b THEN 1\n        END",
                  "CAST(a AS int)", "EXTRACT(year FROM c)"));
  EXPECT_THAT(Targets("SELECT a IS DISTINCT FROM b AS \"?column?\" FROM t"),
              ElementsAre("a IS DISTINCT FROM b"));
  EXPECT_THAT(Targets("SELECT a IS DISTINCT FROM b FROM t"), ElementsAre("a IS DISTINCT FROM b"));
  EXPECT_THAT(Targets("SELECT ' AS x, y FROM t' AS \"a, b\", 'é' AS \"😀\" FROM t"),
              ElementsAre("' AS x, y FROM t'", "'é'"));
  EXPECT_THAT(Targets("SELECT 1 AS a"), ElementsAre("1"));
  EXPECT_THAT(Targets("SELECT ( SELECT max(u.x) AS max FROM u) AS m FROM t"),
              ElementsAre("( SELECT max(u.x) AS max FROM u)"));
}

TEST(ViewTargets, RefusesOtherStatements) {
  for (const char* text :
       {"", "SELECT", "TABLE t", "VALUES (1)", "DELETE FROM t", "SELECT 1; SELECT 2",
        "SELECT 1 UNION SELECT 2", "SELECT * FROM t", "SELEC 1"}) {
    const auto targets = ViewTargets(text);
    EXPECT_FALSE(targets) << text;
  }
}

// BindPlaceholders

std::string Bound(std::string_view text) {
  const auto bound = BindPlaceholders(text, {{"key", "$1"}, {"Salt", "$2"}, {"value", "$3"}});
  return bound ? *bound : "refused: " + bound.error().message;
}

TEST(Placeholders, BecomeNumbersInTheGivenOrder) {
  EXPECT_EQ(Bound("f(:value, :key) || :Salt||:key"), "f($3, $1) || $2||$1");
  EXPECT_EQ(Bound(":key::text"), "$1::text");
  EXPECT_EQ(Bound("a=:key"), "a=$1");
  EXPECT_EQ(Bound("'é' || :key"), "'é' || $1");
}

TEST(Placeholders, AreNotLookedForInsideOtherTokens) {
  for (const char* text :
       {"a::key", "':key'", "\":key\"", "$$:key$$", "$q$ $$ :key $q$", "1 /* :key */", "1 -- :key",
        "E'\\':key'", "a[1:2]", "a[b : c]", "a := 1", "'it'':key'", "/* /* */ :key */ 1"}) {
    EXPECT_EQ(Bound(text), text);
  }
}

TEST(Placeholders, UnknownNamesAreRefusedByName) {
  EXPECT_THAT(Bound("a || :salt"), HasSubstr("nothing is bound to :salt"));
  EXPECT_THAT(Bound(":keys"), HasSubstr(":keys"));
  EXPECT_THAT(Bound("a[1:n]"), HasSubstr(":n"));
  EXPECT_THAT(Bound(":'key'"), HasSubstr("without quotes"));
  EXPECT_THAT(Bound(":\"key\""), HasSubstr("without quotes"));
  EXPECT_THAT(Bound("$1 || :key"), HasSubstr("by hand"));
  EXPECT_THAT(Bound("'open"), HasSubstr("unterminated"));
  const auto refused = BindPlaceholders("'😀' || :x", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().position, 8);
}

// A number glued to a name would be another name.
TEST(Placeholders, NeverJoinTheNameBefore) { EXPECT_EQ(Bound("a[x:key]"), "a[x $1]"); }

// Statements

TEST(Normalise, ReplacesEveryLiteral) {
  const std::map<std::string, std::string> cases = {
      {"SELECT * FROM t WHERE a = 'secret' AND b = 42", "SELECT * FROM t WHERE a = $1 AND b = $2"},
      {"UPDATE t SET a = $2 || 'x' WHERE b = $1", "UPDATE t SET a = $2 || $3 WHERE b = $1"},
      {"COMMENT ON TABLE t IS 'secret'", "COMMENT ON TABLE t IS $1"},
      {"ALTER TABLE t ADD c text DEFAULT 'secret'", "ALTER TABLE t ADD c text DEFAULT $1"},
      {"SELECT 1 -- secret\n + /* secret */ 2", "SELECT $1 + $2"},
      {"DO $x$ secret $x$", "DO $1"},
      {"SELECT E'se\\'cret', U&'secret', x'5ec', B'01', 1.5e3", "SELECT $1, $2, $3, $4, $5"},
      {"SELECT U&'secret' , U&\"a\",U&'!0061' UESCAPE '!'", "SELECT $1 , U&\"a\",$2 UESCAPE $3"},
      {"SELECT\n\n\t1", "SELECT $1"},
      {"SELEC 'secret' 42", "SELEC $1 $2"},
      {"", ""},
  };
  for (const auto& [sql, normalised] : cases) EXPECT_EQ(NormaliseStatement(sql), normalised);
}

TEST(Normalise, KeepsOnlyTheFirstWordOfWhatCannotBeScanned) {
  EXPECT_EQ(NormaliseStatement("UPDATE t SET a = 'secret"), "UPDATE …");
  EXPECT_EQ(NormaliseStatement("'secret"), "…");
  EXPECT_EQ(NormaliseStatement("secret1 'x"), "…");
  EXPECT_EQ(NormaliseStatement("SELECT 'a', $q$ secret"), "SELECT …");
  EXPECT_EQ(NormaliseStatement("SELECT \xff 'secret'"), "SELECT …");
  EXPECT_EQ(NormaliseStatement(std::string("SELECT \0 'secret'", 17)), "SELECT …");
}

std::vector<std::string> Statements(std::string_view script) {
  const auto statements = SplitStatements(script);
  if (statements) return *statements;
  ADD_FAILURE() << statements.error().message;
  return {};
}

TEST(Split, GivesEachStatementWithoutItsSemicolon) {
  EXPECT_THAT(Statements("SELECT 1;\n  SELECT ';' ; ;;SELECT $$;$$"),
              ElementsAre("SELECT 1", "SELECT ';'", "SELECT $$;$$"));
  EXPECT_THAT(Statements(""), IsEmpty());
  EXPECT_THAT(Statements(" ;; /* nothing */ ; -- here"), IsEmpty());
  EXPECT_THAT(Statements("-- why\nSELECT 1; -- then\nSELECT 2 -- end"),
              ElementsAre("-- why\nSELECT 1", "-- then\nSELECT 2 -- end"));
  EXPECT_THAT(Statements("BEGIN; SELECT CASE WHEN a THEN b END; END; COMMIT"),
              ElementsAre("BEGIN", "SELECT CASE WHEN a THEN b END", "END", "COMMIT"));
  EXPECT_THAT(Statements("SELECT 'é😀'; SELECT 2"), ElementsAre("SELECT 'é😀'", "SELECT 2"));
}

TEST(Split, ReadsBodiesAsPartsOfTheirStatement) {
  const char* function =
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END";
  EXPECT_THAT(Statements(std::string(function) + "; SELECT 3"), ElementsAre(function, "SELECT 3"));
  const char* branches =
      "CREATE PROCEDURE p() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END";
  EXPECT_THAT(Statements(std::string(branches) + "; SELECT 3"), ElementsAre(branches, "SELECT 3"));
  const char* rule = "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)";
  EXPECT_THAT(Statements(std::string(rule) + "; SELECT 3"), ElementsAre(rule, "SELECT 3"));
  const char* dollar = "DO $a$ BEGIN EXECUTE $b$ SELECT 1; $b$; END $a$";
  EXPECT_THAT(Statements(std::string(dollar) + ";SELECT 3;"), ElementsAre(dollar, "SELECT 3"));
}

TEST(Split, OneUnknownStatementHidesNoOther) {
  EXPECT_THAT(Statements("SELECT 1; FROBNICATE ';' t; SELECT 2;"),
              ElementsAre("SELECT 1", "FROBNICATE ';' t", "SELECT 2"));
  EXPECT_FALSE(SplitStatements("SELECT 1; SELECT 'open"));
}

// MoveDefinition

TEST(MoveDefinition, NamesWhatIsMadeInAnotherSchema) {
  const struct {
    const char* text;
    const char* moved;
  } cases[] = {
      {"CREATE TABLE t (a int)", "CREATE TABLE new.t (a int)"},
      {"CREATE TABLE /* here */ \"S\" . \"T\" (LIKE s.t, b s.kind REFERENCES s.u)",
       "CREATE TABLE /* here */ new.\"T\" (LIKE s.t, b s.kind REFERENCES s.u)"},
      {"CREATE TABLE s.p PARTITION OF s.t FOR VALUES IN (1)",
       "CREATE TABLE new.p PARTITION OF new.t FOR VALUES IN (1)"},
      {"CREATE TABLE c (a int) INHERITS (s.t)", "CREATE TABLE new.c (a int) INHERITS (s.t)"},
      {"CREATE INDEX i ON s.t (f(a))", "CREATE INDEX i ON new.t (f(a))"},
      {"ALTER TABLE ONLY s.t ADD CONSTRAINT k UNIQUE (a), ALTER b SET DEFAULT s.f()",
       "ALTER TABLE ONLY new.t ADD CONSTRAINT k UNIQUE (a), ALTER b SET DEFAULT s.f()"},
      {"ALTER TABLE IF EXISTS \"T\" * SET (fillfactor = 50)",
       "ALTER TABLE IF EXISTS new.\"T\" * SET (fillfactor = 50)"},
      {"CREATE TABLE IF NOT EXISTS t (a int)", "CREATE TABLE IF NOT EXISTS new.t (a int)"},
      {"CREATE TABLE U&\"d!0061t\" UESCAPE '!' (a int)", "CREATE TABLE new.dat (a int)"},
  };
  for (const auto& one : cases) {
    const auto moved = MoveDefinition(one.text, "new");
    ASSERT_TRUE(moved) << one.text << ": " << moved.error().message;
    EXPECT_EQ(*moved, one.moved);
  }
}

TEST(MoveDefinition, RefusesEverythingElse) {
  for (const char* text : {"DROP TABLE t", "CREATE TABLE t (a int); CREATE TABLE s (a int)",
                           "CREATE TABLE t AS SELECT 1", "CREATE TABEL t ()",
                           "ALTER INDEX t SET (fillfactor = 50)", ""})
    EXPECT_FALSE(MoveDefinition(text, "new")) << text;
}

}  // namespace
}  // namespace pgalter::sql
