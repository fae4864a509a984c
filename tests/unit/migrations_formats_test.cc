// The directories under tests/formats/, each as its tool would run it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/formats/reader.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

fs::path Fixture(std::string_view name) {
  return fs::path(PGALTER_SOURCE_DIR) / "tests" / "formats" / name;
}

std::string_view NameOf(lint::Sending sending) {
  switch (sending) {
    case lint::Sending::kOneByOne:
      return "each";
    case lint::Sending::kTransaction:
      return "transaction";
    case lint::Sending::kOneQuery:
      return "query";
  }
  return "?";
}

std::string Folded(std::string_view text) {
  std::string folded;
  for (const std::string& word : Words(text)) folded += (folded.empty() ? "" : " ") + word;
  return folded;
}

// "file | sending | text" of each part; history, the schema that a way down starts from, left out.
std::vector<std::string> Parts(const Migrations& migrations, const fs::path& root) {
  std::vector<std::string> parts;
  for (const File& file : migrations.files) {
    if (!file.judged) continue;
    for (const lint::Part& part : file.parts) {
      const std::string text = Folded(Cut(file.text, part.span));
      if (text.empty()) continue;
      parts.push_back(file.path.lexically_relative(root).string() + " | " +
                      std::string(NameOf(part.sending)) + " | " + text);
    }
  }
  return parts;
}

Migrations ReadFixture(std::string_view name, Options options = {}) {
  Reader reader(std::move(options));
  reader.Add(Fixture(name));
  return reader.Take();
}

std::vector<std::string> Up(std::string_view name) {
  return Parts(ReadFixture(name), Fixture(name));
}

std::vector<std::string> Down(std::string_view name) {
  return Parts(ReadFixture(name, {"", Direction::kDown}), Fixture(name));
}

std::vector<std::string> FormatsOf(std::string_view name) { return ReadFixture(name).formats; }

TEST(NaturalLess, CountsNumbers) {
  std::vector<std::string> names{"10_a", "2_b", "a10", "a2", "02_a", "2_a", "", "2", "B", "a"};
  std::ranges::sort(names, NaturalLess);
  EXPECT_THAT(names, ElementsAre("", "2", "02_a", "2_a", "2_b", "10_a", "B", "a", "a2", "a10"));
}

TEST(Formats, PlainFilesAreSentStatementByStatementInNaturalOrder) {
  EXPECT_THAT(FormatsOf("plain"), ElementsAre("plain"));
  EXPECT_THAT(Up("plain"),
              ElementsAre("1_create.sql | each | CREATE TABLE a ();",
                          "2_add.sql | each | ALTER TABLE a ADD COLUMN b int;",
                          "10_index.sql | each | CREATE INDEX CONCURRENTLY i ON a (b);"));
  EXPECT_THAT(Down("plain"), ElementsAre("rollback/1_create.sql | each | DROP TABLE a;",
                                         "2_add.down.sql | query | ALTER TABLE a DROP COLUMN b;"));
}

TEST(Formats, PsqlScriptsAreFollowedIntoWhatTheyInclude) {
  const auto migrations = ReadFixture("psql");
  EXPECT_THAT(
      Parts(migrations, Fixture("psql")),
      ElementsAre("deploy.sql | each | BEGIN;", "parts/tables.sql | each | CREATE TABLE a ();",
                  "parts/more of it.sql | each | CREATE TABLE b (); \\ir tables.sql",
                  "deploy.sql | each | \\ir parts/missing.sql \\ir parts/missing.sql",
                  "helper.sql | each | CREATE TABLE c ();", "deploy.sql | each | COMMIT;"));
  EXPECT_THAT(migrations.notes, ElementsAre(HasSubstr("tables.sql, and is included by it in turn"),
                                            HasSubstr("parts/missing.sql, which is not there")));
  for (const File& file : migrations.files)
    EXPECT_EQ(file.continues, &file != &migrations.files.front());
}

