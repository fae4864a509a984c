// A rebuild as a step of `pgalter run`, with steps before and behind it: killed anywhere, taken
// back from the gate behind which the old table goes, and gone on with behind it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Planned : public RebuildWorld {
 protected:
  void Make(int rows = 20'000) {
    MakeRebuilt(rows);
    // One key to validate after the swap.
    database_.Sql("CREATE TABLE child (item bigint REFERENCES items)");
    was_ = Table();
  }
  // The column is there before the copy; the CHECK comes behind the gate.
  [[nodiscard]] static Words Plan(const Words& more = {}) {
    Words words{"run", "--sql",
                "ALTER TABLE items ADD COLUMN n int NOT NULL DEFAULT 7; VACUUM FULL items;"
                "ALTER TABLE items ADD CONSTRAINT n_sane CHECK (n > 0)",
                "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] std::string Table() const {
    return database_.Value("SELECT 'items'::regclass::oid");
  }
  [[nodiscard]] bool HasColumn() const {
    return Number(
               "SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND "
               "attname = 'n'") == 1;
  }
  void ResumeToTheGate() const {
    AwaitNoRunner();
    const Ran ran = Run({"resume", RunId()});
    ASSERT_EQ(ran.code, 0) << ran.err;
    ExpectAtGate();
  }
  void ExpectAtGate() const {
    EXPECT_EQ(StateOfRun(), "waiting");
    EXPECT_EQ(database_.Value("SELECT progress->>'gate' FROM pgalter.run"), "release-items");
    EXPECT_NE(Table(), was_);
    EXPECT_TRUE(HasColumn());
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), 0);
    ExpectSame();
  }
  void ExpectDone() {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'n_sane' AND "
                     "convalidated"),
              1);
    ExpectSame();
    ExpectNothingOfOurs();
  }
  void ExpectBack() const {
    EXPECT_EQ(Table(), was_);
    EXPECT_FALSE(HasColumn());
    ExpectSame();
    ExpectNothingOfOurs();
  }
  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }
  void AwaitWrites(Rebuilders& users, long more) const {
    const long before = users.writes();
    ASSERT_TRUE(Within(kLimit, [&] { return users.writes() > before + more; }));
  }

  std::string was_;  // the table's oid
};

std::string AsName(const ::testing::TestParamInfo<const char*>& point) {
  std::string name = point.param;
  for (char& c : name)
    if (c == '-' || c == ':') c = '_';
  return name;
}

class PlannedKilledAt : public Planned, public ::testing::WithParamInterface<const char*> {};

