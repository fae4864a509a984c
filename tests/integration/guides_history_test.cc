// What guides tell people to do with files of migrations and the record of what is applied, seen to
// go wrong, and what pgalter does instead. The numbers are those of the table in docs/coverage.md.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/guide_world.h"

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
constexpr int kMismatch = 7;
constexpr int kDivergence = 8;

class GuideHistory : public GuideWorld {
 protected:
  [[nodiscard]] static std::string Text(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] bool Has(const std::string& table) const {
    return database_.Value("SELECT to_regclass('" + table + "') IS NOT NULL") == "t";
  }
  [[nodiscard]] Ran Alembic(Words words) const {
    words.insert(words.begin(), {"-c", Path("alembic.ini")});
    return Program("/usr/bin/alembic", words, {"PYTHONDONTWRITEBYTECODE=1"}).Wait();
  }
  void WriteThree() const {
    for (const char* name : {"one", "two", "three"}) {
      const int number = name[1] == 'n' ? 1 : name[1] == 'w' ? 2 : 3;
      Write(fmt::format("{}_{}.sql", number, name),
            fmt::format("-- pgalter:up\nCREATE TABLE public.{0} (id int);\n-- pgalter:down\n"
                        "DROP TABLE public.{0};\n",
                        name));
    }
  }
};

TEST_F(GuideHistory, E19PsqlSaysNothingOfAFileThatFailed) {
  Write("1_a.sql", "CREATE TABLE public.a (id int);\nSELECT 1 / 0;\n");
  if (HasClients()) {
    Write("guide.txt", "BEGIN;\n" + Text(Path("1_a.sql")) + "COMMIT;\n");
    EXPECT_EQ(Shell("psql -q -f '" + Path("guide.txt").string() + "'").code, 0);
    EXPECT_FALSE(Has("public.a")) << "0, and all of it was rolled back";
  }
  fs::remove(Path("guide.txt"));
  const Ran ran = Up();
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("22012"));
  EXPECT_THAT(Applied(), Not(HasSubstr("applied")));
}

TEST_F(GuideHistory, E20ATableOfThatNameInAnySchemaWillDo) {
  database_.Sql("CREATE SCHEMA other; CREATE TABLE other.orders (id int)");
  EXPECT_EQ(database_.Value(
                "SELECT count(*) FROM information_schema.columns WHERE table_name = 'orders' AND"
                " column_name = 'id'"),
            "1")
      << "of another schema";
  Write("questions.txt", "exists(column public.orders.id);\n");
  const Ran ran = Do({"assert", Path("questions.txt")});
  EXPECT_EQ(ran.code, kMismatch) << ran.out << ran.err;
}

TEST_F(GuideHistory, E22AQueryThatProvesNothingAfterAWayBack) {
  const char* const up =
      "CREATE TABLE public.a (id int);\nCREATE TYPE public.mood AS ENUM ('ok');\n";
  const char* const down = "DROP TABLE public.a;\n";
  database_.Sql(std::string(up) + down);
  EXPECT_THAT(database_.Value("SELECT version()"), HasSubstr("PostgreSQL"));
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_type WHERE typname = 'mood'"), "1")
      << "and the type is left";
  Write("1_a.sql", fmt::format("-- pgalter:up\n{}-- pgalter:down\n{}", up, down));
  const Ran ran = Run({"rehearse", "--round-trip"});
  EXPECT_EQ(ran.code, kMismatch) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("type public.mood"));
}

TEST_F(GuideHistory, E26APipeToTeeTakesTheExitCode) {
  Write("1_a.sql", "SELECT 1 / 0;\n");
  const std::string up = fmt::format("'{}' up --yes --dir '{}' --dsn '{}'", PGALTER_BINARY,
                                     directory_, database_.conninfo());
  const fs::path log = Path("../guide-" + database_.name() + ".log");
  EXPECT_EQ(Shell(up + " 2>&1 | tee '" + log.string() + "'").code, 0) << "of a failure";
  EXPECT_THAT(Text(log), HasSubstr("22012"));
  fs::remove(log);
  const Ran ran = Up({"--log-file", log});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(Text(log), HasSubstr("1 (a)")) << "and the log is there";
  fs::remove(log);
}

