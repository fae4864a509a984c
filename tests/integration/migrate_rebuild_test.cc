// Migrations that copy a table beside itself: the old one is the way back, until it goes at the
// migration's end, and those behind it need the new one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kPending = 3;
constexpr int kRefused = 4;

class MigrateRebuild : public MigrationWorld {
 protected:
  void SetUp() override {
    Write("1_ord.sql", R"(-- pgalter: 1
-- pgalter:up
CREATE TABLE public.ord (id int PRIMARY KEY, amt int NOT NULL);
CREATE INDEX ord_amt ON public.ord (amt);
INSERT INTO public.ord SELECT g, g % 7 FROM generate_series(1, 500) g;
-- pgalter:down
DROP TABLE public.ord;
)");
  }
  void WriteRebuild(const std::string& up, const std::string& down,
                    const std::string& header = "") const {
    Write("2_rebuild.sql", "-- pgalter: 1\n" + header + "-- pgalter:up\n" + up +
                               "\n-- pgalter:down\n" + down + "\n");
  }
  void WriteVacuum() const { WriteRebuild("VACUUM FULL public.ord;", "-- nothing to take back"); }
  void WriteNext() const {
    Write("3_next.sql",
          "-- pgalter: 1\n-- pgalter:up\nALTER TABLE public.ord ADD COLUMN note text;\n"
          "-- pgalter:down\nALTER TABLE public.ord DROP COLUMN note;\n");
  }
  [[nodiscard]] std::string Table() const {
    return database_.Value("SELECT 'public.ord'::regclass::oid");
  }
  [[nodiscard]] std::string RunOf(const std::string& version) const {
    return database_.Value("SELECT run FROM pgalter.migration WHERE version = '" + version + "'");
  }
  // Schemas and triggers of runs.
  [[nodiscard]] std::string Kept() const {
    return database_.Value(
        "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%') + (SELECT "
        "count(*) FROM pg_trigger WHERE tgrelid = 'public.ord'::regclass AND NOT tgisinternal)");
  }
  [[nodiscard]] Ran Plainly(Words words) const {
    words.insert(words.end(), {"--dsn", database_.conninfo()});
    return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(120));
  }
  [[nodiscard]] std::string Logged(const std::string& version) const {
    return database_.Value(
        "SELECT string_agg(event, ' ' ORDER BY seq) FROM pgalter.audit_log WHERE subject = '" +
        version + "'");
  }
  // As a pgalter left it whose migrations ended with the rebuild.
  void EndWithoutRelease() const {
    ASSERT_EQ(Up().code, kDone);
    database_.Sql("DELETE FROM pgalter.step WHERE kind IN ('gate', 'release')");
    ASSERT_EQ(Plainly({"resume", RunOf("2")}).code, kDone);
    ASSERT_EQ(Applied(), "1 applied, 2 applied");
    ASSERT_NE(Kept(), "0");
  }
};

// ---- each statement that is a rebuild

struct Kind {
  const char* name;
  const char* up;
  const char* down;
  const char* header = "";
};

class MigrateEachRebuild : public MigrateRebuild, public ::testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    MigrateRebuild::SetUp();
    WriteRebuild(GetParam().up, GetParam().down, GetParam().header);
    WriteNext();
  }
};

TEST_P(MigrateEachRebuild, ThroughContractADirectoryGoesThroughAndBack) {
  ASSERT_EQ(Up({"--to", "1"}).code, kDone);
  const std::string before = Schema();
  const std::string table = Table();
  const Ran up = Up({"--through", "contract"});
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
  EXPECT_NE(Table(), table) << "copied";
  EXPECT_EQ(Kept(), "0");
  database_.Sql("INSERT INTO public.ord (id, amt) VALUES (501, 1)");
  const Ran down = Run({"down", "--count", "2", "--yes"});
  ASSERT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_EQ(Schema(), before);
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || sum(id) FROM public.ord"), "501 125751");
}

