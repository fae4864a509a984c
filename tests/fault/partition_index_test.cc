// An index over all partitions, some of them partitioned themselves: built leaf by leaf beside the
// users, by the plan of a CREATE INDEX, and put together at the end.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionIndex : public BackfillWorld {
 protected:
  // Three levels: t, its ranges, and the second of these by hash.
  void MakeNested() const {
    database_.Sql(
        "CREATE TABLE t (k int NOT NULL, h int NOT NULL, note text) PARTITION BY RANGE (k);"
        "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE t_b PARTITION OF t FOR VALUES FROM (100) TO (200) PARTITION BY HASH (h);"
        "CREATE TABLE t_b0 PARTITION OF t_b FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        "CREATE TABLE t_b1 PARTITION OF t_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        "CREATE TABLE \"t Rest\" PARTITION OF t DEFAULT;"
        "INSERT INTO t SELECT g, g, 'note ' || g FROM generate_series(0, 299) g");
  }

  [[nodiscard]] static Words Make() {
    return {"run", "--sql", "CREATE INDEX t_note ON t (note)", "--yes"};
  }

  // Each level has a valid index that belongs to the one above, and nothing else is left.
  void ExpectWhole() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_partition_tree('t_note')"), 6);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT relid FROM "
                     "pg_partition_tree('t'))"),
              6);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
    EXPECT_THAT(Run({"inspect", "partitions", "t"}).out,
                ::testing::Not(HasSubstr("no valid part")));
  }
};

// Nobody waits: a writer that has written to each leaf and not committed stops no step but the
// build of its own leaf, and readers none.
TEST_F(PartitionIndex, IsMadeLeafByLeaf) {
  MakeNested();
  const Ran planned = Run({"plan", "--sql", "CREATE INDEX t_note ON t (note)"});
  EXPECT_THAT(planned.out, HasSubstr("CONCURRENTLY"));
  EXPECT_THAT(planned.out, HasSubstr("t_b1"));
  const Ran ran = Run(Make());
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectWhole();
}

class PartitionIndexKilled : public PartitionIndex,
                             public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionIndexKilled, ResumeEndsIt) {
  MakeNested();
  const Ran killed = Run(Make(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  ExpectWhole();
}

TEST_P(PartitionIndexKilled, OrAnAbortTakesItAway) {
  MakeNested();
  ASSERT_EQ(Run(Make(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE indrelid IN (SELECT relid FROM "
                   "pg_partition_tree('t'))"),
            0);
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionIndexKilled,
                         ::testing::Values("index-in-ledger", "index-built", "index-built:3",
                                           "ddl-committed"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '-' || c == ':'; }, '_');
                           return name;
                         });

// A unique index over a column with a duplicate leaves an invalid one on its leaf, which goes.
TEST_F(PartitionIndex, LeavesNoInvalidIndexWhereItFails) {
  MakeNested();
  database_.Sql("INSERT INTO t VALUES (7, 7, 'twice')");
  const Ran ran = Run({"run", "--sql", "CREATE UNIQUE INDEX t_key ON t (k, h)", "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = "
                   "'t_a'::regclass"),
            0);
  database_.Sql("DELETE FROM t WHERE note = 'twice'");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_partition_tree('t_key')"), 6);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
}

// Somebody's invalid leftover under the name that the leaf's index would get.
TEST_F(PartitionIndex, GoesAroundALeftoverOfSomebodyElse) {
  MakeNested();
  database_.Sql("INSERT INTO t VALUES (7, 7, 'note 7')");
  try {
    database_.Connect().Exec("CREATE UNIQUE INDEX CONCURRENTLY t_a_note_idx ON t_a (note)");
    ADD_FAILURE() << "there are duplicates";
  } catch (const SqlError&) {  // which leaves it invalid
  }
  ASSERT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 1);
  const Ran ran = Run(Make());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_partition_tree('t_note')"), 6);
  EXPECT_EQ(database_.Value("SELECT indisvalid FROM pg_index WHERE indexrelid = "
                            "'t_note'::regclass"),
            "t");
  EXPECT_EQ(
      database_.Value("SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE "
                      "NOT indisvalid"),
      "t_a_note_idx");
}

}  // namespace
}  // namespace pgalter::test
