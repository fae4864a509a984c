#include <gmock/gmock.h>

#include "planner/sql/newer_syntax.h"
#include "tests/unit/read_statement.h"

namespace pgalter::sql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The major version, or 0 if it is not recognised.
int MajorOf(std::string_view sql) {
  const auto newer = RecogniseNewer(sql);
  return newer ? newer->major : 0;
}

template <class T>
T NewerAs(std::string_view sql) {
  auto newer = RecogniseNewer(sql);
  EXPECT_TRUE(newer) << sql;
  if (!newer || !newer->statement) return {};
  if (auto* body = std::get_if<T>(&newer->statement->body)) return std::move(*body);
  ADD_FAILURE() << sql << " is read as kind " << newer->statement->body.index();
  return {};
}

ast::TableCommand NewerCommand(const std::string& command) {
  auto table = NewerAs<ast::AlterTable>("ALTER TABLE t " + command);
  EXPECT_EQ(table.commands.size(), 1U) << command;
  return table.commands.empty() ? ast::TableCommand{} : std::move(table.commands.front());
}

TEST(NewerSyntax, NeedsItsVersion) {
  const std::pair<int, const char*> statements[] = {
      {16, "CREATE TABLE t (a text STORAGE external)"},
      {16, "ALTER TABLE t ADD COLUMN a text STORAGE main NOT NULL"},
      {16, "CREATE STATISTICS ON a, b FROM t"},
      {16, "CREATE STATISTICS (dependencies) ON a, b FROM t"},
      {16, "REINDEX SYSTEM"},
      {16, "REINDEX DATABASE CONCURRENTLY"},
      {16, "SELECT 1_000, 0xFF, 0o17, 0b11, 1_0.5_0"},
      {16, "GRANT a TO b WITH INHERIT TRUE"},
      {16, "GRANT a TO b WITH SET FALSE, ADMIN OPTION"},
      {16, "REVOKE INHERIT OPTION FOR a FROM b"},
      {16, "ALTER TABLE t ADD CHECK (doc IS JSON OBJECT WITH UNIQUE KEYS)"},
      {16, "SELECT JSON_OBJECT('a': 1, 'b': x ABSENT ON NULL)"},
      {16, "SELECT * FROM (SELECT 1), (SELECT 2)"},
      {17, "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE RETURNING t.a"},
      {17, "MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED BY SOURCE THEN DELETE"},
      {17, "SELECT * FROM JSON_TABLE(doc, '$' COLUMNS (a int PATH '$.a')) AS j"},
      {17, "SELECT JSON_VALUE(doc, '$.a' RETURNING int ERROR ON ERROR)"},
      {17, "ALTER TABLE t ALTER a SET EXPRESSION AS (b + 1)"},
      {17, "ALTER TABLE t ALTER a SET STATISTICS DEFAULT"},
      {17, "ALTER TABLE t SET ACCESS METHOD DEFAULT"},
      {17, "ALTER DOMAIN d ADD NOT NULL"},
      {17, "SELECT now() AT LOCAL"},
      {18, "ALTER TABLE t ADD NOT NULL a"},
      {18, "CREATE TABLE t (a int, CONSTRAINT n NOT NULL a)"},
      {18, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED"},
      {18, "CREATE TABLE t (a int CHECK (a > 0) ENFORCED)"},
      {18, "ALTER TABLE t ALTER CONSTRAINT c INHERIT"},
      {18, "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1)"},
      {18, "VACUUM ONLY t"},
      {18, "ANALYZE a, ONLY b"},
      {18, "UPDATE t SET a = 1 RETURNING WITH (OLD AS o, NEW AS n) o.a, n.a"},
      {19, "REPACK t"},
      {19, "REPACK (CONCURRENTLY) t"},
  };
  for (const auto& [major, sql] : statements) {
    EXPECT_FALSE(ast::ReadStatement(sql)) << sql << " is read by the installed grammar";
    EXPECT_EQ(MajorOf(sql), major) << sql;
  }
}

TEST(NewerSyntax, WhatTheGrammarReadsNeedsNothing) {
  for (const char* sql : {"GRANT MAINTAIN ON t TO a", "CREATE TABLE t (a int) USING heap",
                          "COPY t FROM stdin (ON_ERROR ignore, REJECT_LIMIT 5)",
                          "UPDATE t SET a = 1 RETURNING old.a, new.a"})
    EXPECT_TRUE(ast::ReadStatement(sql)) << sql;
}

TEST(NewerSyntax, MistakesStayMistakes) {
  for (const char* sql : {"",
                          "ALTER TABLE t ADD NOT NULL",
                          "ALTER TABEL t ADD CONSTRAINT c NOT NULL a",
                          "CREATE TABLE t (a int NOT ENFORCED)",
                          "SELECT FROM WHERE",
                          "CREATE TABLE t (a int,)",
                          "VACUUM ONLY ONLY t x y",
                          "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1",
                          "SELECT * FROM (SELECT 1",
                          "SELECT 1__000",
                          "GRANT a TO b WITH INHERIT MAYBE",
                          "not enforced",
                          "period",
                          "merge returning",
                          "generated always as (",
                          ")",
                          "]]]]",
                          "0x",
                          "REINDEX",
                          "\\",
                          "ALTER TABLE t SPLIT PARTITION p INTO",
                          "ALTER TABLE t MERGE PARTITIONS (",
                          "'"})
    EXPECT_EQ(MajorOf(sql), 0) << sql;
}

TEST(NewerSyntax, NotNullIsAConstraintOfItsColumn) {
  const auto command = NewerCommand("ADD CONSTRAINT n NOT NULL \"My col\" NOT VALID");
  EXPECT_EQ(command.change, ast::TableChange::kAddConstraint);
  ASSERT_TRUE(command.constraint);
  EXPECT_EQ(command.constraint->kind, ast::ConstraintKind::kNotNull);
  EXPECT_EQ(command.constraint->name, "n");
  EXPECT_THAT(command.constraint->columns, ElementsAre("My col"));
  EXPECT_TRUE(command.constraint->not_valid);
  EXPECT_FALSE(command.constraint->expression);
  EXPECT_TRUE(NewerCommand("ADD NOT NULL a NO INHERIT").constraint->no_inherit);
}

TEST(NewerSyntax, NotNullOfACreatedTableLeavesItsColumnsAlone) {
  const auto table = NewerAs<ast::CreateTable>(
      "CREATE TABLE t (a int NOT NULL, b int CONSTRAINT x NOT NULL DEFAULT 1, NOT NULL b, "
      "CHECK (a > 0), CONSTRAINT y NOT NULL a)");
  ASSERT_EQ(table.columns.size(), 2U);
  EXPECT_NE(table.columns[0].Find(ast::ConstraintKind::kNotNull), nullptr);
  EXPECT_EQ(table.columns[1].Find(ast::ConstraintKind::kDefault)->expression->text, "1");
  ASSERT_EQ(table.constraints.size(), 3U);
  EXPECT_THAT(table.constraints[0].columns, ElementsAre("b"));
  EXPECT_EQ(table.constraints[1].kind, ast::ConstraintKind::kCheck);
  EXPECT_EQ(table.constraints[1].expression->text, "a > 0");
  EXPECT_EQ(table.constraints[2].kind, ast::ConstraintKind::kNotNull);
  EXPECT_EQ(table.constraints[2].name, "y");
}

TEST(NewerSyntax, NotEnforcedBelongsToItsConstraint) {
  const auto table = NewerAs<ast::CreateTable>(
      "CREATE TABLE t (a int CONSTRAINT p CHECK (a > 0) NOT ENFORCED CHECK (a < 9), b int "
      "REFERENCES "
      "o (id) ON DELETE CASCADE NOT ENFORCED, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES q (x, y) "
      "NOT "
      "ENFORCED, CHECK (b > 0))");
  ASSERT_EQ(table.columns.size(), 2U);
  ASSERT_EQ(table.columns[0].constraints.size(), 2U);
  EXPECT_TRUE(table.columns[0].constraints[0].not_enforced);
  EXPECT_FALSE(table.columns[0].constraints[1].not_enforced);
  EXPECT_TRUE(table.columns[1].constraints[0].not_enforced);
  ASSERT_EQ(table.constraints.size(), 2U);
  EXPECT_TRUE(table.constraints[0].not_enforced);
  EXPECT_FALSE(table.constraints[1].not_enforced);
}

TEST(NewerSyntax, AlterConstraintSaysWhatItDoes) {
  const auto enforced = NewerCommand("ALTER CONSTRAINT c ENFORCED");
  EXPECT_EQ(enforced.change, ast::TableChange::kAlterConstraint);
  EXPECT_EQ(enforced.name, "c");
  EXPECT_TRUE(enforced.constraint->enforced);
  EXPECT_TRUE(NewerCommand("ALTER CONSTRAINT c NOT ENFORCED").constraint->not_enforced);
  EXPECT_TRUE(NewerCommand("ALTER CONSTRAINT c NO INHERIT").constraint->no_inherit);
  const auto table = NewerAs<ast::AlterTable>(
      "ALTER TABLE t DROP COLUMN a, ALTER CONSTRAINT c NOT ENFORCED, ALTER CONSTRAINT d ENFORCED");
  ASSERT_EQ(table.commands.size(), 3U);
  EXPECT_TRUE(table.commands[1].constraint->not_enforced);
  EXPECT_TRUE(table.commands[2].constraint->enforced);
}

TEST(NewerSyntax, VirtualColumnsHaveTheirExpression) {
  const auto virtual_column =
      NewerCommand("ADD COLUMN b int NOT NULL GENERATED ALWAYS AS ( a * 2 ) VIRTUAL UNIQUE");
  ASSERT_TRUE(virtual_column.column);
  const auto* generated = virtual_column.column->Find(ast::ConstraintKind::kGeneratedVirtual);
  ASSERT_NE(generated, nullptr);
  EXPECT_EQ(generated->expression->text, "a * 2");
  EXPECT_NE(virtual_column.column->Find(ast::ConstraintKind::kUnique), nullptr);
  EXPECT_EQ(virtual_column.column->Find(ast::ConstraintKind::kDefault), nullptr);
  const auto both = NewerAs<ast::CreateTable>(
      "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a) STORED, c int CONSTRAINT g GENERATED "
      "ALWAYS AS (lower(x, ')')))");
  EXPECT_NE(both.columns[1].Find(ast::ConstraintKind::kGeneratedStored), nullptr);
  EXPECT_EQ(both.columns[2].Find(ast::ConstraintKind::kGeneratedVirtual)->expression->text,
            "lower(x, ')')");
}

TEST(NewerSyntax, KeysMayGoByPeriods) {
  const auto table = NewerAs<ast::CreateTable>(
      "CREATE TABLE t (id int, at daterange, CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS), "
      "UNIQUE (id), FOREIGN KEY (id, PERIOD at) REFERENCES p (id, PERIOD at))");
  ASSERT_EQ(table.constraints.size(), 3U);
  EXPECT_TRUE(table.constraints[0].without_overlaps);
  EXPECT_THAT(table.constraints[0].columns, ElementsAre("id", "at"));
  EXPECT_FALSE(table.constraints[1].without_overlaps);
  EXPECT_TRUE(table.constraints[2].without_overlaps);
  EXPECT_THAT(table.constraints[2].foreign_key->target_columns, ElementsAre("id", "at"));
}

TEST(NewerSyntax, SetExpressionIsNoDefault) {
  const auto command = NewerCommand("ALTER COLUMN a SET EXPRESSION AS (b + 1)");
  EXPECT_EQ(command.change, ast::TableChange::kSetExpression);
  EXPECT_EQ(command.name, "a");
  EXPECT_EQ(command.expression->text, "b + 1");
}

TEST(NewerSyntax, PartitionsAreSplitAndMerged) {
  const auto split = NewerCommand(
      "SPLIT PARTITION s.p INTO (PARTITION a FOR VALUES FROM (1) TO (2), PARTITION b DEFAULT)");
  EXPECT_EQ(split.change, ast::TableChange::kSplitPartition);
  EXPECT_EQ(split.other, (QualifiedName{"s", "p"}));
  const auto merge = NewerCommand("MERGE PARTITIONS (a, b) INTO c");
  EXPECT_EQ(merge.change, ast::TableChange::kMergePartitions);
  EXPECT_EQ(merge.other, (QualifiedName{std::nullopt, "c"}));
}

TEST(NewerSyntax, DomainsHaveNoColumns) {
  const auto domain = NewerAs<ast::AlterDomain>("ALTER DOMAIN d ADD CONSTRAINT n NOT NULL");
  ASSERT_TRUE(domain.constraint);
  EXPECT_EQ(domain.constraint->kind, ast::ConstraintKind::kNotNull);
  EXPECT_EQ(domain.constraint_name, "n");
  EXPECT_THAT(domain.constraint->columns, IsEmpty());
}

TEST(NewerSyntax, RepackIsAVacuumFullUnlessConcurrent) {
  const auto newer = RecogniseNewer("REPACK (VERBOSE) s.t USING INDEX i");
  ASSERT_TRUE(newer && newer->statement);
  EXPECT_EQ(newer->statement->tag, "REPACK");
  ASSERT_NE(newer->statement->As<ast::Vacuum>(), nullptr);
  EXPECT_TRUE(newer->statement->As<ast::Vacuum>()->full);
  EXPECT_THAT(newer->statement->As<ast::Vacuum>()->tables, ElementsAre(QualifiedName{"s", "t"}));
  EXPECT_FALSE(RecogniseNewer("REPACK (CONCURRENTLY) t")->statement);
}

TEST(NewerSyntax, RolesKeepTheirAdmins) {
  EXPECT_TRUE(NewerAs<ast::Grant>("GRANT a TO b WITH ADMIN TRUE, SET TRUE").with_grant_option);
  EXPECT_FALSE(NewerAs<ast::Grant>("GRANT a TO b WITH ADMIN FALSE").with_grant_option);
  EXPECT_FALSE(
      NewerAs<ast::Grant>("GRANT a TO b WITH INHERIT OPTION GRANTED BY c").with_grant_option);
}

TEST(NewerSyntax, NamesThatWereMadeUpAreNotShown) {
  EXPECT_EQ(NewerAs<ast::CreateStatistics>("CREATE STATISTICS ON a, b FROM t").name, "");
  EXPECT_EQ(NewerAs<ast::CreateStatistics>("CREATE STATISTICS ON a, b FROM t").table.name, "t");
  EXPECT_EQ(NewerAs<ast::Reindex>("REINDEX DATABASE").name.name, "");
  EXPECT_EQ(NewerCommand("SET ACCESS METHOD DEFAULT").name, "");
}

TEST(NewerSyntax, ColumnsMayHaveTheNamesOfNewWords) {
  const auto table = NewerAs<ast::CreateTable>(
      "CREATE TABLE t (storage text, enforced bool, period int, b text STORAGE plain, "
      "CHECK (enforced) NOT ENFORCED, FOREIGN KEY (period) REFERENCES p (period))");
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_EQ(table.columns[0].name, "storage");
  EXPECT_EQ(table.columns[1].name, "enforced");
  EXPECT_EQ(table.columns[2].name, "period");
  ASSERT_EQ(table.constraints.size(), 2U);
  EXPECT_EQ(table.constraints[0].expression->text, "enforced");
  EXPECT_THAT(table.constraints[1].columns, ElementsAre("period"));
}

TEST(NewerSyntax, TheNewestFormNamesTheVersion) {
  const auto newer =
      RecogniseNewer("CREATE TABLE t (a text STORAGE main, CHECK (a > '') NOT ENFORCED)");
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->major, 18);
  EXPECT_EQ(newer->what, "NOT ENFORCED");
}