TEST(Formats, ThePathIsTheOneThatWasGiven) {
  const auto migrations = ReadFixture("plain");
  EXPECT_EQ(migrations.files[0].path, Fixture("plain") / "1_create.sql");
  EXPECT_EQ(migrations.files[0].text, "CREATE TABLE a ();\n");
  EXPECT_FALSE(migrations.files[0].rewritten);
}

TEST(Formats, DirectoriesBelowAreReadWhereTheTopHasNoSql) {
  EXPECT_THAT(Up("plain-nested"),
              ElementsAre("2024/01_a.sql | each | SELECT 1;", "2025/01_b.sql | each | SELECT 2;"));
}

TEST(Formats, AnOperationOfPgrollIsTheStatementsThatMeanTheSame) {
  EXPECT_THAT(FormatsOf("pgroll"), ElementsAre("pgroll"));
  const Migrations migrations = ReadFixture("pgroll");
  EXPECT_THAT(migrations.problems, IsEmpty());
  ASSERT_EQ(migrations.files.size(), 3U);
  const std::string& created = migrations.files[0].text;
  EXPECT_THAT(created, HasSubstr("CREATE TABLE users (id serial NOT NULL, name varchar(255) NOT "
                                 "NULL UNIQUE, \"Descr\" text, PRIMARY KEY (id));"));
  EXPECT_THAT(created, HasSubstr("COMMENT ON COLUMN users.\"Descr\" IS 'it''s';"));
  EXPECT_THAT(created,
              HasSubstr("id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL, title text NOT NULL, "
                        "user_id integer, PRIMARY KEY (id), CONSTRAINT fk_user FOREIGN KEY "
                        "(user_id) REFERENCES users (id) ON DELETE CASCADE, CONSTRAINT posts_title "
                        "UNIQUE (title, user_id), CONSTRAINT posts_long CHECK (length(title) < "
                        "1000))"));
  const std::string& added = migrations.files[1].text;
  EXPECT_THAT(added,
              HasSubstr("ALTER TABLE users ADD COLUMN shout text;\n"
                        "-- pgalter:backfill table=\"users\" set=\"shout = (upper(name))\""));
  EXPECT_THAT(added, HasSubstr("CREATE INDEX CONCURRENTLY idx_name ON users (name DESC) WHERE "
                               "name <> '';"));
  const std::size_t gate = added.find("-- pgalter:gate complete");
  ASSERT_NE(gate, std::string::npos);
  EXPECT_GT(added.find("SET NOT NULL"), gate) << "older programs leave it out until then";
  const std::string& altered = migrations.files[2].text;
  EXPECT_THAT(altered,
              HasSubstr("set=\"title = (CASE WHEN length(title) <= 3 THEN LPAD(title, 4, '-') ELSE "
                        "title END)\" where=\"title IS DISTINCT FROM (CASE"))
      << "a query that is an expression and no more";
  EXPECT_THAT(altered, Not(HasSubstr("pgalter:down"))) << "what a rule made of rows stays";
}

TEST(Formats, AnOperationOfPgrollStandsAtItsLine) {
  const Migrations migrations = ReadFixture("pgroll");
  const auto line_of = [&](std::size_t file, std::string_view text) {
    const std::string& all = migrations.files[file].text;
    return 1 + std::ranges::count(all.substr(0, all.find(text)), '\n');
  };
  EXPECT_EQ(line_of(0, "CREATE TABLE users"), 3);
  EXPECT_EQ(line_of(0, "CREATE TABLE posts"), 14);
  EXPECT_EQ(line_of(1, "ADD COLUMN"), 2);
  EXPECT_EQ(line_of(2, "RENAME CONSTRAINT"), 10);
}

// With ` for JSON's quotes.
std::vector<std::string> PgrollSays(std::string operations) {
  std::ranges::replace(operations, '`', '"');
  Reader reader({"pgroll", Direction::kUp});
  reader.AddText("{\"operations\": [\n" + operations + "\n]}");
  Migrations migrations = reader.Take();
  if (!migrations.problems.empty()) return migrations.problems;
  std::vector<std::string> lines;
  Lines of(migrations.files.front().text);
  while (const auto line = of.Next()) {
    std::string text(Cut(migrations.files.front().text, line->span));
    const std::size_t mark = text.find("/* pgroll:online */ ");
    if (mark == 0) text.erase(0, 20);
    if (!text.empty()) lines.push_back(std::move(text));
  }
  return lines;
}

