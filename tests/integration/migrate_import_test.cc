// Other tools' directories taken over into files of our own: `import --into`. Alembic is the real
// one, of Debian.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kRefused = 4;
constexpr int kDivergence = 8;

class Into : public MigrationWorld {
 protected:
  Into() {
    std::string name = (fs::temp_directory_path() / "pgalter-into-XXXXXX").string();
    beside_ = ::mkdtemp(name.data());
  }
  ~Into() override { fs::remove_all(beside_); }

  [[nodiscard]] std::string Target() const { return beside_ / "migrations"; }
  [[nodiscard]] Ran Import(const Words& more = {}) const {
    Words words{"import", "--yes", "--into", Target()};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  // The files that were written, as `up` finds them.
  [[nodiscard]] Ran UpTarget() const {
    return Program(PGALTER_BINARY,
                   {"up", "--yes", "--dir", Target(), "--dsn", database_.conninfo()})
        .Wait(std::chrono::seconds(120));
  }
  static std::map<std::string, std::string> FilesOf(const fs::path& directory) {
    std::map<std::string, std::string> files;
    if (!fs::exists(directory)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file() ||
          entry.path().string().find("__pycache__") != std::string::npos)
        continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().lexically_relative(directory)] = {std::istreambuf_iterator<char>(file),
                                                           {}};
    }
    return files;
  }
  [[nodiscard]] Ran Alembic(const Words& arguments) const {
    Words words{"-c", Path("alembic.ini")};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return Program("/usr/bin/alembic", words,
                   {"TEST_DSN=" + database_.conninfo(), "PYTHONDONTWRITEBYTECODE=1"})
        .Wait(std::chrono::seconds(60));
  }
  void WriteRevision(const std::string& id, const std::string& down, const std::string& up_body,
                     const std::string& down_body) const {
    Write("versions/" + id + ".py",
          fmt::format("\"\"\"step {0}\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n"
                      "revision = '{0}'\ndown_revision = {1}\nbranch_labels = None\n"
                      "depends_on = None\ndef upgrade():\n    {2}\ndef downgrade():\n    {3}\n",
                      id, down, up_body, down_body));
  }
  void WriteAlembic() const {
    ASSERT_TRUE(fs::exists("/usr/bin/alembic")) << "Debian's alembic is missing: ./dev test";
    Write("alembic.ini", fmt::format("[alembic]\nscript_location = {}\n", directory_));
    Write("env.py", R"(import os
import psycopg2
from alembic import context
from sqlalchemy import create_engine
if context.is_offline_mode():
    context.configure(url='postgresql://', literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    made = create_engine('postgresql://', creator=lambda: psycopg2.connect(os.environ['TEST_DSN']))
    with made.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
)");
    WriteRevision("a1", "None",
                  "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True))",
                  "op.drop_table('t')");
    WriteRevision("b2", "'a1'", "op.add_column('t', sa.Column('left', sa.Integer()))",
                  "op.drop_column('t', 'left')");
    WriteRevision("c3", "'a1'", "op.add_column('t', sa.Column('right', sa.Integer()))",
                  "op.drop_column('t', 'right')");
    WriteRevision("d4", "('b2', 'c3')",
                  "with op.get_context().autocommit_block():\n"
                  "        op.create_index('t_both', 't', ['left', 'right'], "
                  "postgresql_concurrently=True)",
                  "op.drop_index('t_both', 't')");
  }
  // What Alembic prints, in a file beside its directory.
  [[nodiscard]] std::string Print(const Words& arguments, const std::string& name) const {
    const Ran ran = Alembic(arguments);
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::ofstream(beside_ / name, std::ios::binary) << ran.out;
    return beside_ / name;
  }

  fs::path beside_;
};

