// A rebuild that waits at its cut-over, for as long as it takes, and a pace that is changed.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Postponed : public RebuildWorld {
 protected:
  void AwaitRun() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue("SELECT count(*) FROM pgalter.run", "1", kLimit);
  }
  void AwaitReady() const {
    AwaitRun();
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE state = 'waiting' AND progress::text LIKE '%kept "
        "up to date%'",
        "1", kLimit);
  }
  [[nodiscard]] std::string LogOfRun() const {
    return "pgalter_" + RunId().substr(0, 8) + ".log_forward";
  }
  void ExpectNotSwapped() const {
    EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  }
};

TEST_F(Postponed, WaitsUntilItIsLetGo) {
  MakeRebuilt(5'000);
  Rebuilders users(database_.conninfo(), 11);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  AwaitBeats(3);
  ExpectNotSwapped();
  const Ran let = Run({"cutover", RunId()});
  EXPECT_EQ(let.code, 0) << let.err;
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

// As careful scripts do: what was switched off for a moment gets the state again that it had.
class OffForAMoment : public Postponed {
 protected:
  Ran GoThrough(const Words& environment) {
    MakeRebuilt(500);
    Program program = Start(Rebuild({"--cutover", "wait"}), environment);
    AwaitReady();
    database_.Sql(
        "BEGIN; ALTER TABLE items DISABLE TRIGGER ALL; UPDATE items SET a = 77 WHERE id = 5;"
        "UPDATE mirror SET a = 77 WHERE id = 5; ALTER TABLE items ENABLE TRIGGER ALL;"
        "DO $$DECLARE t name; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = "
        "'items'::regclass AND tgname LIKE 'pgalter%' LOOP EXECUTE format('ALTER TABLE items "
        "ENABLE "
        "ALWAYS TRIGGER %I', t); END LOOP; END$$; COMMIT");
    EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
    return program.Wait(kLimit);
  }
};

TEST_F(OffForAMoment, TheCaptureIsNotTrusted) {
  const Ran ran = GoThrough({});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("was dropped or disabled meanwhile"));
  EXPECT_THAT(ran.err, HasSubstr("hint: pgalter abort " + RunId() + " --yes"));
  EXPECT_THAT(ran.err, Not(HasSubstr("pgalter resume")));
  const std::string status = Run({"status", RunId()}).out;
  EXPECT_THAT(status, HasSubstr(fmt::format("the copy is lost: pgalter abort {} --yes", RunId())));
  EXPECT_THAT(status, Not(HasSubstr("pgalter resume")));
  EXPECT_THAT(status, HasSubstr("cutover 100.0 %"));
  ExpectNotSwapped();
}
TEST_F(OffForAMoment, WithoutThatItsChangesAreLost) {
  const Ran ran = GoThrough({"PGALTER_SAFEGUARDS_OFF=capture-untouched"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a = 77 AND id = 5"), 0);
}

// Behind a user who lets nobody have the table: what is refused anyway is so before it is locked.
TEST_F(Postponed, WhatIsRefusedDoesNotWaitForALock) {
  MakeRebuilt(500);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  Session holder = database_.Connect();
  database_.Sql("CREATE FUNCTION reads(items) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  holder.Exec("BEGIN; LOCK TABLE items IN ACCESS SHARE MODE");
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("reads"));
  ExpectNotSwapped();
  holder.Exec("COMMIT");
  database_.Sql("DROP FUNCTION reads(items)");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectSame();
}

// Rows of long ago do not pile up: what was applied leaves the log.
TEST_F(Postponed, TheLogStaysSmall) {
  MakeRebuilt(2'000);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  for (int i = 0; i < 5; ++i) {
    database_.Sql("UPDATE items SET a = a + 1");
    database_.AwaitValue("SELECT count(*) FROM " + LogOfRun(), "0", kLimit);
  }
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  ExpectSame();
}

TEST_F(Postponed, SurvivesAKill) {
  MakeRebuilt(5'000);
  Rebuilders users(database_.conninfo(), 12);
  const Ran killed = Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=cutover-waits:2"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  Program program = Start({"resume", RunId()});
  AwaitBeats(3);
  ExpectNotSwapped();
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  ExpectSame();
  ExpectNew();
}

TEST_F(Postponed, TheWishOutlivesTheRunner) {
  MakeRebuilt(1'000);
  const Ran killed = Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=cutover-waits"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran let = Run({"cutover", RunId()});
  EXPECT_EQ(let.code, 0) << let.err;
  EXPECT_THAT(let.err, HasSubstr("nobody works on it"));
  ResumeToTheEnd();
  ExpectSame();
  ExpectNew();
}

TEST_F(Postponed, ATimeIsWaitedFor) {
  MakeRebuilt(1'000);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  const Ran let = Run({"cutover", RunId(), "--at", "2999-01-01 03:00"});
  EXPECT_EQ(let.code, 0) << let.err;
  EXPECT_THAT(let.out, HasSubstr("2999-01-01T03:00:00Z"));
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%swaps not before 2999-01-01%'",
      "1", kLimit);
  const std::string status = Run({"status", RunId()}).out;
  EXPECT_THAT(status, HasSubstr("cutover:    not before 2999-01-01T03:00:00Z"));
  EXPECT_THAT(status, Not(HasSubstr("waits for: pgalter cutover")));
  EXPECT_EQ(Run({"cutover", RunId(), "--at", "soon"}).code, 2);
  const Ran passed = Run({"cutover", RunId(), "--at", "2001-01-01"});
  EXPECT_EQ(passed.code, 2) << passed.err;
  EXPECT_THAT(passed.err, HasSubstr("has passed"));
  AwaitBeats(3);
  ExpectNotSwapped();
  ASSERT_EQ(Run({"postpone", RunId()}).code, 0);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%waits for: pgalter cutover%'",
      "1", kLimit);
  const std::string soon = database_.Value(
      "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '3 s', 'YYYY-MM-DD HH24:MI:SS')");
  EXPECT_EQ(Run({"cutover", RunId(), "--at", soon}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  ExpectNew();
}

TEST_F(Postponed, ByAWishWhileItRuns) {
  MakeRebuilt(20'000);
  Words slowly = Rebuild();
  for (const std::string& word : Slowly()) slowly.push_back(word);
  Program program = Start(slowly);
  AwaitRun();
  EXPECT_EQ(Run({"postpone", RunId()}).code, 0);
  Throttle("ratio=1");
  AwaitReady();
  ExpectNotSwapped();
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  ExpectNew();
  const Ran late = Run({"postpone", RunId()});
  EXPECT_EQ(late.code, 4) << late.err;
  EXPECT_THAT(late.err, HasSubstr("has swapped its tables already"));
}

TEST_F(Postponed, AnAbortEndsIt) {
  MakeRebuilt(1'000);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_THAT(aborted.out,
              HasSubstr("what it made is gone: public.items is as users have left it"));
  EXPECT_EQ(program.Wait(kLimit).code, 6);
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
}

TEST_F(Postponed, PauseThrottleAndResumeOfARebuild) {
  MakeRebuilt(20'000);
  Rebuilders users(database_.conninfo(), 13);
  Words slowly = Rebuild();
  for (const std::string& word : Slowly()) slowly.push_back(word);
  Program program = Start(slowly);
  AwaitRun();
  database_.AwaitValue("SELECT count(*) > 0 FROM pgalter.backfill_window", "t", kLimit);
  const Ran paused = Run({"pause", RunId()});
  EXPECT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(program.Wait(kLimit).code, 6);
  EXPECT_EQ(StateOfRun(), "paused");
  const long before = users.writes();
  ASSERT_TRUE(Within(kLimit, [&] { return users.writes() > before + 20; }));
  Throttle("ratio=1");
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

}  // namespace
}  // namespace pgalter::test