TEST_P(PlannedKilledAt, ResumeGoesOnToTheGateAndBehindIt) {
  Make();
  Rebuilders users(database_.conninfo(), 51);
  const Ran killed = Run(Plan(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheGate();
  const Ran on = Run({"resume", RunId(), "--gate", "release-items"});
  ASSERT_EQ(on.code, 0) << on.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectDone();
}

INSTANTIATE_TEST_SUITE_P(Points, PlannedKilledAt,
                         ::testing::Values("step-started:2", "shadow-made", "capture-made",
                                           "copy-committed", "index-built:2", "compared", "swapped",
                                           "cut-over", "key-validated", "step-recorded:9"),
                         AsName);

class PlannedKilledBehindGateAt : public Planned,
                                  public ::testing::WithParamInterface<const char*> {};

TEST_P(PlannedKilledBehindGateAt, ResumeGoesOnToTheEnd) {
  Make();
  Rebuilders users(database_.conninfo(), 52);
  ASSERT_EQ(Run(Plan()).code, 0);
  ExpectAtGate();
  const Ran killed = Run({"resume", RunId(), "--gate", "release-items"},
                         {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  const Ran on = Run({"resume", RunId()});
  ASSERT_EQ(on.code, 0) << on.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectDone();
}

INSTANTIATE_TEST_SUITE_P(Points, PlannedKilledBehindGateAt,
                         ::testing::Values("old-table-dropped", "step-recorded:2"), AsName);

// Nobody came to the gate for as long as the way back was kept open.
TEST_F(Planned, AWayBackThatWasLostAtTheGateIsSaidAndThePlanGoesOn) {
  Make();
  ASSERT_EQ(Run(Plan()).code, 0);
  ExpectAtGate();
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("back:       until 2"));
  database_.Sql(
      fmt::format("SELECT setval('pgalter_{}.deadline_reverse', 100);"
                  "UPDATE items SET a = a + 1 WHERE id = 1",
                  RunId().substr(0, 8)));
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("back:       no more"));
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  ExpectAtGate();
  const Ran on = Run({"resume", RunId(), "--gate", "release-items"});
  ASSERT_EQ(on.code, 0) << on.err;
  ExpectDone();
}

// A revert that was killed before it had swapped anything, and cannot go on.
TEST_F(Planned, AWayBackThatWasLostUnderARevertLeavesAPlanThatGoesOn) {
  Make();
  ASSERT_EQ(Run(Plan()).code, 0);
  database_.Sql("UPDATE items SET a = a + 1 WHERE id <= 5");
  const Ran killed = Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=changes-taken"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  database_.Sql(
      fmt::format("SELECT setval('pgalter_{}.deadline_reverse', 100);"
                  "UPDATE items SET a = a + 1 WHERE id = 1",
                  RunId().substr(0, 8)));
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  ResumeToTheGate();
  const Ran on = Run({"resume", RunId(), "--gate", "release-items"});
  ASSERT_EQ(on.code, 0) << on.err;
  ExpectDone();
}

class PlannedRevertKilledAt : public Planned, public ::testing::WithParamInterface<const char*> {};

TEST_P(PlannedRevertKilledAt, AnotherRevertEndsWithEveryRowRight) {
  Make();
  Rebuilders users(database_.conninfo(), 53);
  ASSERT_EQ(Run(Plan()).code, 0);
  AwaitWrites(users, 200);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(StateOfRun(), "reverted");
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectBack();
}

INSTANTIATE_TEST_SUITE_P(Points, PlannedRevertKilledAt,
                         ::testing::Values("swapped", "swapped-back", "undo-unrecorded:2",
                                           "undo-recorded:8"),
                         AsName);

// A snapshot from before keeps the cut-over waiting: what people ask for meanwhile is done.
TEST_F(Planned, IsPausedResumedAndAbortedWhileItWaitsForItsCutOver) {
  Make();
  Rebuilders users(database_.conninfo(), 54);
  Session reader = database_.Connect();
  reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  {
    Program program = Start(Plan());
    ASSERT_TRUE(Within(kLimit, [&] {
      return database_.Value("SELECT to_regclass('pgalter.run')") != "NULL" &&
             Number("SELECT count(*) FROM pgalter.run WHERE phase LIKE '%cutover'") == 1;
    }));
    const Ran status = Run({"status", RunId()});
    EXPECT_THAT(status.out, HasSubstr("2.1-rebuild-cutover"));
    ASSERT_EQ(Run({"pause", RunId()}).code, 0);
    EXPECT_EQ(program.Wait(kLimit).code, 6);
  }
  EXPECT_EQ(StateOfRun(), "paused");
  {
    Program program = Start({"resume", RunId()});
    ASSERT_TRUE(Within(kLimit, [&] { return StateOfRun() != "paused"; }));
    const Ran other = Run({"run", "--sql", "CREATE INDEX ON items (pad)", "--yes"});
    EXPECT_EQ(other.code, 4) << other.err;
    const Ran aborted = Run({"abort", RunId(), "--yes"});
    EXPECT_EQ(aborted.code, 0) << aborted.err;
    EXPECT_EQ(program.Wait(kLimit).code, 6);
  }
  reader.Exec("ROLLBACK");
  EXPECT_EQ(StateOfRun(), "aborted");
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectBack();
}

// What may be said of a rebuild alone may be said of one in a plan.
TEST_F(Planned, IsPostponedVerifiedAndLetGo) {
  Make();
  Rebuilders users(database_.conninfo(), 55);
  ASSERT_EQ(Run(Plan(), {"PGALTER_FAIL_POINT=capture-made"}).code, kKilled);
  AwaitNoRunner();
  const Ran early = Run({"verify", RunId()});
  EXPECT_EQ(early.code, 4) << early.err;
  const Ran postponed = Run({"postpone", RunId()});
  EXPECT_EQ(postponed.code, 0) << postponed.err;
  {
    Program program = Start({"resume", RunId()});
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%kept up to date%'", "1",
        kLimit);
    const Ran same = Run({"verify", RunId()});
    EXPECT_EQ(same.code, 0) << same.out << same.err;
    EXPECT_EQ(Table(), was_);
    const Ran let = Run({"cutover", RunId()});
    EXPECT_EQ(let.code, 0) << let.err;
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  ExpectAtGate();
  const Ran behind = Run({"verify", RunId()});
  EXPECT_EQ(behind.code, 0) << behind.out << behind.err;
  const Ran late = Run({"postpone", RunId()});
  EXPECT_EQ(late.code, 4) << late.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
}

// Sessions of the run: its own three, one that watches the signals, and the workers. The one that
// folds the log comes after a while, which a slow machine would see: here it never does.
TEST_F(Planned, TakesItsPaceFromItsRunAndFromWhoeverChangesItMeanwhile) {
  Make(150'000);
  const Words never_folded{"PGALTER_LIMITS=log-folded-every=3600000"};
  const auto sessions_are = [&](int count) {
    return Within(kLimit, [&] {
      return Number(
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%' "
                 "AND datname = current_database()") == count;
    });
  };
  {
    // So slowly that the copy goes on through all of this.
    Program program =
        Start(Plan({"--workers", "3", "--chunk-time", "20ms", "--throttle", "ratio=0.001"}),
              never_folded);
    ASSERT_TRUE(Within(kLimit, [&] {
      return database_.Value("SELECT to_regclass('pgalter.backfill_window')") != "NULL" &&
             Number("SELECT count(*) FROM pgalter.backfill_window") > 0;
    }));
    EXPECT_TRUE(sessions_are(7));
    const Ran status = Run({"status", RunId()});
    EXPECT_THAT(status.out, HasSubstr("rebuild-copy"));
    EXPECT_TRUE(Within(kLimit, [&] {  // with the next beat
      return Number(
                 "SELECT (1000 * (progress->>'throttle_ratio')::float8)::int FROM pgalter.run") ==
             1;
    }));
    ASSERT_EQ(Run({"throttle", RunId(), "--set", "workers=1", "--set", "chunk-time=40ms"}).code, 0);
    EXPECT_TRUE(sessions_are(5));
    ASSERT_EQ(Run({"pause", RunId()}).code, 0);
    EXPECT_EQ(program.Wait(kLimit).code, 6);
  }
  EXPECT_EQ(StateOfRun(), "paused");
  ASSERT_EQ(Run({"resume", RunId(), "--detach"}, never_folded).code, 0);
  EXPECT_TRUE(sessions_are(5)) << "what was asked for holds for the next runner";
  ASSERT_EQ(Run({"throttle", RunId(), "--set", "ratio=1", "--set", "workers=4"}).code, 0);
  const Ran watched = Run({"watch", RunId()});
  EXPECT_EQ(watched.code, 0) << watched.err;
  ExpectAtGate();
}

// The tables of the run are those of now: after the swap others are kept from the new one.
TEST_F(Planned, HasTheNewTableForItselfUntilItsEnd) {
  Make();
  ASSERT_EQ(Run(Plan()).code, 0);
  const Ran other = Run({"run", "--sql", "CREATE INDEX ON items (pad)", "--yes"});
  EXPECT_EQ(other.code, 4) << other.err;
  EXPECT_THAT(other.err, HasSubstr("one run a table"));
}

// A change of the key's columns would break the triggers that lead back, under the users.
TEST_F(Planned, NothingElseChangesATableThatKeepsItsWayBack) {
  Make();
  ASSERT_EQ(Run(Rebuild()).code, 0);
  for (const Words& other :
       {Words{"run", "--sql", "ALTER TABLE items RENAME COLUMN id TO key", "--yes"},
        Words{"rebuild", "items", "--yes"}}) {
    const Ran refused = Run(other);
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("pgalter finish"));
  }
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran again = Run({"rebuild", "items", "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
  ExpectSame();
}

TEST_F(Planned, WhatNoCopyCanReplaceIsRefusedBeforeAnythingIsWritten) {
  Make();
  database_.Sql("CREATE FUNCTION reads(items) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const Ran refused = Run({"run", "--sql", "VACUUM FULL items", "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("depends on its row type"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
}

}  // namespace
}  // namespace pgalter::test
