// Directories of migrations on a real server: up, down, what is refused, and other tools' formats.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <list>

#include "tests/support/migration_world.h"
#include "tests/support/pgbouncer.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kPending = 3;
constexpr int kRefused = 4;
constexpr int kLockNotObtained = 5;
constexpr int kMismatch = 7;
constexpr int kDivergence = 8;

constexpr const char* kAllApplied =
    "20260101000000 applied, 20260102000000 applied, 20260103000000 applied";

class Migrate : public MigrationWorld {
 protected:
  void UpWithOrders() const {
    WriteOrders();
    const Ran ran = Up();
    ASSERT_EQ(ran.code, kDone) << ran.err;
  }
  // `up` says so, with the next command, and changes nothing.
  void ExpectDivergence(const std::string& what, const std::string& next) const {
    const std::string before = Applied();
    for (const char* command : {"up", "status"}) {
      const Ran ran = Run(std::string(command) == "up" ? Words{"up", "--yes"}
                                                       : Words{"status", "--migrations"});
      EXPECT_EQ(ran.code, kDivergence) << ran.err;
      EXPECT_THAT(ran.err, AllOf(HasSubstr(what), HasSubstr(next)));
    }
    EXPECT_EQ(Applied(), before);
  }
  void Create(const std::string& name, const std::string& table) const {
    Write(name, "-- pgalter:up\nCREATE TABLE public." + table + " (id int);\n");
  }
};

TEST_F(Migrate, UpAppliesEachInItsOrderAndVerifies) {
  UpWithOrders();
  EXPECT_EQ(Applied(), kAllApplied);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM orders WHERE total = id"), "2000");
  EXPECT_THAT(Schema(), AllOf(HasSubstr("orders.note text NOT NULL"), HasSubstr("orders_total"),
                              Not(HasSubstr("INVALID")), Not(HasSubstr("pgalter"))));
  const Ran again = Up();
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to apply"));
}

TEST_F(Migrate, DownTakesAllBackAndUpBringsItAgain) {
  const std::string empty = Schema();
  UpWithOrders();
  const std::string full = Schema();
  const Ran down = Run({"down", "--count", "3", "--yes"});
  EXPECT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Schema(), empty);
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Schema(), full);
}

TEST_F(Migrate, ARunThatTookOneBackIsNotTakenBackItself) {
  UpWithOrders();
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone);
  const std::string run = database_.Value(
      "SELECT payload::json->>'run' FROM pgalter.audit_log WHERE event = 'migration.down'");
  const Ran reverted =
      Program(PGALTER_BINARY, {"revert", run, "--yes", "--dsn", database_.conninfo()}).Wait();
  EXPECT_EQ(reverted.code, kRefused) << reverted.err;
  EXPECT_THAT(Schema(), Not(HasSubstr("note text NOT NULL")));
}

TEST_F(Migrate, TheJsonIsWhatItsSchemaSays) {
  WriteOrders();
  EXPECT_EQ(Up({"--count", "2"}).code, kDone);
  Write("20260101000000_orders.sql", "-- pgalter:up\nSELECT 1;\n");
  const Ran ran = Run({"status", "--migrations", "--output", "json"});
  EXPECT_EQ(ran.code, kDivergence);
  Write("judged.json", ran.out);
  constexpr int kSkipped = 77;
  const int status = std::system(
      fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/migrations.json' '{1}'",
                  PGALTER_SOURCE_DIR, Path("judged.json").string())
          .c_str());
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == kSkipped) GTEST_SKIP() << "the judge cannot be had";
  EXPECT_EQ(code, 0) << ran.out;
}

TEST_F(Migrate, ToAndCountSayHowFar) {
  WriteOrders();
  EXPECT_EQ(Up({"--count", "1"}).code, kDone);
  EXPECT_EQ(Applied(), "20260101000000 applied");
  EXPECT_EQ(Up({"--expect-count", "3"}).code, kRefused);
  EXPECT_EQ(Up({"--to", "20260102000000", "--expect-count", "1"}).code, kDone);
  EXPECT_EQ(Applied(), "20260101000000 applied, 20260102000000 applied");
  EXPECT_EQ(Up({"--to", "20260109000000"}).code, kUsage);
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Run({"down", "--to", "20260101000000", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "20260101000000 applied");
}

TEST_F(Migrate, StatusTellsWhatIsPending) {
  WriteOrders();
  EXPECT_EQ(Run({"status", "--pending"}).code, kPending) << "also without a schema pgalter";
  EXPECT_EQ(Up({"--count", "2"}).code, kDone);
  const Ran pending = Run({"status", "--pending"});
  EXPECT_EQ(pending.code, kPending);
  EXPECT_THAT(pending.out, AllOf(HasSubstr("20260103000000"), Not(HasSubstr("20260102000000"))));
  EXPECT_EQ(Run({"status", "--expect", "20260102000000"}).code, kDone);
  EXPECT_EQ(Run({"status", "--expect", "20260103000000"}).code, kPending);
  EXPECT_EQ(Run({"upgrade", "--yes"}).code, kDone);
  EXPECT_EQ(Run({"status", "--pending"}).code, kDone);
  const json::value info = json::parse(Run({"info", "--output", "json"}).out);
  EXPECT_EQ(info.at("migrations").as_array().size(), 3U);
  EXPECT_EQ(info.at("migrations").at(0).at("state"), "applied");
}

TEST_F(Migrate, APreviewWritesNothing) {
  WriteOrders();
  const Ran offline =
      Program(PGALTER_BINARY, {"up", "--sql", "--dir", directory_, "--dsn", "host=/nowhere"})
          .Wait();
  EXPECT_EQ(offline.code, kDone) << offline.err;
  EXPECT_THAT(offline.out, AllOf(HasSubstr("CREATE INDEX CONCURRENTLY"), HasSubstr("NOT VALID")));
  const Ran dry = Run({"up", "--dry-run"});
  EXPECT_EQ(dry.code, kPending) << dry.err;
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Migrate, ContractWaitsAtItsGate) {
  database_.Sql("CREATE TABLE public.t (id int PRIMARY KEY, old int)");
  Write("1_rename.sql",
        "-- pgalter:up\nALTER TABLE public.t ADD COLUMN new int;\n"
        "-- pgalter:gate app-deployed\n-- pgalter:up\nALTER TABLE public.t ALTER old SET DEFAULT "
        "1;\n");
  Create("2_next.sql", "next");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "1 applying, 2 applied");
  EXPECT_THAT(Run({"info"}).out, HasSubstr("waiting at app-deployed"));
  const std::string run = database_.Value("SELECT run FROM pgalter.migration WHERE version = '1'");
  const Ran resumed = Program(PGALTER_BINARY, {"resume", run, "--gate", "app-deployed", "--dsn",
                                               database_.conninfo()})
                          .Wait();
  EXPECT_EQ(resumed.code, kDone) << resumed.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied") << "whoever ends the run";
}

