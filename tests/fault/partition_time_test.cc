// Ranges of time over columns of no type of time: uuids of version 7, and numbers that count
// seconds or milliseconds since 1970.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kUuids = R"sql(
CREATE FUNCTION digits(t timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') $$;
CREATE FUNCTION v7(t timestamptz) RETURNS uuid LANGUAGE sql AS $$
  SELECT (digits(t) || '7' || substr(md5(random()::text), 1, 3) || '8'
          || substr(md5(random()::text), 1, 15))::uuid $$;
)sql";

class PartitionTime : public BackfillWorld {
 protected:
  // A row for each day of the half year that ends in June of 2090.
  void MakeUuids() const {
    database_.Sql(kUuids);
    database_.Sql(
        "CREATE TABLE u (id uuid PRIMARY KEY, made timestamptz); INSERT INTO u SELECT v7(t), t "
        "FROM generate_series(timestamptz '2090-01-01 12:00+00', '2090-06-15 12:00+00', '1 day') "
        "t");
  }

  // "until 07-01, 07-01 to 08-01, DEFAULT" of the year, told by the server.
  [[nodiscard]] std::string Bounds(const std::string& table, const std::string& moment) const {
    return database_.Value(fmt::format(
        "SET TimeZone = 'UTC'; SELECT string_agg(CASE WHEN ends IS NULL THEN 'DEFAULT' ELSE "
        "concat_ws('-', nullif({}, ''), {}) END, ' ' ORDER BY relname) FROM (SELECT relname, "
        "regexp_match(pg_get_expr(relpartbound, c.oid), 'FROM \\(''?([^'')]*)''?\\) TO "
        "\\(''?([^'')]*)''?\\)') AS ends FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE inhparent = '{}'::regclass) p",
        fmt::format(fmt::runtime(moment), "ends[1]"), fmt::format(fmt::runtime(moment), "ends[2]"),
        table));
  }

  [[nodiscard]] static std::string OfUuid() {
    return "CASE WHEN {0} ~ 'VALUE' THEN '' WHEN {0} LIKE '%-0000-0000-000000000000' THEN "
           "to_char(timestamptz 'epoch' + ('x' || left(replace({0}, '-', ''), 12))::bit(48)::int8 "
           "* interval '1 ms', 'MM/DD_HH24') ELSE 'odd' END";
  }
  [[nodiscard]] static std::string OfNumber(const char* unit) {
    return std::string(
               "CASE WHEN {0} ~ 'VALUE' THEN '' ELSE to_char(timestamptz 'epoch' + "
               "{0}::int8 * interval '1 ") +
           unit + "', 'MM/DD_HH24') END";
  }

  Ran Partition(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }
};

TEST_F(PartitionTime, UuidsAreAttachedMaintainedAndListed) {
  MakeUuids();
  const Ran converted =
      Partition({"convert", "u", "--by", "range(id)", "--every", "1 month", "--premake", "1"});
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Bounds("u", OfUuid()), "DEFAULT 07/01_00-08/01_00 07/01_00");
  database_.Sql("INSERT INTO u VALUES (v7('2090-07-31 23:59:59.999+00'), NULL)");
  EXPECT_EQ(Number("SELECT count(*) FROM u_p2090_07"), 1);
  const Ran maintained = Partition({"maintain", "u", "--premake", "2"});
  ASSERT_EQ(maintained.code, 0) << maintained.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname IN ('u_p2090_08', 'u_p2090_09')"),
            2);
  const Ran listed = Run({"partition", "list", "u"});
  EXPECT_THAT(listed.out, HasSubstr("= 2090-07-01 to 2090-08-01"));
  const Ran again = Partition({"maintain", "u", "--premake", "2"});
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));
  const Ran added = Partition({"add", "u", "--from", "2091-01-01", "--to", "2091-02-01"});
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'u_p2091_01_01'"), 1);
  const Ran early = Partition({"add", "u", "--from", "1960-01-01", "--to", "1961-01-01"});
  EXPECT_EQ(early.code, 2) << early.err;
}

TEST_F(PartitionTime, UuidsAreCopiedIntoTheMonthsOfAZone) {
  MakeUuids();
  const Ran converted =
      Partition({"convert", "u", "--by", "range(id)", "--every", "1 quarter", "--strategy", "copy",
                 "--premake", "1", "--default", "no", "--time-zone", "Europe/Berlin"});
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Bounds("u", OfUuid()), "12/31_23-03/31_22 03/31_22-06/30_22 06/30_22-09/30_22");
  EXPECT_EQ(Number("SELECT count(*) FROM u"), 166);
  EXPECT_EQ(Number("SELECT count(*) FROM u_p2090q1"), 90);
}

