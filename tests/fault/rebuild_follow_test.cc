// A rebuild and users who change rows faster than it follows, or the same few rows all the time.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Following : public RebuildWorld {
 protected:
  // Of the run's log, and of the keys that were folded out of it.
  [[nodiscard]] long Count(const char* table) const {
    return Number(
        fmt::format("SELECT count(*) FROM pgalter_{}.{}_forward", RunId().substr(0, 8), table));
  }
  void AwaitCopying() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.step') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.step WHERE kind = 'copy' AND state = 'running'", "1", kLimit);
    database_.AwaitValue("SELECT count(*) > 0 FROM pgalter.backfill_window", "t", kLimit);
  }
};

// Each row takes 5 ms to carry over, and all of 300 are changed meanwhile: by users in the server,
// who go on whatever keeps the test standing.
TEST_F(Following, SlowerThanUsersItStopsWithTheNumbersAndGoesOnLater) {
  MakeRebuilt(400);
  database_.Sql(
      "CREATE FUNCTION slow(pad text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_sleep(0.005); RETURN pad; END $$");
  Session user = database_.Connect();
  user.Send(
      "DO $$ BEGIN LOOP UPDATE items SET a = a + 1 WHERE id <= 300; COMMIT; PERFORM "
      "pg_sleep(0.001); END LOOP; END $$");
  const Ran stopped = Run(Rebuild({"--map", "pad = public.slow(pad)"}),
                          {"PGALTER_LIMITS=follow-without-progress=3000"});
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_THAT(stopped.err,
              ContainsRegex("users change public.items faster than it can be followed: "
                            "[1-9][0-9]* different rows a second, of which [1-9][0-9]* "
                            "are carried over"));
  EXPECT_THAT(stopped.err, HasSubstr("pgalter resume " + RunId()));
  EXPECT_EQ(StateOfRun(), "failed");
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  user.Cancel();
  try {
    user.Wait(kLimit);
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "57014") << error.what();
  }
  ResumeToTheEnd();
  ExpectSame();
  ExpectNew();
}

// 10 rows that change 2,000 times are 10 keys, while the copy goes on.
TEST_F(Following, TheLogIsFoldedWhileRowsAreCopied) {
  MakeRebuilt();
  Words words = Rebuild();
  for (const std::string& word : Slowly()) words.push_back(word);
  Program program = Start(words, {"PGALTER_LIMITS=log-folded-every=0"});
  AwaitCopying();
  Stand();
  database_.Sql(
      "DO $$ BEGIN FOR i IN 1..200 LOOP UPDATE items SET a = a + 1 WHERE id <= 10; END LOOP; END "
      "$$");
  EXPECT_TRUE(Within(kLimit, [&] { return Count("log") == 0; })) << Count("log");
  EXPECT_EQ(Count("dirty"), 10);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.step WHERE kind = 'copy' AND state = 'running'"),
            1);
  LetGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// What was copied before a TRUNCATE goes, what was written after it is in the log.
// Somebody keeps the lock away for minutes: what users change meanwhile is not left to be carried
// over under it.
TEST_F(Following, GoesOnBetweenTheAttemptsToSwap) {
  MakeRebuilt();
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  AwaitNoRunner();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT FROM items LIMIT 1");
  Program program = Start({"resume", RunId(), "--yes"});
  for (int time = 1; time <= 2; ++time) {
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'items'::regclass AND NOT granted AND "
        "mode = 'AccessExclusiveLock'",
        "t", kLimit);
    database_.Sql(fmt::format("UPDATE items SET a = -{} WHERE id <= 5000", time));
    database_.AwaitValue(fmt::format("SELECT count(*) FROM pgalter_{}.items WHERE a = -{}",
                                     RunId().substr(0, 8), time),
                         "5000", kLimit);
  }
  reader.Exec("COMMIT");
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  ExpectSame();
  ExpectNew();
}

TEST_F(Following, ATruncateAndAKillAreNothingToIt) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 5);
  Words words = Rebuild({"--workers", "2"});
  for (const std::string& word : Slowly()) words.push_back(word);
  const std::string always = "PGALTER_LIMITS=log-folded-every=0";
  const Ran killed = Run(words, {always, "PGALTER_FAIL_POINT=log-folded"});
  EXPECT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  Program program = Start({"resume", RunId()}, {always});
  const std::string copy = fmt::format("pgalter_{}.items", RunId().substr(0, 8));
  database_.AwaitValue("SELECT count(*) > 0 FROM " + copy, "t", kLimit);
  Stand();
  database_.Sql(
      "TRUNCATE items; INSERT INTO items SELECT g, 1, g FROM generate_series(1, 3000) g ON "
      "CONFLICT "
      "DO NOTHING");
  database_.AwaitValue("SELECT count(*) FROM " + copy, "0", kLimit);
  LetGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNothingLeft();
}

// The trigger's function runs under the search_path of whoever writes, and may mean nothing of it:
// here all that it could find there first says the opposite, or is not what it is called.
TEST_F(Following, WhoPutsOtherNamesFirstIsFollowedAllTheSame) {
  MakeRebuilt(2'000);
  database_.Sql(R"(
CREATE SCHEMA other;
CREATE FUNCTION other.differ(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR other.= (LEFTARG = text, RIGHTARG = text, FUNCTION = other.differ);
CREATE FUNCTION other.equal(record, record) RETURNS boolean LANGUAGE plpgsql AS
  'BEGIN RETURN false; END';
CREATE OPERATOR other.*<> (LEFTARG = record, RIGHTARG = record, FUNCTION = other.equal);
CREATE FUNCTION other.later(int8, float8) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR other.< (LEFTARG = int8, RIGHTARG = float8, FUNCTION = other.later);
CREATE FUNCTION other.larger(int8, int4) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR other.> (LEFTARG = int8, RIGHTARG = int4, FUNCTION = other.larger);
CREATE FUNCTION other.pg_current_xact_id() RETURNS xid8 LANGUAGE sql AS $$ SELECT '3'::xid8 $$;
CREATE FUNCTION other.pg_sequence_last_value(regclass) RETURNS int8 LANGUAGE sql AS 'SELECT 0::int8';
CREATE FUNCTION other.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'infinity'::timestamptz $$;
CREATE FUNCTION other.date_part(text, timestamptz) RETURNS float8 LANGUAGE sql AS
  'SELECT 128::float8';
CREATE FUNCTION other.pg_relation_size(regclass) RETURNS int8 LANGUAGE sql AS
  'SELECT 9223372036854775807';
CREATE DOMAIN other.record AS text CHECK (value IS NULL);
CREATE DOMAIN other.regclass AS text CHECK (value IS NULL);
CREATE DOMAIN other.int4 AS text CHECK (value IS NULL))");
  const Ran killed = Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=cutover-waits"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const auto change = [&] {
    Session user = database_.Connect();
    user.Exec("SET search_path = other, pg_catalog, public");
    user.Exec("UPDATE items SET a = 70 WHERE id OPERATOR(pg_catalog.<=) 500");
    user.Exec("UPDATE items SET id = 100000 WHERE id OPERATOR(pg_catalog.=) 600");
    user.Exec("DELETE FROM items WHERE id OPERATOR(pg_catalog.=) 700");
    user.Exec("INSERT INTO items VALUES (100001, 7)");
  };
  change();
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  ResumeToTheEnd();
  ExpectSame();
  ExpectNew();
  // The way back is followed by a trigger of the same kind.
  database_.Sql("DELETE FROM items WHERE id >= 100000; INSERT INTO items VALUES (600, 1)");
  change();
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

}  // namespace
}  // namespace pgalter::test