TEST_F(Migrate, ThroughContractOpensGatesAndAsWrittenHasNone) {
  database_.Sql("CREATE TABLE public.t (id int PRIMARY KEY, old int, older int)");
  Write("1_a.sql",
        "-- pgalter:up\nALTER TABLE public.t ADD COLUMN new int;\n-- pgalter:contract\n"
        "ALTER TABLE public.t ALTER old SET DEFAULT 1;\n");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applying");
  EXPECT_EQ(Up({"--through", "contract"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied");
  Write("2_b.sql", "-- pgalter:up\nALTER TABLE public.t DROP COLUMN older;\n");
  const Ran ran = Up({"--as-written"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
  EXPECT_THAT(Schema(), Not(HasSubstr("older")));
}

TEST_F(Migrate, AWaitingOneIsTakenBackByItsRun) {
  database_.Sql("CREATE TABLE public.t (id int PRIMARY KEY, old int)");
  const std::string before = Schema();
  Write("1_a.sql", "-- pgalter:up\nALTER TABLE public.t DROP COLUMN old;\n");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applying");
  const Ran down = Run({"down", "--yes"});
  EXPECT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Schema(), before);
}

TEST_F(Migrate, AFailedOneLeavesNothingWhereNothingWasDone) {
  Write("1_bad.sql", "-- pgalter:up\nSELECT 1 / 0;\n");
  const Ran failed = Up();
  EXPECT_EQ(failed.code, 1) << failed.err;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("22012"), HasSubstr("nothing of 1")));
  EXPECT_EQ(Applied(), "");
  Write("1_bad.sql", "-- pgalter:up\nSELECT 1;\n");
  EXPECT_EQ(Up().code, kDone) << "corrected";
  EXPECT_EQ(Applied(), "1 applied");
}

TEST_F(Migrate, AHalfAppliedOneGoesOnOnceTheCauseIsGone) {
  database_.Sql("CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (0)");
  Write("1_half.sql",
        "-- pgalter:up\nCREATE TABLE public.made (id int);\nSELECT 1 / id FROM public.t;\n");
  EXPECT_EQ(Up().code, 1);
  EXPECT_EQ(Applied(), "1 applying");
  Write("1_half.sql", "-- pgalter:up\nCREATE TABLE public.made (id int);\nSELECT 2;\n");
  ExpectDivergence("half applied", "pgalter revert");
  Write("1_half.sql",
        "-- pgalter:up\nCREATE TABLE public.made (id int);\nSELECT 1 / id FROM public.t;\n");
  EXPECT_EQ(Run({"repair", "1", "--yes"}).code, kRefused);
  database_.Sql("UPDATE public.t SET id = 1");
  const Ran again = Up();
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_EQ(again.out, "applied 1 half\n") << "what was finished is said";
  EXPECT_EQ(Applied(), "1 applied");
}

// ---- how long statements may last, and what ends transactions itself

TEST_F(Migrate, WhatNobodyWaitsForMayLast) {
  database_.Sql("CREATE TABLE public.t (id int); INSERT INTO public.t VALUES (1)");
  Write("1_long.sql",
        "-- pgalter: 1\n-- transaction: single\n-- pgalter:up\n"
        "UPDATE public.t SET id = 2 WHERE pg_sleep(2) IS NOT NULL;\n"
        "CREATE TABLE public.made AS SELECT pg_sleep(1)::text;\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT id FROM public.t"), "2");
}

TEST_F(Migrate, ALockThatStopsUsersIsHeldForItsBudgetAtMost) {
  database_.Sql("CREATE TABLE public.t (id int)");
  Write("1_long.sql",
        "-- pgalter: 1\n-- transaction: single\n-- pgalter:up\n"
        "ALTER TABLE public.t ADD COLUMN a int;\nSELECT pg_sleep(30);\n");
  const Ran ran = Up({"--hold-budget", "200ms", "--lock-budget", "2s"});
  EXPECT_EQ(ran.code, kLockNotObtained) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--hold-budget"));
}

constexpr const char* kCommits =
    "CREATE TABLE public.t (id int);\n"
    "DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO public.t VALUES (i); COMMIT; END LOOP; END $$;\n"
    "CREATE PROCEDURE public.p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.t VALUES (4); "
    "COMMIT; END $$;\n";

TEST_F(Migrate, WhatEndsTransactionsRunsWhereTheFileSaysSo) {
  Write("1_a.sql", std::string("-- pgalter: 1\n-- transaction: none\n-- pgalter:up\n") + kCommits +
                       "CALL public.p();\n");
  Write("2_b.sql", "-- pgalter: 1\n-- transaction: none\n-- pgalter:up\nCALL p();\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.t"), "5");
  EXPECT_EQ(database_.Value("SELECT count(DISTINCT xmin::text) FROM public.t"), "5");
}