TEST_F(Into, WhatAlembicHasAppliedIsABaselineAndTheRestIsApplied) {
  WriteAlembic();
  const auto before = FilesOf(directory_);
  ASSERT_EQ(Alembic({"upgrade", "b2"}).code, 0) << Alembic({"upgrade", "b2"}).err;
  const std::string up = Print({"upgrade", "base:heads", "--sql"}, "up.sql");
  const std::string down = Print({"downgrade", "heads:base", "--sql"}, "down.sql");

  const Ran dry = Import({"--printed", down, "--printed", up, "--dry-run"});
  EXPECT_EQ(dry.code, kDone) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("would write 0001_step_a1.sql is alembic a1"));
  EXPECT_FALSE(fs::exists(Target()));

  const Ran ran = Import({"--printed", down, "--printed", up});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(FilesOf(directory_), before) << "a file of Alembic was touched";
  // c3 stands beside b2, which is all that Alembic has applied.
  const std::string order = database_.Value(
      "SELECT string_agg(header->>'origin' || ' ' || state, ', ' ORDER BY position)"
      " FROM pgalter.migration");
  EXPECT_EQ(order, "alembic a1 baseline, alembic b2 baseline");
  EXPECT_EQ(Import({"--printed", down, "--printed", up}).code, kDone) << "a second time";

  const Ran rest = Program(PGALTER_BINARY, {"up", "--yes", "--out-of-order", "--dir", Target(),
                                            "--dsn", database_.conninfo()})
                       .Wait(std::chrono::seconds(120));
  EXPECT_EQ(rest.code, kDone) << rest.err;
  EXPECT_THAT(Schema(), AllOf(HasSubstr("t.left integer"), HasSubstr("t.right integer"),
                              HasSubstr("t_both")));
  const Ran back =
      Program(PGALTER_BINARY, {"down", "--yes", "--dir", Target(), "--dsn", database_.conninfo()})
          .Wait(std::chrono::seconds(120));
  EXPECT_EQ(back.code, kDone) << back.err;
  EXPECT_THAT(Schema(), ::testing::Not(HasSubstr("t_both")));
}

// A fresh database from the files is what Alembic itself makes of one.
TEST_F(Into, TheFilesMakeWhatAlembicMakes) {
  WriteAlembic();
  const std::string up = Print({"upgrade", "base:heads", "--sql"}, "up.sql");
  const Ran ran = Import({"--printed", up, "--files-only"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
  const Ran applied = UpTarget();
  ASSERT_EQ(applied.code, kDone) << applied.err;
  const std::string ours = Schema();
  database_.Sql("DROP TABLE public.t");
  ASSERT_EQ(Alembic({"upgrade", "heads"}).code, 0);
  database_.Sql("DROP TABLE public.alembic_version");
  EXPECT_EQ(Schema(), ours);
}

TEST_F(Into, ARevisionThatWasNotPrintedIsNamed) {
  WriteAlembic();
  const std::string up = Print({"upgrade", "base:b2", "--sql"}, "up.sql");
  const Ran ran = Import({"--printed", up, "--files-only"});
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("c3 (versions/c3.py)"), HasSubstr("d4 (versions/d4.py)"),
                             HasSubstr("alembic upgrade base:heads --sql")));
  EXPECT_FALSE(fs::exists(Target()));
}

TEST_F(Into, ChangesetsOfLiquibaseAreTakenOverOneByOne) {
  Write("master.xml",
        "<databaseChangeLog>\n"
        "<changeSet id=\"1\" author=\"ann\"><sql>CREATE TABLE public.t (a int)</sql></changeSet>\n"
        "<include file=\"db/next.yaml\"/>\n</databaseChangeLog>\n");
  Write("db/next.yaml",
        "databaseChangeLog:\n- changeSet:\n    id: 2\n    author: bob\n    changes:\n"
        "    - sql: ALTER TABLE public.t ADD COLUMN b int\n    rollback:\n"
        "    - sql: ALTER TABLE public.t DROP COLUMN b\n");
  database_.Sql(
      "CREATE TABLE public.t (a int);"
      "CREATE TABLE public.databasechangelog (id text, author text, filename text, "
      "orderexecuted int, exectype text, md5sum text);"
      "INSERT INTO public.databasechangelog VALUES"
      " ('1', 'ann', 'classpath:changelogs/master.xml', 1, 'EXECUTED', '8:0')");
  const Ran ran = Import();
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "0001 baseline");
  const Ran rest = UpTarget();
  EXPECT_EQ(rest.code, kDone) << rest.err;
  EXPECT_THAT(Schema(), HasSubstr("t.b integer"));
  EXPECT_EQ(Applied(), "0001 baseline, 0002 applied");
}