TEST(NewerSyntax, NumbersInStringsStay) {
  const auto table = NewerAs<ast::AlterTable>(
      "ALTER TABLE t ALTER a SET DEFAULT '1_000', ALTER b SET DEFAULT 1_000");
  ASSERT_EQ(table.commands.size(), 2U);
  EXPECT_EQ(table.commands[0].expression->text, "'1_000'");
  EXPECT_EQ(table.commands[1].expression->text, "1000");
}

std::string Repeated(std::string_view text, std::size_t bytes) {
  std::string repeated;
  while (repeated.size() < bytes) repeated += text;
  return repeated;
}

// A minute and more each, were every form to look at everything around it.
TEST(NewerSyntax, LooksAtNoMoreThanItHasTo) {
  for (const char* text : {"enforced ", "alter constraint x ", "( without overlaps ", "json(",
                           "merge returning ", "split partition ", "period a ", "(period a ",
                           "not null ", "generated always as (", "[(", "storage main "}) {
    EXPECT_EQ(MajorOf("ALTER TABLE t " + Repeated(text, 200'000)), 0) << text;
    EXPECT_EQ(MajorOf("WITH " + Repeated(text, 200'000)), 0) << text;
  }
  EXPECT_EQ(MajorOf("CREATE TABLE t (" + Repeated("a int check (a > 0) not enforced, ", 200'000) +
                    "b int)"),
            18);
}

}  // namespace
}  // namespace pgalter::sql
