// Split, merge and retain are taken back under their users: no row is lost, none is there twice,
// and the partitions are what they were.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/partition_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PartitionReverted : public Partitioned {
 protected:
  void MakeWhole() {
    MakeEvents(3000);
    ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
    first_ = database_.Value(
        "SELECT relname FROM pg_class WHERE relname LIKE 'events_until_%' AND relkind = 'r'");
    parts_ = Parts();
    dump_ = Dump(database_);
  }

  // Names and bounds.
  [[nodiscard]] std::string Parts(const std::string& of = "events") const {
    return database_.Value(fmt::format(
        "SELECT string_agg(c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid), '; ' ORDER BY "
        "c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
        "'{}'::regclass",
        of));
  }

  // Indexes of partitions that are made anew have the names that the server gives.
  static std::vector<std::string> Unlike(const std::vector<std::string>& before,
                                         const std::vector<std::string>& after) {
    std::vector<std::string> lines = Difference(before, after);
    std::erase_if(lines,
                  [](const std::string& line) { return line.find("INDEX ") != std::string::npos; });
    return lines;
  }

  [[nodiscard]] Words Split() const {
    return {"partition", "split", first_, "--every", "1 month", "--yes"};
  }

  void ExpectAsBefore() const {
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Parts(), parts_);
    EXPECT_THAT(Unlike(dump_, Dump(database_)), IsEmpty());
    ExpectNothingOfOurs();
  }

  std::string first_;
  std::string parts_;
  std::vector<std::string> dump_;
};

TEST_F(PartitionReverted, ASplitUnderItsUsers) {
  MakeWhole();
  Users users(database_.conninfo(), 31);
  users.ahead = true;
  ASSERT_EQ(Run(Split()).code, 0);
  EXPECT_NE(Parts(), parts_);
  users.AwaitWrites(100);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectAsBefore();
  ExpectSame();
}

TEST_F(PartitionReverted, ASplitOfTheDefaultPartition) {
  MakeWhole();
  database_.Sql(
      "INSERT INTO events (made, kind, note) SELECT now() + g * interval '10 days', 1, 'far' FROM "
      "generate_series(10, 20) g");
  ASSERT_EQ(Run({"partition", "split", "events_default", "--every", "1 month", "--yes"}).code, 0);
  EXPECT_NE(Parts(), parts_);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAsBefore();
  ExpectSame();
}

class RevertKilledAt : public PartitionReverted,
                       public ::testing::WithParamInterface<const char*> {};

