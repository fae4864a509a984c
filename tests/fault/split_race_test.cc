// The races of a split, each made to happen, and what happens without its safeguard.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/split_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class SplitRace : public SplitWorld {
 protected:
  // The copy stops at row 50, whose chunk it has read by then, for as long as somebody holds the
  // advisory lock 1. (Not by waiting for it: lock_timeout would end that.)
  void PauseTheCopy() const {
    ASSERT_EQ(Run(Split({"--through", "expand"})).code, 0);
    database_.Sql(
        "CREATE TABLE paused (at int); CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN WHILE NOT pg_try_advisory_xact_lock_shared(1) LOOP PERFORM pg_sleep(0.01); END "
        "LOOP; RETURN new; END $$;"
        "CREATE TRIGGER pause BEFORE INSERT ON pgalter_new_order_note FOR EACH ROW WHEN (new.id = "
        "50) EXECUTE FUNCTION pause()");
  }
  [[nodiscard]] Program Resume(const Words& environment = {}) const {
    return Start({"resume", RunId(), "--through", "migrate"}, environment);
  }
  void AwaitPause() const {
    database_.AwaitValue(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name "
        "LIKE 'pgalter%' AND datname = current_database()",
        "1", kLimit);
  }
  void Unpause() const {
    database_.Sql("DROP TRIGGER pause ON pgalter_new_order_note; DROP FUNCTION pause()");
  }
  [[nodiscard]] long NotTheSame() const {
    return Number(
        "SELECT count(*) FROM (SELECT id, note, slug, noted_at FROM orders WHERE note IS NOT NULL) "
        "o FULL JOIN pgalter_new_order_note n USING (id) WHERE o IS DISTINCT FROM n");
  }
};

