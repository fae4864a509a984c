#include <gmock/gmock.h>

#include "tests/unit/read_statement.h"

namespace pgalter::sql::ast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Embedded ReadBlock(std::string body) {
  auto embedded = ReadPlpgsql(DoBlock{"plpgsql", std::move(body)});
  if (embedded) return *std::move(embedded);
  ADD_FAILURE() << embedded.error().message;
  return {};
}

std::vector<std::string> StatementsOf(std::string body) {
  return ReadBlock(std::move(body)).statements;
}

// What EXECUTE runs.
std::vector<std::string> Executed(const std::string& expression) {
  return StatementsOf("BEGIN EXECUTE " + expression + "; END");
}

TEST(Plpgsql, StatementsComeInTheirOrder) {
  EXPECT_THAT(StatementsOf("BEGIN\n  CREATE TABLE a (b int);\n  DROP TABLE c;\nEND"),
              ElementsAre("CREATE TABLE a (b int)", "DROP TABLE c"));
}

TEST(Plpgsql, LinesAreThoseOfTheBody) {
  EXPECT_THAT(ReadBlock("\nBEGIN\n  CREATE TABLE a (b int);\n\n  DROP TABLE c;\nEND").lines,
              ElementsAre(3, 5));
}

TEST(Plpgsql, BlocksInBlocksAreLookedInto) {
  EXPECT_THAT(StatementsOf(R"(
DECLARE n int; r record;
BEGIN
  IF n > 1 THEN DROP TABLE a;
  ELSIF n > 0 THEN DROP TABLE b;
  ELSE DROP TABLE c; END IF;
  LOOP DROP TABLE d; EXIT; END LOOP;
  WHILE n < 3 LOOP DROP TABLE e; END LOOP;
  FOR i IN 1..3 LOOP DROP TABLE f; END LOOP;
  FOR r IN SELECT 1 FROM g LOOP DROP TABLE h; END LOOP;
  CASE n WHEN 1 THEN DROP TABLE i; ELSE DROP TABLE j; END CASE;
  <<inner>>
  BEGIN DROP TABLE k;
  EXCEPTION WHEN undefined_table OR others THEN DROP TABLE l; END;
END)"),
              ElementsAre("DROP TABLE a", "DROP TABLE b", "DROP TABLE c", "DROP TABLE d",
                          "DROP TABLE e", "DROP TABLE f", "SELECT 1 FROM g", "DROP TABLE h",
                          "DROP TABLE i", "DROP TABLE j", "DROP TABLE k", "DROP TABLE l"));
}

TEST(Plpgsql, CommitsAreStatements) {
  EXPECT_THAT(StatementsOf("BEGIN UPDATE t SET a = 1; COMMIT; DELETE FROM t; ROLLBACK; END"),
              ElementsAre("UPDATE t SET a = 1", "COMMIT", "DELETE FROM t", "ROLLBACK"));
}

TEST(Plpgsql, PerformAndCallAreStatements) {
  EXPECT_THAT(StatementsOf("BEGIN PERFORM f(1); CALL p(2); END"),
              ElementsAre("SELECT f(1)", "CALL p(2)"));
}

TEST(Plpgsql, IntoIsTakenOut) {
  const auto statements = StatementsOf(
      "DECLARE n int; BEGIN SELECT count(*) INTO n FROM t; "
      "INSERT INTO t VALUES (1) RETURNING a INTO n; END");
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_THAT(ReadAs<Select>(statements[0]).reads, ElementsAre(QualifiedName{std::nullopt, "t"}));
  EXPECT_EQ(ReadAs<Modify>(statements[1]).table.name, "t");
}

TEST(Plpgsql, ExecutedLiteralsAreStatements) {
  EXPECT_THAT(Executed("'DROP TABLE a'"), ElementsAre("DROP TABLE a"));
  EXPECT_THAT(Executed("'SELECT ''x'''"), ElementsAre("SELECT 'x'"));
  EXPECT_THAT(Executed("$q$DROP TABLE a$q$"), ElementsAre("DROP TABLE a"));
  EXPECT_THAT(Executed("'DROP ' || 'TABLE a'"), ElementsAre("DROP TABLE a"));
  EXPECT_THAT(Executed("'DROP TABLE a; DROP TABLE b;'"),
              ElementsAre("DROP TABLE a", "DROP TABLE b"));
  EXPECT_THAT(Executed("'UPDATE t SET a = $1' USING 1"), ElementsAre("UPDATE t SET a = $1"));
}