TEST_P(RevertKilledAt, RevertAgainEndsIt) {
  MakeWhole();
  Users users(database_.conninfo(), 32);
  ASSERT_EQ(Run(Split()).code, 0);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectAsBefore();
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Points, RevertKilledAt,
                         ::testing::Values("ddl-committed", "merged", "regrouped-back"),
                         [](const auto& point) {
                           std::string name = point.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// A run that dies between its exchange and its end.
TEST_F(PartitionReverted, AnAbortBehindTheExchange) {
  MakeWhole();
  ASSERT_EQ(Run(Split(), {"PGALTER_FAIL_POINT=swap-committed"}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  ASSERT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Parts(), parts_);
  ExpectNothingOfOurs();
  ExpectSame();
}

TEST_F(PartitionReverted, NotWhenThePartitionsAreOthersNow) {
  MakeWhole();
  ASSERT_EQ(Run(Split()).code, 0);
  const std::string run = RunId();
  const std::string one = database_.Value(
      "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass AND "
      "inhrelid::regclass::text LIKE 'events\\_until%'");
  database_.Sql("DROP TABLE " + one);
  const std::string now = Parts();
  const Ran reverted = Run({"revert", run, "--yes"});
  EXPECT_EQ(reverted.code, 4);
  EXPECT_THAT(reverted.err, HasSubstr("no partition of public.events any more"));
  EXPECT_EQ(Parts(), now);
}

TEST_F(PartitionReverted, AMergeOfListsWithNull) {
  database_.Sql(
      "CREATE TABLE s (id int, c text, note text, UNIQUE (id, c)) PARTITION BY LIST (c); CREATE "
      "TABLE s_eu PARTITION OF s FOR VALUES IN ('de', 'fr'); CREATE TABLE s_us PARTITION OF s FOR "
      "VALUES IN ('us', NULL); ALTER TABLE s ADD PRIMARY KEY (id, c)");
  database_.Sql(
      "INSERT INTO s SELECT g, (ARRAY['de', 'fr', 'us'])[g % 3 + 1] FROM "
      "generate_series(1, 300) g");
  parts_ = Parts("s");
  ASSERT_EQ(Run({"partition", "merge", "s_eu", "s_us", "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 's'::regclass"), 1);
  database_.Sql("DELETE FROM s WHERE id < 10; INSERT INTO s VALUES (999, 'us')");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Parts("s"), parts_);
  EXPECT_EQ(Number("SELECT count(*) FROM s"), 292);
  EXPECT_EQ(Number("SELECT count(*) FROM ONLY s_us WHERE c <> 'us'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  ExpectNothingOfOurs();
}

TEST_F(PartitionReverted, AMergeUnderItsUsers) {
  MakeWhole();
  ASSERT_EQ(Run(Split()).code, 0);
  parts_ = Parts();
  Words merge{"partition", "merge"};
  const Rows months = database_.Sql(
      "SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE "
      "inhparent = 'events'::regclass AND relname LIKE 'events\\_p2%' ORDER BY relname LIMIT 3");
  for (const auto& month : months) merge.push_back(month.at(0));
  merge.push_back("--yes");
  Users users(database_.conninfo(), 33);
  ASSERT_EQ(Run(merge).code, 0);
  EXPECT_NE(Parts(), parts_);
  users.AwaitWrites(100);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Parts(), parts_);
  ExpectNothingOfOurs();
  ExpectSame();
}

// Rows that are moved in an exchange go through users' functions, which find others by the role's
// search_path.
class PartitionOfFunctions : public PartitionReverted {
 protected:
  PartitionOfFunctions() {
    database_.Sql(
        "CREATE FUNCTION g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';"
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN g($1) + 1; "
        "END'");
  }
  void MakeTable(const std::string& key, const std::string& partition_by) const {
    database_.Sql(fmt::format(
        "CREATE TABLE t (id int, d date NOT NULL, v int CHECK (f(v) > 0), w int GENERATED ALWAYS "
        "AS (f(v)) STORED{}) {}",
        key, partition_by));
    // From 17 on the server builds such an index of no table that has rows.
    if (SharedServer().server_version_major() < 17) database_.Sql("CREATE INDEX ON t (f(v))");
  }
  void MakeParts(const std::string& key) {
    MakeTable(key, "PARTITION BY RANGE (d)");
    database_.Sql(
        "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-03-01'); CREATE "
        "TABLE t_b PARTITION OF t FOR VALUES FROM ('2026-03-01') TO ('2026-05-01'); CREATE TABLE "
        "t_rest PARTITION OF t DEFAULT; INSERT INTO t (id, d, v) SELECT n, date '2026-01-01' + n "
        "% 130, n FROM generate_series(1, 260) n");
    parts_ = Parts("t");
  }
  void ThereAndBack(const Words& there) const {
    const Ran done = Run(there);
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_NE(Parts("t"), parts_);
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Parts("t"), parts_);
    EXPECT_EQ(Number("SELECT sum(w) FROM t"), 260 * 261 / 2 + 260);
  }
};

TEST_F(PartitionOfFunctions, IsSplitByCopyAndBack) {
  MakeParts(", PRIMARY KEY (id, d)");
  ThereAndBack({"partition", "split", "t_a", "--every", "1 month", "--yes"});
}

TEST_F(PartitionOfFunctions, IsSplitUnderLockAndBack) {
  MakeParts("");
  ThereAndBack({"partition", "split", "t_a", "--every", "1 month", "--yes"});
}

TEST_F(PartitionOfFunctions, IsMergedAndBack) {
  MakeParts(", PRIMARY KEY (id, d)");
  ThereAndBack({"partition", "merge", "t_a", "t_b", "--yes"});
}

TEST_F(PartitionOfFunctions, RowsOfTheDefaultPartitionGetOneAndGoBack) {
  MakeParts(", PRIMARY KEY (id, d)");
  ThereAndBack({"partition", "split", "t_rest", "--every", "1 month", "--yes"});
}

TEST_F(PartitionOfFunctions, LaterRowsGoBackIntoTheTable) {
  MakeTable(", PRIMARY KEY (id)", "");
  database_.Sql(
      "INSERT INTO t (id, d, v) SELECT n, now()::date - n % 100, n FROM generate_series(1, 300) n");
  const Ran done = Run({"partition", "convert", "t", "--by", "range(d)", "--every", "1 month",
                        "--premake", "8", "--strategy", "attach", "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(done.code, 0) << done.err;
  database_.Sql(
      "INSERT INTO t (id, d, v) SELECT 300 + n, (now() + interval '3 months')::date + n, n FROM "
      "generate_series(1, 5) n");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE w = f(v)"), 305);
}

// The server takes its time under the lock.
TEST_F(PartitionOfFunctions, AConversionGoesBackWithinTheBudgetThatItIsGiven) {
  MakeTable(", PRIMARY KEY (id)", "");
  const Ran done = Run({"partition", "convert", "t", "--by", "range(d)", "--every", "1 month",
                        "--strategy", "attach", "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(done.code, 0) << done.err;
  database_.Sql(
      "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN IF "
      "pg_catalog.strpos(pg_catalog.current_query(), 'DETACH PARTITION') > 0 THEN PERFORM "
      "pg_catalog.pg_sleep(1.5); END IF; END$$;"
      "CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('ALTER TABLE')"
      " EXECUTE FUNCTION slow()");
  const Ran within = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(within.code, 5) << within.err;
  EXPECT_THAT(within.err, HasSubstr("or with --hold-budget, where users may wait for longer"));
  EXPECT_EQ(StateOfRun(), "done");
  const Ran longer = Run({"revert", RunId(), "--hold-budget", "60s", "--yes"});
  EXPECT_EQ(longer.code, 0) << longer.err;
  EXPECT_EQ(StateOfRun(), "reverted");
}

class RetainReverted : public PartitionReverted, public ::testing::WithParamInterface<bool> {
 protected:
  RetainReverted() {
    database_.Sql(
        "CREATE TABLE t (made date NOT NULL, note text, PRIMARY KEY (made, note)) PARTITION BY "
        "RANGE (made); DO $$ BEGIN FOR i IN -3 .. 1 LOOP EXECUTE format('CREATE TABLE t_%s "
        "PARTITION OF t FOR VALUES FROM (%L) TO (%L)', i + 3, date_trunc('month', now()) + i * "
        "interval '1 month', date_trunc('month', now()) + (i + 1) * interval '1 month'); END "
        "LOOP; END $$; INSERT INTO t SELECT (date_trunc('month', now()) - g * interval '1 "
        "day')::date, g FROM generate_series(1, 80) g");
    if (GetParam()) database_.Sql("CREATE TABLE t_default PARTITION OF t DEFAULT");
    parts_ = Parts("t");
    dump_ = Dump(database_);
  }
  [[nodiscard]] Ran Retain(const Words& more = {}, const Words& environment = {}) const {
    Words words{"partition", "retain", "t", "--keep", "2", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, environment);
  }
  void ExpectAttached() const {
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Parts("t"), parts_);
    EXPECT_EQ(Number("SELECT count(*) FROM t"), 80);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.retired WHERE detached_at IS NOT NULL"), 0);
    EXPECT_THAT(Difference(dump_, Dump(database_)), IsEmpty());
  }
};

TEST_P(RetainReverted, AttachesAgainWhatItHasDetached) {
  ASSERT_EQ(Retain().code, 0);
  EXPECT_LT(Number("SELECT count(*) FROM t"), 80);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAttached();
}

// What users wrote into a detached range went to the default partition, and goes on to do so.
TEST_P(RetainReverted, ARowThatTookThePlaceOfOneIsNamedAndKeepsNobodyOut) {
  if (!GetParam()) GTEST_SKIP() << "no default partition";
  ASSERT_EQ(Retain().code, 0);
  const auto insert = [this](const char* note) {
    database_.Sql(
        fmt::format("INSERT INTO t VALUES ((date_trunc('month', now()) - interval '2 months' + "
                    "interval '3 days')::date, '{}')",
                    note));
  };
  insert("late");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=proof-added:2"}).code, kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=proof-taken-away"}).code,
            kKilled);
  AwaitNoRunner();
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("rows of public.t_default are in the way: SELECT * FROM "
                                     "public.t_default WHERE ("));
  EXPECT_THAT(refused.err, HasSubstr("then: pgalter revert " + RunId()));
  EXPECT_EQ(StateOfRun(), "done");
  insert("later");
  database_.Sql("DELETE FROM t WHERE note IN ('late', 'later')");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAttached();
}

TEST_P(RetainReverted, AfterACrashOfEither) {
  ASSERT_EQ(Retain({}, {"PGALTER_FAIL_POINT=retired"}).code, kKilled);
  AwaitNoRunner();
  const Ran killed = Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=returned"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAttached();
}

TEST_P(RetainReverted, AfterACrashBehindItsEnd) {
  ASSERT_EQ(Retain().code, 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=return-forgotten"}).code,
            kKilled);
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAttached();
}

constexpr const char* kOurChecks =
    "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter%'";

// What others make of the tables meanwhile.
TEST_P(RetainReverted, ATableThatIsNotAlikeAnyMoreStaysAndNobodyIsKeptOut) {
  ASSERT_EQ(Retain({}, {"PGALTER_FAIL_POINT=retired"}).code, kKilled);
  AwaitNoRunner();
  const std::string gone =
      database_.Value("SELECT relid::regclass FROM pgalter.retired WHERE detached_at IS NOT NULL");
  database_.Sql(fmt::format("ALTER TABLE {} ADD COLUMN extra int", gone));
  const Ran refused = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("stays detached, as public.t does not take it"));
  EXPECT_THAT(refused.err, HasSubstr("extra"));
  EXPECT_EQ(Number(kOurChecks), 0);
  database_.Sql(fmt::format("ALTER TABLE {} DROP COLUMN extra", gone));
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 80);
}

TEST_P(RetainReverted, IntoATableThatHasAnotherNameByNow) {
  ASSERT_EQ(Retain({}, {"PGALTER_FAIL_POINT=retired"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("ALTER TABLE t RENAME TO other");
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM other"), 80);
  EXPECT_EQ(Number(kOurChecks), 0);
}

TEST_P(RetainReverted, NotIntoATableThatIsGone) {
  ASSERT_EQ(Retain({}, {"PGALTER_FAIL_POINT=retired"}).code, kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=proof-added"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("DROP TABLE t");
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_THAT(aborted.err, HasSubstr("stays detached: the table that it was of is gone"));
  EXPECT_EQ(Number(kOurChecks), 0);
}

TEST_P(RetainReverted, NotWhatIsDropped) {
  ASSERT_EQ(Retain({"--drop", "--hold", "0 days"}).code, 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4);
  EXPECT_THAT(reverted.err, HasSubstr("point of no return"));
}

INSTANTIATE_TEST_SUITE_P(Default, RetainReverted, ::testing::Bool(), [](const auto& with) {
  return with.param ? "BesideADefaultPartition" : "WithoutOne";
});

}  // namespace
}  // namespace pgalter::test
