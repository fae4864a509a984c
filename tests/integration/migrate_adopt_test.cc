// What surrounds a directory of migrations: other tools' histories, branches, comparing schemas.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kPending = 3;
constexpr int kRefused = 4;
constexpr int kDivergence = 8;

class Adopt : public MigrationWorld {
 protected:
  // Without --dir: where the command takes none.
  [[nodiscard]] Ran Plainly(Words words) const {
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(120));
  }
  [[nodiscard]] static std::string TextOf(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

// ---- import

TEST_F(Adopt, OperationsOfPgrollAreAppliedAsTheyAre) {
  Write("01_t.json",
        R"({"operations": [{"create_table": {"name": "Pet s", "columns": [
           {"name": "id", "type": "bigint", "pk": true}, {"name": "name", "type": "text"}]}}]})");
  ASSERT_EQ(Up().code, kDone);
  database_.Sql("INSERT INTO \"Pet s\" SELECT i, 'p' || i FROM generate_series(1, 100) i");
  Write("02_loud.yaml",
        "operations:\n- add_column:\n    table: Pet s\n    column: {name: loud, type: text}\n"
        "    up: upper(name)\n");
  const Ran up = Up();
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.out, HasSubstr("waiting at complete 02_loud"));
  // An older program knows nothing of it.
  database_.Sql("INSERT INTO \"Pet s\" (id, name) VALUES (1000, 'old')");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM \"Pet s\" WHERE loud = upper(name)"), "101");
  const Ran end = Run({"up", "--yes", "--through", "contract"});
  EXPECT_EQ(end.code, kDone) << end.err;
  EXPECT_EQ(database_.Value("SELECT attnotnull FROM pg_attribute WHERE attname = 'loud' AND "
                            "attrelid = '\"Pet s\"'::regclass"),
            "t");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = "
                            "'\"Pet s\"'::regclass"),
            "0");
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "01_t applied");
  Write("03_odd.json", R"({"operations": [{"create_view": {}}]})");
  const Ran odd = Up();
  EXPECT_EQ(odd.code, kUsage) << odd.err;
  EXPECT_THAT(odd.err, HasSubstr("03_odd.json: line 1: the operation create_view is not known"));
}

