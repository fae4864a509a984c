// Other tools' directories as files of our own format: what Alembic prints, Liquibase's changelogs,
// and every directory under tests/formats.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "migrations/convert/alembic.h"
#include "migrations/convert/draft.h"
#include "migrations/convert/liquibase.h"
#include "migrations/convert/node.h"
#include "migrations/formats/reader.h"
#include "migrations/history/compose.h"
#include "planner/plan/json.h"

namespace pgalter::convert {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "pgalter-convert-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { fs::remove_all(path_); }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string Shape(const Node& node) {
  std::string shape = node.name;
  for (const auto& [key, value] : node.attributes) shape += " " + key + "=" + value;
  if (!node.text.empty()) shape += " \"" + node.text + "\"";
  std::string children;
  for (const Node& child : node.children) children += "(" + Shape(child) + ")";
  return shape + children;
}

// ---- trees

TEST(Xml, ReadsElementsAttributesEntitiesAndCdata) {
  EXPECT_EQ(Shape(ReadXml("<?xml version=\"1.0\"?>\n<!-- <x> -->\n<a:r k='1 &lt; 2'><b/>"
                          "x &amp; &#65;&#xE4;&#8364;<![CDATA[ <y> ]]></a:r>\n")),
            "r k=1 < 2 \"x & A\xC3\xA4\xE2\x82\xAC <y> \"(b)");
}

