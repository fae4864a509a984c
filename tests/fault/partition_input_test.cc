// What a conversion is asked for: keys, bounds and extents that it takes, and what it refuses, with
// the reason, before it writes anything.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct KeyCase {
  const char* name;
  const char* column;
  const char* every;
  const char* rows;
  const char* zone;
  const char* bound;  // of the second partition, in UTC
};

class PartitionKeys : public Partitioned, public ::testing::WithParamInterface<KeyCase> {};

TEST_P(PartitionKeys, HaveBoundsThatMeanTheSameEverywhere) {
  const KeyCase& given = GetParam();
  database_.Sql(fmt::format("CREATE TABLE t (id int PRIMARY KEY, k {} NOT NULL); INSERT INTO t {}",
                            given.column, given.rows));
  const Ran ran = Run({"partition", "convert", "t", "--by", "range(k)", "--every", given.every,
                       "--time-zone", given.zone, "--yes", "--premake", "2"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value(
                "SET TimeZone = 'UTC'; SELECT pg_get_expr(relpartbound, oid) FROM "
                "pg_class WHERE relname LIKE 't\\_p%' AND relkind = 'r' ORDER BY oid LIMIT 1"),
            given.bound);
}

INSTANTIATE_TEST_SUITE_P(
    Types, PartitionKeys,
    ::testing::Values(
        KeyCase{"Timestamptz", "timestamptz", "1 month",
                "SELECT g, timestamptz '2090-06-15 00:00+00' - g * interval '1 day' FROM "
                "generate_series(1, 50) g",
                "UTC", "FOR VALUES FROM ('2090-07-01 00:00:00+00') TO ('2090-08-01 00:00:00+00')"},
        KeyCase{"InBerlin", "timestamptz", "1 month",
                "SELECT g, timestamptz '2090-06-15 00:00+00' - g * interval '1 day' FROM "
                "generate_series(1, 50) g",
                "Europe/Berlin",
                "FOR VALUES FROM ('2090-06-30 22:00:00+00') TO ('2090-07-31 22:00:00+00')"},
        KeyCase{"Timestamp", "timestamp", "1 day",
                "SELECT g, timestamp '2090-06-15 10:00' - g * interval '1 hour' FROM "
                "generate_series(1, 50) g",
                "UTC", "FOR VALUES FROM ('2090-06-17 00:00:00') TO ('2090-06-18 00:00:00')"},
        KeyCase{"Date", "date", "1 year",
                "SELECT g, date '2090-06-15' - g FROM generate_series(1, 50) g", "UTC",
                "FOR VALUES FROM ('2091-01-01') TO ('2092-01-01')"},
        KeyCase{"Weeks", "date", "2 weeks",
                "SELECT g, date '2090-06-15' - g FROM generate_series(1, 50) g", "UTC",
                "FOR VALUES FROM ('2090-06-19') TO ('2090-07-03')"},
        KeyCase{"Bigint", "bigint", "1000", "SELECT g, g * 10 FROM generate_series(1, 500) g",
                "UTC", "FOR VALUES FROM ('6000') TO ('7000')"},
        KeyCase{"Negative", "int", "1000", "SELECT g, -g * 10 FROM generate_series(300, 500) g",
                "UTC", "FOR VALUES FROM ('-2000') TO ('-1000')"}),
    [](const auto& param) { return std::string(param.param.name); });

struct RefusedCase {
  const char* name;
  const char* script;
  Words more;
  int code;
  const char* says;
};

class PartitionRefused : public Partitioned, public ::testing::WithParamInterface<RefusedCase> {};

TEST_P(PartitionRefused, WritesNothing) {
  constexpr int kColumnLists = 150000;  // of publications
  if (std::string_view(GetParam().name) == "PublishedColumns" &&
      Number("SHOW server_version_num") < kColumnLists)
    GTEST_SKIP() << "this server has no column lists";
  MakeEvents(100);
  database_.Sql(GetParam().script);
  const Ran ran = Run(Convert(GetParam().more));
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, PartitionRefused,
    ::testing::Values(
        RefusedCase{"InboundKey",
                    "CREATE TABLE line (event bigint REFERENCES events)",
                    {},
                    4,
                    "--inbound-fk drop"},
        RefusedCase{"SeveralColumns",
                    "",
                    {"--by", "range(made, id)"},
                    2,
                    "names several columns, and rows are parted by one"},
        RefusedCase{"AnExpression",
                    "",
                    {"--by", "range(date_trunc('day', made))"},
                    2,
                    "an expression cannot part rows"},
        RefusedCase{
            "UniqueKey", "ALTER TABLE events ADD u int UNIQUE", {}, 4, "--allow-weaker-keys"},
        RefusedCase{"Nullable",
                    "ALTER TABLE events ALTER made DROP NOT NULL",
                    {},
                    4,
                    "ALTER COLUMN made SET NOT NULL"},
        RefusedCase{"Excludes",
                    "ALTER TABLE events ADD s tsrange, ADD CONSTRAINT e EXCLUDE USING gist (s WITH "
                    "&&)",
                    {},
                    4,
                    "constraint e excludes rows"},
        RefusedCase{"NotValid",
                    "ALTER TABLE events ADD CONSTRAINT c CHECK (kind < 5) NOT VALID",
                    {"--strategy", "attach"},
                    4,
                    "VALIDATE CONSTRAINT c"},
        RefusedCase{"Publication",
                    "CREATE PUBLICATION p FOR TABLE events",
                    {},
                    4,
                    "publish_via_partition_root"},
        RefusedCase{"MaterializedView",
                    "CREATE MATERIALIZED VIEW m AS SELECT * FROM events",
                    {},
                    4,
                    "materialized view public.m"},
        RefusedCase{
            "PolicyOfAnotherTable",
            "CREATE TABLE o (id int, e bigint); CREATE POLICY po ON o USING (EXISTS (SELECT "
            "FROM events v WHERE v.id = o.e))",
            {},
            4,
            "policy po of"},
        RefusedCase{"RuleOfAView",
                    "CREATE VIEW w AS SELECT * FROM events; CREATE RULE wi AS ON INSERT TO w DO "
                    "INSTEAD INSERT INTO events (made, kind) VALUES (new.made, new.kind)",
                    {},
                    4,
                    "rule wi of view"},
        RefusedCase{"ViewByTheKey",
                    "CREATE VIEW w AS SELECT id, made, count(*) FROM events GROUP BY id",
                    {},
                    4,
                    "leans on constraint events_pkey"},
        RefusedCase{"TheKeyIsThereTwice",
                    "ALTER TABLE events ADD CONSTRAINT u UNIQUE (id, made)",
                    {},
                    4,
                    "which u is already"},
        RefusedCase{"SequenceOfAnother",
                    "CREATE TABLE o (id bigint DEFAULT nextval('events_id_seq'))",
                    {},
                    4,
                    "default of another column"},
        RefusedCase{"PublishedColumns",
                    "CREATE PUBLICATION p FOR TABLE events (id, kind) WITH "
                    "(publish_via_partition_root)",
                    {},
                    4,
                    "publication p sends columns without made"},
        RefusedCase{"NameTaken", "CREATE TABLE events_default ()", {}, 4, "events_default"},
        RefusedCase{"WidthOfAnotherType", "SELECT 1", {"--every", "1000"}, 2, "--every"},
        RefusedCase{"ListAttached",
                    "SELECT 1",
                    {"--by", "list(kind)", "--values", "a=1", "--strategy", "attach"},
                    2,
                    "--every is for another --by"},
        RefusedCase{"TooManyRanges",
                    "SELECT 1",
                    {"--strategy", "copy", "--every", "1 hour", "--premake", "999"},
                    2,
                    "choose wider ones"},
        RefusedCase{"UnknownColumn", "SELECT 1", {"--by", "range(nowhere)"}, 2, "nowhere"},
        RefusedCase{"UnknownZone", "SELECT 1", {"--time-zone", "Europe/Nowhere"}, 2, "Nowhere"},
        RefusedCase{"Infinity",
                    "INSERT INTO events (made, kind) VALUES ('infinity', 1)",
                    {},
                    4,
                    "infinity"}),
    [](const auto& param) { return std::string(param.param.name); });

class PartitionExtent : public Partitioned {
 protected:
  void SetUp() override {
    Partitioned::SetUp();
    database_.Sql(
        "CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL, z timestamptz NOT NULL, s bigint NOT "
        "NULL, u uuid NOT NULL); INSERT INTO t SELECT g, date '2026-01-15' + 60 * g, timestamptz "
        "'2026-01-15 UTC' + g * interval '60 days', extract(epoch FROM timestamptz '2026-01-15 "
        "UTC' + g * interval '60 days'), (lpad(to_hex((extract(epoch FROM timestamptz '2026-01-15 "
        "UTC' + g * interval '60 days') * 1000)::bigint), 12, '0') || '7' || repeat('0', 3) || '8' "
        "|| repeat('0', 15))::uuid FROM generate_series(0, 2) g");
  }
  [[nodiscard]] Ran Convert(const Words& more) const {
    Words words{"partition", "convert", "t", "--strategy", "copy", "--yes"};
    if (std::ranges::count(more, "--by") == 0)
      words.insert(words.end(), {"--by", "range(d)", "--every", "1 month"});
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
};

TEST_F(PartitionExtent, IsWhatTheUserSays) {
  const Ran ran = Convert({"--from", "2026-02-10", "--to", "2026-05-01"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass || ' ' || d, ', ' ORDER BY d) "
                            "FROM t"),
            "t_default 2026-01-15, t_p2026_03 2026-03-16, t_default 2026-05-15");
  EXPECT_EQ(database_.Value("SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY "
                            "inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = "
                            "'t'::regclass"),
            "t_default t_p2026_02 t_p2026_03 t_p2026_04");
}

TEST_F(PartitionExtent, IsOfTimesInTheirZoneAndOfWhatStandsForTimes) {
  const auto begins = [&](const char* column, const Words& more, const char* first) {
    Words words{"--by",        fmt::format("range({})", column),
                "--every",     "1 month",
                "--time-zone", "Europe/Berlin",
                "--from",      "2026-04-01",
                "--to",        "2026-04-30 23:59",
                "--dry-run"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Convert(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(fmt::format("t_p2026_04 PARTITION OF public.t FOR VALUES FROM "
                                               "({}) TO (",
                                               first)));
    EXPECT_THAT(ran.out, HasSubstr("copied into 2 partitions, t_p2026_04 to t_default"));
  };
  begins("z", {}, "'2026-03-31 22:00:00+00'");
  begins("s", {"--epoch", "seconds"}, "1774994400");
  begins("u", {}, "'019d45e9-2300-0000-0000-000000000000'");
}

TEST_F(PartitionExtent, MayBeginBehindAllRowsAndInAnEmptyTable) {
  database_.Sql("CREATE TABLE e (k int PRIMARY KEY)");
  const Words words{"partition", "convert", "e",      "--strategy", "copy", "--by", "range(k)",
                    "--every",   "10",      "--from", "1005",       "--to", "1030", "--dry-run"};
  const Ran empty = Run(words);
  EXPECT_EQ(empty.code, 0) << empty.err;
  EXPECT_THAT(empty.out, HasSubstr("copied into 4 partitions, e_p1000 to e_default"));
  const Ran behind = Convert({"--from", "2090-01-01", "--premake", "2", "--dry-run"});
  EXPECT_EQ(behind.code, 0) << behind.err;
  EXPECT_THAT(behind.out, HasSubstr("t_p2090_01 to t_default"));
}

TEST_F(PartitionExtent, RefusesWhatCannotBeBeforeItCopies) {
  const auto says = [&](const Words& words, int code, const char* text) {
    const Ran ran = Convert(words);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says({"--from", "2026-02-10", "--default", "no"}, 4, "it has rows before 2026-02-01");
  says({"--to", "2026-04-20", "--default", "no"}, 4, "it has rows from 2026-05-01");
  says({"--from", "2026-05-01", "--to", "2026-02-01"}, 2,
       "there is nothing from 2026-05-01 to 2026-02-01: --to lies before --from");
  says({"--from", "sometime"}, 2, "--from \"sometime\" is no value for column d");
  says({"--from", "2026-01-01", "--to", "9999-01-01"}, 2, "more than 1000 partitions");
  says({"--to", "2026-05-01", "--premake", "2"}, 2, "--to and --premake both");
  says({"--by", "hash(id)", "--modulus", "2", "--from", "1"}, 2, "--from is for --by 'range");
  const Ran attached = Run({"partition", "convert", "t", "--by", "range(d)", "--every", "1 month",
                            "--from", "2026-01-01", "--yes"});
  EXPECT_EQ(attached.code, 2) << attached.err;
  EXPECT_THAT(attached.err, HasSubstr("--from is for --strategy copy"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// "Valid until further notice", and "since ever".
TEST_F(PartitionExtent, LeavesInfiniteRowsToTheDefaultPartition) {
  database_.Sql(
      "INSERT INTO t SELECT 10 + g, i::date, '2026-01-15 UTC', 0, gen_random_uuid() FROM "
      "unnest(ARRAY['infinity', '-infinity']) WITH ORDINALITY x (i, g)");
  const Ran refused = Convert({"--default", "no", "--premake", "1"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("it has rows whose d is -infinity or infinity, which no range "
                                     "with bounds can hold, and no default partition"));
  const Ran ran = Convert({"--from", "2026-03-01", "--to", "2026-06-01"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("rows whose d is -infinity or infinity are in the default "
                                 "partition"));
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass || ' ' || d, ', ' ORDER BY d) "
                            "FROM t"),
            "t_default -infinity, t_default 2026-01-15, t_p2026_03 2026-03-16, t_p2026_05 "
            "2026-05-15, t_default infinity");
}

class PartitionEnds : public PartitionExtent, public ::testing::WithParamInterface<const char*> {};

// A large table is never read whole to learn where its rows begin and end.
TEST_P(PartitionEnds, AreLookedUpByTheIndex) {
  const std::string column = GetParam();
  database_.Sql(
      "INSERT INTO t SELECT g, d, z, s, u FROM t, generate_series(10, 40000) g WHERE id = 1;"
      "CREATE INDEX ON t (d); CREATE INDEX ON t (u); SELECT pg_stat_force_next_flush()");
  database_.Sql("VACUUM ANALYZE t");
  const char* read = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 't'";
  const std::int64_t before = Number(read);
  const Ran ran =
      Convert({"--by", fmt::format("range({})", column), "--every", "1 month", "--dry-run"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.AwaitValue(
      fmt::format("SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = 't_{}_idx'",
                  column),
      "t");
  EXPECT_LT(Number(read) - before, 40000);
}

INSTANTIATE_TEST_SUITE_P(Columns, PartitionEnds, ::testing::Values("d", "u"));

TEST_F(PartitionExtent, GoesFromTheOldestFiniteRowOn) {
  database_.Sql(
      "INSERT INTO t SELECT 10 + g, i::date, '2026-01-15 UTC', 0, gen_random_uuid() FROM "
      "unnest(ARRAY['infinity', '-infinity']) WITH ORDINALITY x (i, g)");
  const Ran ran = Convert({"--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("t_p2026_01 to t_default"));
}

// A piece of a range without ends holds them.
TEST_F(PartitionExtent, SplitsARangeWithoutEndsAroundInfiniteRows) {
  database_.Sql(
      "CREATE TABLE w (id int, d date NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (d); "
      "CREATE "
      "TABLE w_all PARTITION OF w FOR VALUES FROM (MINVALUE) TO (MAXVALUE); INSERT INTO w VALUES "
      "(1, '-infinity'), (2, '2026-01-15'), (3, '2026-03-15'), (4, 'infinity')");
  const Ran ran = Run({"partition", "split", "w_all", "--every", "1 month", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass || ' ' || id, ', ' ORDER BY id) "
                            "FROM w"),
            "w_until_2026_02 1, w_until_2026_02 2, w_p2026_03 3, w_p2026_03 4");
}

TEST_F(PartitionExtent, NamesTheWayOutOfTooManyRangesAndCountsOneAsOne) {
  database_.Sql("INSERT INTO t SELECT 10, '0044-03-15 BC', now(), 0, gen_random_uuid()");
  const Ran ran = Convert({});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("ranges of 1 month from 0044-03-15 BC up to the clock, 20"));
  EXPECT_THAT(ran.err, HasSubstr("more than 1000 partitions: choose wider ones, or say with --from "
                                 "and --to which rows get some"));
  EXPECT_EQ(Convert({"--from", "2026-01-01", "--dry-run"}).code, 0);
  database_.Sql("CREATE TABLE c (id int PRIMARY KEY, c text NOT NULL)");
  const Ran one = Run({"partition", "convert", "c", "--by", "list(c)", "--values", "eu=de",
                       "--default", "no", "--dry-run"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("copied into 1 partition, c_eu; needs"));
}

TEST_F(Partitioned, ListsThatMeetAreRefused) {
  database_.Sql("CREATE TABLE t (id int PRIMARY KEY, c text NOT NULL)");
  for (const char* other : {"eu=fr", "us=de"}) {
    const Ran ran = Run({"partition", "convert", "t", "--by", "list(c)", "--values", "eu=de",
                         "--values", other, "--dry-run"});
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(other == std::string("eu=fr") ? "two lists are called \"eu\""
                                                                 : "\"de\" is there twice"));
  }
}

TEST_F(Partitioned, AListOfAnotherTypesValuesIsRefusedByItsOwnName) {
  database_.Sql("CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL)");
  const Ran ran =
      Run({"partition", "convert", "t", "--by", "list(c)", "--values", "a=1,xx", "--dry-run"});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--values has what is no value of column c of public.t, which is "
                                 "of type integer: invalid input syntax for type integer: \"xx\""));
  EXPECT_THAT(ran.err, Not(HasSubstr("--definition")));
}

TEST_F(Partitioned, WhatIsPartitionedAlreadyIsRefusedWithTheWayOut) {
  database_.Sql("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)");
  for (const char* strategy : {"attach", "copy"}) {
    const Ran ran = Run({"partition", "convert", "t", "--by", "range(id)", "--every", "10",
                         "--strategy", strategy, "--yes"});
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("is partitioned already: pgalter partition list "));
    EXPECT_THAT(ran.err, HasSubstr("Nothing was changed"));
  }
}

TEST_F(Partitioned, AnotherTypeOfColumnIsRefused) {
  MakeEvents(10);
  const Ran ran = Run(Convert({"--by", "range(note)"}));
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("is of type text"));
}

TEST_F(Partitioned, ADryRunWritesNothing) {
  MakeEvents(10);
  const Ran ran = Run(Convert({"--dry-run"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("weaker: events_pkey (id) becomes (id, made)"));
  EXPECT_THAT(ran.out, HasSubstr("nothing was written"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// As `list` and the server write them.
TEST_F(Partitioned, WordsAreTakenInAnyCase) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, \"Day\" timestamptz NOT NULL); INSERT INTO t SELECT g, "
      "now() - g * interval '1 day' FROM generate_series(1, 50) g");
  for (const char* by : {"RANGE (\"Day\")", "range (\"Day\")", " Range( \"Day\" ) "}) {
    const Ran ran = Run({"partition", "convert", "t", "--by", by, "--every", "1 month",
                         "--time-zone", "europe/berlin", "--dry-run"});
    EXPECT_EQ(ran.code, 0) << by << ": " << ran.err;
  }
  const Ran hash =
      Run({"partition", "convert", "t", "--by", "HASH (id)", "--modulus", "2", "--dry-run"});
  EXPECT_EQ(hash.code, 0) << hash.err;
  const Ran zone = Run({"partition", "convert", "t", "--by", "range(\"Day\")", "--every", "1 month",
                        "--time-zone", "Europe/Nowhere", "--dry-run"});
  EXPECT_EQ(zone.code, 2);
}

// Seven hours of old rows are few ranges; those up to now are not.
TEST_F(Partitioned, TooManyRangesSayThatTheClockCounts) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, made timestamptz NOT NULL); INSERT INTO t SELECT g, "
      "timestamptz '2020-03-28 22:10+00' + g * interval '1 hour' FROM generate_series(0, 6) g");
  const Ran old = Run({"partition", "convert", "t", "--by", "range(made)", "--every", "1 hour",
                       "--strategy", "copy", "--dry-run"});
  EXPECT_EQ(old.code, 2);
  EXPECT_THAT(old.err, HasSubstr("from 2020-03-28 22:10:00+00 up to the clock, 20"));
  EXPECT_THAT(old.err, HasSubstr("(the newest row, 2020-03-29 04:10:00+00), and 4 more"));
  database_.Sql("INSERT INTO t VALUES (10, '2099-01-01 00:00+00')");
  const Ran ahead = Run({"partition", "convert", "t", "--by", "range(made)", "--every", "1 hour",
                         "--strategy", "copy", "--dry-run"});
  EXPECT_EQ(ahead.code, 2);
  EXPECT_THAT(ahead.err, HasSubstr("up to the newest row, 2099-01-01 00:00:00+00, and 4 more"));
}

}  // namespace
}  // namespace pgalter::test