TEST_F(Into, AChangesetWithoutAFileIsADivergence) {
  Write("a.sql", "--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n");
  database_.Sql(
      "CREATE TABLE public.databasechangelog (id text, author text, filename text, "
      "orderexecuted int, exectype text);"
      "INSERT INTO public.databasechangelog VALUES ('9', 'ann', 'a.sql', 1, 'EXECUTED')");
  const Ran ran = Import();
  EXPECT_EQ(ran.code, kDivergence);
  EXPECT_THAT(ran.err, HasSubstr("a.sql::9::ann"));
  EXPECT_FALSE(fs::exists(Target()));
}

TEST_F(Into, ADirectoryThatHoldsSomethingElseIsLeftAlone) {
  Write("V1__t.sql", "CREATE TABLE public.t (a int);\n");
  fs::create_directories(Target());
  std::ofstream(fs::path(Target()) / "0001_other.sql") << "SELECT 1;\n";
  const Ran other = Import({"--files-only"});
  EXPECT_EQ(other.code, kRefused);
  EXPECT_THAT(other.err, HasSubstr("0001_other.sql is there already"));
  EXPECT_EQ(FilesOf(Target()).size(), 1U);
  const Ran inside = Run({"import", "--into", Path("sub"), "--files-only"});
  EXPECT_EQ(inside.code, kUsage);
  EXPECT_THAT(inside.err, HasSubstr("whose tool would find the files"));
}

// A directory of each tool that keeps SQL, and what its table says.
TEST_F(Into, FlywaysRowsAreThoseOfTheFilesThatWereWritten) {
  Write("V1__t.sql", "CREATE TABLE public.t (a int);\nCREATE TABLE public.u (a int);\n");
  Write("V1.1__b.sql", "ALTER TABLE public.t ADD COLUMN b int;\n");
  database_.Sql(
      "CREATE TABLE public.t (a int); CREATE TABLE public.u (a int);"
      "CREATE TABLE public.flyway_schema_history (installed_rank int, version text, description "
      "text, type text, script text, checksum int, success bool);"
      "INSERT INTO public.flyway_schema_history VALUES (1, '1', 't', 'SQL', 'V1__t.sql', NULL, "
      "true)");
  const Ran dry = Import({"--dry-run", "--output", "json"});
  std::ofstream(beside_ / "import.json") << dry.out;
  constexpr int kNoJudge = 77 << 8;  // npm cannot be reached
  EXPECT_THAT(std::system(fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/import.json' "
                                      "'{1}'",
                                      PGALTER_SOURCE_DIR, (beside_ / "import.json").string())
                              .c_str()),
              ::testing::AnyOf(0, kNoJudge))
      << dry.out << dry.err;
  const Ran ran = Import();
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Program(PGALTER_BINARY, {"manifest", "--dir", Target()}).Wait().code, kDone);
  EXPECT_EQ(Import().code, kDone) << "with a manifest beside the files";
  EXPECT_THAT(FilesOf(Target()).at("0001_t.sql"),
              AllOf(HasSubstr("-- origin: flyway 1\n"), HasSubstr("BEGIN;\nCREATE TABLE")));
  EXPECT_EQ(UpTarget().code, kDone);
  EXPECT_EQ(Applied(), "0001 baseline, 0002 applied");
}

}  // namespace
}  // namespace pgalter::test