TEST(Xml, SaysWhereItCannotBeRead) {
  const auto what = [](std::string_view text) -> std::string {
    try {
      (void)ReadXml(text);
    } catch (const Unreadable& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(what("<a>\n<b></a>"), StartsWith("line 2: "));
  EXPECT_THAT(what("<a>"), StartsWith("line 1: "));
  EXPECT_THAT(what("<a k=1/>"), StartsWith("line 1: "));
  EXPECT_THAT(what(""), StartsWith("line 1: "));
  EXPECT_THAT(what("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), HasSubstr("a DOCTYPE is not read"));
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  for (int i = 0; i < 100000; ++i) deep += "</a>";
  EXPECT_EQ(what(deep), "elements stand too deep in one another");
}

TEST(Yaml, ReadsWhatChangelogsAreWrittenIn) {
  EXPECT_EQ(Shape(ReadYaml("# first\nroot:\n"
                           "- one:\n"
                           "    id: 1   # a comment\n"
                           "    text: \"a \\\"b\\\": #c\"\n"
                           "    rest:\n"
                           "      - sql: 'it''s'\n"
                           "      - sql:\n"
                           "          sql: |\n"
                           "            SELECT 1;\n"
                           "\n"
                           "              -- deeper\n"
                           "      - sqlFile: {path: a.sql, x: true}\n"
                           "- two: >-\n"
                           "    a\n"
                           "    b\n")),
            "root(one id=1 text=a \"b\": #c(rest(sql \"it's\")"
            "(sql sql=SELECT 1;\n\n  -- deeper\n)(sqlFile path=a.sql x=true)))(two \"a b\")");
}

TEST(Yaml, ReadsAnchors) {
  EXPECT_EQ(Shape(ReadYaml("root:\n- a: &x 1\n- b: *x\n")), "root(a \"1\")(b \"1\")");
}

TEST(Yaml, RefusesWhatItDoesNotRead) {
  // Aliases of aliases, which would unfold to more than there is memory.
  std::string bomb = "r:\n- a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += fmt::format("- a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    bomb += "]\n";
  }
  for (const std::string& text :
       {std::string("root:\n  - a: 1\n b: 2\n"), std::string("a: 1\na: 2\n"), std::string("- a\n"),
        std::string(), std::string("r: {a: 1\n"), std::string("r:\n- a: 1\n---\nr:\n- a: 2\n"),
        std::string("[1]: 2\n"), std::string(100000, '['), bomb})
    EXPECT_THROW((void)ReadYaml(text), Unreadable) << text.substr(0, 50);
}

// ---- Alembic

constexpr const char* kPrinted = R"(BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> a1

CREATE TABLE t (note text DEFAULT 'x;
-- Running upgrade a1 -> zz
');

-- why
DELETE FROM log WHERE log.version_num = 'a0';

INSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING alembic_version.version_num;

-- Running upgrade a1 -> b2

COMMIT;

CREATE INDEX CONCURRENTLY t_note ON t (note);

BEGIN;

UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1';

-- Running upgrade b2, c3 -> d4

DELETE FROM alembic_version WHERE alembic_version.version_num = 'b2';

COMMIT;
)";

TEST(Printed, IsCutAtItsMarksAndLeavesAlembicsOwnOut) {
  const std::string text = kPrinted;
  const auto steps = ReadPrinted(text);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].id(), "a1");
  EXPECT_THAT(steps[0].from, IsEmpty());
  ASSERT_EQ(steps[0].statements.size(), 2U) << "a user's own table is not Alembic's";
  const auto cut = [&](sql::Span span) { return text.substr(span.begin, span.end - span.begin); };
  EXPECT_EQ(cut(steps[0].statements[1]), "-- why\nDELETE FROM log WHERE log.version_num = 'a0';");
  EXPECT_TRUE(steps[0].together);
  ASSERT_EQ(steps[1].statements.size(), 1U);
  EXPECT_FALSE(steps[1].together);
  EXPECT_THAT(steps[2].from, ElementsAre("b2", "c3"));
  EXPECT_THAT(steps[2].statements, IsEmpty());
}

TEST(Revision, IsReadWithoutRunningIt) {
  const Revision revision = ReadRevision(
      "\"\"\"add it\n\nRevision ID: d4\n\"\"\"\nfrom alembic import op\n"
      "revision: str = \"d4\"\n"
      "down_revision: Union[str, None] = (\n    'b2',  # 'not this'\n    'c3',\n)\n"
      "depends_on = None\nx = 'y'\n");
  EXPECT_EQ(revision.id, "d4");
  EXPECT_THAT(revision.down, ElementsAre("b2", "c3"));
  EXPECT_THAT(revision.depends_on, IsEmpty());
  EXPECT_EQ(revision.title, "add it");
  EXPECT_EQ(ReadRevision("revision = 'a'\n").id, "") << "without down_revision it is none";
}

std::string Python(const std::string& id, const std::string& down) {
  return "\"\"\"of " + id + "\"\"\"\nrevision = '" + id + "'\ndown_revision = " + down + "\n";
}

TEST(Alembic, RevisionsAndWhatWasPrintedHaveToFit) {
  const Directory directory;
  directory.Write("versions/1.py", Python("a1", "None"));
  directory.Write("versions/2.py", Python("b2", "'a1'"));
  directory.Write("versions/3.py", Python("c3", "'a1'"));
  directory.Write("versions/4.py", Python("d4", "('b2', 'c3')"));
  const Directory beside;
  beside.Write("up.sql", kPrinted);
  const auto read = ReadAlembic(directory.path() / "versions", {beside.path() / "up.sql"});
  ASSERT_EQ(read.migrations.size(), 3U);
  EXPECT_EQ(read.migrations[2].title, "of d4");
  EXPECT_THAT(read.migrations[2].depends_on, ElementsAre("b2", "c3"));
  EXPECT_THAT(read.problems, ElementsAre(AllOf(HasSubstr("c3 (3.py)"), HasSubstr("--printed"))));
  directory.Write("versions/2.py", Python("b2", "'c3'"));
  const auto moved = ReadAlembic(directory.path() / "versions", {beside.path() / "up.sql"});
  EXPECT_THAT(moved.problems, ElementsAre(HasSubstr("2.py stood on another revision")));
}

// ---- Liquibase

std::vector<std::string> Versions(const history::Collection& collection) {
  std::vector<std::string> versions;
  for (const auto& migration : collection.migrations) versions.push_back(migration.version);
  return versions;
}

TEST(Liquibase, WalksItsChangelogsInTheirOrder) {
  const Directory directory;
  directory.Write("db/master.xml",
                  "<databaseChangeLog>\n"
                  "<property name=\"schema\" value=\"shop\"/>\n"
                  "<changeSet id=\"1\" author=\"ann\"><comment>the table</comment>\n"
                  "<sql>CREATE TABLE ${schema}.t (a int, CHECK (a &lt; 3))</sql>\n"
                  "<sql dbms=\"oracle\">DROP TABLE x</sql>\n"
                  "<sqlFile path=\"sql/more.sql\" relativeToChangelogFile=\"true\"/>\n"
                  "<rollback><sql>DROP TABLE ${schema}.t</sql></rollback></changeSet>\n"
                  "<include file=\"db/next.yaml\"/>\n"
                  "<includeAll path=\"formatted\" relativeToChangelogFile=\"true\"/>\n"
                  "</databaseChangeLog>\n");
  directory.Write("db/sql/more.sql", "CREATE TABLE more ()");
  directory.Write("db/next.yaml",
                  "databaseChangeLog:\n"
                  "- changeSet:\n"
                  "    id: 2\n"
                  "    author: bob\n"
                  "    runInTransaction: false\n"
                  "    changes:\n"
                  "    - sql:\n"
                  "        sql: CREATE INDEX CONCURRENTLY i ON shop.t (a)\n"
                  "    rollback: DROP INDEX i\n"
                  "- changeSet: {id: 3, author: bob, dbms: oracle}\n");
  directory.Write("db/formatted/a.sql",
                  "--liquibase formatted sql\n--changeset cid:x context:test\nSELECT 1;\n"
                  "--rollback SELECT 2;\n--changeset cid:y\nSELECT 3;\n");
  const auto read = ReadLiquibase(directory.path(), "");
  EXPECT_THAT(read.problems, IsEmpty());
  EXPECT_THAT(Versions(read),
              ElementsAre("db/master.xml::1::ann", "db/next.yaml::2::bob",
                          "db/formatted/a.sql::x::cid", "db/formatted/a.sql::y::cid"));
  EXPECT_EQ(read.migrations[0].up.text,
            "CREATE TABLE shop.t (a int, CHECK (a < 3));\nCREATE TABLE more ();\n");
  EXPECT_EQ(read.migrations[0].title, "the table");
  EXPECT_TRUE(read.migrations[0].up.together);
  ASSERT_TRUE(read.migrations[0].down);
  EXPECT_THAT(read.migrations[0].down->text, HasSubstr("DROP TABLE shop.t;"));
  EXPECT_TRUE(read.migrations[1].up.may_be_alone);
  EXPECT_THAT(read.migrations[1].down->text, HasSubstr("DROP INDEX i;"));
  EXPECT_THAT(read.migrations[2].down->text, HasSubstr("SELECT 2;"));
  EXPECT_FALSE(read.migrations[3].down);
  EXPECT_THAT(read.notes, ElementsAre(HasSubstr("bob:3 is for other databases"),
                                      HasSubstr("cid:x: its context is not taken over")));
}

TEST(Liquibase, AChangeThatIsNoSqlIsAProblem) {
  const Directory directory;
  directory.Write("a.json",
                  R"({"databaseChangeLog": [{"changeSet": {"id": "1", "author": "a", "changes": [)"
                  R"({"createTable": {"tableName": "t"}}, {"sql": {"sql": "SELECT 1"}}]}}]})");
  EXPECT_THAT(ReadLiquibase(directory.path(), "").problems,
              ElementsAre(AllOf(HasSubstr("a:1 has createTable"), HasSubstr("update-sql"))));
}

TEST(Liquibase, WhatDoesNotHangTogetherIsAProblem) {
  const Directory directory;
  directory.Write("a.xml", "<databaseChangeLog><include file=\"gone.xml\"/></databaseChangeLog>");
  EXPECT_THAT(ReadLiquibase(directory.path(), "").problems,
              ElementsAre(HasSubstr("gone.xml is included, and is not below")));
  directory.Write("b.xml", "<databaseChangeLog><include file=\"b.xml\"/></databaseChangeLog>");
  EXPECT_THAT(ReadLiquibase(directory.path(), "").problems,
              ElementsAre(HasSubstr("more than one changelog")));
  EXPECT_THAT(ReadLiquibase(directory.path(), "b.xml").problems,
              ElementsAre("b.xml includes itself"));
}

// ---- drafts

// All of it that is carried out, and nothing that is only estimated.
std::string CarriedOut(const plan::Plan& plan) {
  std::string text;
  for (const plan::Step& step : plan.steps) {
    const boost::json::object json = plan::ToJson(step);
    for (const char* key :
         {"phase", "kind", "transaction", "sql", "backfill", "rebuild", "split", "gate"})
      text += boost::json::serialize(json.at(key)) + "\n";
  }
  return text;
}

// What a tool's directory does and what the files written for it do is carried out by one plan.
void ExpectSamePlans(const history::Collection& collection) {
  const Drafts drafts = MakeDrafts(collection);
  EXPECT_THAT(drafts.problems, IsEmpty());
  ASSERT_EQ(drafts.drafts.size(), collection.migrations.size());
  const Directory directory;
  for (const Draft& draft : drafts.drafts) directory.Write(draft.file, draft.text);
  const auto written = history::ReadCollection(directory.path(), "");
  EXPECT_THAT(written.faults, IsEmpty());
  ASSERT_EQ(written.migrations.size(), collection.migrations.size());
  for (std::size_t i = 0; i < written.migrations.size(); ++i) {
    const auto& before = collection.migrations[i];
    const auto& after = written.migrations[i];
    SCOPED_TRACE(before.file + "\n" + drafts.drafts[i].text);
    EXPECT_EQ(after.format, "pgalter");
    const auto one = history::ComposeUp(before, {}, {}, history::Manner::kOnline);
    const auto other = history::ComposeUp(after, {}, {}, history::Manner::kOnline);
    EXPECT_EQ(CarriedOut(one.plan), CarriedOut(other.plan));
    EXPECT_EQ(one.refusal.empty(), other.refusal.empty()) << one.refusal << other.refusal;
    ASSERT_EQ(before.down.has_value(), after.down.has_value());
    if (!before.down) continue;
    EXPECT_EQ(CarriedOut(history::ComposeDown(before, {}, {}).plan),
              CarriedOut(history::ComposeDown(after, {}, {}).plan));
  }
}

class Converted : public ::testing::TestWithParam<const char*> {};

TEST_P(Converted, IsCarriedOutByTheSamePlan) {
  const auto collection =
      history::ReadCollection(fs::path(PGALTER_SOURCE_DIR) / "tests" / "formats" / GetParam(), "");
  ASSERT_FALSE(collection.migrations.empty());
  ExpectSamePlans(collection);
}

INSTANTIATE_TEST_SUITE_P(Directories, Converted,
                         ::testing::Values("atlas", "dbmate", "flyway", "golang-migrate", "goose",
                                           "liquibase", "plain", "prisma", "sqitch"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(Drafts, NumbersAreKeptAndOtherVersionsAreNumbered) {
  const Directory numbered;
  numbered.Write("003_a.sql", "CREATE TABLE a ();\n");
  numbered.Write("20260101_b.sql", "CREATE TABLE b ()");
  const auto kept = history::ReadCollection(numbered.path(), "");
  const Drafts drafts = MakeDrafts(kept);
  ASSERT_EQ(drafts.drafts.size(), 2U);
  EXPECT_EQ(drafts.drafts[0].file, "003_a.sql");
  EXPECT_EQ(drafts.drafts[1].text,
            "-- pgalter: 1\n-- title: b\n-- origin: plain 20260101\n\n-- pgalter:up\n"
            "CREATE TABLE b ();\n");
  const Directory flyway;
  flyway.Write("V1.1__a.sql", "SELECT 1;");
  flyway.Write("V1.2__b.sql", "SELECT 2;");
  const auto dotted = history::ReadCollection(flyway.path(), "");
  const Drafts renumbered = MakeDrafts(dotted);
  ASSERT_EQ(renumbered.drafts.size(), 2U);
  EXPECT_EQ(renumbered.drafts[1].file, "0002_b.sql");
  EXPECT_THAT(renumbered.drafts[1].text, HasSubstr("-- origin: flyway 1.2\n"));
}

TEST(Drafts, BytesThatAreNoTextAreRefused) {
  const Directory directory;
  directory.Write("a.xml",
                  "<databaseChangeLog><changeSet id=\"1\" author=\"a\"><sql>SELECT '\xE4'</sql>"
                  "</changeSet></databaseChangeLog>");
  const auto collection = ReadLiquibase(directory.path(), "");
  EXPECT_THAT(MakeDrafts(collection).problems, ElementsAre(HasSubstr("not UTF-8")));
}

TEST(Drafts, AMarkOfOursInAStringIsRefused) {
  const Directory directory;
  directory.Write("V1__a.sql", "SELECT 'x\n-- pgalter:down\n';\n");
  const auto collection = history::ReadCollection(directory.path(), "flyway");
  ASSERT_EQ(collection.migrations.size(), 1U);
  EXPECT_THAT(MakeDrafts(collection).problems,
              ElementsAre(HasSubstr("V1__a.sql cannot be written")));
}

}  // namespace
}  // namespace pgalter::convert