TEST_F(Migrate, WhatEndsTransactionsIsRefusedElsewhereWithItsLine) {
  Write("1_a.sql", std::string("-- pgalter:up\n") + kCommits);
  const Ran block = Up();
  EXPECT_EQ(block.code, kRefused);
  EXPECT_THAT(block.err, AllOf(HasSubstr("1_a.sql: line 3: this DO block"),
                               HasSubstr("-- transaction: none")));
  EXPECT_EQ(Schema(), "");
  database_.Sql("CREATE PROCEDURE public.p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'");
  Write("1_a.sql", "-- pgalter:up\nSELECT 1;\nCALL p();\n");
  const Ran call = Up();
  EXPECT_EQ(call.code, kRefused);
  EXPECT_THAT(call.err, HasSubstr("line 3: the procedure p"));
  EXPECT_EQ(Applied(), "");
}

TEST_F(Migrate, WhatDoesNotHoldIsAMismatchUntilItDoes) {
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE public.a (id int);\n-- pgalter:verify\n"
        "SELECT count(*) = 1 FROM public.a;\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kMismatch);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("1_a.sql:4"), HasSubstr("it says no")));
  EXPECT_EQ(Applied(), "1 unverified");
  EXPECT_EQ(Up().code, kMismatch);
  database_.Sql("INSERT INTO public.a VALUES (1)");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "1 applied");
}

TEST_F(Migrate, WhatVerifiesCannotWrite) {
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE public.a (id int);\n-- pgalter:verify\n"
        "INSERT INTO public.a VALUES (1) RETURNING true;\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kMismatch);
  EXPECT_THAT(ran.err, HasSubstr("25006"));
}

TEST_F(Migrate, OneTransactionIsAllOrNothing) {
  Write("1_a.sql",
        "-- pgalter: 1\n-- transaction: single\n-- pgalter:up\nCREATE TABLE public.a (id int);\n"
        "SELECT 1 / 0;\n");
  EXPECT_EQ(Up().code, 1);
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Schema(), "");
}

TEST_F(Migrate, TheRolesSearchPathHolds) {
  database_.Sql("CREATE SCHEMA app");
  database_.Sql(fmt::format("ALTER DATABASE {} SET search_path = app", database_.name()));
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE a (id int);\n-- pgalter:verify\nSELECT count(*) = "
        "0 FROM a;\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('app.a') IS NOT NULL"), "t");
}

TEST_F(Migrate, AnIrreversibleOneStays) {
  Write("1_a.sql",
        "-- pgalter: 1\n-- irreversible: the rows are gone\n-- pgalter:up\nCREATE TABLE public.a "
        "(id int);\n");
  Write("2_b.sql",
        "-- pgalter:up\nCREATE TABLE public.b (id int);\n-- pgalter:down\nDROP TABLE "
        "public.b;\n");
  EXPECT_EQ(Up().code, kDone);
  const Ran down = Run({"down", "--count", "2", "--yes"});
  EXPECT_EQ(down.code, kRefused);
  EXPECT_THAT(down.err, HasSubstr("the rows are gone"));
  EXPECT_EQ(Applied(), "1 applied, 2 applied") << "refused before anything was changed";
}

// ---- what the directory and the database do not agree on