TEST_F(GuideHistory, E28AlembicDoesNotLookIntoDirectories) {
  if (!fs::exists("/usr/bin/alembic")) GTEST_SKIP() << "no alembic here";
  MakeAlembic({"CREATE TABLE public.a ()"}, {"DROP TABLE public.a"});
  fs::create_directories(Path("versions/security"));
  Write("versions/security/2_r.py",
        "from alembic import op\nrevision = '2'\ndown_revision = '1'\ndef upgrade():\n"
        "    op.execute('CREATE TABLE public.b ()')\ndef downgrade():\n    op.execute('DROP TABLE "
        "public.b')\n");
  EXPECT_THAT(Alembic({"heads"}).out, AllOf(HasSubstr("1 (head)"), Not(HasSubstr("2"))));
  // The same two as directories of ours: none is passed over.
  fs::remove_all(Path("versions"));
  fs::remove(Path("alembic.ini"));
  fs::remove(Path("env.py"));
  Write("schema/1_a.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.a (id int);\n");
  Write("security/2_b.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.b (id int);\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
}

TEST_F(GuideHistory, E29AMergeHasToBeToldOfWhat) {
  if (fs::exists("/usr/bin/alembic")) {
    MakeAlembic({"CREATE TABLE public.a ()"}, {"DROP TABLE public.a"});
    EXPECT_NE(Alembic({"merge", "-m", "all"}).code, 0);
    fs::remove_all(Path("versions"));
    fs::remove(Path("alembic.ini"));
    fs::remove(Path("env.py"));
  }
  Write("1_a.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE TABLE public.a ();\n");
  Write("2_b.sql", "-- pgalter: 1\n-- depends_on: 1\n-- pgalter:up\nCREATE TABLE public.b ();\n");
  Write("3_c.sql", "-- pgalter: 1\n-- depends_on: 1\n-- pgalter:up\nCREATE TABLE public.c ();\n");
  EXPECT_EQ(Run({"merge", "--title", "all"}).code, kDone);
  EXPECT_EQ(Run({"heads"}).out, "4\n");
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(GuideHistory, E30EndsOfBranchesAreNotWhatIsPending) {
  WriteThree();
  const std::string heads = Run({"heads"}).out;
  EXPECT_EQ(Run({"status", "--pending"}).code, kPending);
  ASSERT_EQ(Up().code, kDone);
  EXPECT_EQ(Run({"heads"}).out, heads) << "the same, whatever the database has";
  EXPECT_EQ(Run({"status", "--pending"}).code, kDone);
}

TEST_F(GuideHistory, E33WhatIsThereAlreadyIsNoReasonToDropIt) {
  WriteThree();
  database_.Sql("CREATE TABLE public.one (id int); INSERT INTO public.one VALUES (1)");
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "CREATE TABLE public.one (id int)"), "42P07");
  guide.Exec("BEGIN; DROP TABLE public.one; CREATE TABLE public.one (id int)");
  EXPECT_EQ(guide.Value("SELECT count(*) FROM public.one"), "0") << "the rows are gone";
  guide.Exec("ROLLBACK");
  EXPECT_EQ(Run({"baseline", "1", "--yes"}).code, kDone);
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "1 baseline, 2 applied, 3 applied");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.one"), "1");
}

TEST_F(GuideHistory, E41VersionsAsTextsHaveAnotherOrder) {
  database_.Sql(
      "CREATE TABLE public.schema_versions (version text);"
      "INSERT INTO public.schema_versions VALUES ('9'), ('10')");
  EXPECT_EQ(
      database_.Value("SELECT version FROM public.schema_versions ORDER BY version DESC LIMIT 1"),
      "9");
  Write("9_a.sql", "CREATE TABLE public.a (id int);\n");
  Write("10_b.sql", "ALTER TABLE public.a ADD COLUMN b int;\n");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "9 applied, 10 applied");
  EXPECT_EQ(Run({"status", "--expect", "10"}).code, kDone);
  EXPECT_NE(Run({"status", "--expect", "9"}).code, kDone);
}

TEST_F(GuideHistory, E42MarkingAMigrationUndoesNothing) {
  database_.Sql(
      "CREATE TABLE public._history (name text, rolled_back_at timestamptz); CREATE TABLE "
      "public.half ();"
      "INSERT INTO public._history VALUES ('1'); UPDATE public._history SET rolled_back_at = "
      "now()");
  EXPECT_TRUE(Has("public.half")) << "it is marked as rolled back, and is there";
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE public.made (id int);\nSELECT 1 / count(*) FROM public.made;\n"
        "-- pgalter:down\nDROP TABLE public.made;\n");
  EXPECT_EQ(Up().code, 1);
  EXPECT_EQ(Applied(), "1 applying");
  // The record alone is not changed while there is something to take back; what takes it back is
  // named.
  const Ran marked = Run({"repair", "1", "--yes"});
  EXPECT_EQ(marked.code, kRefused) << marked.err;
  EXPECT_EQ(Applied(), "1 applying");
  const Ran back = Do({"revert", LastRun()});
  EXPECT_EQ(back.code, kDone) << back.err;
  EXPECT_FALSE(Has("public.made"));
  EXPECT_EQ(Applied(), "");
}