TEST_P(MigrateEachRebuild, IsRehearsedThereAndBack) {
  const Ran ran = Run({"rehearse", "--round-trip"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("none")));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, MigrateEachRebuild,
    ::testing::Values(Kind{"VacuumFull", "VACUUM FULL public.ord;", "-- nothing to take back"},
                      Kind{"Cluster", "CLUSTER public.ord USING ord_amt;",
                           "ALTER TABLE public.ord SET WITHOUT CLUSTER;"},
                      Kind{"SetUnlogged", "ALTER TABLE public.ord SET UNLOGGED;",
                           "ALTER TABLE public.ord SET LOGGED;"},
                      Kind{"Generated",
                           "ALTER TABLE public.ord ADD COLUMN twice int GENERATED ALWAYS AS (amt * "
                           "2) STORED;",
                           "ALTER TABLE public.ord DROP COLUMN twice;"},
                      Kind{"Type", "ALTER TABLE public.ord ALTER id TYPE bigint;",
                           "ALTER TABLE public.ord ALTER id TYPE int;", "-- prefer: rebuild\n"}),
    [](const auto& tested) { return std::string(tested.param.name); });

// ---- at the gate

TEST_F(MigrateRebuild, TheNextOneIsToldWhatItWaitsForAndTheCommandHelps) {
  WriteVacuum();
  WriteNext();
  const Ran up = Up();
  EXPECT_EQ(up.code, kRefused);
  EXPECT_THAT(up.out, AllOf(HasSubstr("waiting at release-ord 2"), HasSubstr("pending 3")));
  const std::string gate = "pgalter resume " + RunOf("2") + " --gate release-ord";
  EXPECT_THAT(up.err, AllOf(HasSubstr("3_next.sql cannot begin: run " + RunOf("2")),
                            HasSubstr("That run is the one of 2, which waits at release-ord"),
                            HasSubstr("pgalter up --through contract"), HasSubstr(gate)));
  const Ran status = Run({"status", "--pending"});
  EXPECT_EQ(status.code, kPending);
  EXPECT_THAT(status.out, HasSubstr("waiting at release-ord"));
  EXPECT_EQ(Up().code, kRefused) << "still";
  ASSERT_EQ(Plainly({"resume", RunOf("2"), "--gate", "release-ord"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
  EXPECT_EQ(Kept(), "0");
  const Ran again = Up();
  EXPECT_EQ(again.code, kDone) << again.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
}

TEST_F(MigrateRebuild, ThroughContractGoesOnWhereItRests) {
  WriteVacuum();
  WriteNext();
  ASSERT_EQ(Up().code, kRefused);
  const Ran through = Up({"--through", "contract"});
  EXPECT_EQ(through.code, kDone) << through.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
  EXPECT_EQ(Kept(), "0");
}

TEST_F(MigrateRebuild, AnotherTableDoesNotWait) {
  WriteVacuum();
  Write("3_next.sql", "CREATE TABLE public.other (id int);\n");
  const Ran up = Up();
  EXPECT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.out, AllOf(HasSubstr("waiting at release-ord 2"), HasSubstr("applied 3")));
}

TEST_F(MigrateRebuild, DownAtTheGateTakesTheOldTableBack) {
  WriteRebuild("ALTER TABLE public.ord ADD COLUMN twice int GENERATED ALWAYS AS (amt * 2) STORED;",
               "SELECT no_such_function();");
  ASSERT_EQ(Up({"--to", "1"}).code, kDone);
  const std::string before = Schema();
  const std::string table = Table();
  ASSERT_EQ(Up().code, kDone);
  ASSERT_NE(Table(), table);
  database_.Sql("INSERT INTO public.ord VALUES (501, 5); DELETE FROM public.ord WHERE id = 1");
  const Ran down = Run({"down", "--yes"});
  ASSERT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_EQ(Table(), table);
  EXPECT_EQ(Schema(), before);
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || sum(id) FROM public.ord"), "500 125750");
  EXPECT_EQ(Logged("2"), "migration.begin migration.taken-back");
}

TEST_F(MigrateRebuild, AGateOfTheFileAtItsEndStandsForIt) {
  WriteRebuild("VACUUM FULL public.ord;\n-- pgalter:gate proven soak=1d reason=\"it is smaller\"",
               "-- nothing to take back");
  const Ran up = Up({"--through", "contract"});
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_THAT(up.out, HasSubstr("waiting at proven 2"));
  EXPECT_NE(Kept(), "0");
  ASSERT_EQ(Plainly({"resume", RunOf("2"), "--gate", "proven"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
  EXPECT_EQ(Kept(), "0");
}

TEST_F(MigrateRebuild, ItIsShownBeforeAndLoggedAfter) {
  WriteVacuum();
  ASSERT_EQ(Up({"--to", "1"}).code, kDone);
  const Ran shown = Run({"up", "--dry-run"});
  EXPECT_EQ(shown.code, kPending);
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("the new ord proves itself: behind this gate the old one is dropped"),
                    HasSubstr("The table that ord was before goes.")));
  const Ran kept = Run({"up", "--dry-run", "--output", "json"});
  Write("plan.json", kept.out);
  const Ran up = Up({"--through", "contract", "--plan", Path("plan.json").string()});
  ASSERT_EQ(up.code, kDone) << up.err;
  EXPECT_EQ(Logged("2"), "migration.begin migration.released migration.applied");
  const Ran log = Run({"log"});
  EXPECT_THAT(log.out, HasSubstr("released"));
  EXPECT_THAT(log.out, HasSubstr(RunOf("2")));
  const Ran verified = Run({"audit", "verify"});
  EXPECT_EQ(verified.code, kDone) << verified.err;
}

TEST_F(MigrateRebuild, TwoOfOneFileLetGoOneAfterTheOther) {
  WriteRebuild("VACUUM FULL public.ord;\nCLUSTER public.ord USING ord_amt;",
               "-- nothing to take back");
  const Ran first = Up();
  ASSERT_EQ(first.code, kDone) << first.err;
  EXPECT_THAT(first.out, HasSubstr("waiting at release-ord 2"));
  const Ran second = Plainly({"resume", RunOf("2"), "--gate", "release-ord"});
  ASSERT_EQ(second.code, kDone) << second.err;
  EXPECT_THAT(Run({"status", "--pending"}).out, HasSubstr("waiting at release-ord-2"));
  ASSERT_EQ(Up({"--through", "contract"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied, 2 applied");
  EXPECT_EQ(Kept(), "0");
}

// What users change is not logged for the old table any more.
TEST_F(MigrateRebuild, DownAtTheGateSaysWhereTheWayBackIsLost) {
  WriteVacuum();
  ASSERT_EQ(Up().code, kDone);
  const std::string deadline =
      database_.Value("SELECT deadline FROM pgalter.flow WHERE name LIKE 'reverse%'");
  database_.Sql("SELECT setval('" + deadline + "', 3000)");
  database_.Sql("INSERT INTO public.ord VALUES (501, 5)");
  const std::string table = Table();
  const Ran down = Run({"down", "--yes"});
  EXPECT_EQ(down.code, kRefused);
  EXPECT_THAT(down.err, AllOf(HasSubstr("2 cannot be taken back by its run"),
                              HasSubstr("pgalter resume " + RunOf("2") +
                                        " --gate release-ord; "
                                        "pgalter down")));
  EXPECT_EQ(Table(), table);
  ASSERT_EQ(Plainly({"resume", RunOf("2"), "--gate", "release-ord"}).code, kDone);
  EXPECT_EQ(Run({"down", "--yes"}).code, kDone);
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.ord"), "501");
}

// ---- what others have left

TEST_F(MigrateRebuild, AnOldTableThatWasLeftGoesThroughContract) {
  WriteVacuum();
  EndWithoutRelease();
  WriteNext();
  const Ran up = Up();
  EXPECT_EQ(up.code, kRefused);
  EXPECT_THAT(up.err, AllOf(HasSubstr("keeps the way back"), HasSubstr("is the one of 2"),
                            HasSubstr("pgalter up --through contract; or pgalter finish " +
                                      RunOf("2") + " --yes")));
  const Ran through = Up({"--through", "contract"});
  EXPECT_EQ(through.code, kDone) << through.err;
  EXPECT_THAT(through.err, HasSubstr("2: the old table of its rebuild goes"));
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(Logged("2"), "migration.begin migration.applied migration.released");
}

TEST_F(MigrateRebuild, AnOldTableThatWasLeftIsTakenBack) {
  ASSERT_EQ(Up().code, kDone);
  const std::string table = Table();
  WriteVacuum();
  EndWithoutRelease();
  database_.Sql("INSERT INTO public.ord VALUES (501, 5)");
  const Ran down = Run({"down", "--yes"});
  EXPECT_EQ(down.code, kDone) << down.err;
  EXPECT_EQ(Table(), table);
  EXPECT_EQ(Applied(), "1 applied");
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.ord"), "501");
}

TEST_F(MigrateRebuild, ARebuildByHandIsNamedWithWhatEndsIt) {
  ASSERT_EQ(Up().code, kDone);
  ASSERT_EQ(Plainly({"rebuild", "public.ord", "--yes"}).code, kDone);
  WriteNext();
  const Ran up = Up({"--through", "contract"});
  EXPECT_EQ(up.code, kRefused);
  const std::string run = database_.Value("SELECT run FROM pgalter.run WHERE command = 'rebuild'");
  EXPECT_THAT(up.err, AllOf(HasSubstr("pgalter finish " + run + " --yes, then again: pgalter up"),
                            Not(HasSubstr("through contract"))));
  ASSERT_EQ(Plainly({"finish", run, "--yes"}).code, kDone);
  EXPECT_EQ(Up().code, kDone);
}

// ---- which way

TEST_F(MigrateRebuild, TheHeaderPrefersACopyAndTheDryRunSaysHow) {
  ASSERT_EQ(Up().code, kDone);
  database_.Sql("ANALYZE public.ord");
  const auto shown = [&] {
    const Ran ran = Run({"up", "--dry-run"});
    EXPECT_EQ(ran.code, kPending) << ran.err;
    return ran.out;
  };
  const std::string up = "ALTER TABLE public.ord ALTER amt TYPE bigint;";
  const std::string down = "ALTER TABLE public.ord ALTER amt TYPE int;";
  WriteRebuild(up, down);
  EXPECT_THAT(shown(), AllOf(HasSubstr("with \"-- prefer: rebuild\" in the header the table is"),
                             Not(HasSubstr("--prefer")), HasSubstr("backfill")));
  WriteRebuild(up, down, "-- prefer: rebuild\n");
  EXPECT_THAT(shown(), AllOf(HasSubstr("release-ord"), Not(HasSubstr("backfill"))));
  WriteRebuild(up, down, "-- prefer: in-place\n");
  EXPECT_THAT(shown(), Not(HasSubstr("release-ord")));
  for (const char* header : {"-- prefer: copy\n", "-- prefer: rebuild\n-- transaction: single\n"}) {
    WriteRebuild(up, down, header);
    const Ran ran = Up();
    EXPECT_EQ(ran.code, kUsage) << header;
    EXPECT_THAT(ran.err, HasSubstr("prefer")) << header;
  }
}

TEST_F(MigrationWorld, OfAFileOfAnotherFormatTheDryRunNamesACommandThatIsThere) {
  Write("V1__ord.sql", "CREATE TABLE public.ord (id int PRIMARY KEY, amt int);\n");
  ASSERT_EQ(Up().code, kDone);
  database_.Sql("INSERT INTO public.ord SELECT g, g FROM generate_series(1, 500) g; ANALYZE");
  Write("V2__type.sql", "ALTER TABLE public.ord ALTER amt TYPE bigint;\n");
  const Ran shown = Run({"up", "--dry-run"});
  EXPECT_THAT(shown.out, HasSubstr("with pgalter run --prefer rebuild the table is copied"));
}

// ---- killed

class KilledAtRelease : public MigrateRebuild, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledAtRelease, TheSameCommandGoesOnToTheEnd) {
  WriteVacuum();
  WriteNext();
  const Ran killed = Run({"up", "--yes", "--through", "contract"},
                         {std::string("PGALTER_FAIL_POINT=") + GetParam()});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran again = Up({"--through", "contract"});
  ASSERT_EQ(again.code, kDone) << again.err;
  EXPECT_EQ(Applied(), "1 applied, 2 applied, 3 applied");
  EXPECT_EQ(Kept(), "0");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.ord WHERE note IS NULL"), "500");
  EXPECT_EQ(Logged("2"), "migration.begin migration.released migration.applied");
}

// As the old table goes, when its migration is about to be at its end, between both migrations, and
// in the next one.
INSTANTIATE_TEST_SUITE_P(Points, KilledAtRelease,
                         ::testing::Values("old-table-dropped", "migration-unverified:2",
                                           "migration-uncommitted:3", "migration-created:3"));

}  // namespace
}  // namespace pgalter::test