TEST_F(Adopt, WhatPgrollHasAppliedIsTakenOver) {
  Write("01_a.json", R"({"operations": [{"sql": {"up": "CREATE TABLE public.a (); "}}]})");
  Write("02_b.json", R"({"operations": [{"sql": {"up": "CREATE TABLE public.b (); "}}]})");
  database_.Sql(
      "CREATE SCHEMA pgroll; CREATE TABLE pgroll.migrations (schema name, name text, migration "
      "jsonb, created_at timestamptz DEFAULT clock_timestamp(), parent text, done bool, "
      "resulting_schema jsonb, migration_type text);"
      "INSERT INTO pgroll.migrations (schema, name, done, migration_type) VALUES ('public', '01_a',"
      " true, 'pgroll'), ('public', '01_a_20260101', true, 'inferred'), ('public', '02_b', false, "
      "'pgroll')");
  const Ran half = Run({"import", "--yes"});
  EXPECT_EQ(half.code, kDivergence) << half.err;
  EXPECT_THAT(half.err, HasSubstr("pgroll complete"));
  database_.Sql("DELETE FROM pgroll.migrations WHERE NOT done");
  EXPECT_EQ(Run({"import", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "01_a baseline");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgroll.migrations"), "2") << "only read";
}

TEST_F(Adopt, WhatFlywayHasAppliedIsTakenOver) {
  Write("V1__t.sql", "CREATE TABLE public.t (a int);\n");
  Write("V1.1__b.sql", "ALTER TABLE public.t ADD COLUMN b int;\n");
  Write("V2__c.sql", "ALTER TABLE public.t ADD COLUMN c int;\n");
  database_.Sql(
      "CREATE TABLE public.t (a int, b int);"
      "CREATE TABLE public.flyway_schema_history (installed_rank int, version text, description "
      "text, type text, script text, checksum int, success bool);"
      "INSERT INTO public.flyway_schema_history VALUES"
      " (1, '1', 't', 'SQL', 'V1__t.sql', 1, true), (2, '1.1', 'b', 'SQL', 'V1.1__b.sql', NULL,"
      " true), (3, NULL, 'r', 'SQL', 'R__r.sql', 7, true)");
  const Ran edited = Run({"import", "--yes"});
  EXPECT_EQ(edited.code, kDivergence) << edited.err;
  EXPECT_THAT(edited.err, HasSubstr("V1__t.sql was edited"));
  EXPECT_EQ(Applied(), "");
  database_.Sql(
      "UPDATE public.flyway_schema_history SET checksum = -1983624748 WHERE version = '1'");
  const Ran dry = Run({"import", "--dry-run"});
  EXPECT_EQ(dry.code, kDone) << dry.err;
  EXPECT_EQ(Applied(), "");
  const Ran ran = Run({"import", "--yes"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "1 baseline, 1.1 baseline");
  EXPECT_EQ(Run({"import", "--yes"}).code, kDone) << "nothing is new";
  EXPECT_EQ(Run({"audit", "verify"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
  EXPECT_THAT(Schema(), HasSubstr("t.a integer\nt.b integer\nt.c integer"));
}

TEST_F(Adopt, WhatATableSaysDecidesWhoseItIs) {
  Write("1_t.up.sql", "CREATE TABLE public.t (a int);\n");
  Write("2_b.up.sql", "ALTER TABLE public.t ADD COLUMN b int;\n");
  Write("3_c.up.sql", "ALTER TABLE public.t ADD COLUMN c int;\n");
  database_.Sql(
      "CREATE SCHEMA dbmate; CREATE TABLE dbmate.schema_migrations (version text);"
      "CREATE TABLE public.schema_migrations (version bigint, dirty bool);"
      "INSERT INTO public.schema_migrations VALUES (2, true)");
  const Ran dirty = Run({"import", "--yes"});
  EXPECT_EQ(dirty.code, kDivergence);
  EXPECT_THAT(dirty.err, AllOf(HasSubstr("holds 2 for half done"), HasSubstr("force 2")));
  database_.Sql("INSERT INTO public.schema_migrations VALUES (1, false)");
  const Ran twice = Run({"import", "--yes"});
  EXPECT_EQ(twice.code, kDivergence);
  EXPECT_THAT(twice.err, HasSubstr("has 2 rows, and golang-migrate keeps one"));
  database_.Sql("DELETE FROM public.schema_migrations WHERE version = 1");
  database_.Sql("CREATE TABLE dbmate.odd (name text)");
  const Ran odd = Run({"import", "--yes", "--table", "dbmate.odd"});
  EXPECT_EQ(odd.code, kDivergence) << odd.err;
  EXPECT_THAT(odd.err, HasSubstr("is not as golang-migrate makes it"));
  database_.Sql("UPDATE public.schema_migrations SET dirty = false");
  EXPECT_EQ(Run({"import", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "1 baseline, 2 baseline") << "all up to its number";
}

TEST_F(Adopt, AVersionWithoutAFileIsADivergence) {
  Write("20260101_t.sql", "-- migrate:up\nCREATE TABLE public.t (a int);\n");
  const Ran none = Run({"import", "--yes"});
  EXPECT_EQ(none.code, kUsage);
  EXPECT_THAT(none.err, HasSubstr("no table schema_migrations of dbmate"));
  database_.Sql(
      "CREATE TABLE public.schema_migrations (version text);"
      "INSERT INTO public.schema_migrations VALUES ('20260101'), ('20251231')");
  const Ran ran = Run({"import", "--yes"});
  EXPECT_EQ(ran.code, kDivergence);
  EXPECT_THAT(ran.err, HasSubstr("20251231"));
  EXPECT_EQ(Applied(), "");
}

// ---- branches

TEST_F(Adopt, BranchesAreMerged) {
  Write("1_a.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.a ();\n");
  Write("2_b.sql", "-- pgalter: 1\n-- depends_on: 1\n-- pgalter:up\nCREATE TABLE public.b ();\n");
  Write("3_c.sql", "-- pgalter: 1\n-- depends_on: 1\n-- pgalter:up\nCREATE TABLE public.c ();\n");
  EXPECT_EQ(Run({"heads"}).code, kPending);
  EXPECT_EQ(Run({"merge", "1", "2"}).code, kUsage) << "others stand on 1";
  const Ran ran = Run({"merge", "--title", "Both branches"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(TextOf(Path("4_both_branches.sql")), HasSubstr("-- depends_on: 2, 3\n"));
  EXPECT_EQ(Run({"heads"}).out, "4\n");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied, 4 applied");
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone) << "it stands in nobody's way";
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
}

TEST_F(Adopt, OfTwoThatExcludeEachOtherOneIsApplied) {
  const auto table = [this](const std::string& version, const std::string& header) {
    Write(version + "_x.sql", "-- pgalter: 1\n" + header + "-- pgalter:up\nCREATE TABLE public.t" +
                                  version + " ();\n-- pgalter:down\nDROP TABLE public.t" + version +
                                  ";\n");
  };
  table("101", "");
  table("102", "-- depends_on: 101\n");
  table("103", "-- depends_on: 101\n-- conflicts_with: 1O2\n");
  const Ran unknown = Up();
  EXPECT_EQ(unknown.code, kUsage);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("103_x.sql:3:"), HasSubstr("did you mean 102?")));
  table("103", "-- depends_on: 101\n-- conflicts_with: 102\n");
  for (const Words& command :
       {Words{"up", "--yes"}, Words{"up", "--dry-run"}, Words{"up", "--sql"}, Words{"merge"},
        Words{"baseline", "103", "--yes"}, Words{"status", "--pending"}, Words{"rehearse"}}) {
    const Ran both = Run(command);
    EXPECT_EQ(both.code, kDivergence) << command[0] << both.out << both.err;
    EXPECT_THAT(both.err, HasSubstr("102_x.sql and 103_x.sql exclude each other"));
  }
  EXPECT_EQ(Applied(), "") << "not even the first";
  const Ran heads = Run({"heads"});
  EXPECT_EQ(heads.code, kPending);
  EXPECT_THAT(heads.err, HasSubstr("102 and 103 exclude each other"));
  EXPECT_EQ(Run({"manifest"}).code, kDone) << "says nothing about it";

  EXPECT_EQ(Up({"--to", "102"}).code, kDone) << "so far it is decided";
  const Ran other = Up();
  EXPECT_EQ(other.code, kDivergence);
  EXPECT_THAT(other.err, AllOf(HasSubstr("take 103_x.sql out of the directory"),
                               HasSubstr("pgalter down --count 1 --yes"),
                               HasSubstr("102 out of the header of 103_x.sql")));
  EXPECT_EQ(Run({"down", "--count", "1", "--yes"}).code, kDone);
  Remove("102_x.sql");
  EXPECT_EQ(Up().code, kUsage) << "103 names one that is gone";
  table("103", "-- depends_on: 101\n");
  EXPECT_EQ(Up().code, kDivergence) << "the manifest has it still";
  EXPECT_EQ(Run({"manifest"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "101 applied, 103 applied");
}

// Trap: a file as it was made says that all of it was taken back.
TEST_F(Adopt, AWayDownThatIsBlankIsNone) {
  ASSERT_EQ(Run({"new", "a"}).code, kDone);
  const std::string name = fs::directory_iterator(directory_)->path().filename().string();
  std::string text = TextOf(Path(name));
  const std::string mark = "-- pgalter:up\n";
  text.insert(text.find(mark) + mark.size(), "CREATE TABLE public.a ();\n");
  Write(name, text);
  ASSERT_EQ(Up().code, kDone);
  const Ran refused = Run({"down", "--yes"});
  EXPECT_EQ(refused.code, kRefused) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("has no way down"));
  Write(name, text + "-- Nothing to take back.\n");
  EXPECT_EQ(Run({"repair", name.substr(0, name.find('_')), "--yes"}).code, kDone);
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "");
}

TEST_F(Adopt, WhatWasOvertakenIsRenumbered) {
  Write("001_a.sql", "CREATE TABLE public.a ();\n");
  Write("003_c.sql", "CREATE TABLE public.c ();\n");
  EXPECT_EQ(Up().code, kDone);
  Write("002_b.sql", "CREATE TABLE public.b ();\n");
  Write("rollback/002_rollback.sql", "DROP TABLE public.b;\n");
  EXPECT_EQ(Up().code, kDivergence);
  const Ran dry = Run({"renumber", "--dry-run"});
  EXPECT_THAT(dry.out, HasSubstr("002_b.sql -> 004_b.sql"));
  EXPECT_TRUE(fs::exists(Path("002_b.sql")));
  const Ran ran = Run({"renumber"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_TRUE(fs::exists(Path("rollback/004_rollback.sql")));
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "001 applied, 003 applied, 004 applied");
}

TEST_F(Adopt, OfTwoOfOneNumberTheOneThatIsNamedMoves) {
  Write("1_a.sql", "CREATE TABLE public.a ();\n");
  Write("1_b.sql", "CREATE TABLE public.b ();\n");
  EXPECT_EQ(Up().code, kDivergence);
  EXPECT_EQ(Run({"renumber", "1"}).code, kUsage);
  EXPECT_EQ(Run({"renumber", "1_a.sql"}).out, "1_a.sql -> 2_a.sql\n");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
}

// ---- schemas

TEST_F(Adopt, ASchemaIsDrawnAsMermaidReadsIt) {
  const std::string sql =
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'ok');"
      "CREATE TABLE app.\"Order Items\" (\"pk\" int PRIMARY KEY, \"say \"\"x\"\" %%{a}\" "
      "numeric(10,2) NOT NULL, feels app.mood[], at timestamptz DEFAULT now());"
      "CREATE TABLE public.paid (item int PRIMARY KEY REFERENCES app.\"Order Items\", day date);"
      "CREATE TABLE public.part (id int, day date NOT NULL, item int REFERENCES "
      "app.\"Order Items\", PRIMARY KEY (id, day)) PARTITION BY RANGE (day);"
      "CREATE TABLE public.part_1 PARTITION OF public.part FOR VALUES FROM ('2026-01-01') TO "
      "('2027-01-01');"
      "CREATE TABLE public.bare (); CREATE VIEW public.v AS SELECT 1 AS one;";
  database_.Sql(sql);
  const Ran live = Plainly({"dump", "--output", "mermaid", "--out", Path("live.mmd").string()});
  ASSERT_EQ(live.code, kDone) << live.err;
  const std::string drawn = TextOf(Path("live.mmd"));
  for (const char* line : {"\"app.Order Items\" ||--o| \"paid\" : \"paid_item_fkey\"",
                           "\"app.Order Items\" |o..o{ \"part\" : \"part_item_fkey\"",
                           "int4 _pk PK \"pk\"", "app_mood[] feels", "  \"bare\" {\n  }\n"})
    EXPECT_THAT(drawn, HasSubstr(line));
  for (const char* absent : {"part_1", "pgalter", "\"v\""})
    EXPECT_THAT(drawn, Not(HasSubstr(absent)));
  const int status = std::system(
      fmt::format("'{}/tests/schemas/mermaid' '{}'", PGALTER_SOURCE_DIR, Path("live.mmd").string())
          .c_str());
  constexpr int kCannotBeHad = 77;
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kCannotBeHad) << drawn;
  Remove("live.mmd");
  Write("1_all.sql", "-- pgalter:up\n" + sql + "\n");
  Write("model.dump", sql);
  for (const std::string& side : {directory_, Path("model.dump").string()})
    EXPECT_EQ(Plainly({"dump", "--output", "mermaid", "--from", side}).out, drawn) << side;
  const Ran text = Plainly({"dump", "--from", directory_});
  // A pg_dump that is older than the server refuses it.
  const bool refused = text.err.find("server version mismatch") != std::string::npos;
  EXPECT_TRUE(refused || text.out.find("CREATE TABLE public.paid") != std::string::npos)
      << text.err;
  EXPECT_EQ(Plainly({"dump", "--from", "nowhere"}).code, kUsage);
}

TEST_F(Adopt, SchemasOfFilesDirectoriesAndDatabasesAreCompared) {
  Write("1_t.sql", "CREATE TABLE public.t (a int, b text);\nCREATE INDEX t_b ON public.t (b);\n");
  EXPECT_EQ(Up().code, kDone);
  const Ran same = Plainly({"diff", "--to", directory_});
  EXPECT_EQ(same.code, kDone) << same.out << same.err;
  const Ran dump = Plainly({"dump"});
  ASSERT_EQ(dump.code, kDone) << dump.err;
  EXPECT_THAT(dump.out, AllOf(HasSubstr("CREATE TABLE public.t ("), Not(HasSubstr("Dumped")),
                              Not(HasSubstr("SCHEMA pgalter"))));
  EXPECT_EQ(Plainly({"dump"}).out, dump.out);
  Write("schema.dump", dump.out);
  const Ran file = Plainly({"diff", "--to", Path("schema.dump")});
  EXPECT_EQ(file.code, kDone) << file.out << file.err;
  database_.Sql("DROP INDEX public.t_b; COMMENT ON COLUMN public.t.a IS 'said by hand'");
  const Ran drift = Plainly({"diff", "--from", Path("schema.dump")});
  EXPECT_EQ(drift.code, kPending);
  EXPECT_THAT(drift.out, AllOf(HasSubstr("\n- index CREATE INDEX t_b"), HasSubstr("said by hand")));
  EXPECT_EQ(Plainly({"diff", "--to", "nothing"}).code, kUsage);
}

TEST_F(Adopt, WhatARunKeepsForItsWayBackIsNoDifference) {
  Write("1_t.sql", "CREATE TABLE public.t (a int PRIMARY KEY, b bigint);\n");
  EXPECT_EQ(Up().code, kDone);
  const Ran before = Plainly({"dump"});
  const Ran rebuilt = Plainly({"rebuild", "public.t", "--yes"});
  ASSERT_EQ(rebuilt.code, kDone) << rebuilt.err;
  ASSERT_NE(database_.Value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"),
            "0");
  ASSERT_NE(database_.Value("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.t'::regclass "
                            "AND NOT tgisinternal"),
            "0");
  EXPECT_EQ(Plainly({"dump"}).out, before.out);
  EXPECT_THAT(Plainly({"dump", "--output", "mermaid"}).out, Not(HasSubstr("pgalter")));
  const Ran same = Plainly({"diff", "--to", directory_});
  EXPECT_EQ(same.code, kDone) << same.out << same.err;
  // What a user calls like ours is the user's.
  database_.Sql(
      "CREATE SCHEMA pgalter_0123abcd; CREATE TABLE pgalter_0123abcd.mine (id int);"
      "CREATE FUNCTION public.seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
      "CREATE TRIGGER pgalter_seen AFTER INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION "
      "public.seen()");
  EXPECT_THAT(Plainly({"dump"}).out, AllOf(HasSubstr("CREATE TRIGGER pgalter_seen"),
                                           HasSubstr("CREATE TABLE pgalter_0123abcd.mine")));
  EXPECT_THAT(Plainly({"dump", "--output", "mermaid"}).out, HasSubstr("mine"));
  const Ran drift = Plainly({"diff", "--to", directory_});
  EXPECT_THAT(drift.out, AllOf(HasSubstr("pgalter_seen"), HasSubstr("pgalter_0123abcd.mine")));
}

TEST_F(Adopt, AChecklistTicksWhatCanBeProven) {
  Write("1_t.sql",
        "-- pgalter: 1\n-- ticket: SHOP-1\n-- pgalter:up\nCREATE TABLE public.t (a int);\n"
        "-- pgalter:down\nDROP TABLE public.t;\n");
  const Ran before = Run({"checklist", "1"});
  EXPECT_EQ(before.code, kPending) << before.err;
  EXPECT_THAT(before.out, AllOf(HasSubstr("- [x] its header names the ticket: SHOP-1"),
                                HasSubstr("- [x] no program waits for it"),
                                HasSubstr("- [ ] it is applied to this database"),
                                HasSubstr("- [ ] there is a backup")));
  EXPECT_EQ(Up().code, kDone);
  EXPECT_THAT(Run({"checklist", "1"}).out, HasSubstr("- [x] it is applied to this database: 20"));
}

TEST_F(Adopt, InitBeginsADirectoryAndLeavesWhatIsThere) {
  const fs::path here = Path("beside");
  fs::create_directories(here);
  std::ofstream(here / "pgalter.toml") << "# mine\n";
  const std::string command =
      "cd '" + here.string() + "' && '" PGALTER_BINARY "' init --files > made 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(TextOf(here / "pgalter.toml"), "# mine\n");
  EXPECT_THAT(TextOf(here / "migrations/README.md"), HasSubstr("pgalter up"));
  EXPECT_THAT(TextOf(here / "pgalter-ci.example.yml"), HasSubstr("pgalter lint"));
  EXPECT_EQ(std::system(command.c_str()), 0) << "again";
  EXPECT_THAT(TextOf(here / "made"), HasSubstr("is there pgalter-ci.example.yml"));
  fs::remove(here / "pgalter.toml");
  EXPECT_EQ(std::system(command.c_str()), 0);
  const std::string status =
      "cd '" + here.string() + "' && '" PGALTER_BINARY "' change list > list";
  EXPECT_EQ(std::system(status.c_str()), 0) << "what it writes can be read";
}

// ---- change records

class Changed : public Adopt {
 protected:
  Changed() {
    fs::create_directories(directory_ + "-of");
    Configure("");
  }
  ~Changed() override { fs::remove_all(directory_ + "-of"); }
  void Configure(const std::string& more) const {
    std::ofstream(Config()) << "[migrations]\ndir = \"" << directory_ << "\"\n" << more;
  }
  [[nodiscard]] std::string Config() const { return directory_ + "-of/pgalter.toml"; }
  [[nodiscard]] Ran Change(Words words) const {
    words.insert(words.begin(), "change");
    words.insert(words.end(), {"--config", Config()});
    return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(60));
  }
  [[nodiscard]] Ran With(Words words) const {
    words.insert(words.end(), {"--config", Config()});
    return Plainly(words);
  }
  void Record(const std::string& id, const std::string& text) const {
    fs::create_directories(directory_ + "-of/changes");
    std::ofstream(directory_ + "-of/changes/" + id + ".toml") << text;
  }
};

TEST_F(Changed, ARecordGoesIntoTheHistoryWithItsMigration) {
  const Ran made = Change({"new", "SHOP-1", "--title", "full \"names\""});
  EXPECT_EQ(made.code, kDone) << made.err;
  const Ran again = Change({"new", "SHOP-1", "--title", "again"});
  EXPECT_EQ(again.code, 1) << "it is not overwritten";
  EXPECT_THAT(again.err, HasSubstr("SHOP-1.toml"));
  EXPECT_EQ(Change({"new", "../x", "--title", "outside"}).code, kUsage);
  Write("20260101000000_names.sql",
        "-- pgalter: 1\n-- change: SHOP-1\n-- pgalter:up\nCREATE TABLE public.t (a int);\n");
  const Ran shown = Change({"show", "SHOP-1"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("full \"names\""), HasSubstr("20260101000000_names.sql")));
  EXPECT_EQ(Change({"check"}).code, kDone);
  Record("SHOP-1", "title = \"full names\"\nrisk = \"high\"\nrollback = \"it's easy\"\n");
  const Ran up = With({"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(database_.Value("SELECT header->>'change' || ' ' || (header->>'change.risk') || ' ' || "
                            "(header->>'change.rollback') FROM pgalter.migration"),
            "SHOP-1 high it's easy");
  EXPECT_THAT(Plainly({"history"}).out, HasSubstr("SHOP-1"));
  EXPECT_THAT(Plainly({"history", "--markdown"}).out, HasSubstr("SHOP-1"));
  EXPECT_EQ(Plainly({"audit", "verify"}).code, kDone);
}

TEST_F(Changed, ATicketNamesARecordThatIsCalledSo) {
  Record("T-7", "title = \"seven\"\n");
  Write("001_a.sql", "-- pgalter: 1\n-- ticket: T-7\n-- pgalter:up\nSELECT 1;\n");
  Write("002_b.sql", "-- pgalter: 1\n-- ticket: T-8\n-- pgalter:up\nSELECT 1;\n");
  const Ran list = Change({"list"});
  EXPECT_THAT(list.out, AllOf(HasSubstr("seven"), HasSubstr("001_a.sql"), Not(HasSubstr("002_b"))));
  EXPECT_EQ(With({"up", "--yes"}).code, kDone) << "T-8 is a ticket and no record";
}

TEST_F(Changed, ARecordThatIsMissingOrOddIsNamed) {
  Write("001_a.sql", "-- pgalter: 1\n-- change: C-1\n-- pgalter:up\nSELECT 1;\n");
  const Ran up = With({"up", "--yes"});
  EXPECT_EQ(up.code, kUsage) << up.err;
  EXPECT_THAT(up.err, AllOf(HasSubstr("C-1"), HasSubstr("pgalter change new C-1")));
  const Ran check = Change({"check"});
  EXPECT_EQ(check.code, kPending);
  EXPECT_THAT(check.out, HasSubstr("001_a.sql names the change C-1"));
  Record("C-1", "title = \"t\"\nrisc = \"low\"\n");
  EXPECT_THAT(With({"up", "--yes"}).err, HasSubstr("risk")) << "the nearest key";
  Record("C-1", "title = \"t\"\nrisk = \"none\"\n");
  EXPECT_THAT(With({"up", "--yes"}).err, HasSubstr("one of: low, medium, high"));
  Record("C-1", "risk = \"low\"\n");
  EXPECT_THAT(With({"up", "--yes"}).err, HasSubstr("has no title"));
  Record("C-1", "title = \n");
  EXPECT_THAT(With({"up", "--yes"}).err, HasSubstr("C-1.toml:1"));
}

TEST_F(Changed, APolicyCanAskForWhatARecordSays) {
  Configure("[env.test]\ndsn = \"" + database_.conninfo() +
            "\"\n[env.test.policy]\nheaders = [\"change\", \"change.rollback\"]\n");
  ASSERT_EQ(
      Program(PGALTER_BINARY, {"policy", "set", "--env", "test", "--config", Config(), "--yes"})
          .Wait()
          .code,
      kDone);
  Record("C-1", "title = \"t\"\n");
  Write("001_a.sql", "-- pgalter: 1\n-- change: C-1\n-- pgalter:up\nCREATE TABLE public.t ();\n");
  const Ran check = Change({"check", "--env", "test"});
  EXPECT_EQ(check.code, kPending);
  EXPECT_THAT(check.out, HasSubstr("does not say its rollback"));
  const Ran refused = With({"up", "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("change.rollback"));
  Record("C-1", "title = \"t\"\nrollback = \"drop it\"\n");
  EXPECT_EQ(Change({"check", "--env", "test"}).code, kDone);
  const Ran up = With({"up", "--yes"});
  EXPECT_EQ(up.code, kDone) << up.err;
}

}  // namespace
}  // namespace pgalter::test