TEST_F(GuideHistory, E43AComparisonHasTwoDirections) {
  MakeRows(1);
  const std::string without = "CREATE TABLE public.t (id int PRIMARY KEY, a text, b text);\n";
  Write("model.dump", without);
  // What the guide's order of the sides yields is the way from the database to the model: it drops.
  const Ran wrong = Do({"diff", "--from", "db", "--to", Path("model.dump")});
  const Ran right = Do({"diff", "--from", Path("model.dump"), "--to", "db"});
  EXPECT_EQ(wrong.code, kPending) << wrong.err;
  EXPECT_EQ(right.code, kPending) << right.err;
  EXPECT_THAT(wrong.out, AllOf(HasSubstr("\n- column"), Not(HasSubstr("\n+ column"))));
  EXPECT_THAT(right.out, AllOf(HasSubstr("\n+ column"), Not(HasSubstr("\n- column"))));
}

TEST_F(GuideHistory, E44WhatAModelFillsInIsNoDefaultOfTheDatabase) {
  database_.Sql("CREATE TABLE public.model (id text PRIMARY KEY, body text)");
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "INSERT INTO public.model (body) VALUES ('x')"), "23502");
  const char* const verify =
      "-- pgalter:verify\nSELECT atthasdef FROM pg_attribute WHERE attrelid = "
      "'public.doc'::regclass AND attname ="
      " 'id';\n";
  Write("1_doc.sql",
        std::string("-- pgalter:up\nCREATE TABLE public.doc (id text PRIMARY KEY, body text);\n") +
            verify);
  EXPECT_EQ(Up().code, kMismatch) << "what the model makes is asked for, and is not there";
  database_.Sql("ALTER TABLE public.doc ALTER id SET DEFAULT gen_random_uuid()::text");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Refusal(guide, "INSERT INTO public.doc (body) VALUES ('x')"), "");
}

TEST_F(GuideHistory, E50AWayBackThatDropsWhatHasToBeKept) {
  Write("1_trail.sql",
        "-- irreversible: what is in it has to be kept\n-- pgalter:up\nCREATE TABLE public.trail "
        "(said text);\n");
  ASSERT_EQ(Up().code, kDone);
  database_.Sql("INSERT INTO public.trail VALUES ('kept')");
  Session guide = database_.Connect();
  guide.Exec("BEGIN; DROP TABLE public.trail");
  EXPECT_EQ(guide.Value("SELECT to_regclass('public.trail') IS NULL"), "t")
      << "what the guide's file does";
  guide.Exec("ROLLBACK");
  const Ran down = Run({"down", "--yes"});
  EXPECT_EQ(down.code, kRefused) << down.err;
  EXPECT_THAT(down.err, HasSubstr("has to be kept"));
  EXPECT_EQ(database_.Value("SELECT said FROM public.trail"), "kept");
}

TEST_F(GuideHistory, E51ALogInATextFileIsWhateverSomebodyMakesOfIt) {
  const Ran edited =
      Shell("f=$(mktemp); echo 'by eve: dropped it' >>$f; sed -i s/eve/bob/ $f; cat $f; rm $f");
  EXPECT_EQ(edited.out, "by bob: dropped it\n") << "and nothing tells";
  WriteThree();
  ASSERT_EQ(Up().code, kDone);
  EXPECT_EQ(Do({"audit", "verify"}).code, kDone);
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "UPDATE pgalter.audit_log SET db_user = 'bob'"), "42501")
      << "of a superuser";
  database_.Sql(
      "ALTER TABLE pgalter.audit_log DISABLE TRIGGER ALL; UPDATE pgalter.audit_log SET db_user = "
      "'bob'"
      " WHERE seq = 3");
  const Ran found = Do({"audit", "verify"});
  EXPECT_EQ(found.code, kMismatch);
  EXPECT_THAT(found.out + found.err, HasSubstr("3"));
}

