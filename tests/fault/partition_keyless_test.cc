// Partitions of a table whose rows no key tells apart: no copy could follow what users change, so
// few rows are moved while they wait.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionKeyless : public Partitioned {
 protected:
  // Months of the last two years, and what else there is in the default partition.
  void MakeKeyless() {
    database_.Sql(kEvents);
    database_.Sql(
        "DROP TABLE events; CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, made "
        "timestamptz NOT NULL, kind int NOT NULL REFERENCES kind, note text) PARTITION BY RANGE "
        "(made); CREATE INDEX events_made ON events (made); CREATE TABLE events_default PARTITION "
        "OF events DEFAULT; CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON events FOR "
        "EACH ROW EXECUTE FUNCTION mirror(); SET TimeZone = 'UTC'; DO $$ BEGIN FOR m IN 0..3 LOOP "
        "EXECUTE format('CREATE TABLE events_q%s PARTITION OF events FOR VALUES FROM (%L) TO (%L)'"
        ", m, date_trunc('year', now()) + (m * 3 || ' months')::interval, date_trunc('year', now())"
        " + (m * 3 + 3 || ' months')::interval); END LOOP; END $$; INSERT INTO events (made, kind, "
        "note) SELECT date_trunc('year', now()) + g * interval '8 hours', abs(g) % 10, 'old' FROM "
        "generate_series(-50, 1100) g");
  }

  // Name, bound and rows of each; whatever is made anew has the same.
  [[nodiscard]] std::string Parts() const {
    return database_.Value(
        "SET TimeZone = 'UTC'; SELECT string_agg(relname || ' ' || pg_get_expr(relpartbound, oid), "
        "';' ORDER BY relname) FROM pg_class WHERE relispartition AND relkind = 'r'");
  }
};

TEST_F(PartitionKeyless, AreMergedUnderTheirUsersAndParted) {
  MakeKeyless();
  const std::string parts = Parts();
  Users users(database_.conninfo(), 41);
  const Ran merged = Run({"partition", "merge", "events_q0", "events_q1", "events_q2", "--yes"},
                         {"PGALTER_FAIL_POINT=merged"});
  ASSERT_EQ(merged.code, kKilled) << merged.err;
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 3);
  EXPECT_GT(Number("SELECT count(*) FROM events_q0"), 700);
  users.AwaitWrites(100);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts);
  ExpectSame();
  ExpectNothingOfOurs();
}

TEST_F(PartitionKeyless, AreSplitUnderTheirUsersAndBack) {
  MakeKeyless();
  const std::string parts = Parts();
  Users users(database_.conninfo(), 42);
  const Words split{"partition", "split", "events_q1", "--every", "1 month", "--yes"};
  const Ran killed = Run(split, {"PGALTER_FAIL_POINT=merge-committed"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  EXPECT_THAT(killed.err, HasSubstr("since no key tells its rows apart"));
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 7);
  users.AwaitWrites(100);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts);
  ExpectSame();
  ExpectNothingOfOurs();
}