TEST_F(PartitionTime, UuidsOfADefaultPartitionAreParted) {
  MakeUuids();
  database_.Sql(
      "ALTER TABLE u RENAME TO old; CREATE TABLE u (id uuid PRIMARY KEY, made timestamptz) "
      "PARTITION BY RANGE (id); CREATE TABLE u_rest PARTITION OF u DEFAULT; INSERT INTO u SELECT * "
      "FROM old");
  const Ran split = Partition({"split", "u_rest", "--every", "1 month"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'u'::regclass"), 7);
  EXPECT_EQ(Number("SELECT count(*) FROM u_p2090_03"), 31);
  EXPECT_EQ(Number("SELECT count(*) FROM u"), 166);
  const Ran halves = Partition({"split", "u_p2090_03", "--every", "2 weeks"});
  ASSERT_EQ(halves.code, 0) << halves.err;
  EXPECT_EQ(Number("SELECT count(*) FROM old WHERE id NOT IN (SELECT id FROM u)"), 0);
}

// The first, the last, and one in between that only a sample meets.
TEST_F(PartitionTime, YearsBeforeAndAfterChristHaveNamesOfTheirOwn) {
  database_.Sql(
      "CREATE TABLE b (id int PRIMARY KEY, d timestamptz NOT NULL); INSERT INTO b SELECT i, "
      "timestamptz '0002-01-01 00:00+00 BC' + i * interval '50 days' FROM generate_series(1, 30) "
      "i");
  const Ran ran = Run({"partition", "convert", "b", "--by", "range(d)", "--every", "1 year",
                       "--strategy", "copy", "--to", "0004-01-01", "--time-zone", "UTC", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SET TimeZone = 'UTC'; SELECT string_agg(tableoid::regclass || ' ' || "
                            "least, ';' ORDER BY least) FROM (SELECT tableoid, min(d) least FROM b "
                            "GROUP BY 1) p"),
            "b_p0002_bc 0002-02-20 00:00:00+00 BC;b_p0001_bc 0001-02-05 00:00:00+00 BC;"
            "b_p0001 0001-01-20 00:00:00+00;b_p0002 0002-01-05 00:00:00+00;"
            "b_p0003 0003-02-09 00:00:00+00");
}

TEST_F(PartitionTime, OtherVersionsAreRefused) {
  for (const char* strange :
       {"'00000000-0000-4000-8000-000000000000'", "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
        "overlay(v7('2090-03-03')::text PLACING '1' FROM 15)",
        "overlay(v7('2090-03-03')::text PLACING 'c' FROM 20)"}) {
    SCOPED_TRACE(strange);
    MakeUuids();
    database_.Sql(fmt::format("INSERT INTO u VALUES (({})::uuid)", strange));
    for (const char* strategy : {"attach", "copy"}) {
      const Ran ran = Partition(
          {"convert", "u", "--by", "range(id)", "--every", "1 month", "--strategy", strategy});
      EXPECT_EQ(ran.code, 4) << ran.err;
      EXPECT_THAT(ran.err, HasSubstr("is no uuid of version 7"));
    }
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
    database_.Sql("DROP TABLE u; DROP FUNCTION v7, digits");
  }
}

struct EpochCase {
  const char* name;
  const char* type;
  const char* epoch;
  const char* unit;
  int factor;
};
class PartitionEpoch : public PartitionTime, public ::testing::WithParamInterface<EpochCase> {
 protected:
  void MakeNumbers() const {
    database_.Sql(fmt::format(
        "CREATE TABLE e (id int, at {0} NOT NULL, PRIMARY KEY (id)); INSERT INTO e SELECT "
        "extract(day FROM t) + 100 * extract(month FROM t), extract(epoch FROM t) * {1} FROM "
        "generate_series(timestamptz '2030-01-01 12:00+00', '2030-06-15 12:00+00', '1 day') t",
        GetParam().type, GetParam().factor));
  }
};

TEST_P(PartitionEpoch, HasMonths) {
  MakeNumbers();
  const std::string moment = OfNumber(GetParam().unit);
  const Words by{"convert", "e", "--by", "range(at)", "--every", "1 month", "--premake", "1"};
  const Ran number = Partition(by);
  EXPECT_EQ(number.code, 2);
  EXPECT_THAT(number.err, HasSubstr("--epoch"));
  Words right = by;
  right.insert(right.end(), {"--epoch", GetParam().epoch});
  Words wrong = by;
  const bool seconds = GetParam().factor == 1;
  wrong.insert(wrong.end(), {"--epoch", seconds ? "milliseconds" : "seconds"});
  const Ran odd = Partition(wrong);
  EXPECT_EQ(odd.code, 4) << odd.err;
  EXPECT_THAT(odd.err, HasSubstr(fmt::format("Is it --epoch {}?", GetParam().epoch)));
  const Ran converted = Partition(right);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Bounds("e", moment), "DEFAULT 07/01_00-08/01_00 07/01_00");
  // Each month would be as long as July.
  const Ran guessed = Partition({"maintain", "e", "--premake", "3"});
  EXPECT_EQ(guessed.code, 2) << guessed.err;
  EXPECT_THAT(guessed.err, HasSubstr(fmt::format("--epoch {}", GetParam().epoch)));
  const Ran maintained =
      Partition({"maintain", "e", "--premake", "4", "--epoch", GetParam().epoch});
  ASSERT_EQ(maintained.code, 0) << maintained.err;
  EXPECT_EQ(Bounds("e", moment),
            "DEFAULT 07/01_00-08/01_00 08/01_00-09/01_00 09/01_00-10/01_00 10/01_00-11/01_00 "
            "07/01_00");
  const Ran split =
      Partition({"split", "e_until_2030_07", "--every", "1 quarter", "--epoch", GetParam().epoch});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Number("SELECT count(*) FROM e"), 166);
}

INSTANTIATE_TEST_SUITE_P(Units, PartitionEpoch,
                         ::testing::Values(EpochCase{"Seconds", "int", "seconds", "second", 1},
                                           EpochCase{"Milliseconds", "bigint", "milliseconds", "ms",
                                                     1000}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace pgalter::test