TEST(Formats, EachOperationOfPgroll) {
  EXPECT_THAT(PgrollSays("{`rename_table`: {`from`: `a`, `to`: `B c`}}"),
              ElementsAre("-- pgalter:up", "ALTER TABLE a RENAME TO \"B c\";", "-- pgalter:down",
                          "ALTER TABLE \"B c\" RENAME TO a;"));
  EXPECT_THAT(PgrollSays("{`rename_column`: {`table`: `a`, `from`: `b`, `to`: `c`}}, "
                         "{`drop_index`: {`name`: `i`}}"),
              ElementsAre("-- pgalter:up", "ALTER TABLE a RENAME COLUMN b TO c;",
                          "DROP INDEX CONCURRENTLY i;"))
      << "the index cannot be brought back, so there is no way down";
  EXPECT_THAT(PgrollSays("{`sql`: {`up`: `SELECT 1 -- one`, `onComplete`: true}}"),
              ElementsAre("-- pgalter:up", HasSubstr("-- pgalter:gate complete"), "-- pgalter:up",
                          "SELECT 1 -- one", ";"));
  EXPECT_THAT(PgrollSays("{`alter_column`: {`table`: `a`, `column`: `b`, `type`: `int`, "
                         "`up`: `SELECT CAST(b AS int)`, `down`: `b::text`}}"),
              ElementsAre("-- pgalter:up",
                          "ALTER TABLE a ALTER COLUMN b TYPE int USING (CAST(b AS int));"));
  EXPECT_THAT(
      PgrollSays("{`alter_column`: {`table`: `a`, `column`: `b`, `default`: null, "
                 "`comment`: null, `nullable`: true, `up`: `b`, `down`: `b`}}"),
      ElementsAre("-- pgalter:up", "ALTER TABLE a ALTER COLUMN b DROP NOT NULL;",
                  "ALTER TABLE a ALTER COLUMN b DROP DEFAULT;", "COMMENT ON COLUMN a.b IS NULL;"));
  EXPECT_THAT(PgrollSays("{`alter_column`: {`table`: `a`, `column`: `b`, `unique`: {`name`: `u`}, "
                         "`up`: `b`, `down`: `b`}}"),
              ElementsAre("-- pgalter:up", "ALTER TABLE a ADD CONSTRAINT u UNIQUE (b);",
                          "-- pgalter:down", "ALTER TABLE a DROP CONSTRAINT u;"));
  EXPECT_THAT(
      PgrollSays("{`create_constraint`: {`table`: `a`, `name`: `f`, `type`: `foreign_key`, "
                 "`columns`: [`b`, `c`], `references`: {`table`: `o`, `columns`: [`x`, `y`], "
                 "`on_delete`: `SET NULL`, `on_delete_set_columns`: [`b`]}, "
                 "`up`: {`b`: `b`, `c`: `coalesce(c, 0)`}, `down`: {`b`: `b`, `c`: `c`}}}"),
      ElementsAre("-- pgalter:up", HasSubstr("gate complete"), "-- pgalter:up",
                  "-- pgalter:backfill table=\"a\" set=\"c = (coalesce(c, 0))\" where=\"c IS "
                  "DISTINCT FROM (coalesce(c, 0))\"",
                  "-- pgalter:up",
                  "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b, c) REFERENCES o (x, y) ON DELETE "
                  "SET NULL (b);"));
  EXPECT_THAT(
      PgrollSays("{`set_replica_identity`: {`table`: `a`, `identity`: {`type`: `index`, "
                 "`index`: `i`}}}, {`drop_column`: {`table`: `a`, `column`: `b`}}, "
                 "{`drop_table`: {`name`: `z`}}, "
                 "{`drop_constraint`: {`table`: `a`, `name`: `k`, `up`: `b`, `down`: `b`}}"),
      ElementsAre("-- pgalter:up", "ALTER TABLE a REPLICA IDENTITY USING INDEX i;",
                  "ALTER TABLE a DROP COLUMN b;", "DROP TABLE z;",
                  "ALTER TABLE a DROP CONSTRAINT k;"));
}