// Rows with NULL have no other place; what is cut out has no other row.
TEST_F(PartitionKeyless, RowsLeaveTheDefaultPartition) {
  database_.Sql(
      "CREATE TABLE t (k int, v text) PARTITION BY RANGE (k); CREATE TABLE t_p0 PARTITION OF t FOR "
      "VALUES FROM (0) TO (10); CREATE TABLE t_default PARTITION OF t DEFAULT; CREATE TABLE l (c "
      "text) PARTITION BY LIST (c); CREATE TABLE l_default PARTITION OF l DEFAULT; INSERT INTO t "
      "SELECT g, 'v' FROM generate_series(0, 39) g; INSERT INTO t VALUES (NULL, 'none'), (15, "
      "'v'), "
      "(15, 'v'); INSERT INTO l VALUES ('de'), ('de'), (NULL), ('us')");
  const Ran ran = Run({"partition", "split", "t_default", "--from", "10", "--to", "20", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto counts = [&](const std::string& table) {
    return database_.Value(
        fmt::format("SELECT string_agg(p || ' ' || n, ';' ORDER BY p) FROM (SELECT "
                    "tableoid::regclass::text AS p, count(*) AS n FROM {} GROUP BY 1) s",
                    table));
  };
  EXPECT_EQ(counts("t"), "t_default 21;t_p0 10;t_p10 12");
  EXPECT_EQ(Number("SELECT count(*) FROM t_default WHERE k IS NULL"), 1);
  const Ran list = Run({"partition", "split", "l_default", "--values", "eu=de,fr", "--yes"});
  ASSERT_EQ(list.code, 0) << list.err;
  EXPECT_EQ(counts("l"), "l_default 2;l_eu 2");
  const Ran maintained = Run({"partition", "maintain", "t", "--premake", "1", "--yes"});
  ASSERT_EQ(maintained.code, 0) << maintained.err;
  EXPECT_EQ(Number("SELECT count(*) FROM t_default WHERE k IS NOT NULL"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 43);
  ExpectNothingOfOurs();
}

// The next attempt would take as long: what would help is said, and helps.
TEST_F(PartitionKeyless, WhatTakesLongerChangesNothing) {
  database_.Sql(
      "CREATE FUNCTION quick(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE TABLE t (k "
      "int CHECK (quick(k))) PARTITION BY RANGE (k); CREATE TABLE t_p0 PARTITION OF t FOR VALUES "
      "FROM (0) TO (10); CREATE TABLE t_p10 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT "
      "INTO t SELECT generate_series(0, 19); CREATE OR REPLACE FUNCTION quick(int) RETURNS boolean "
      "LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.1); RETURN true; END'");
  const std::string parts = Parts();
  const auto says = [&](const Ran& ran) {
    EXPECT_EQ(ran.code, 5) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("longer than users may wait (1000 ms)"));
    EXPECT_THAT(ran.err, HasSubstr("resume " + RunId() + " --hold-budget 5s"));
    EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
    EXPECT_EQ(Parts(), parts);
    EXPECT_EQ(Number("SELECT count(*) FROM t"), 20);
    ExpectNothingOfOurs();
  };
  says(Run({"partition", "merge", "t_p0", "t_p10", "--yes"}));
  says(Run({"partition", "split", "t_p10", "--at", "15", "--yes"}));
  ASSERT_EQ(Run({"partition", "merge", "t_p0", "t_p10", "--yes"}).code, 5);
  const Ran longer = Run({"resume", RunId(), "--hold-budget", "20s"});
  ASSERT_EQ(longer.code, 0) << longer.err;
  EXPECT_EQ(Number("SELECT count(*) FROM t_p0"), 20);
}

TEST_F(PartitionKeyless, WhatIsTooLargeOrSaysNothingIsRefused) {
  // A row a page.
  database_.Sql(
      "CREATE TABLE t (k int, v text) PARTITION BY RANGE (k); CREATE UNLOGGED TABLE t_p0 PARTITION "
      "OF t FOR VALUES FROM (0) TO (100000) WITH (fillfactor = 10); CREATE TABLE s (k int) "
      "PARTITION BY RANGE (k); CREATE TABLE s_p0 PARTITION OF s FOR VALUES FROM (0) TO (10)");
  const Ran pace = Run({"partition", "split", "s_p0", "--at", "5", "--workers", "2", "--yes"});
  EXPECT_EQ(pace.code, 2);
  EXPECT_THAT(pace.err, HasSubstr("--workers is for a copy"));
  const Ran dry = Run({"partition", "split", "s_p0", "--at", "5", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("are moved into 2 partitions"));
  EXPECT_THAT(dry.out, HasSubstr("while users wait, for at most 1000 ms"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql("INSERT INTO t SELECT g, repeat('x', 900) FROM generate_series(1, 400) g");
  const Words split{"partition", "split", "t_p0", "--at", "200", "--yes"};
  Words hurried = split;
  hurried.insert(hurried.end(), {"--hold-budget", "10ms"});
  const Ran longer = Run(hurried);
  EXPECT_EQ(longer.code, 4) << longer.err;
  EXPECT_THAT(longer.err, HasSubstr("they may wait for 10 ms"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  database_.Sql("INSERT INTO t SELECT g, repeat('x', 900) FROM generate_series(1, 34000) g");
  const Ran large = Run({"partition", "split", "t_p0", "--at", "50000", "--yes"});
  EXPECT_EQ(large.code, 4) << large.err;
  EXPECT_THAT(large.err, HasSubstr("more than 256 MB are not moved while they wait. Add a primary "
                                   "key to public.t"));
}

}  // namespace
}  // namespace pgalter::test
