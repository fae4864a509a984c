// Rights that are taken away in the middle of a backfill, and given back.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Rights : public BackfillWorld {
 protected:
  // Two roles without any right but to make a schema; the table is still the superuser's.
  void SetUp() override {
    database_.Sql(
        "DROP ROLE IF EXISTS fault_runner, fault_deputy, fault_owner;"
        "CREATE ROLE fault_owner LOGIN; CREATE ROLE fault_runner LOGIN;"
        "CREATE ROLE fault_deputy LOGIN;");
    database_.Sql(
        fmt::format("GRANT CREATE ON DATABASE {} TO fault_owner, fault_runner", database_.name()));
    MakeItems();
    user_ = "fault_runner";
  }
  void InstallAs(const std::string& role) {
    user_ = role;
    const Ran ran = Run({"init"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    user_ = "fault_runner";
  }
  void LetGoAsSuperuser() {
    user_.clear();
    LetGo();
    user_ = "fault_runner";
  }
  // `taken` happens in the middle of a run; `given` brings it back.
  void ExpectStopAndResume(const Words& more, const std::string& taken, const std::string& said,
                           const std::string& given) {
    Words words = Slowly();
    words.insert(words.end(), more.begin(), more.end());
    Program program = Start(Backfill(words));
    Hold();
    database_.Sql(taken);
    LetGoAsSuperuser();
    const Ran stopped = program.Wait(kLimit);
    EXPECT_EQ(stopped.code, 10) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("42501"));
    EXPECT_THAT(stopped.err, HasSubstr(said));
    EXPECT_THAT(stopped.err, HasSubstr("pgalter resume"));
    EXPECT_GT(Undone(), 0);
    const Ran too_early = Run({"resume", RunId()});
    EXPECT_EQ(too_early.code, 10) << too_early.err;
    EXPECT_THAT(too_early.err, HasSubstr(said));
    database_.Sql(given);
    ResumeToTheEnd();
  }
};

TEST_F(Rights, ARevokedUpdateStopsTheRunWhichNamesTheGrant) {
  database_.Sql("GRANT SELECT, UPDATE ON items TO fault_runner");
  const std::string grant = "GRANT SELECT, UPDATE ON public.items TO fault_runner";
  ExpectStopAndResume({"--sync", "none", "--workers", "2"},
                      "REVOKE UPDATE ON items FROM fault_runner", grant, grant);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(Rights, ARevokedSchemaStopsTheRunWhichNamesTheGrant) {
  database_.Sql(
      "ALTER TABLE items OWNER TO fault_runner; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
      "GRANT USAGE ON SCHEMA public TO fault_runner");
  Writers writers(database_.conninfo(), 31);
  const std::string grant = "GRANT USAGE ON SCHEMA public TO fault_runner";
  ExpectStopAndResume({}, "REVOKE ALL ON SCHEMA public FROM fault_runner", grant, grant);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(Rights, AnotherOwnerStopsTheRunWhichNamesTheGrant) {
  database_.Sql("ALTER TABLE items OWNER TO fault_runner");
  Writers writers(database_.conninfo(), 32);
  const std::string grant = "GRANT SELECT, UPDATE ON public.items TO fault_runner";
  ExpectStopAndResume({}, "ALTER TABLE items OWNER TO fault_owner", grant, grant);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  // The trigger is the owner's to drop.
  const Ran refused = Run({"finish", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("GRANT fault_owner TO fault_runner"));
  database_.Sql("GRANT fault_owner TO fault_runner");
  ExpectFinishLeavesNothing();
}

TEST_F(Rights, ALostMembershipStopsTheRunWhichNamesTheGrant) {
  database_.Sql("ALTER TABLE items OWNER TO fault_owner; GRANT fault_owner TO fault_runner");
  InstallAs("fault_owner");
  Writers writers(database_.conninfo(), 33);
  const std::string grant = "GRANT fault_owner TO fault_runner";
  ExpectStopAndResume({}, "REVOKE fault_owner FROM fault_runner", grant, grant);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(Rights, OfAPartitionAreAskedForBeforeAnythingIsWritten) {
  database_.Sql(
      "CREATE TABLE parts (id int, b int) PARTITION BY RANGE (id);"
      "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);"
      "GRANT SELECT, UPDATE ON parts TO fault_runner");
  const Ran ran = Run({"backfill", "parts", "--set", "b = 1", "--yes"});
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("GRANT SELECT, UPDATE ON public.part TO fault_runner"));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Rights, NobodyIsToldToBecomeASuperuser) {
  InstallAs("fault_runner");
  for (const Words& command :
       {Words{"rebuild", "items"}, Words{"run", "--sql", "ALTER TABLE items ADD COLUMN c int"},
        Words{"partition", "convert", "items", "--by", "hash(id)", "--modulus", "2"}}) {
    Words words = command;
    words.emplace_back("--yes");
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 10) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("ALTER TABLE public.items OWNER TO fault_runner"));
    EXPECT_THAT(ran.err, ::testing::Not(HasSubstr("GRANT")));
  }
  const Ran checked = Run({"check", "items"});
  EXPECT_THAT(checked.out, HasSubstr("run as postgres, or ALTER"));
  EXPECT_THAT(checked.out, ::testing::Not(HasSubstr("GRANT postgres")));
}

// Of the table, though the role owns it.
TEST_F(Rights, AClosedSchemaIsNamedWithItsGrant) {
  database_.Sql(
      "CREATE SCHEMA closed; CREATE TABLE closed.t (id int PRIMARY KEY, b int); ALTER TABLE "
      "closed.t OWNER TO fault_runner");
  InstallAs("fault_runner");
  for (const Words& words :
       {Words{"backfill", "closed.t", "--set", "b = 1", "--yes"},
        Words{"rebuild", "closed.t", "--yes"},
        Words{"run", "--sql", "ALTER TABLE closed.t ADD COLUMN c int", "--yes"},
        Words{"partition", "convert", "closed.t", "--by", "hash(id)", "--modulus", "2", "--yes"},
        Words{"check", "closed.t"}}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 10) << words[0] << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("GRANT USAGE ON SCHEMA closed TO fault_runner")) << words[0];
  }
}