// A query with more to it stays one.
TEST(Formats, WhatPgrollSelectsIsAnExpressionOnlyWhereThatIsAllOfIt) {
  const auto filled = [](const std::string& up) {
    return PgrollSays(
        "{`add_column`: {`table`: `a`, `column`: {`name`: `c`, `type`: `int`, `nullable`: true}, "
        "`up`: `" +
        up + "`}}")[2];
  };
  EXPECT_THAT(filled("SELECT max(x) FROM o"), HasSubstr("c = (SELECT max(x) FROM o)"));
  EXPECT_THAT(filled("SELECT a, b"), HasSubstr("c = (SELECT a, b)"));
  EXPECT_THAT(filled("select (a IS DISTINCT FROM b)::int;"),
              HasSubstr("c = ((a IS DISTINCT FROM b)::int)"));
  EXPECT_THAT(filled("select ' from '::int"), HasSubstr("c = (' from '::int)"));
}

TEST(Formats, WhatPgrollDoesNotKnowIsNamedWithItsLine) {
  EXPECT_THAT(PgrollSays("{`sql`: {`up`: `SELECT 1`}},\n"
                         "{`create_view`: {`name`: `v`}}"),
              ElementsAre(HasSubstr("standard input: line 3: the operation create_view is not "
                                    "known; there are: add_column, ")));
  EXPECT_THAT(PgrollSays("{`drop_table`: {`name`: `t`, `cascade`: true}}"),
              ElementsAre(HasSubstr("line 2: drop_table has a key that is not known: cascade")));
  EXPECT_THAT(PgrollSays("{`drop_table`: {}}"),
              ElementsAre(HasSubstr("drop_table does not say its name")));
  EXPECT_THAT(PgrollSays("{`sql`: {`up`: `SELECT 1`, `onComplete`: `maybe`}}"),
              ElementsAre(HasSubstr("onComplete is neither true nor false")));
  EXPECT_THAT(PgrollSays("{`sql`: 1}"), ElementsAre(HasSubstr("sql is no list of keys")));
  EXPECT_THAT(PgrollSays("{`add_column`: {`table`: `a`, `column`: {`name`: `c`, `type`: `int`}, "
                         "`up`: `1 -- one`}}"),
              ElementsAre(HasSubstr("up holds a comment")));
  EXPECT_THAT(PgrollSays("{"), ElementsAre(HasSubstr("it is no JSON")));
}

TEST(Formats, AFileTellsItsToolWhereTheDirectoryDoesNot) {
  EXPECT_THAT(
      Up("mixed"),
      ElementsAre("01_plain.sql | each | SELECT 1;", "02_goose.sql | transaction | SELECT 2;",
                  "03_dbmate.sql | transaction | SELECT 3;", "04_add.up.sql | query | SELECT 4;",
                  "05_plain.sql | each | SELECT 5;", "V6__flyway.sql | transaction | SELECT 6;"));
  EXPECT_THAT(FormatsOf("mixed"),
              ElementsAre("plain", "goose", "dbmate", "golang-migrate", "flyway"));
}

TEST(Formats, OwnSections) {
  EXPECT_THAT(FormatsOf("pgalter"), ElementsAre("pgalter", "plain"))
      << "pgalter.sum is no mark of the format";
  const auto up = Up("pgalter");
  ASSERT_EQ(up.size(), 4U);
  EXPECT_THAT(up[0], HasSubstr("20260115123456_add.sql | transaction | "));
  EXPECT_THAT(up[0], HasSubstr("SELECT before;"));
  EXPECT_THAT(up[1], HasSubstr("transaction | SELECT expand;"));
  EXPECT_THAT(up[2], HasSubstr("SELECT contract;"));
  EXPECT_EQ(up[3], "20260116000000_next.sql | each | SELECT 2;");
  EXPECT_THAT(Down("pgalter"), ElementsAre("20260115123456_add.sql | transaction | SELECT down;"));
}

