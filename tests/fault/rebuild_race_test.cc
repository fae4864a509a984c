// The traps of copying and following a table in use, one by one: users and the program in just the
// order that would go wrong. README.md of this directory has the list.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildRace : public RebuildWorld {
 protected:
  // A chunk that reads a row stays where it is, with the snapshot that it has, until LetChunksGo.
  // It asks again and again, since a wait for a lock would end with the chunk's lock_timeout.
  void HoldChunks() {
    database_.Sql(
        "CREATE FUNCTION hold(pad text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN WHILE NOT "
        "pg_try_advisory_xact_lock_shared(7) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN pad; "
        "END "
        "$$");
    barrier_.Exec("SELECT pg_advisory_lock(7)");
  }
  void AwaitChunk() const {
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO pgalter\\_%' AND "
        "state = 'active'",
        "t", kLimit);
  }
  void LetChunksGo() { barrier_.Exec("SELECT pg_advisory_unlock(7)"); }

  void AwaitReady() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE state = 'waiting' AND progress::text LIKE '%kept "
        "up to date%'",
        "1", kLimit);
  }
  [[nodiscard]] std::string Copy() const { return "pgalter_" + RunId().substr(0, 8) + ".items"; }

  Session barrier_ = database_.Connect();
};

// C1 3, 4, 7, 26: what a chunk has read is deleted, moved to another key, written anew; rows come
// behind the last block that it will look at. Nobody waits for the chunk.
TEST_F(RebuildRace, WhatUsersDoToTheRowsOfAChunkThatHasReadThem) {
  MakeRebuilt(2'000);
  HoldChunks();
  Program program = Start(Rebuild({"--map", "pad = hold(pad)"}));
  AwaitChunk();
  Session user = database_.Connect();
  user.Exec(
      "SET statement_timeout = '30s'; DELETE FROM items WHERE id <= 500;"
      "UPDATE items SET id = id + 5000000 WHERE id BETWEEN 501 AND 600;"
      "INSERT INTO items SELECT g, 5, NULL, 'reborn' FROM generate_series(1, 100) g;"
      "UPDATE items SET pad = NULL, u = NULL WHERE id BETWEEN 700 AND 800;"
      "INSERT INTO items SELECT g, 6, g, 'behind' FROM generate_series(3000, 8000) g");
  LetChunksGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 1'500 + 100 + 5'001);
  ExpectSame();
}

// C1 5: a change that was logged first and is seen last, behind one that has been applied already.
TEST_F(RebuildRace, AnEarlierChangeThatCommitsLaterIsFollowed) {
  MakeRebuilt(500);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  Session early = database_.Connect();
  early.Exec("BEGIN; UPDATE items SET a = 111 WHERE id = 1");
  database_.Sql("UPDATE items SET a = 222 WHERE id = 2");
  database_.AwaitValue("SELECT a FROM " + Copy() + " WHERE id = 2", "222", kLimit);
  AwaitBeats(2);  // rounds that find nothing more to see
  EXPECT_NE(database_.Value("SELECT a FROM " + Copy() + " WHERE id = 1"), "111");
  early.Exec("COMMIT");
  database_.AwaitValue("SELECT a FROM " + Copy() + " WHERE id = 1", "111", kLimit);
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  ExpectSame();
}

// C1 9: unique values that pass from row to row, in one transaction, and more rows than are applied
// at a time.
TEST_F(RebuildRace, UniqueValuesThatChangeTheirRowsAreFollowedAcrossBatches) {
  MakeRebuilt(3'000);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=index-built:3"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(
      "BEGIN; UPDATE items SET u = NULL; UPDATE items SET u = 3001 - id; COMMIT;"
      "DELETE FROM items WHERE id = 1; UPDATE items SET u = 3000 WHERE id = 3000");
  ResumeToTheEnd();
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(DISTINCT u) FROM items"), 2'999);
}

// C1 19: a prepared transaction holds its locks whoever comes; it is named, and waited for.
TEST_F(RebuildRace, APreparedTransactionIsNamedAndWaitedFor) {
  MakeRebuilt(500);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  database_.Sql("BEGIN; UPDATE items SET a = 77 WHERE id = 7; PREPARE TRANSACTION 'rebuild_race'");
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%prepared "
      "transaction%rebuild_race%'",
      "1", kLimit);
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  database_.Sql("COMMIT PREPARED 'rebuild_race'");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT a FROM items WHERE id = 7"), 77);
  ExpectSame();
}

// C1 27: who wrote before the capture was there is waited for, before anything is copied.
TEST_F(RebuildRace, TheCaptureWaitsForOlderWriters) {
  MakeRebuilt(500);
  Session writer = database_.Connect();
  writer.Exec("BEGIN; INSERT INTO items VALUES (77777, 1); DELETE FROM items WHERE id = 5");
  Program program = Start(Rebuild());
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'items'::regclass AND mode = "
      "'ShareRowExclusiveLock' AND NOT granted",
      "t", kLimit);
  EXPECT_EQ(Number("SELECT count(*) FROM " + Copy()), 0);
  writer.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 500);
  ExpectSame();
}

}  // namespace
}  // namespace pgalter::test