TEST(Plpgsql, FormatIsAppliedToLiterals) {
  EXPECT_THAT(Executed("format('DROP TABLE a')"), ElementsAre("DROP TABLE a"));
  EXPECT_THAT(Executed("format('DROP TABLE %I.%I', 's', 'My t')"),
              ElementsAre("DROP TABLE s.\"My t\""));
  EXPECT_THAT(Executed("format('SELECT %L, %s, 5 %% 2', 'it''s', 7)"),
              ElementsAre("SELECT 'it''s', 7, 5 % 2"));
  EXPECT_THAT(Executed("format('DROP TABLE %2$I; DROP TABLE %1$I', 'a', 'b')"),
              ElementsAre("DROP TABLE b", "DROP TABLE a"));
}

TEST(Plpgsql, FormatInFormatDoesNotGrowForEver) {
  std::string expression = "'SELECT 1'";
  for (int i = 0; i < 60; ++i) expression = "format('%1$s%1$s', " + expression + ")";
  EXPECT_THAT(Executed(expression), IsEmpty());
}

TEST(Plpgsql, ComputedNamesStandAsAWord) {
  const auto dropped = Executed("format('ALTER TABLE %I DROP COLUMN a', name)");
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(ReadAs<AlterTable>(dropped[0]).commands[0].change, TableChange::kDropColumn);
  EXPECT_EQ(Executed("'DROP TABLE ' || quote_ident(name) || ' CASCADE'").size(), 1U);
}

TEST(Plpgsql, ComputedStatementsAreCounted) {
  const Embedded embedded = ReadBlock(
      "BEGIN EXECUTE what; EXECUTE format(what, 1); "
      "EXECUTE 'DROP ' || what || 'x y z'; DROP TABLE a; END");
  EXPECT_THAT(embedded.statements, ElementsAre("DROP TABLE a"));
  EXPECT_EQ(embedded.dynamic, 3);
}

TEST(Plpgsql, LoopsOverExecutedQueries) {
  EXPECT_THAT(StatementsOf("DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT 1 FROM t' LOOP DELETE "
                           "FROM u; END LOOP; END"),
              ElementsAre("SELECT 1 FROM t", "DELETE FROM u"));
}

TEST(Plpgsql, FunctionsAreReadAsWell) {
  const auto function = ReadAs<CreateFunction>(
      "CREATE FUNCTION f(a int) RETURNS SETOF int LANGUAGE plpgsql AS $$BEGIN "
      "RETURN QUERY SELECT x FROM t; RETURN QUERY EXECUTE 'SELECT 1'; END$$");
  const auto embedded = ReadPlpgsql(function);
  ASSERT_TRUE(embedded) << embedded.error().message;
  EXPECT_THAT(embedded->statements, ElementsAre("SELECT x FROM t", "SELECT 1"));
}

TEST(Plpgsql, TriggersAndProceduresAreReadAsWell) {
  const auto trigger = ReadPlpgsql(ReadAs<CreateFunction>(
      "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
      "INSERT INTO log VALUES (NEW.id); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; "
      "END$$"));
  ASSERT_TRUE(trigger) << trigger.error().message;
  EXPECT_THAT(trigger->statements, ElementsAre("INSERT INTO log VALUES (NEW.id)"));
  const auto procedure = ReadPlpgsql(ReadAs<CreateFunction>(
      "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN DELETE FROM t; COMMIT; END$$"));
  ASSERT_TRUE(procedure) << procedure.error().message;
  EXPECT_THAT(procedure->statements, ElementsAre("DELETE FROM t", "COMMIT"));
}

TEST(Plpgsql, OtherLanguagesHaveNone) {
  EXPECT_THAT(ReadPlpgsql(DoBlock{"plpython3u", "x = 1"})->statements, IsEmpty());
}

TEST(Plpgsql, WhatIsNoBodyIsRefused) {
  EXPECT_FALSE(ReadPlpgsql(DoBlock{"plpgsql", "BEGIN IF; END"}));
  EXPECT_FALSE(ReadPlpgsql(DoBlock{"plpgsql", ""}));
  EXPECT_FALSE(ReadPlpgsql(DoBlock{"plpgsql", "DROP TABLE a"}));
}

TEST(Plpgsql, ABodyMayHoldDollarQuotes) {
  EXPECT_THAT(StatementsOf("BEGIN EXECUTE $do$DROP TABLE a$do$; END"), ElementsAre("DROP TABLE a"));
}

TEST(Plpgsql, DeepNestingIsRefusedNotFatal) {
  std::string body;
  for (int i = 0; i < 20'000; ++i) body += "BEGIN ";
  (void)ReadPlpgsql(DoBlock{"plpgsql", body});
  std::string closed = "BEGIN ";
  for (int i = 0; i < 3'000; ++i) closed += "IF true THEN ";
  closed += "DROP TABLE a; ";
  for (int i = 0; i < 3'000; ++i) closed += "END IF; ";
  (void)ReadPlpgsql(DoBlock{"plpgsql", closed + "END"});
}

}  // namespace
}  // namespace pgalter::sql::ast