TEST(Formats, FlywayRunsByVersionAndSeesWhatRefusesATransaction) {
  EXPECT_THAT(FormatsOf("flyway"), ElementsAre("flyway"));
  EXPECT_THAT(
      Up("flyway"),
      ElementsAre("V1__create.sql | transaction | CREATE TABLE a ();",
                  "V1_2__part.sql | transaction | SELECT 12;",
                  "V1.10__late.sql | transaction | SELECT 110;",
                  "V2__index.sql | each | -- concurrently CREATE /* a */ UNIQUE INDEX CONCURRENTLY "
                  "i ON a (b);",
                  "V3__reindex.sql | transaction | REINDEX TABLE CONCURRENTLY a;",
                  "V4__configured.sql | each | REINDEX TABLE CONCURRENTLY a;",
                  "V5__said.sql | transaction | COMMENT ON TABLE a IS CREATE INDEX CONCURRENTLY;",
                  "R__a_view.sql | transaction | CREATE OR REPLACE VIEW a AS SELECT 1;",
                  "R__b_view.sql | transaction | CREATE OR REPLACE VIEW b AS SELECT 1;"));
  EXPECT_THAT(Down("flyway"), ElementsAre("U2__index.sql | each | DROP INDEX CONCURRENTLY i;",
                                          "U1__create.sql | transaction | DROP TABLE a;"));
  EXPECT_THAT(ReadFixture("flyway").notes, ElementsAre(HasSubstr("beforeMigrate.sql is a callback"),
                                                       HasSubstr("notes.sql is not named"),
                                                       HasSubstr("B1.10__base.sql stands")));
}

TEST(Formats, FlywayRefusesAMixedFile) {
  const auto notes = [](std::string text) {
    Reader reader({"flyway", Direction::kUp});
    reader.AddText(std::move(text));
    return reader.Take().notes;
  };
  EXPECT_THAT(notes("CREATE INDEX CONCURRENTLY i ON a (b); DROP TABLE c;"),
              ElementsAre(HasSubstr("mixed=true")));
  EXPECT_THAT(notes("SET lock_timeout = 0; DROP INDEX CONCURRENTLY i; VACUUM a;"), IsEmpty());
  EXPECT_THAT(notes("DROP TABLE c; REINDEX TABLE CONCURRENTLY a;"), IsEmpty());
}

TEST(Formats, TheRefusalOfAMixedFileNamesTheStatement) {
  Reader reader({"flyway", Direction::kUp});
  const std::string text = "DROP TABLE c; CREATE INDEX CONCURRENTLY i ON a (b);";
  reader.AddText(text);
  const auto migrations = reader.Take();
  ASSERT_EQ(migrations.files.size(), 1U);
  ASSERT_EQ(migrations.files[0].parts.size(), 1U);
  const lint::Part& part = migrations.files[0].parts[0];
  EXPECT_THAT(part.refusal, HasSubstr("mixed=true"));
  EXPECT_EQ(part.refused_at.begin, text.find("CREATE"));
}

TEST(Formats, FlywayPrefixesAndBaselineWithoutItsVersions) {
  EXPECT_THAT(Up("flyway-configured"), ElementsAre("sql/B3__base.sql | each | SELECT 3;",
                                                   "sql/M4__b.sql | each | SELECT 4;"));
}

TEST(Formats, LiquibaseChangesetsAreTransactions) {
  EXPECT_THAT(FormatsOf("liquibase"), ElementsAre("liquibase"));
  EXPECT_THAT(Up("liquibase"),
              ElementsAre("changelog.sql | transaction | CREATE TABLE a ();",
                          "changelog.sql | each | CREATE INDEX CONCURRENTLY i ON a (b);",
                          "changelog.sql | query | SELECT 4; SELECT 44;",
                          "changelog.sql | transaction | SELECT 4 / 2 ; SELECT 5"));
  EXPECT_THAT(Down("liquibase"), ElementsAre("changelog.sql | query | SELECT 444;",
                                             "changelog.sql | each | DROP INDEX i;",
                                             "changelog.sql | transaction | DROP TABLE a;"));
}