TEST_F(Migrate, AnEditedOneIsRefused) {
  UpWithOrders();
  Write("20260103000000_strict.sql", "-- pgalter:up\nSELECT 1;\n");
  ExpectDivergence("was edited after it was applied", "pgalter repair 20260103000000 --yes");
  EXPECT_EQ(Run({"repair", "20260103000000", "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(Migrate, OtherLineEndsAreToldApart) {
  Write("1_a.sql", "-- pgalter:up\nSELECT 1;\n");
  EXPECT_EQ(Up().code, kDone);
  Write("1_a.sql", "\xEF\xBB\xBF-- pgalter:up\r\nSELECT 1;\r\n");
  ExpectDivergence("other line ends", "pgalter repair 1 --yes");
  EXPECT_EQ(Run({"repair", "1", "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(Migrate, AnEditedCommentIsToldApart) {
  Write("1_a.sql", "-- pgalter:up\nSELECT 1;\n");
  EXPECT_EQ(Up().code, kDone);
  Write("1_a.sql", "-- pgalter:up\n-- why\nSELECT 1;\n");
  ExpectDivergence("what was applied is the same", "pgalter repair 1 --yes");
}

TEST_F(Migrate, ARenamedOneIsRefused) {
  Create("1_a.sql", "a");
  EXPECT_EQ(Up().code, kDone);
  fs::rename(Path("1_a.sql"), Path("1_b.sql"));
  ExpectDivergence("1_b.sql was called 1_a.sql", "git mv 1_b.sql 1_a.sql");
  fs::rename(Path("1_b.sql"), Path("3_a.sql"));
  ExpectDivergence("was applied as 1_a.sql", "pgalter repair 1 --version-now 3 --yes");
  EXPECT_EQ(Run({"repair", "1", "--version-now", "3", "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Applied(), "3 applied");
}

TEST_F(Migrate, ADeletedOneIsRefused) {
  Create("1_a.sql", "a");
  Create("2_b.sql", "b");
  EXPECT_EQ(Up().code, kDone);
  Remove("2_b.sql");
  ExpectDivergence("its file is not there", "pgalter repair 2 --forget --yes");
  EXPECT_EQ(Run({"repair", "2", "--forget", "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(Migrate, TwoOfOneVersionAreRefused) {
  Create("1_a.sql", "a");
  Create("1_b.sql", "b");
  ExpectDivergence("1_a.sql and 1_b.sql have the same version 1", "pgalter renumber 1_b.sql");
}

TEST_F(Migrate, OneBeforeTheLastIsRefusedUnlessAskedFor) {
  Create("1_a.sql", "a");
  Create("3_c.sql", "c");
  EXPECT_EQ(Up().code, kDone);
  Create("2_b.sql", "b");
  ExpectDivergence("stands before 3_c.sql", "pgalter up --out-of-order");
  EXPECT_EQ(Up({"--out-of-order"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 3 applied, 2 applied");
}

TEST_F(Migrate, TheManifestIsHeldTo) {
  Create("1_a.sql", "a");
  EXPECT_EQ(Run({"manifest"}).code, kDone);
  EXPECT_EQ(Run({"manifest", "--check"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
  Create("2_b.sql", "b");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDivergence);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("2_b.sql is not in it"), HasSubstr("pgalter manifest")));
  EXPECT_EQ(Run({"manifest", "--check"}).code, kDivergence);
  EXPECT_EQ(Run({"manifest"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(Migrate, AManifestMakesNoOtherToolsFilesOurs) {
  Write("1_t.sql",
        "-- migrate:up\nCREATE TABLE public.t (a int);\n-- migrate:down\nDROP TABLE public.t;\n");
  Write("2_b.sql", "CREATE TABLE public.u (a int);\n");
  EXPECT_EQ(Run({"manifest"}).code, kDone);
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Schema(), "t.a integer\nu.a integer");
  database_.Sql("UPDATE pgalter.migration SET format = 'pgalter' WHERE version = '1'");
  ExpectDivergence("taken for a file of pgalter", "--format pgalter");
  EXPECT_EQ(Run({"repair", "1", "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

TEST_F(Migrate, BytesThatAreNoTextAreRefusedBeforeAnythingRuns) {
  Create("1_a.sql", "a");
  Write("2_b.sql", "-- pgalter:up\nCREATE TABLE public.b (a text DEFAULT 'caf\xE9');\n");
  const Ran latin = Up();
  EXPECT_EQ(latin.code, kUsage);
  EXPECT_THAT(latin.err, HasSubstr("2_b.sql:2: "));
  Write("2_b.sql", std::string("-- pgalter:up\n\nSELECT '\0';\n", 28));
  const Ran zero = Up();
  EXPECT_EQ(zero.code, kUsage);
  EXPECT_THAT(zero.err, HasSubstr("2_b.sql:3: "));
  EXPECT_EQ(Applied(), "");
}

TEST_F(Migrate, ARoleOfATransactionEndsBeforeWhatIsOurs) {
  database_.Sql("CREATE ROLE migrate_owner; GRANT CREATE ON SCHEMA public TO migrate_owner");
  Write("1_a.sql",
        "-- pgalter: 1\n-- transaction: single\n-- pgalter:up\nSET ROLE migrate_owner;\n"
        "CREATE TABLE public.a (id int);\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT tableowner FROM pg_tables WHERE tablename = 'a'"),
            "migrate_owner");
  database_.Sql("DROP TABLE public.a; DROP OWNED BY migrate_owner; DROP ROLE migrate_owner");
}

TEST_F(Migrate, ASettingThatWouldBeLostIsRefused) {
  Write("1_a.sql", "-- pgalter:up\nSET ROLE nobody;\nCREATE TABLE public.a (id int);\n");
  for (const Words& more : {Words{}, Words{"--as-written"}}) {
    const Ran ran = Up(more);
    EXPECT_EQ(ran.code, kRefused);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("1_a.sql"), HasSubstr("line 2: SET role")));
  }
  EXPECT_EQ(Schema(), "");
}

TEST_F(Migrate, WhatIsNotAtItsEndIsPending) {
  Write("1_a.sql", "-- pgalter:up\nCREATE TABLE public.a ();\n-- pgalter:verify\nSELECT false;\n");
  EXPECT_EQ(Up().code, kMismatch);
  const Ran ran = Run({"status", "--pending"});
  EXPECT_EQ(ran.code, kPending);
  EXPECT_THAT(ran.out, HasSubstr("unverified"));
}

TEST_F(Migrate, AllOrNoneOfThemHaveAWayDown) {
  Create("1_a.sql", "a");
  Create("2_b.sql", "b");
  Write("3_c.sql",
        "-- pgalter:up\nCREATE TABLE public.c ();\n-- pgalter:down\nDROP TABLE public.c;\n");
  EXPECT_EQ(Up().code, kDone);
  const std::string before = Schema();
  const Ran ran = Run({"down", "--count", "3", "--yes"});
  EXPECT_EQ(ran.code, kRefused);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("1_a.sql"), HasSubstr("2_b.sql"), HasSubstr("Nothing was")));
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
  EXPECT_EQ(Schema(), before);
}

TEST_F(Migrate, PrismaKnowsNoNumbers) {
  Write("2_b/migration.sql", "ALTER TABLE public.t ADD b int;\n");
  Write("10_a/migration.sql", "CREATE TABLE public.t (a int);\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), "10_a applied, 2_b applied");
}

TEST_F(Migrate, WhatOnlyItsToolCanRunIsRefused) {
  Write("versions/1a2b_t.py", "revision = '1a2b'\n");
  for (const Words& words : {Words{"up", "--yes"}, Words{"status", "--pending"}}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, kRefused);
    EXPECT_THAT(ran.err, HasSubstr("alembic upgrade"));
  }
  Remove("versions/1a2b_t.py");
  Write("1_t.sql", "-- +goose Up\nCREATE TABLE public.t ();\n");
  Write("2_fill.go", "package migrations\n");
  const Ran go = Up();
  EXPECT_EQ(go.code, kRefused);
  EXPECT_THAT(go.err, HasSubstr("2_fill.go"));
  EXPECT_EQ(Applied(), "");
}

TEST_F(Migrate, AVersionOfTheFormatThatIsNotKnownIsRefused) {
  Write("1_a.sql", "-- pgalter: 2\nCREATE TABLE public.a ();\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, HasSubstr("1_a.sql:1"));
}

TEST_F(Migrate, ALogThatIsGoneDoesNotGoThroughItsAnchor) {
  Create("1_a.sql", "a");
  EXPECT_EQ(Up().code, kDone);
  const std::string anchor = Run({"audit", "anchor"}).out;
  database_.Sql("DROP SCHEMA pgalter CASCADE");
  const Ran ran = Run({"audit", "verify", "--anchor", anchor.substr(0, anchor.find('\n'))});
  EXPECT_EQ(ran.code, kMismatch) << ran.err;
}

TEST_F(Migrate, AnUnknownDirectiveIsNamedWithItsLine) {
  Write("1_a.sql", "-- pgalter:up\nSELECT 1;\n-- pgalter:dwon\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kUsage);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("1_a.sql:3"), HasSubstr("did you mean down?")));
}

// ---- what there was before

TEST_F(Migrate, ABaselineIsNotRun) {
  WriteOrders();
  database_.Sql("CREATE TABLE public.orders (id bigint PRIMARY KEY, note text, total int)");
  EXPECT_EQ(Run({"stamp", "20260102000000", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "20260101000000 baseline, 20260102000000 baseline");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone);
  EXPECT_EQ(Run({"down", "--yes"}).code, kRefused) << "the baseline stays";
}

TEST_F(Migrate, NewMakesOneBehindTheLast) {
  Create("20991231235959_far.sql", "far");
  const Ran ran = Run({"new", "Add a thing"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("21000101000000_add_a_thing.sql"));
  EXPECT_EQ(Run({"heads"}).out, "21000101000000\n");
  EXPECT_EQ(Up().code, kDone) << "an empty one is applied";
}

TEST_F(Migrate, TheHistoryNamesWhoDidWhat) {
  Create("1_a.sql", "a");
  EXPECT_EQ(Up().code, kDone);
  const Ran ran = Run({"log", "--output", "json"});
  const json::value history = json::parse(ran.out);
  std::string events;
  for (const json::value& event : history.at("events").as_array())
    events += std::string(event.at("event").as_string()) + " ";
  EXPECT_EQ(events, "run.begun begin run.done applied ") << ran.out;
  EXPECT_EQ(
      database_.Value("SELECT bool_and(hash = pgalter.audit_hash(l)) FROM pgalter.audit_log l"),
      "t");
  Write("2_b.sql", "-- title: less <than> | _all_\n-- ticket: SHOP-7\n-- pgalter:up\nSELECT 1;\n");
  EXPECT_EQ(Up().code, kDone);
  const Ran markdown = Run({"log", "--markdown"});
  EXPECT_EQ(markdown.code, kDone) << markdown.err;
  EXPECT_THAT(markdown.out, AllOf(HasSubstr("\n## 20"),
                                  HasSubstr("- 2 less \\<than\\> \\| \\_all\\_ (SHOP-7), by "),
                                  HasSubstr("- 1 a, by ")));
  EXPECT_LT(markdown.out.find("- 2 "), markdown.out.find("- 1 ")) << "the newest first";
  EXPECT_EQ(Run({"log", "--markdown", "--output", "json"}).code, 2);
}

TEST_F(Migrate, TheAuditLogShowsWhatASuperuserChanged) {
  WriteOrders();
  EXPECT_EQ(Up().code, kDone);
  const Ran whole = Run({"audit", "verify"});
  EXPECT_EQ(whole.code, kDone) << whole.out << whole.err;
  const Ran anchor = Run({"audit", "anchor"});
  Write("export.jsonl", Run({"audit", "export"}).out);
  EXPECT_EQ(Run({"audit", "verify", Path("export.jsonl")}).code, kDone);
  const auto tamper = [&](const std::string& sql) {
    database_.Sql("ALTER TABLE pgalter.audit_log DISABLE TRIGGER audit_log_append_only;" + sql);
  };
  EXPECT_THROW(database_.Sql("UPDATE pgalter.audit_log SET payload = 'x' WHERE seq = 3"), SqlError);
  EXPECT_THROW(database_.Sql("TRUNCATE pgalter.audit_log"), SqlError);
  tamper("UPDATE pgalter.audit_log SET payload = '{}' WHERE seq = 1");
  const Ran edited = Run({"audit", "verify"});
  EXPECT_EQ(edited.code, kMismatch);
  EXPECT_THAT(edited.out, HasSubstr("entry 1 was changed"));
  // The tail with its head: what is applied tells, and without that only the anchor knows.
  tamper(
      "TRUNCATE pgalter.audit_log; UPDATE pgalter.audit_head SET seq = 0,"
      " hash = sha256('pgalter audit 1')");
  EXPECT_EQ(Run({"audit", "verify"}).code, kMismatch);
  tamper("TRUNCATE pgalter.migration");
  EXPECT_EQ(Run({"audit", "verify"}).code, kDone);
  const std::string kept = anchor.out.substr(0, anchor.out.find('\n'));
  EXPECT_EQ(Run({"audit", "verify", "--anchor", kept}).code, kMismatch);
  EXPECT_EQ(Run({"audit", "verify", Path("export.jsonl"), "--anchor", kept}).code, kDone);
}

TEST_F(Migrate, ARowThatWasChangedByHandIsNamed) {
  Create("1_a.sql", "a");
  Create("2_b.sql", "b");
  EXPECT_EQ(Up().code, kDone);
  EXPECT_EQ(Run({"audit", "verify"}).code, kDone);
  struct Tampering {
    const char* sql;
    const char* what;
    Words repair;
  };
  const std::vector<Tampering> all{
      {"UPDATE pgalter.migration SET applied_by = 'nobody' WHERE version = '1'",
       "the row of 1 in pgalter.migration was changed by hand: applied_by is nobody",
       {"repair", "1", "--yes"}},
      {"UPDATE pgalter.migration SET state = 'baseline' WHERE version = '1'",
       "state is baseline, and the log says applied",
       {"repair", "1", "--yes"}},
      {"INSERT INTO pgalter.migration (version, title, file, format, bytes_sha256, text_sha256,"
       " statements_sha256, has_verify, state) SELECT '0', title, file, format, bytes_sha256,"
       " text_sha256, statements_sha256, has_verify, state FROM pgalter.migration LIMIT 1",
       "0 is a row of pgalter.migration that the audit log does not know",
       {"repair", "0", "--forget", "--yes"}},
      {"DELETE FROM pgalter.migration WHERE version = '2'; DROP TABLE public.b",
       "2 (2_b.sql) is in the audit log, and its row of pgalter.migration is not there",
       {"repair", "2", "--forget", "--yes"}}};
  for (const Tampering& tampering : all) {
    SCOPED_TRACE(tampering.sql);
    database_.Sql(tampering.sql);
    const Ran audit = Run({"audit", "verify"});
    EXPECT_EQ(audit.code, kMismatch);
    EXPECT_THAT(audit.out, HasSubstr(tampering.what));
    ExpectDivergence(tampering.what, "pgalter repair");
    const Ran repaired = Run(tampering.repair);
    EXPECT_EQ(repaired.code, kDone) << repaired.err;
    EXPECT_EQ(Run({"audit", "verify"}).code, kDone);
  }
  EXPECT_EQ(Up().code, kDone);
  EXPECT_THAT(Applied(), HasSubstr("2 applied"));
}

TEST_F(Migrate, ARehearsalGoesUpDownAndUpAndComparesTheSchema) {
  WriteOrders();
  Write("20260104000000_drop.sql",
        "-- pgalter:up\nALTER TABLE public.orders DROP COLUMN note;\n-- pgalter:down\nALTER TABLE "
        "public.orders ADD COLUMN note text NOT NULL DEFAULT 'n';\nALTER TABLE public.orders ALTER "
        "COLUMN note DROP DEFAULT;\n");
  const Ran ran = Run({"rehearse", "--round-trip", "--output", "json"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("\"round_trip\":\"same\""), HasSubstr("20260104000000")));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t")
      << "no database of ours is asked";
}

TEST_F(Migrate, ARehearsalShowsWhatAWayDownLeaves) {
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE public.a (id int);\nCREATE TYPE public.mood AS ENUM ('ok');\n"
        "-- pgalter:down\nDROP TABLE public.a;\n");
  const Ran ran = Run({"rehearse", "--round-trip"});
  EXPECT_EQ(ran.code, kMismatch) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("after its way down"), HasSubstr("+ type public.mood")));
  EXPECT_EQ(Run({"rehearse"}).code, kDone) << "the way up alone is right";
}

void WriteParents(const std::function<void(std::string, std::string)>& write) {
  write("1_a.sql",
        "-- pgalter: 1\n-- pgalter:up\nCREATE TYPE public.mood AS ENUM ('sad', 'ok');\n"
        "CREATE DOMAIN public.few AS int CHECK (VALUE BETWEEN 1 AND 9);\n"
        "CREATE TABLE public.parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text "
        "NOT NULL UNIQUE, feels public.mood NOT NULL);\n"
        "CREATE TABLE public.\"Child s\" (id bigint PRIMARY KEY, parent bigint NOT NULL REFERENCES "
        "public.parent, n public.few NOT NULL, m int CHECK (m > 100));\n"
        "-- pgalter:down\nDROP TABLE public.\"Child s\", public.parent;\nDROP DOMAIN public.few;\n"
        "DROP TYPE public.mood;\n");
  write("2_b.sql",
        "-- pgalter: 1\n-- pgalter:up\nCREATE INDEX child_parent ON public.\"Child s\" (parent);\n"
        "ALTER TABLE public.parent ADD COLUMN note text;\n"
        "-- pgalter:backfill table=public.parent set=\"note = code\"\n"
        "-- pgalter:verify\nSELECT count(note) IN (0, 500) FROM public.parent;\n"
        "-- pgalter:down\nALTER TABLE public.parent DROP COLUMN note;\n"
        "DROP INDEX public.child_parent;\n");
}

TEST_F(Migrate, ARehearsalWithRowsMeasuresWhatAPlanThenShows) {
  const auto write = [this](const auto& name, const auto& sql) { Write(name, sql); };
  WriteParents(write);
  const std::string kept = Path("rehearsed.json").string();
  const Ran ran = Run({"rehearse", "--rows", "500", "--out", kept, "--output", "json"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  std::ifstream file(kept);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(ran.out, HasSubstr(text)) << "progress stands above it";
  const json::value measured = json::parse(text);
  EXPECT_EQ(measured.at("rehearsal").at("rows").as_int64(), 500);
  EXPECT_EQ(measured.at("rehearsal").at("unfilled").as_array().size(), 0U) << ran.err;
  const json::value& second = measured.at("migrations").at(1);
  EXPECT_EQ(second.at("round_trip").as_string(), "same");
  EXPECT_GE(second.at("down_ms").as_int64(), 0);
  EXPECT_GE(second.at("again_ms").as_int64(), 0);
  for (const json::value& step : second.at("plan").at("steps").as_array()) {
    EXPECT_EQ(step.at("rehearsed").at("rows").as_int64(), 500) << json::serialize(step);
    EXPECT_GT(step.at("rehearsed").at("seconds").as_double(), 0);
  }
  const int status = std::system(
      fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/migrations.json' '{1}'",
                  PGALTER_SOURCE_DIR, kept)
          .c_str());
  constexpr int kCannotBeHad = 77;
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kCannotBeHad);

  EXPECT_EQ(Up({"--to", "1"}).code, kDone);
  const Ran plans = Run({"up", "--dry-run", "--rehearsed", kept});
  EXPECT_EQ(plans.code, kPending) << plans.err;
  EXPECT_THAT(plans.out, HasSubstr("; rehearsed with 500 rows on 20"));
  const auto plan = [&](const std::string& sql) {
    return Program(PGALTER_BINARY,
                   {"plan", "--sql", sql, "--rehearsed", kept, "--dsn", database_.conninfo()})
        .Wait();
  };
  EXPECT_THAT(plan("CREATE INDEX child_parent ON public.\"Child s\" (parent)").out,
              HasSubstr("rehearsed with 500 rows"));
  EXPECT_THAT(plan("CREATE INDEX other ON public.\"Child s\" (parent)").out,
              Not(HasSubstr("rehearsed")));
  const std::string plan_file = Path("kept.json").string();
  Write("kept.json", Run({"up", "--dry-run", "--rehearsed", kept, "--output", "json"}).out);
  Write("2_b.sql", "-- pgalter: 1\n-- pgalter:up\nCREATE INDEX other ON public.parent (id);\n");
  EXPECT_THAT(Run({"up", "--dry-run", "--rehearsed", kept}).out,
              AllOf(HasSubstr("was not rehearsed as it is now"), Not(HasSubstr("500 rows"))));
  EXPECT_EQ(Up({"--plan", plan_file}).code, kRefused);
  WriteParents(write);
  EXPECT_EQ(Up({"--plan", plan_file}).code, kDone) << "the times are no other steps";
  for (const Words& wrong :
       {Words{"rehearse", "--out", kept}, Words{"rehearse", "--rows", "0"},
        Words{"up", "--rehearsed", kept}, Words{"up", "--dry-run", "--rehearsed", "absent.json"},
        Words{"up", "--dry-run", "--rehearsed", Path("2_b.sql").string()}})
    EXPECT_EQ(Run(wrong).code, kUsage) << wrong[0] << wrong[1];
}

TEST_F(Migrate, ARehearsalBeginsWithTheTablesOfADump) {
  Write("1_a.sql", "-- pgalter:up\nALTER TABLE public.there ADD COLUMN b int;\n");
  Write("before.dump", "CREATE TABLE public.there (a int NOT NULL);\n");
  const Ran without = Run({"rehearse"});
  EXPECT_NE(without.code, kDone);
  EXPECT_THAT(without.err, HasSubstr("pgalter rehearse --schema schema.sql"));
  const Ran with = Run({"rehearse", "--schema", Path("before.dump").string()});
  EXPECT_EQ(with.code, kDone) << with.err;
  EXPECT_EQ(Run({"rehearse", "--schema", "absent.dump"}).code, kUsage);
}

// ---- many at once, and what stands in between

TEST_F(Migrate, OfTwentyRunnersEachMigrationHasOne) {
  WriteOrders();
  std::list<Program> runners;
  for (int i = 0; i < 20; ++i)
    runners.emplace_back(PGALTER_BINARY,
                         Words{"up", "--yes", "--dir", directory_, "--dsn", database_.conninfo()});
  for (Program& runner : runners) {
    const Ran ran = runner.Wait(std::chrono::seconds(120));
    EXPECT_EQ(ran.code, kDone) << ran.err;
  }
  EXPECT_EQ(Applied(), kAllApplied);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.run"), "3");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM orders"), "2000");
}

TEST_F(Migrate, ATransactionPoolerIsRefused) {
  if (!PgBouncer::Installed()) GTEST_SKIP() << "pgbouncer is not installed";
  const PgBouncer pooler(database_.server(), {});
  WriteOrders();
  const Ran ran = Program(PGALTER_BINARY, {"up", "--yes", "--dir", directory_, "--dsn",
                                           pooler.conninfo(database_.name())})
                      .Wait();
  EXPECT_NE(ran.code, kDone);
  EXPECT_THAT(ran.err, HasSubstr("pooler"));
  EXPECT_EQ(Applied(), "");
}

TEST_F(Migrate, ASessionPoolerWorks) {
  if (!PgBouncer::Installed()) GTEST_SKIP() << "pgbouncer is not installed";
  PgBouncerOptions options;
  options.pool_mode = "session";
  const PgBouncer pooler(database_.server(), options);
  WriteOrders();
  const Ran ran = Program(PGALTER_BINARY, {"up", "--yes", "--dir", directory_, "--dsn",
                                           pooler.conninfo(database_.name())})
                      .Wait();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Applied(), kAllApplied);
}

// ---- other tools' directories, as they are

struct Tool {
  const char* name;
  std::vector<std::pair<const char*, const char*>> files;
  const char* applied;
};

void PrintTo(const Tool& tool, std::ostream* out) { *out << tool.name; }

class MigrateTool : public MigrationWorld, public ::testing::WithParamInterface<Tool> {};

TEST_P(MigrateTool, UpAndDownAsTheyAre) {
  for (const auto& [file, text] : GetParam().files) Write(file, text);
  std::string before;
  for (const auto& [file, text] : GetParam().files) before += text;
  const Ran up = Up();
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Applied(), GetParam().applied);
  EXPECT_EQ(Schema(), "t.a integer\nt.b integer");
  const Ran down = Run({"down", "--count", "2", "--yes"});
  ASSERT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Schema(), "");
}

constexpr const char* kMake = "CREATE TABLE public.t (a int);\n";
constexpr const char* kUnmake = "DROP TABLE public.t;\n";
constexpr const char* kAdd = "ALTER TABLE public.t ADD COLUMN b int;\n";
constexpr const char* kUnadd = "ALTER TABLE public.t DROP COLUMN b;\n";

INSTANTIATE_TEST_SUITE_P(
    Formats, MigrateTool,
    ::testing::Values(
        Tool{"plain",
             {{"001_t.sql", kMake},
              {"002_b.sql", "BEGIN;\nALTER TABLE public.t ADD COLUMN b int;\nCOMMIT;\n"},
              {"rollback/001_rollback.sql", kUnmake},
              {"rollback/002_rollback.sql", kUnadd}},
             "001 applied, 002 applied"},
        Tool{"flyway",
             {{"V1__t.sql", kMake},
              {"V1.1__b.sql", kAdd},
              {"U1__t.sql", kUnmake},
              {"U1.1__b.sql", kUnadd}},
             "1 applied, 1.1 applied"},
        Tool{"dbmate",
             {{"20260101_t.sql",
               "-- migrate:up\nCREATE TABLE public.t (a int);\n-- migrate:down\nDROP TABLE "
               "public.t;\n"},
              {"20260102_b.sql",
               "-- migrate:up\nALTER TABLE public.t ADD COLUMN b int;\n-- migrate:down\nALTER "
               "TABLE public.t DROP COLUMN b;\n"}},
             "20260101 applied, 20260102 applied"},
        Tool{"goose",
             {{"1_t.sql",
               "-- +goose Up\nCREATE TABLE public.t (a int);\n-- +goose Down\nDROP TABLE "
               "public.t;\n"},
              {"2_b.sql",
               "-- +goose Up\n-- +goose StatementBegin\nALTER TABLE public.t ADD COLUMN b int;\n-- "
               "+goose StatementEnd\n-- +goose Down\nALTER TABLE public.t DROP COLUMN b;\n"}},
             "1 applied, 2 applied"},
        Tool{"golang_migrate",
             {{"1_t.up.sql", kMake},
              {"1_t.down.sql", kUnmake},
              {"2_b.up.sql", kAdd},
              {"2_b.down.sql", kUnadd}},
             "1 applied, 2 applied"},
        Tool{"prisma",
             {{"20260101_t/migration.sql", kMake},
              {"20260101_t/down.sql", kUnmake},
              {"20260102_b/migration.sql", kAdd},
              {"20260102_b/down.sql", kUnadd}},
             "20260101_t applied, 20260102_b applied"},
        Tool{"sqitch",
             {{"sqitch.plan",
               "%syntax-version=1.0.0\n%project=x\n\nt 2026-01-01T00:00:00Z A <a@b>\nb [t] "
               "2026-01-02T00:00:00Z A <a@b>\n"},
              {"deploy/t.sql", "BEGIN;\nCREATE TABLE public.t (a int);\nCOMMIT;\n"},
              {"deploy/b.sql", kAdd},
              {"revert/t.sql", kUnmake},
              {"revert/b.sql", kUnadd}},
             "t applied, b applied"},
        Tool{"liquibase",
             {{"001_t.sql",
               "--liquibase formatted sql\n--changeset me:1\nCREATE TABLE public.t (a "
               "int);\n--rollback DROP TABLE public.t;\n"},
              {"002_b.sql",
               "--liquibase formatted sql\n--changeset me:2\nALTER TABLE public.t ADD COLUMN b "
               "int;\n--rollback ALTER TABLE public.t DROP COLUMN b;\n"}},
             "001 applied, 002 applied"}),
    [](const ::testing::TestParamInfo<Tool>& tool) { return tool.param.name; });

}  // namespace
}  // namespace pgalter::test
