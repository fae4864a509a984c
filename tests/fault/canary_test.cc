// --canary: a first part, then a gate that somebody has to open; whatever happens in between.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Canary : public RebuildWorld {
 protected:
  [[nodiscard]] static Words With(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void ExpectAtGate(const std::string& gate = "canary") const {
    EXPECT_EQ(StateOfRun(), "waiting");
    EXPECT_EQ(database_.Value("SELECT progress->>'gate' FROM pgalter.run"), gate);
    const Ran status = Run({"status", RunId()});
    EXPECT_THAT(status.out,
                HasSubstr(fmt::format("gate {}: 5 % of the table was the first part", gate)));
    EXPECT_THAT(status.out, HasSubstr(fmt::format("pgalter resume {} --gate {}", RunId(), gate)));
  }
  // Two steps that move rows, the second behind DDL of its own.
  [[nodiscard]] static Words Plan(const Words& more = {}) {
    return With(
        {"run", "--sql", "UPDATE items SET b = a * 2; ALTER TABLE items ALTER COLUMN a TYPE bigint",
         "--yes", "--canary", "5%"},
        more);
  }
  [[nodiscard]] long DoneRows() const {
    return Number("SELECT count(*) FROM items WHERE b = a * 2");
  }
};

TEST_F(Canary, ABackfillRestsAfterItsFirstPartUntilItsGateIsOpened) {
  MakeItems();
  const Ran first = Run(Backfill({"--canary", "5%", "--workers", "2"}));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("--gate canary"));
  EXPECT_THAT(first.err, HasSubstr("abort"));
  ExpectAtGate();
  EXPECT_EQ(database_.Value("SELECT (progress->>'fraction')::float8 BETWEEN 0.02 AND 0.2"
                            " FROM pgalter.run"),
            "t")
      << "done so far is not said";
  const long done = DoneRows();
  EXPECT_GT(done, kRows / 40);
  EXPECT_LT(done, kRows / 12);
  // To go on is not to open it.
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectAtGate();
  EXPECT_EQ(DoneRows(), done);
  AwaitNoRunner();
  const Ran other = Run({"resume", RunId(), "--gate", "nest"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("it has: canary"));
  EXPECT_EQ(Run({"resume", RunId(), "--through", "contract"}).code, 2);

  Writers writers(database_.conninfo(), 3);
  const Ran rest = Run({"resume", RunId(), "--gate", "canary"});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(StateOfRun(), "done");
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(Canary, OfAPartitionedTableItIsAPartOfTheWhole) {
  database_.Sql(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int NOT NULL, b int) PARTITION BY RANGE (id);"
      "CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (0) TO (300);"
      "CREATE TABLE items_2 PARTITION OF items FOR VALUES FROM (300) TO (40000);"
      "CREATE TABLE items_3 PARTITION OF items FOR VALUES FROM (40000) TO (90000);"
      "INSERT INTO items SELECT g, g % 1000 FROM generate_series(0, 79999) g; ANALYZE items");
  const Ran first = Run(Backfill({"--canary", "5%"}));
  EXPECT_EQ(first.code, 0) << first.err;
  ExpectAtGate();
  EXPECT_EQ(Number("SELECT count(*) FROM items_1 WHERE b IS NULL"), 0);
  EXPECT_GT(Number("SELECT count(*) FROM items_2 WHERE b IS NOT NULL"), 1000);
  EXPECT_EQ(Number("SELECT count(*) FROM items_3 WHERE b IS NOT NULL"), 0);
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId(), "--gate", "canary"}).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Canary, KilledAtItsGateItComesToItAgain) {
  MakeItems();
  const Ran before = Run(Backfill({"--canary", "5%"}), {"PGALTER_FAIL_POINT=chunk-committed:2"});
  ASSERT_EQ(before.code, kKilled) << before.err;
  AwaitNoRunner();
  const Ran at = Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=at-canary"});
  ASSERT_EQ(at.code, kKilled) << at.err;
  EXPECT_EQ(StateOfRun(), "running") << "it has not said yet that it rests";
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectAtGate();
  AwaitNoRunner();
  const Ran killed =
      Run({"resume", RunId(), "--gate", "canary"}, {"PGALTER_FAIL_POINT=chunk-committed:9"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  // Once it was opened it stays open.
  ResumeToTheEnd();
  ExpectRight();
}

TEST_F(Canary, ARebuildRestsInItsCopyAndLosesNothingMeanwhile) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 5);
  const Ran first = Run(Rebuild({"--canary", "5%", "--workers", "2"}));
  EXPECT_EQ(first.code, 0) << first.err;
  ExpectAtGate();
  const long copied = Number("SELECT done_rows FROM pgalter.run");
  EXPECT_GT(copied, 0);
  EXPECT_LT(copied, 20'000 / 8);
  AwaitNoRunner();
  const Ran killed =
      Run({"resume", RunId(), "--gate", "canary"}, {"PGALTER_FAIL_POINT=copy-committed:2"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

TEST_F(Canary, OfACopyOfPartitionsTheProgressIsThatOfTheWholeAndGoesOn) {
  database_.Sql(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int) PARTITION BY RANGE (id);"
      "DO $$BEGIN FOR i IN 0..9 LOOP EXECUTE format('CREATE TABLE items_%s PARTITION OF items FOR "
      "VALUES FROM (%s) TO (%s)', i, i * 1000, i * 1000 + 1000); END LOOP; END$$;"
      "INSERT INTO items SELECT g, g FROM generate_series(0, 9999) g; ANALYZE items");
  const Ran first =
      Run({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--canary", "75%", "--yes"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(database_.Value("SELECT total_rows BETWEEN 9800 AND 10200 FROM pgalter.run"), "t")
      << "those of the partitions that were begun alone";
  const long chunks = Number("SELECT progress->>'chunks' FROM pgalter.run");
  EXPECT_GE(chunks, 7);
  const std::string longest =
      database_.Value("SELECT progress->>'worst_chunk_ms' FROM pgalter.run");
  EXPECT_GT(std::stod(longest), 0);
  AwaitNoRunner();
  const Ran rest = Run({"resume", RunId(), "--gate", "canary"});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_GT(Number("SELECT progress->>'chunks' FROM pgalter.run"), chunks);
  EXPECT_EQ(database_.Value(fmt::format(
                "SELECT (progress->>'worst_chunk_ms')::float8 >= {} FROM pgalter.run", longest)),
            "t");
  EXPECT_EQ(Number("SELECT done_rows FROM pgalter.run"), 10'000);
  EXPECT_EQ(Number("SELECT total_rows FROM pgalter.run"), 10'000);
}

TEST_F(Canary, ConvertingByCopyHasOneAndByAttachingNone) {
  MakeItems(4'000);
  Words copy{"partition", "convert", "items", "--by", "hash(id)", "--modulus", "4", "--yes"};
  const Ran first = Run(With(copy, {"--canary", "5%"}));
  EXPECT_EQ(first.code, 0) << first.err;
  ExpectAtGate();
  AwaitNoRunner();
  const Ran rest = Run({"resume", RunId(), "--gate", "canary"});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 4'000);
  const Ran attach = Run({"partition", "convert", "items", "--by", "range(id)", "--every", "1000",
                          "--strategy", "attach", "--canary", "5%", "--yes"});
  EXPECT_EQ(attach.code, 2);
  EXPECT_THAT(attach.err, HasSubstr("nothing is copied"));
}

TEST_F(Canary, EachStepOfAPlanThatMovesRowsHasAGateOfItsOwn) {
  MakeItems();
  const std::string first = "canary-1.1-backfill";
  const std::string second = "canary-2.2-backfill";
  const Ran begun = Run(Plan());
  EXPECT_EQ(begun.code, 0) << begun.err;
  ExpectAtGate(first);
  EXPECT_THAT(begun.err, HasSubstr("1.1-backfill was the point of no return: it can only go on"));
  const long done = DoneRows();
  EXPECT_GT(done, kRows / 40);
  EXPECT_LT(done, kRows / 12);
  AwaitNoRunner();
  // Not even all phases together open it; only its name does.
  EXPECT_EQ(Run({"resume", RunId(), "--through", "contract"}).code, 0);
  ExpectAtGate(first);
  EXPECT_EQ(DoneRows(), done);
  AwaitNoRunner();
  const Ran other = Run({"resume", RunId(), "--gate", "canary"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr(fmt::format("it has: {}, {}, swap-a", first, second)));
  EXPECT_EQ(Run({"resume", RunId(), "--gate", first}, {"PGALTER_FAIL_POINT=at-canary"}).code,
            kKilled);
  EXPECT_EQ(Undone(), 0);
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectAtGate(second);
  const long moved = Number("SELECT count(*) FROM items WHERE pgalter_new_a IS NOT NULL");
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, kRows / 8);
  AwaitNoRunner();
  const Ran killed =
      Run({"resume", RunId(), "--gate", second}, {"PGALTER_FAIL_POINT=chunk-committed:9"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  // Behind the gate the rows are compared once more.
  const std::string third = database_.Value("SELECT progress->>'gate' FROM pgalter.run");
  EXPECT_THAT(third, ::testing::MatchesRegex("canary-.*-backfill"));
  EXPECT_NE(third, second);
  AwaitNoRunner();
  EXPECT_EQ(Run({"resume", RunId(), "--gate", third}).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Undone(), 0);
  EXPECT_EQ(database_.Value("SELECT atttypid::regtype FROM pg_attribute WHERE attname = 'a'"
                            " AND attrelid = 'items'::regclass"),
            "bigint");
}

TEST_F(Canary, ARebuildInAPlanSaysUntilWhenItsCopyIsKept) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 7);
  const Ran first =
      Run({"run", "--sql", "VACUUM FULL items", "--yes", "--canary", "5%", "--chunk-time", "5ms"});
  EXPECT_EQ(first.code, 0) << first.err;
  const std::string gate = "canary-1.1-rebuild-copy";
  ExpectAtGate(gate);
  EXPECT_THAT(first.err, HasSubstr("without a runner the copy is kept up until 20"));
  AwaitNoRunner();
  const auto deadline = database_.Value("SELECT deadline FROM pgalter.flow WHERE name = 'forward'");
  const auto hours_left = [&] {
    return Number(fmt::format(
        "SELECT round((last_value - extract(epoch FROM now())) / 3600) FROM {}", deadline));
  };
  EXPECT_EQ(hours_left(), 72);
  database_.Sql(
      fmt::format("SELECT setval('{}', extract(epoch FROM now())::int8 + 7200)", deadline));
  const std::string until =
      database_.Value(fmt::format("SELECT to_char(to_timestamp(last_value) AT TIME ZONE 'UTC', "
                                  "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
                                  " FROM {}",
                                  deadline));
  const Ran status = Run({"status", RunId()});
  EXPECT_THAT(status.out, HasSubstr(fmt::format(
                              "log:        without a runner the copy is kept up until {}, and "
                              "lost then; for 72 h from the moment on: pgalter resume {}",
                              until, RunId())));
  // What it says to do does so, and nothing else.
  const long copied = Number("SELECT done_rows FROM pgalter.run");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  ExpectAtGate(gate);
  EXPECT_EQ(hours_left(), 72);
  EXPECT_NEAR(static_cast<double>(Number("SELECT done_rows FROM pgalter.run")),
              static_cast<double>(copied), 300);
  AwaitNoRunner();
  // Past it, with a user's change that was not logged.
  database_.Sql(fmt::format("SELECT setval('{}', 3000)", deadline));
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  database_.Sql("UPDATE items SET a = a WHERE id = 1");
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("log:        the copy is lost"));
  EXPECT_EQ(Run({"resume", RunId(), "--gate", gate}).code, 4);
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
}

TEST_F(Canary, MigrationsBehindOneThatRestsWait) {
  MakeItems();
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("canary_up_{}", ::getpid());
  std::filesystem::create_directories(directory);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(directory / name) << text;
  };
  write("0001_column.sql", "ALTER TABLE items ADD COLUMN c int;\n");
  write("0002_fill.sql", "UPDATE items SET b = a * 2;\n");
  write("0003_check.sql", "ALTER TABLE items ALTER b SET NOT NULL;\n");
  const Words up{"up", "--yes", "--canary", "5%", "--dir", directory};
  const Ran first = Run(up);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_THAT(first.err, HasSubstr("those behind it wait for it"));
  const std::string newest = "SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1";
  const std::string run = database_.Value(newest);
  EXPECT_EQ(database_.Value("SELECT progress->>'gate' FROM pgalter.run WHERE run = '" + run + "'"),
            "canary-1.1-backfill");
  AwaitNoRunner();
  EXPECT_EQ(Run(up).code, 3) << "it waits still";
  EXPECT_EQ(database_.Value(newest), run);
  const Ran opened = Run({"resume", run, "--gate", "canary-1.1-backfill"});
  EXPECT_EQ(opened.code, 0) << opened.err;
  AwaitNoRunner();
  const Ran rest = Run(up);
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(Undone(), 0);
  EXPECT_EQ(database_.Value("SELECT attnotnull FROM pg_attribute WHERE attname = 'b'"
                            " AND attrelid = 'items'::regclass"),
            "t");
  EXPECT_EQ(Run(With(up, {"--as-written"})).code, 2);
  std::filesystem::remove_all(directory);
}

TEST_F(Canary, ASplitHasOneInTheOrderOfItsKey) {
  database_.Sql(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int, note text);"
      "INSERT INTO items SELECT g, g, 'n' || g FROM generate_series(1, 20000) g; ANALYZE items");
  const Ran first = Run({"run", "--split", "items (note) INTO item_note", "--yes", "--canary", "5%",
                         "--chunk-time", "5ms"});
  EXPECT_EQ(first.code, 0) << first.err;
  const std::string gate = database_.Value("SELECT progress->>'gate' FROM pgalter.run");
  ExpectAtGate(gate);
  EXPECT_TRUE(gate.starts_with("canary-")) << gate;
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter_new_item_note"), "1000");
  // Rows that users write have their copy at once, wherever they lie.
  database_.Sql("UPDATE items SET note = 'mine' WHERE id = 19000");
  EXPECT_EQ(database_.Value("SELECT note FROM pgalter_new_item_note WHERE id = 19000"), "mine");
  AwaitNoRunner();
  const Ran rest = Run({"resume", RunId(), "--gate", gate});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter_new_item_note"), 20'000);
}

TEST_F(Canary, APlanWithoutRowsOrInAnotherOrderIsRefused) {
  MakeItems(100);
  const Ran none = Run({"run", "--sql", "CREATE INDEX ON items (a)", "--yes", "--canary", "5%"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("the plan moves no rows"));
  const Ran order =
      Run({"run", "--sql", "CLUSTER items USING items_pkey", "--yes", "--canary", "5%"});
  EXPECT_EQ(order.code, 2);
  EXPECT_THAT(order.err, HasSubstr("into another order"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL"), "t");
}

TEST_F(Canary, WhatIsNoShareIsRefusedAndNothingIsMade) {
  MakeItems(100);
  for (const char* share : {"1", "0%", "100%", "-1%", "much%", "%", "nan%"}) {
    const Ran refused = Run(Backfill({"--canary", share}));
    EXPECT_EQ(refused.code, 2) << share;
    EXPECT_THAT(refused.err, HasSubstr("is no share of a table"));
  }
  const Ran ordered = Run({"rebuild", "items", "--order-by", "id", "--canary", "1%", "--yes"});
  EXPECT_EQ(ordered.code, 2);
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL"), "t");
}

TEST_F(Canary, ATableOfOneBlockHasNoRestToWaitWith) {
  MakeItems(10);
  EXPECT_EQ(Run(Backfill({"--canary", "1%"})).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
}

}  // namespace
}  // namespace pgalter::test