TEST(Formats, ARewrittenTextKeepsItsPlaces) {
  for (const Direction direction : {Direction::kUp, Direction::kDown}) {
    const auto plain = ReadWhole(Fixture("liquibase") / "changelog.sql");
    for (const File& file : ReadFixture("liquibase", {"", direction}).files) {
      EXPECT_TRUE(file.rewritten);
      EXPECT_EQ(file.text.size(), plain.size());
      EXPECT_EQ(std::ranges::count(file.text, '\n'), std::ranges::count(plain, '\n'));
    }
  }
}

TEST(Formats, LiquibaseMasterGivesTheOrder) {
  EXPECT_THAT(Up("liquibase-master"),
              ElementsAre("changes/z_first.sql | transaction | SELECT 1;",
                          "changes/a_second.sql | transaction | SELECT 2;"));
}

// By the time in the name, of whichever kind; the other way's mark ends a way.
TEST(Formats, NodePgMigrateHasBothWaysInOneFile) {
  EXPECT_THAT(Up("node-pg-migrate"),
              ElementsAre("1704000000000_a.sql | transaction | -- Up Migration SELECT 1;",
                          "1704100000000_b.sql | transaction | --- UP migration: the second SELECT "
                          "2; SELECT 22;",
                          "20240102000000000_c.sql | transaction | -- Up Migration SELECT 3;",
                          "1800000000000_d.sql | transaction | SELECT 4;"));
  EXPECT_THAT(Down("node-pg-migrate"),
              ElementsAre("20240102000000000_c.sql | transaction | -- Down Migration SELECT no 3;",
                          "1704000000000_a.sql | transaction | -- Down Migration SELECT no 1;"));
  EXPECT_THAT(ReadFixture("node-pg-migrate").notes, ElementsAre(HasSubstr("_e.js is no SQL")));
}

TEST(Formats, SqitchRunsItsPlan) {
  EXPECT_THAT(Up("sqitch"),
              ElementsAre("deploy/users@v1.sql | each | BEGIN; SELECT users@v1; COMMIT;",
                          "deploy/orders.sql | each | BEGIN; SELECT orders; COMMIT;",
                          "deploy/users.sql | each | BEGIN; SELECT users; COMMIT;"));
  EXPECT_THAT(Down("sqitch"), ElementsAre("revert/users.sql | each | SELECT no users;",
                                          "revert/orders.sql | each | SELECT no orders;",
                                          "revert/users@v1.sql | each | SELECT no users@v1;"));
  EXPECT_THAT(ReadFixture("sqitch").notes, ElementsAre(HasSubstr("gone.sql is planned"),
                                                       HasSubstr("unplanned.sql is in no line")));
  Reader reader({});
  reader.Add(Fixture("sqitch") / "deploy");
  EXPECT_EQ(Parts(reader.Take(), Fixture("sqitch")), Up("sqitch"));
}

TEST(Formats, DbmateSendsAPartAsOneQuery) {
  EXPECT_THAT(FormatsOf("dbmate"), ElementsAre("dbmate"));
  EXPECT_THAT(Up("dbmate"),
              ElementsAre("20240101_a.sql | transaction | CREATE TABLE a ();",
                          "20240101_a.sql | transaction | CREATE TABLE b ();",
                          "20240102_b.sql | query | CREATE INDEX CONCURRENTLY i ON a (b);"));
  EXPECT_THAT(Down("dbmate"), ElementsAre("20240102_b.sql | query | DROP INDEX CONCURRENTLY i;",
                                          "20240101_a.sql | transaction | DROP TABLE b;",
                                          "20240101_a.sql | transaction | DROP TABLE a;"));
}

