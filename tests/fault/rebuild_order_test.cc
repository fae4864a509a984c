// A copy whose rows lie in the order of an index, as CLUSTER leaves them, made under the users of
// the table: they change the very column of the order.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildOrdered : public RebuildWorld {
 protected:
  // Rows whose place on disk says nothing of `a`.
  void MakeShuffled(int rows = 20'000) {
    MakeRebuilt(rows);
    database_.Sql("UPDATE items SET a = (id * 7919) % 1000");
    database_.Sql("ANALYZE items");
    ASSERT_LT(Correlation(), 0.5);
  }

  [[nodiscard]] double Correlation() const {
    return std::stod(database_.Value(
        "SELECT abs(correlation) FROM pg_stats WHERE schemaname = 'public' AND tablename = 'items' "
        "AND attname = 'a'"));
  }

  [[nodiscard]] static Words Ordered(const Words& more = {}) {
    Words words{"rebuild", "items",        "--alter", "ALTER a TYPE bigint", "--yes", "--order-by",
                "a",       "--chunk-time", "5ms"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(RebuildOrdered, UnderItsUsersAndBack) {
  MakeShuffled();
  Rebuilders early(database_.conninfo(), 31);
  // What users changed meanwhile follows behind: as many rows, however long it takes.
  std::jthread enough([&early](const std::stop_token& over) {
    while (early.writes() < 1'000 && !over.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    early.Stop();
  });
  early.AwaitWrites(20);
  const Ran ran = Run(Ordered());
  enough.request_stop();
  enough.join();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(early.errors(), "");
  database_.Sql("ANALYZE items");
  EXPECT_GT(Correlation(), 0.7);
  Rebuilders users(database_.conninfo(), 33);
  users.AwaitWrites(20);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
}

TEST_F(RebuildOrdered, NotAskedForRowsLieAsTheyDid) {
  MakeShuffled();
  ASSERT_EQ(Run({"rebuild", "items", "--yes"}).code, 0);
  database_.Sql("ANALYZE items");
  EXPECT_LT(Correlation(), 0.5);
}

class RebuildOrderedKilledAt : public RebuildOrdered,
                               public ::testing::WithParamInterface<const char*> {};

TEST_P(RebuildOrderedKilledAt, ResumeEndsWithEveryRowRight) {
  MakeShuffled();
  Rebuilders users(database_.conninfo(), 32);
  const Ran killed = Run(Ordered(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

// The last ones: after the last chunk, which has no place that a resume could go on from.
INSTANTIATE_TEST_SUITE_P(Points, RebuildOrderedKilledAt,
                         ::testing::Values("copy-checked:3", "copy-recorded:2", "copy-committed",
                                           "copy-committed:4", "purged"),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

TEST_F(RebuildOrdered, KilledBehindTheLastChunkCopiesNothingTwice) {
  MakeShuffled(3000);
  ASSERT_EQ(Run(Ordered(), {"PGALTER_FAIL_POINT=copy-committed"}).code, kKilled);
  const auto last = [&] {
    return database_.Value("SELECT spec ? 'copied_in_order' FROM pgalter.step WHERE kind = 'copy'");
  };
  for (int i = 0; i < 200 && last() != "t"; ++i) {
    AwaitNoRunner();
    ASSERT_EQ(Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=copy-committed"}).code, kKilled);
  }
  ASSERT_EQ(last(), "t");
  ResumeToTheEnd();
  ExpectSame();
}

TEST_F(RebuildOrdered, ARenamedTableIsFollowed) {
  MakeShuffled();
  ASSERT_EQ(Run(Ordered(), {"PGALTER_FAIL_POINT=copy-committed:2"}).code, kKilled);
  // Another one of the name is none of ours.
  database_.Sql(
      "ALTER TABLE items RENAME TO elsewhere; CREATE TABLE items (id bigint PRIMARY KEY, a int NOT "
      "NULL, u int, pad text, big text); CREATE INDEX ON items (a); INSERT INTO items SELECT "
      "-g, -g FROM generate_series(1, 100) g");
  AwaitNoRunner();
  const Ran resumed = Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=purged"});
  ASSERT_EQ(resumed.code, kKilled) << resumed.err;
  database_.Sql("DROP TABLE items; ALTER TABLE elsewhere RENAME TO items");
  ResumeToTheEnd();
  ExpectSame();
}

// Between two chunks: a rename that waits for the one gets its lock before the other. The chunk
// asks again and again, since a wait for a lock would end with its lock_timeout.
TEST_F(RebuildOrdered, ATableThatIsRenamedBetweenChunksIsFollowedAndTold) {
  MakeShuffled();
  database_.Sql(
      "CREATE FUNCTION hold(pad text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN WHILE NOT "
      "pg_try_advisory_xact_lock_shared(7) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN pad; END "
      "$$");
  Session barrier = database_.Connect();
  barrier.Exec("SELECT pg_advisory_lock(7)");
  Program program = Start(Ordered({"--map", "pad = public.hold(pad)"}));
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name "
      "LIKE 'pgalter/%' AND datname = current_database()",
      "t", kLimit);
  Session renamer = database_.Connect();
  renamer.Send("ALTER TABLE items RENAME TO elsewhere");
  database_.AwaitLockWait(renamer.backend_pid());
  barrier.Exec("SELECT pg_advisory_unlock(7)");
  renamer.Wait();
  const Ran refused = program.Wait(kLimit);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("was renamed while run"));
  database_.Sql("ALTER TABLE elsewhere RENAME TO items");
  ResumeToTheEnd();
  ExpectSame();
}

TEST_F(RebuildOrdered, ARowThatDoesNotFitIsNamed) {
  MakeShuffled();
  database_.Sql("UPDATE items SET pad = repeat('x', 90) WHERE id = 777");
  const Ran ran = Run(
      {"rebuild", "items", "--alter", "ALTER pad TYPE varchar(80)", "--order-by", "a", "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("(id) = (777)"));
  database_.Sql("UPDATE items SET pad = 'mended' WHERE id = 777");
  ResumeToTheEnd();
  ExpectSame();
}

// Some of several tables, each by its own columns.
class RebuildOrderedTogether : public RebuildOrdered {
 protected:
  void MakeThree(int rows) {
    MakeShuffled(rows);
    for (const char* table : {"\"L: s\"", "plain"})
      database_.Sql(fmt::format(
          "CREATE TABLE {0} (id int PRIMARY KEY, k int NOT NULL, pad text); INSERT INTO {0} SELECT "
          "g, (g * 7919) % 500, repeat('p', 40) FROM generate_series(1, {1}) g; CREATE INDEX ON "
          "{0} (k, id); ANALYZE {0}",
          table, rows));
    ASSERT_LT(Correlation("L: s", "k"), 0.5);
  }

  [[nodiscard]] double Correlation(const std::string& table, const std::string& column) const {
    return std::stod(database_.Value(
        fmt::format("SELECT abs(correlation) FROM pg_stats WHERE schemaname = 'public' AND "
                    "tablename = '{}' AND attname = '{}'",
                    table, column)));
  }

  [[nodiscard]] static Words Together(const Words& more = {}) {
    Words words{"rebuild",    "items",           "\"L: s\"",     "plain",
                "--order-by", "items: a",        "--alter",      "items: ALTER a TYPE bigint",
                "--order-by", "\"L: s\": k, id", "--chunk-time", "5ms",
                "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // As they were made, in the order that was asked for.
  void ExpectOrdered(int rows) const {
    database_.Sql("ANALYZE items; ANALYZE \"L: s\"; ANALYZE plain");
    EXPECT_GT(Correlation("items", "a"), 0.7);
    EXPECT_GT(Correlation("L: s", "k"), 0.99);
    EXPECT_LT(Correlation("plain", "k"), 0.5) << "nobody asked for an order of it";
    for (const char* table : {"\"L: s\"", "plain"})
      EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM {} WHERE k = (id * 7919) % 500 AND pad = "
                                   "repeat('p', 40)",
                                   table)),
                rows);
    ExpectSame();
  }
};

TEST_F(RebuildOrderedTogether, EachByItsOwnColumnsUnderItsUsers) {
  constexpr int kRows = 5'000;
  MakeThree(kRows);
  const Ran shown = Run(Together({"--dry-run"}));
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("public.items: ALTER a TYPE bigint; in the order of a\n"));
  EXPECT_THAT(shown.out, HasSubstr("public.\"L: s\": in the order of k, id\n"));
  EXPECT_THAT(shown.out, HasSubstr("public.plain: the same definition\n"));
  Rebuilders users(database_.conninfo(), 35);
  std::jthread enough([&users](const std::stop_token& over) {
    while (users.writes() < 200 && !over.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    users.Stop();
  });
  users.AwaitWrites(20);
  const Ran ran = Run(Together());
  enough.request_stop();
  enough.join();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(users.errors(), "");
  ExpectOrdered(kRows);
  ExpectNew();
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

// One runner copies the first table and a part of the second: what it writes of the one leaves what
// it has written of the other.
TEST_F(RebuildOrderedTogether, KilledInTheSecondItDoesNotBeginTheFirstAgain) {
  constexpr int kRows = 5'000;
  MakeThree(kRows);
  database_.Sql(
      "CREATE FUNCTION hold(k int, pad text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN WHILE k > "
      "400 AND NOT pg_try_advisory_xact_lock_shared(7) LOOP PERFORM pg_sleep(0.01); END LOOP; "
      "RETURN pad; END $$");
  Session barrier = database_.Connect();
  barrier.Exec("SELECT pg_advisory_lock(7)");
  Program program = Start(Together({"--map", "\"L: s\": pad = public.hold(k, pad)"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.step') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.step WHERE kind = 'copy' AND spec ? 'copied_to_2'", "1",
      kLimit);
  program.Signal(SIGKILL);
  EXPECT_EQ(program.Wait(kLimit).code, kKilled);
  barrier.Exec("SELECT pg_advisory_unlock(7)");
  EXPECT_EQ(database_.Value("SELECT concat_ws(' ', spec ? 'copied_in_order', spec->'copied_rows', "
                            "spec ? 'copied_in_order_2') FROM pgalter.step WHERE kind = 'copy'"),
            "t 5000 f");
  AwaitNoRunner();
  ResumeToTheEnd();
  ExpectOrdered(kRows);
}

// A chunk, a kill, and so on: what the one table has come to outlives the copy of the other.
TEST_F(RebuildOrderedTogether, KilledBehindEachChunkNoRowIsThereTwice) {
  constexpr int kRows = 2'000;
  MakeThree(kRows);
  const Words killed{"PGALTER_FAIL_POINT=copy-committed"};
  ASSERT_EQ(Run(Together(), killed).code, kKilled);
  const auto whole = [&](const std::string& which) {
    return database_.Value("SELECT spec ? 'copied_in_order" + which +
                           "' FROM pgalter.step WHERE kind = 'copy'") == "t";
  };
  for (const char* which : {"", "_2"}) {
    for (int i = 0; i < 200 && !whole(which); ++i) {
      AwaitNoRunner();
      ASSERT_EQ(Run({"resume", RunId()}, killed).code, kKilled);
    }
    ASSERT_TRUE(whole(which));
  }
  EXPECT_EQ(
      database_.Value("SELECT concat_ws(' ', spec->'copied_rows', spec->'copied_rows_2') FROM "
                      "pgalter.step WHERE kind = 'copy'"),
      "2000 2000");
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT done_rows FROM pgalter.run"), 3 * kRows);
  ExpectOrdered(kRows);
  ExpectNothingLeft();
}

struct Refusal {
  const char* name;
  const char* before;
  const char* order_by;
  int code;
  const char* why;
};

class RebuildOrderRefused : public RebuildOrdered, public ::testing::WithParamInterface<Refusal> {};

TEST_P(RebuildOrderRefused, WritesNothing) {
  MakeRebuilt(10);
  database_.Sql(GetParam().before);
  const Ran ran = Run({"rebuild", "items", "--order-by", GetParam().order_by, "--yes"});
  EXPECT_EQ(ran.code, GetParam().code);
  EXPECT_THAT(ran.err, HasSubstr(GetParam().why));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, RebuildOrderRefused,
    ::testing::Values(
        Refusal{"Nullable", "CREATE INDEX ON items (u, id)", "u", 4, "u may be NULL"},
        Refusal{"NoIndex", "DROP INDEX items_a", "a", 4,
                "CREATE INDEX CONCURRENTLY ON public.items (a)"},
        Refusal{"IndexOfAPart", "DROP INDEX items_a; CREATE INDEX ON items (a) WHERE a > 1", "a", 4,
                "no index of public.items begins"},
        Refusal{"OtherDirection", "DROP INDEX items_a; CREATE INDEX ON items (a DESC)", "a", 4,
                "no index of public.items begins"},
        Refusal{"OtherOrderOfColumns", "CREATE INDEX ON items (a, id)", "id, a", 4,
                "no index of public.items begins"},
        Refusal{"OtherCollation",
                "ALTER TABLE items ALTER pad SET NOT NULL; CREATE INDEX ON items (pad COLLATE "
                "\"POSIX\")",
                "pad", 4, "no index of public.items begins"},
        Refusal{"Descending", "SELECT", "a DESC", 2, "ascending"},
        Refusal{"Expression", "SELECT", "a + 1", 2, "syntax error"},
        Refusal{"UnknownColumn", "SELECT", "nope", 2, "has no column nope"}),
    [](const auto& refusal) { return std::string(refusal.param.name); });

}  // namespace
}  // namespace pgalter::test
