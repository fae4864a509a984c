// What cron asks for every hour: the ranges ahead of the clock, whatever odd rows and gaps there
// are.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PartitionCron : public BackfillWorld {
 protected:
  // A month, so many after this one, as it stands in a bound.
  [[nodiscard]] std::string Month(int ahead) const {
    return database_.Value(fmt::format(
        "SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '{} months')::date",
        ahead));
  }

  // m by months of UTC: each of those, by how far it is ahead of this one.
  void MakeMonths(const std::vector<int>& months, bool with_default = false) const {
    database_.Sql(
        "CREATE TABLE m (id int GENERATED ALWAYS AS IDENTITY, made timestamptz NOT NULL, PRIMARY "
        "KEY (id, made)) PARTITION BY RANGE (made)");
    for (const int month : months)
      database_.Sql(fmt::format(
          "CREATE TABLE m_{0} PARTITION OF m FOR VALUES FROM ('{1} 00:00+00') TO ('{2} 00:00+00')",
          month < 0 ? fmt::format("m{}", -month) : std::to_string(month), Month(month),
          Month(month + 1)));
    if (with_default) database_.Sql("CREATE TABLE m_def PARTITION OF m DEFAULT");
  }

  // "-1 0 1": how far ahead of this month the ranges of one month are; others as they are.
  [[nodiscard]] std::string Months() const {
    return database_.Value(
        "SET TimeZone = 'UTC'; SELECT string_agg(ahead::text, ' ' ORDER BY ahead) FROM (SELECT "
        "extract(year FROM a) * 12 + extract(month FROM a) AS ahead FROM (SELECT "
        "age((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''(.*)''\\) "
        "TO'))[1]::timestamp, date_trunc('month', now() AT TIME ZONE 'UTC')) AS a FROM pg_inherits "
        "i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'm'::regclass AND "
        "pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT') x) y");
  }

  Ran Maintain(Words more = {}) const {
    Words words{"partition", "maintain", "m", "--premake", "2", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
};

TEST_F(PartitionCron, NamesTheCommandForTheFirstRange) {
  MakeMonths({});
  const Ran ran = Maintain();
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("public.m has no range to go on from: make the first one with: "
                                 "pgalter partition add public.m --from VALUE --to VALUE"));
}

TEST_F(PartitionCron, FillsTheGapThatTheClockRunsInto) {
  MakeMonths({0, 290});
  const Ran seen = Run({"inspect", "partitions", "m", "--premake", "2"});
  EXPECT_THAT(seen.out, HasSubstr("partition maintain public.m would make 2"));
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Months(), "0 1 2 290");
  EXPECT_THAT(Maintain().out, HasSubstr("nothing to do"));
}

// They go into the ranges that are due, and nobody is kept from writing more of them.
TEST_F(PartitionCron, RowsThatComeWhileItProvesThereAreNoneAreMoved) {
  MakeMonths({0}, true);
  const Ran killed = Run({"partition", "maintain", "m", "--premake", "2", "--yes"},
                         {"PGALTER_FAIL_POINT=ddl-committed:1"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const std::string insert = fmt::format(
      "INSERT INTO m (made) VALUES ('{0} 12:00+00'), ('{1} 12:00+00')", Month(1), Month(2));
  database_.Sql(insert);
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("takes back what run"));
  EXPECT_EQ(Months(), "0 1 2 3 4");  // ahead of the newest row, too
  database_.Sql(insert);
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || (SELECT count(*) FROM m_def) FROM m"),
            "4 0");
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter%' AND contype = 'c'"),
      0);
}

TEST_F(PartitionCron, FillsAGapAndGoesOnBehindIt) {
  MakeMonths({-1, 1});
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Months(), "-1 0 1 2");
}

// The range in between begins where no month does.
TEST_F(PartitionCron, EndsWhereTheNextRangeBegins) {
  MakeMonths({0});
  database_.Sql(fmt::format(
      "CREATE TABLE m_odd PARTITION OF m FOR VALUES FROM ('{0} 00:00+00'::timestamptz + interval "
      "'10 days 1.000001 seconds') TO ('{1} 00:00+00')",
      Month(1), Month(2)));
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql(fmt::format(
      "INSERT INTO m (made) SELECT '{} 00:00+00'::timestamptz + g * interval '1 hour' FROM "
      "generate_series(0, 24 * 85) g",
      Month(0)));
}