TEST(Formats, GooseBlocksAreOneQueryOutsideOfATransaction) {
  EXPECT_THAT(FormatsOf("goose"), ElementsAre("goose"));
  EXPECT_THAT(
      Up("goose"),
      ElementsAre("00001_a.sql | transaction | CREATE TABLE a (); -- +goose StatementBegin DO "
                  "$$BEGIN NULL; END$$; -- +goose StatementEnd SELECT 1;",
                  "00002_b.sql | each | CREATE INDEX CONCURRENTLY i ON a (b);",
                  "00002_b.sql | query | SELECT 1; SELECT 2;", "00002_b.sql | each | SELECT 3;"));
  EXPECT_THAT(Down("goose"), ElementsAre("00002_b.sql | each | DROP INDEX CONCURRENTLY i;",
                                         "00001_a.sql | transaction | DROP TABLE a;"));
}

TEST(Formats, GolangMigrateSendsAFileAsOneQuery) {
  EXPECT_THAT(Up("golang-migrate"),
              ElementsAre("1_a.up.sql | query | SELECT 1;", "2_b.up.sql | query | SELECT 2;",
                          "10_c.up.sql | query | SELECT 10;"));
  EXPECT_THAT(Down("golang-migrate"), ElementsAre("10_c.down.sql | query | SELECT 1010;",
                                                  "2_b.down.sql | query | SELECT 22;"));
}

TEST(Formats, AtlasHeadsDecideAndCheckpointsAreLeftOut) {
  const auto up = Up("atlas");
  ASSERT_EQ(up.size(), 3U);
  EXPECT_EQ(up[0], "20240101_a.sql | transaction | CREATE TABLE a ();");
  EXPECT_THAT(up[1], HasSubstr("20240102_b.sql | each | "));
  EXPECT_THAT(up[2], HasSubstr("SELECT 1 ; SELECT 2 ;"));
  EXPECT_THAT(ReadFixture("atlas").notes, ElementsAre(HasSubstr("checkpoint")));
}

TEST(Formats, PrismaRunsItsDirectoriesByName) {
  EXPECT_THAT(Up("prisma"), ElementsAre("migrations/20240101_a/migration.sql | query | SELECT 1;",
                                        "migrations/20240102_b/migration.sql | query | SELECT 2;"));
  EXPECT_THAT(Down("prisma"), ElementsAre("migrations/20240101_a/down.sql | query | SELECT 11;"));
}

TEST(Formats, WhatOtherToolsPrintIsReadAsItStands) {
  EXPECT_THAT(FormatsOf("rails"), ElementsAre("rails"));
  EXPECT_THAT(FormatsOf("django"), ElementsAre("django"));
  EXPECT_THAT(FormatsOf("alembic"), ElementsAre("alembic"));
  EXPECT_THAT(Up("django"),
              ElementsAre("0002.sql | each | BEGIN; -- -- Add field b to a -- ALTER TABLE a ADD "
                          "COLUMN b integer NULL; COMMIT;"));
  EXPECT_THAT(Up("alembic"), ElementsAre("a_to_b.sql | each | BEGIN; -- Running upgrade -> 1a2b "
                                         "CREATE TABLE a (); COMMIT;"));
  EXPECT_THAT(Down("alembic"), ElementsAre("b_to_a.sql | each | BEGIN; -- Running downgrade 1a2b "
                                           "-> DROP TABLE a; COMMIT;"));
}

TEST(Formats, AWayDownBeginsWithTheSchemaOfTheWayUp) {
  const auto migrations = ReadFixture("golang-migrate", {"", Direction::kDown});
  ASSERT_EQ(migrations.files.size(), 5U);
  EXPECT_FALSE(migrations.files[0].judged);
  EXPECT_EQ(migrations.files[2].path.filename(), "10_c.up.sql");
  EXPECT_TRUE(migrations.files[3].judged);
}

