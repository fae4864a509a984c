// --canary: a first part, then a gate that somebody has to open; whatever happens in between.
#include <fmt/format.h>
#include <gmock/gmock.h>

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
  void ExpectAtGate() const {
    EXPECT_EQ(StateOfRun(), "waiting");
    EXPECT_EQ(database_.Value("SELECT progress->>'gate' FROM pgalter.run"), "canary");
    const Ran status = Run({"status", RunId()});
    EXPECT_THAT(status.out, HasSubstr("gate canary: 5 % of the table was the first part"));
    EXPECT_THAT(status.out, HasSubstr(fmt::format("pgalter resume {} --gate canary", RunId())));
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