// Foreign keys are made again where the table changes its place.
TEST_F(Rights, OnTheOtherSideOfForeignKeysAreAskedForBefore) {
  database_.Sql(
      "GRANT ALL ON SCHEMA public TO fault_runner; CREATE SCHEMA closed; CREATE TABLE "
      "closed.parent "
      "(id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES "
      "closed.parent); ALTER TABLE child OWNER TO fault_runner");
  const auto refused = [this](int code, const std::string& grant) {
    for (const Words& command :
         {Words{"rebuild", "child"},
          Words{"partition", "convert", "child", "--by", "range(id)", "--every", "10"}}) {
      Words words = command;
      words.emplace_back("--yes");
      const Ran ran = Run(words);
      EXPECT_EQ(ran.code, code) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr(grant));
      EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
    }
    database_.Sql(grant);
  };
  refused(4, "GRANT USAGE ON SCHEMA closed TO fault_runner");
  refused(4, "GRANT REFERENCES, UPDATE ON closed.parent TO fault_runner");
  database_.Sql(
      "CREATE TABLE closed.grandchild (id int PRIMARY KEY REFERENCES child); ALTER TABLE "
      "closed.grandchild OWNER TO fault_runner; REVOKE USAGE ON SCHEMA closed FROM fault_runner; "
      "ALTER TABLE child DROP CONSTRAINT child_p_fkey");
  const Ran ran =
      Run({"partition", "convert", "child", "--by", "range(id)", "--every", "10", "--yes"});
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("GRANT USAGE ON SCHEMA closed TO fault_runner"));
  database_.Sql("GRANT USAGE ON SCHEMA closed TO fault_runner; DROP TABLE closed.grandchild");
  database_.Sql("ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES closed.parent");
  const Ran done = Run({"rebuild", "child", "--yes"});
  EXPECT_EQ(done.code, 0) << done.err;
  ExpectFinishLeavesNothing();
}

// The schema is theirs by membership; neither may see or end the other's sessions.
TEST_F(Rights, ARunnerOfAnotherRoleIsSeenAndPutAside) {
  database_.Sql(
      "ALTER TABLE items OWNER TO fault_owner; GRANT fault_owner TO fault_runner, fault_deputy");
  InstallAs("fault_owner");
  Writers writers(database_.conninfo(), 34);
  Program first = Start(Backfill(Slowly()));
  Hold();
  user_ = "fault_deputy";
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("runner:     process"));
  const Ran beside = Run({"resume", RunId()});
  EXPECT_EQ(beside.code, 4) << beside.err;
  EXPECT_THAT(beside.err, HasSubstr("--take-over"));
  Program second = Start({"resume", RunId(), "--take-over"});
  const Ran aside = first.Wait(kLimit);
  EXPECT_EQ(aside.code, 6) << aside.err;
  EXPECT_THAT(aside.err, HasSubstr("another runner has taken over"));
  LetGo();
  const Ran ran = second.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

}  // namespace
}  // namespace pgalter::test