TEST(Formats, OneFileIsReadAsItsDirectoryIs) {
  const auto read = [](const fs::path& path, Direction direction = Direction::kUp) {
    Reader reader({"", direction});
    reader.Add(Fixture("") / path);
    return Parts(reader.Take(), Fixture(""));
  };
  EXPECT_THAT(read("atlas/20240101_a.sql"),
              ElementsAre("atlas/20240101_a.sql | transaction | CREATE TABLE a ();"));
  EXPECT_THAT(read("flyway/V4__configured.sql"),
              ElementsAre("flyway/V4__configured.sql | each | REINDEX TABLE CONCURRENTLY a;"));
  EXPECT_THAT(read("prisma/migrations/20240101_a/migration.sql"),
              ElementsAre("prisma/migrations/20240101_a/migration.sql | query | SELECT 1;"));
  EXPECT_THAT(read("goose/00002_b.sql").size(), 3U);
  EXPECT_THAT(read("plain/rollback/1_create.sql"), IsEmpty());
  EXPECT_THAT(read("plain/rollback/1_create.sql", Direction::kDown),
              ElementsAre("plain/rollback/1_create.sql | each | DROP TABLE a;"));
  EXPECT_THAT(read("sqitch/revert/users.sql"), IsEmpty());
}

TEST(Formats, TextTellsItsTool) {
  Reader reader({});
  reader.AddText("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n");
  const auto migrations = reader.Take();
  ASSERT_EQ(migrations.files.size(), 1U);
  EXPECT_TRUE(migrations.files[0].path.empty());
  EXPECT_THAT(migrations.formats, ElementsAre("goose"));
  EXPECT_THAT(Parts(migrations, ""), ElementsAre(". | transaction | SELECT 1;"));
}

TEST(Formats, ANameGivenByHandHolds) {
  EXPECT_THAT(FormatNames(), Contains("golang-migrate"));
  const auto migrations = ReadFixture("mixed", {"prisma", Direction::kUp});
  EXPECT_THAT(migrations.files, IsEmpty());
  const auto plain = Parts(ReadFixture("goose", {"plain", Direction::kUp}), Fixture("goose"));
  ASSERT_EQ(plain.size(), 2U);
  EXPECT_THAT(plain[0], HasSubstr("| each | -- +goose Up"));
}

TEST(Formats, WhatCannotBeReadIsSaid) {
  Reader reader({});
  reader.Add(Fixture("plain") / "nowhere.sql");
  reader.Add(Fixture("python"));
  const auto migrations = reader.Take();
  EXPECT_THAT(migrations.files, IsEmpty());
  EXPECT_THAT(migrations.problems, ElementsAre(HasSubstr("nowhere.sql: No such file")));
  EXPECT_THAT(migrations.notes, ElementsAre(HasSubstr("alembic upgrade")));
}

// Whatever the bytes, parts lie in the text.
TEST(Formats, OddTextsAreAnswered) {
  for (const std::string_view text :
       {"",
        "\n",
        "--",
        "-- +goose",
        "-- +goose Up",
        "-- migrate:up",
        "-- migrate:down\n",
        "--liquibase formatted sql",
        "--liquibase formatted sql\n--changeset",
        "--liquibase formatted sql\n--changeset a:1 endDelimiter:\"\n--rollback",
        "--liquibase formatted sql\n--changeset a:1\n--ignoreLines:start\n--rollback x",
        "--liquibase formatted sql\n--changeset a:1\n/* liquibase rollback",
        "--liquibase formatted sql\n--changeset a:1\n/* liquibase rollback */",
        "--liquibase formatted sql\n--changeset a:1\n--ignoreLines:99999999999\nx",
        "-- atlas:delimiter",
        "-- atlas:delimiter \\n\\n",
        "-- atlas:delimiter x\nx",
        "-- pgalter:up",
        "-- pgalter:down\r\n-- pgalter:verify",
        "\xFF\xFE-\0-",
        "-- Running upgrade",
        "--\r-- x\r--"}) {
    for (const std::string_view format : FormatNames()) {
      for (const Direction direction : {Direction::kUp, Direction::kDown}) {
        for (const std::string_view name : {std::string_view(), format}) {
          Reader reader({std::string(name), direction});
          reader.AddText(std::string(text));
          for (const File& file : reader.Take().files) {
            ASSERT_EQ(file.text.size(), text.size());
            ASSERT_FALSE(file.parts.empty());
            for (const lint::Part& part : file.parts) {
              ASSERT_LE(part.span.begin, part.span.end) << text;
              ASSERT_LE(part.span.end, text.size()) << text;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace pgalter::formats