TEST_F(GuideHistory, E52AnyFailureIsTakenForTheAnswer) {
  if (HasClients()) {
    EXPECT_EQ(Shell("psql -tAqc 'SELECT in_maintenance FROM no_such_table' 2>/dev/null || echo 'in "
                    "maintenance'")
                  .out,
              "in maintenance\n");
  }
  Write("questions.txt", "SELECT false;\n");
  EXPECT_EQ(Do({"assert", Path("questions.txt")}).code, kMismatch) << "it says no";
  Write("questions.txt", "not rows(public.no_such_table, 0);\n");
  const Ran error = Do({"assert", Path("questions.txt")});
  EXPECT_NE(error.code, kDone) << "an error is neither yes nor no, whichever of them was hoped for";
  EXPECT_THAT(error.out + error.err, HasSubstr("42P01"));
}

TEST_F(GuideHistory, E53TwoBranchesMakeOneNumber) {
  Write("004_a.sql", "CREATE TABLE public.a ();\n");
  Write("004_b.sql", "CREATE TABLE public.b ();\n");
  Write("999_c.sql", "CREATE TABLE public.c (id int);\n");
  Write("1000_d.sql", "ALTER TABLE public.c ADD COLUMN d int;\n");
  const Ran guide = Shell("cd '" + directory_ + "'; LC_ALL=C ls *.sql");
  EXPECT_EQ(guide.out, "004_a.sql\n004_b.sql\n1000_d.sql\n999_c.sql\n")
      << "and so psql would run them";
  EXPECT_EQ(Up().code, kDivergence);
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Run({"renumber", "004_b.sql"}).code, kDone);
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "004 applied, 999 applied, 1000 applied, 1001 applied");
}

TEST_F(GuideHistory, E54BackFromTheFilesIsNotBackFromTheDatabase) {
  if (fs::exists("/usr/bin/alembic")) {
    MakeAlembic({"CREATE TABLE public.one ()", "CREATE TABLE public.two ()",
                 "CREATE TABLE public.three ()"},
                {"DROP TABLE public.one", "DROP TABLE public.two", "DROP TABLE public.three"});
    const Ran guide = Alembic({"downgrade", "head:head-1", "--sql"});
    EXPECT_EQ(guide.code, 0) << guide.err;
    EXPECT_THAT(guide.out, HasSubstr("DROP TABLE public.three"));
    // The database has only two of the three.
    database_.Sql("CREATE TABLE public.one (); CREATE TABLE public.two ()");
    Session session = database_.Connect();
    EXPECT_EQ(Refusal(session, "DROP TABLE public.three"), "42P01");
    session.Exec("DROP TABLE public.one, public.two");
    fs::remove_all(Path("versions"));
    fs::remove(Path("alembic.ini"));
    fs::remove(Path("env.py"));
  }
  WriteThree();
  ASSERT_EQ(Up({"--to", "2"}).code, kDone);
  const Ran down = Run({"down", "--count", "1", "--yes"});
  EXPECT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_FALSE(Has("public.two"));
}

TEST_F(GuideHistory, E55ARunnerThatWaitsInALockDeadlocksWithAnIndex) {
  MakeRows(100);
  Session first = database_.Connect();
  first.Exec("SET deadlock_timeout = '100ms'; SELECT pg_advisory_lock(7)");
  Session second = database_.Connect();
  second.Exec("SET deadlock_timeout = '100ms'");
  second.Send("SELECT pg_advisory_lock(7)");
  database_.AwaitLockWait(second.backend_pid());
  const std::string built = Refusal(first, "CREATE INDEX CONCURRENTLY t_guide ON public.t (a)");
  std::string waited;
  if (!built.empty()) first.Exec("SELECT pg_advisory_unlock(7)");
  try {
    second.Wait();
  } catch (const SqlError& error) {
    waited = error.sqlstate();
  }
  EXPECT_TRUE(built == "40P01" || waited == "40P01") << built << " and " << waited;
  Write("1_i.sql", "CREATE INDEX t_a ON public.t (a);\n");
  Write("2_i.sql", "CREATE INDEX t_b ON public.t (b);\n");
  Program one = Start({"up", "--yes"});
  Program two = Start({"up", "--yes"});
  const Ran ran_one = one.Wait(std::chrono::seconds(60));
  const Ran ran_two = two.Wait(std::chrono::seconds(60));
  EXPECT_EQ(ran_one.code, kDone) << ran_one.err;
  EXPECT_EQ(ran_two.code, kDone) << ran_two.err;
  EXPECT_EQ(
      database_.Value("SELECT count(*) FROM pg_index WHERE indexrelid IN ('public.t_a'::regclass,"
                      " 'public.t_b'::regclass) AND indisvalid"),
      "2");
}

}  // namespace
}  // namespace pgalter::test