// Trap: a chunk that has read a row brings it back after it was deleted.
TEST_F(SplitRace, WhoDeletesARowOfAChunkWaitsForIt) {
  MakeTable(200);
  PauseTheCopy();
  Session holder = database_.Connect();
  holder.Exec("SELECT pg_advisory_lock(1)");
  Program program = Resume();
  AwaitPause();
  Session user = database_.Connect();
  user.Send("DELETE FROM orders WHERE id = 50");
  database_.AwaitLockWait(user.backend_pid());
  holder.Exec("SELECT pg_advisory_unlock(1)");
  user.Wait();
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(NotTheSame(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter_new_order_note WHERE id = 50"), 0);
}

TEST_F(SplitRace, WithoutTheLockADeletedRowComesBackAndTheComparisonTells) {
  MakeTable(200);
  PauseTheCopy();
  Session holder = database_.Connect();
  holder.Exec("SELECT pg_advisory_lock(1)");
  Program program = Resume({"PGALTER_SAFEGUARDS_OFF=split-lock"});
  AwaitPause();
  database_.Sql("DELETE FROM orders WHERE id = 50");
  holder.Exec("SELECT pg_advisory_unlock(1)");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("(50) should not be there"));
  EXPECT_EQ(NotTheSame(), 1);
}

// A change of what is moved while its chunk runs: the later one wins.
TEST_F(SplitRace, WhoChangesARowOfAChunkWaitsForItAndWins) {
  MakeTable(200);
  PauseTheCopy();
  Session holder = database_.Connect();
  holder.Exec("SELECT pg_advisory_lock(1)");
  Program program = Resume();
  AwaitPause();
  Session user = database_.Connect();
  user.Send("UPDATE order_note SET note = 'later' WHERE id = 50");
  database_.AwaitLockWait(user.backend_pid());
  holder.Exec("SELECT pg_advisory_unlock(1)");
  user.Wait();
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(database_.Value("SELECT note FROM pgalter_new_order_note WHERE id = 50"), "later");
  EXPECT_EQ(NotTheSame(), 0);
}

// Somebody holds a row for long: the chunk keeps nobody waiting meanwhile, and comes again.
TEST_F(SplitRace, AChunkWaitsForNobody) {
  MakeTable(200);
  Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE orders SET amount = 0 WHERE id = 50");
  // The triggers wait for older writers: this one has to begin after them.
  holder.Exec("ROLLBACK");
  ASSERT_EQ(Run(Split({"--through", "expand"})).code, 0);
  holder.Exec("BEGIN; UPDATE orders SET note = 'held' WHERE id = 50");
  Program program = Resume();
  database_.AwaitValue("SELECT progress->>'note' LIKE 'somebody holds a row%' FROM pgalter.run",
                       "t", kLimit);
  Session user = database_.Connect();
  user.Exec(
      "SET lock_timeout = '20s'; UPDATE orders SET note = 'quick' WHERE id <> 50 AND id < 60");
  holder.Exec("PREPARE TRANSACTION 'split_held'");
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(program.running());
  holder.Exec("COMMIT PREPARED 'split_held'");
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(NotTheSame(), 0);
  EXPECT_EQ(database_.Value("SELECT note FROM pgalter_new_order_note WHERE id = 50"), "held");
}

// Trap: a row that was copied after a snapshot is not seen in it, and would stay after a DELETE.
TEST_F(SplitRace, ADeleteWithASnapshotFromBeforeTheCopyFailsAsAConflict) {
  MakeTable(200);
  database_.Sql("DROP INDEX orders_noted_idx");  // the build of another would wait
  ASSERT_EQ(Run(Split({"--through", "expand"})).code, 0);
  Session old_one = database_.Connect();
  old_one.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  ASSERT_EQ(Resume().Wait(kLimit).code, 0);
  for (const char* change :
       {"DELETE FROM orders WHERE id = 50", "UPDATE orders SET note = 'x' WHERE id = 51",
        "UPDATE orders SET id = 5000 WHERE id = 52"}) {
    try {
      old_one.Exec(change);
      ADD_FAILURE() << change;
    } catch (const SqlError& error) {
      EXPECT_EQ(error.sqlstate(), "40001") << error.what();
    }
    old_one.Exec("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    old_one.Exec(change);
    old_one.Exec("COMMIT");
    EXPECT_EQ(NotTheSame(), 0);
    old_one.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    // Again from before: another row of the copy.
    database_.Sql(
        "DELETE FROM pgalter_new_order_note; INSERT INTO pgalter_new_order_note SELECT "
        "id, note, slug, noted_at FROM orders");
  }
}

// What is written before the triggers are there is copied; nobody is between the two.
TEST_F(SplitRace, TheTriggersWaitForOlderWriters) {
  MakeTable(200);
  Session writer = database_.Connect();
  writer.Exec("BEGIN; INSERT INTO orders VALUES (1000, 1, 'before', NULL)");
  Program program = Start(Split());
  database_.AwaitValue("SELECT count(*) FROM pg_locks WHERE NOT granted", "1", kLimit);
  writer.Exec("UPDATE orders SET note = 'before too' WHERE id = 50; COMMIT");
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(NotTheSame(), 0);
}

// A user's own trigger writes to the table in the middle of a statement: values of unique columns
// pass from row to row before the triggers have been told of either.
TEST_F(SplitRace, UniqueValuesPassFromRowToRowWithinAStatement) {
  MakeTable(200);
  database_.Sql(
      "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() = "
      "1 AND new.id = 1 THEN UPDATE orders SET slug = 's2' WHERE id = 3; UPDATE orders SET note = "
      "'again' WHERE id = 1; END IF; RETURN NULL; END $$;"
      "CREATE TRIGGER a_take AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION take()");
  ASSERT_EQ(Run(Split()).code, 0);
  database_.Sql("UPDATE orders SET slug = 't' || id, note = 'once' WHERE id IN (1, 2)");
  EXPECT_EQ(NotTheSame(), 0);
  EXPECT_EQ(database_.Value("SELECT note FROM pgalter_new_order_note WHERE id = 1"), "again");
  EXPECT_EQ(database_.Value("SELECT slug FROM pgalter_new_order_note WHERE id = 3"), "s2");
}

TEST_F(SplitRace, EveryKindOfWriteIsFollowed) {
  MakeTable(200);
  ASSERT_EQ(Run(Split()).code, 0);
  for (const char* write : {
           "COPY orders (id, amount, note) FROM PROGRAM 'echo 900,1,x' (FORMAT csv)",
           "INSERT INTO orders VALUES (1, 1, 'o', NULL) ON CONFLICT (id) DO UPDATE SET note = "
           "'conflict'",
           "SET session_replication_role = replica; UPDATE orders SET note = 'replica' WHERE id = "
           "2; DELETE FROM orders WHERE id = 3",
           "BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE orders SET id = 901 WHERE id = 4; COMMIT",
           "BEGIN; UPDATE orders SET note = 'prepared' WHERE id = 5; PREPARE TRANSACTION 'split_p'",
           "COMMIT PREPARED 'split_p'",
           "BEGIN; TRUNCATE orders; ROLLBACK",
           "UPDATE orders SET id = id + 5000",
           "BEGIN; TRUNCATE orders; INSERT INTO orders VALUES (1, 1, 'new', 'a'); COMMIT",
       }) {
    database_.Sql(write);
    EXPECT_EQ(NotTheSame(), 0) << write;
  }
  if (database_.server().server_version_major() >= 15)
    database_.Sql(
        "MERGE INTO orders o USING (VALUES (1), (2)) v (id) ON o.id = v.id WHEN MATCHED THEN "
        "UPDATE "
        "SET note = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (v.id, 1, 'inserted', NULL)");
  EXPECT_EQ(NotTheSame(), 0);
}

// Trap: triggers that were away for a while have missed a change, and nothing shows it afterwards.
class SplitGap : public SplitRace {
 protected:
  Ran SwapBesideAGap(const Words& environment) {
    EXPECT_EQ(Run(Split()).code, 0);
    // The swap compares, then waits for this reader.
    Session reader = database_.Connect();
    reader.Exec("BEGIN; SELECT FROM order_note LIMIT 1");
    Program program = Start({"resume", RunId(), "--gate", kGate}, environment);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "t",
        kLimit);
    database_.Sql(
        "ALTER TABLE orders DISABLE TRIGGER pgalter_split_update;"
        "UPDATE orders SET note = 'missed' WHERE id = 50;"
        "ALTER TABLE orders ENABLE ALWAYS TRIGGER pgalter_split_update");
    reader.Exec("COMMIT");
    return program.Wait(kLimit);
  }
};

TEST_F(SplitGap, BetweenComparisonAndSwapStopsTheSwap) {
  MakeTable(200);
  const Ran ran = SwapBesideAGap({});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("nothing was swapped"));
  EXPECT_EQ(database_.Value("SELECT note FROM orders WHERE id = 50"), "missed");
  const Ran again = Run({"resume", RunId()});
  EXPECT_EQ(again.code, 7) << again.err;
  EXPECT_THAT(again.err, HasSubstr("(50) differs"));
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT note FROM orders WHERE id = 50"), "missed");
}

TEST_F(SplitGap, WithoutTheGuardTheChangeIsLost) {
  MakeTable(200);
  const Ran ran = SwapBesideAGap({"PGALTER_SAFEGUARDS_OFF=split-guard"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT note FROM order_note WHERE id = 50"), "n");
}

// Trap: the new table would be empty in a snapshot from before the copy.
TEST_F(SplitRace, TheSwapWaitsForSnapshotsFromBeforeTheCopy) {
  MakeTable(200);
  database_.Sql("DROP INDEX orders_noted_idx");  // the build of another would wait
  ASSERT_EQ(Run(Split({"--lock-budget", "5s", "--through", "expand"})).code, 0);
  Session old_one = database_.Connect();
  old_one.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  ASSERT_EQ(Resume().Wait(kLimit).code, 0);
  Session young = database_.Connect();
  young.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const Ran ran = Run({"resume", RunId(), "--gate", kGate});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_EQ(old_one.Value("SELECT count(*) FROM order_note"), "200");
  old_one.Exec("COMMIT");
  young.Exec("COMMIT");
  ASSERT_EQ(Run({"resume", RunId()}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM order_note"), 200);
}

}  // namespace
}  // namespace pgalter::test