TEST_F(PartitionCron, BeginsWithTheClockWhereAllRangesAreAhead) {
  MakeMonths({290});
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Months(), "0 1 2 290");
}

// More hours than are made at once have gone by without it.
TEST_F(PartitionCron, GoesOnWhereTheClockIs) {
  database_.Sql(
      "CREATE TABLE m (made timestamptz NOT NULL) PARTITION BY RANGE (made); CREATE TABLE m_1 "
      "PARTITION OF m FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-01-01 01:00+00')");
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql("INSERT INTO m VALUES (now()), (now() + interval '2 hours')");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass"), 4);
}

TEST_F(PartitionCron, ASentinelWithARangeIsNotGoneOnFrom) {
  MakeMonths({0, 1});
  database_.Sql(
      "CREATE TABLE m_9999 PARTITION OF m FOR VALUES FROM ('9999-12-01 00:00+00') TO ('10000-01-01 "
      "00:00+00'); INSERT INTO m (made) VALUES ('9999-12-31')");
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'm'::regclass"), 4);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'm\\_p1%'"), 0);
}

TEST_F(PartitionCron, GoesOnOnceTheLastRangeHasAnEnd) {
  MakeMonths({-1});
  database_.Sql(fmt::format(
      "CREATE TABLE m_last PARTITION OF m FOR VALUES FROM ('{} 00:00+00') TO (MAXVALUE)",
      Month(0)));
  const Ran ran = Maintain();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("public.m_last, has no end: it holds whatever comes"));
  ASSERT_EQ(Run({"partition", "split", "m_last", "--at", Month(1), "--yes"}).code, 0);
  const std::string endless = database_.Value(
      "SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE "
      "inhparent = 'm'::regclass AND pg_get_expr(c.relpartbound, c.oid) LIKE '%MAXVALUE%'");
  ASSERT_EQ(Run({"partition", "detach", endless, "--yes"}).code, 0);
  const Ran then = Maintain();
  EXPECT_EQ(then.code, 0) << then.err;
}

class PartitionSentinel : public PartitionCron,
                          public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionSentinel, IsTheDefaultPartitionsAndSaid) {
  MakeMonths({0}, true);
  database_.Sql(fmt::format("INSERT INTO m (made) VALUES ('{}')", GetParam()));
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Months(), "0 1 2");
  EXPECT_THAT(ran.err, HasSubstr("warning: public.m_def has rows whose made is "));
  EXPECT_EQ(Number("SELECT count(*) FROM m_def"), 1);
  const Ran again = Maintain();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));
  EXPECT_THAT(again.err, HasSubstr("warning: public.m_def has rows"));
  EXPECT_EQ(Run({"inspect", "partitions", "m"}).code, 0);
}

INSTANTIATE_TEST_SUITE_P(Values, PartitionSentinel,
                         ::testing::Values("infinity", "9999-12-31", "-infinity",
                                           "0001-01-01 00:00+00 BC", "1970-01-01"),
                         [](const ::testing::TestParamInfo<const char*>& param) {
                           return "N" + std::to_string(param.index);
                         });

TEST_F(PartitionCron, NumbersFarAheadAreNotGoneAfter) {
  database_.Sql(
      "CREATE TABLE n (k bigint PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE n_0 PARTITION OF "
      "n FOR VALUES FROM (0) TO (100); CREATE TABLE n_def PARTITION OF n DEFAULT; INSERT INTO n "
      "VALUES (5), (9223372036854775807)");
  const Ran ran = Run({"partition", "maintain", "n", "--premake", "2", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("warning: public.n_def has rows whose k is 1300 or later"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'n'::regclass"), 4);
}

// Before the first range, and in a gap.
TEST_F(PartitionCron, RowsOfTheDefaultPartitionGetRanges) {
  MakeMonths({-3, -1, 0, 1, 2}, true);
  database_.Sql(fmt::format(
      "INSERT INTO m (made) SELECT '{}'::timestamptz + g * interval '1 hour' FROM "
      "generate_series(1, 400) g; INSERT INTO m (made) SELECT '{}'::timestamptz + g * interval '1 "
      "hour' FROM generate_series(1, 7) g; INSERT INTO m (made) VALUES ('infinity')",
      Month(-4), Month(-2)));
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("public.m_def has rows of 2 ranges that there are none for"));
  EXPECT_EQ(Months(), "-4 -3 -2 -1 0 1 2");
  EXPECT_EQ(Number("SELECT count(*) FROM m_def"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM m"), 408);
  EXPECT_THAT(Maintain().out, HasSubstr("nothing to do"));
}

TEST_F(PartitionCron, RangesAheadComeFirst) {
  MakeMonths({0}, true);
  database_.Sql(
      fmt::format("INSERT INTO m (made) SELECT '{}'::timestamptz + g * interval '1 hour' FROM "
                  "generate_series(1, 400) g",
                  Month(-1)));
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Months(), "-1 0 1 2");
  EXPECT_EQ(Number("SELECT count(*) FROM m_def"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM m"), 400);
}

// What keeps them from being moved is no reason to fail.
TEST_F(PartitionCron, RowsThatCannotBeMovedAreSaid) {
  MakeMonths({0}, true);
  database_.Sql("CREATE TABLE user_of_its_type (x m_def)");
  database_.Sql(fmt::format("INSERT INTO m (made) VALUES ('{}')", Month(-1)));
  const Ran ran = Maintain();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("warning: they stay in public.m_def"));
  EXPECT_EQ(Months(), "0 1 2");
}

// Rows of the next months, in the default partition: to be moved, slowly.
class PartitionCronLeft : public PartitionCron {
 protected:
  void LeaveARun() {
    MakeMonths({0}, true);
    database_.Sql(
        "ALTER TABLE m_def SET (autovacuum_enabled = off); INSERT INTO m (made) SELECT "
        "date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '40 days' + g "
        "* interval '1 second' FROM generate_series(1, 40000) g");
    Words words{"partition", "maintain", "m", "--premake", "2", "--yes"};
    for (const std::string& word : Slowly()) words.push_back(word);
    Program program = Start(words);
    database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
    database_.AwaitValue("SELECT EXISTS (SELECT FROM pgalter.run WHERE done_rows > 0)", "t",
                         kLimit);
    program.Signal(SIGTERM);
    EXPECT_EQ(program.Wait(kLimit).code, 6);
    EXPECT_EQ(StateOfRun(), "paused");
    Throttle("ratio=1");
  }
};

TEST_F(PartitionCronLeft, IsGoneOnWithByTheNextCall) {
  LeaveARun();
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("which an earlier `partition maintain` has left"));
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run WHERE state <> 'done'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM m_def"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM m"), 40000);
}

// Before it has begun: it is no plan of somebody else's.
TEST_F(PartitionCron, OneThatDiedWithItsRunJustMadeIsGoneOnWith) {
  MakeMonths({0});
  const Ran killed = Run({"partition", "maintain", "m", "--premake", "2", "--yes"},
                         {"PGALTER_FAIL_POINT=run-made"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  const Ran ran = Maintain();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("which an earlier `partition maintain` has left"));
  EXPECT_EQ(Months(), "0 1 2");
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run"), 1);
}

// Somebody wants it to rest.
TEST_F(PartitionCronLeft, RestsWhereSomebodyHasPausedIt) {
  LeaveARun();
  ASSERT_EQ(Run({"pause", RunId()}).code, 0);
  const Ran ran = Maintain();
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("has public.m already and is paused"));
  EXPECT_EQ(StateOfRun(), "paused");
}

TEST_F(PartitionCron, SaysInJsonWhatItDid) {
  MakeMonths({0});
  const Ran ran = Maintain({"--output", "json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\"table\":\"public.m\""));
  EXPECT_THAT(ran.out, HasSubstr("\"made\":2,\"partitions\":[\"public.m_p"));
  const Ran again = Maintain({"--output", "json"});
  EXPECT_THAT(again.out, HasSubstr("\"made\":0,\"partitions\":[],\"runs\":[],\"remarks\":[]"));
}

}  // namespace
}  // namespace pgalter::test
