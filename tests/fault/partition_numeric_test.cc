// Ranges of numeric: counted on in whole numbers, without a double anywhere.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PartitionNumeric : public BackfillWorld {
 protected:
  // "m 0 1000, m_p1000 1000 2000": name, from, to of the ranges of `table` in their order.
  [[nodiscard]] std::string Ranges(const std::string& table) const {
    return database_.Value(fmt::format(
        "SELECT string_agg(format('%s %s %s', relname, a, b), ', ' ORDER BY a::numeric) FROM "
        "(SELECT "
        "c.relname, (regexp_match(e, 'FROM \\(''?(.*?)''?\\) TO'))[1] AS a, (regexp_match(e, 'TO "
        "\\(''?(.*?)''?\\)'))[1] AS b FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid, "
        "pg_get_expr(c.relpartbound, c.oid) e WHERE i.inhparent = '{}'::regclass AND e LIKE '%TO%' "
        "AND e NOT LIKE '%MINVALUE%') x",
        table));
  }
};

TEST_F(PartitionNumeric, IsMaintained) {
  database_.Sql(
      "CREATE TABLE m (k numeric(20,3) PRIMARY KEY) PARTITION BY RANGE (k); CREATE TABLE m_0 "
      "PARTITION "
      "OF m FOR VALUES FROM (0) TO (1000); CREATE TABLE m_d PARTITION OF m DEFAULT; INSERT INTO m "
      "VALUES (999.999), (1500.5)");
  const Ran ran = Run({"partition", "maintain", "m", "--premake", "2", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Ranges("m"),
            "m_0 0.000 1000.000, m_p1000 1000.000 2000.000, m_p2000 2000.000 3000.000, m_p3000 "
            "3000.000 4000.000");
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass || ' ' || k, ', ' ORDER BY k) "
                            "FROM m"),
            "m_0 999.999, m_p1000 1500.500");
  EXPECT_THAT(Run({"partition", "maintain", "m", "--premake", "2", "--yes"}).out,
              HasSubstr("nothing to do"));
}

// Doubles have 15 digits, and a quotient of two numerics is rounded to some more.
TEST_F(PartitionNumeric, IsExactBeyondDoubles) {
  database_.Sql(
      "CREATE TABLE m (id int PRIMARY KEY, k numeric NOT NULL); INSERT INTO m VALUES (1, "
      "90071992547409930000000000000000001), (2, 90071992547409930000000000000010000.000), (3, "
      "90071992547409930000000000000029999.99999999999999999999999999999999999999)");
  const Ran ran = Run({"partition", "convert", "m", "--by", "range(k)", "--every", "10000",
                       "--strategy", "copy", "--premake", "1", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass::text, ' ' ORDER BY id) FROM m"),
            "m_p90071992547409930000000000000000000 m_p90071992547409930000000000000010000 "
            "m_p90071992547409930000000000000020000");
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran more = Run({"partition", "maintain", "m", "--premake", "1", "--yes"});
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_THAT(Ranges("m"), HasSubstr("m_p90071992547409930000000000000030000 "
                                     "90071992547409930000000000000030000 "
                                     "90071992547409930000000000000040000"));
}

TEST_F(PartitionNumeric, OfAnyZerosAndBelowZeroAreOneChain) {
  database_.Sql(
      "CREATE TABLE m (k numeric NOT NULL) PARTITION BY RANGE (k); CREATE TABLE m_a PARTITION OF m "
      "FOR VALUES FROM (-20.0) TO (-10.00); CREATE TABLE m_b PARTITION OF m FOR VALUES FROM (-10) "
      "TO ('0.000'); INSERT INTO m VALUES (-0.5)");
  const Ran ran = Run({"partition", "maintain", "m", "--premake", "1", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Ranges("m"), "m_a -20.0 -10.00, m_b -10 0.000, m_p0 0 10");
}

TEST_F(PartitionNumeric, IsAttachedAndSplit) {
  database_.Sql(
      "CREATE TABLE m (k numeric(12,2) PRIMARY KEY); INSERT INTO m SELECT g * 100.25 FROM "
      "generate_series(-10, 30) g");
  const Ran attached =
      Run({"partition", "convert", "m", "--by", "range(k)", "--every", "1000", "--yes"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  EXPECT_THAT(Ranges("m"), HasSubstr("m_p5000 5000.00 6000.00"));
  const std::string first = database_.Value(
      "SELECT relname FROM pg_class WHERE relname LIKE 'm_until%' AND relkind = 'r'");
  const Ran split = Run({"partition", "split", first, "--every", "1000", "--yes"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(DISTINCT tableoid::regclass::text, ' ') FROM m"),
            "m_p0 m_p1000 m_p2000 m_p3000 m_pm1000 m_until_m1000");
}

TEST_F(PartitionNumeric, InfiniteOnesAreInTheDefaultPartition) {
  database_.Sql(
      "CREATE TABLE m (id int PRIMARY KEY, k numeric NOT NULL); INSERT INTO m VALUES (1, 5), (2, "
      "'Infinity'), (3, '-Infinity'), (4, 'NaN'), (5, 15)");
  const Ran attached = Run({"partition", "convert", "m", "--by", "range(k)", "--every", "10",
                            "--strategy", "attach", "--dry-run"});
  EXPECT_EQ(attached.code, 4) << attached.err;
  EXPECT_THAT(attached.err, HasSubstr("has rows whose k is NaN"));
  const Ran ran = Run({"partition", "convert", "m", "--by", "range(k)", "--every", "10",
                       "--strategy", "copy", "--premake", "1", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(tableoid::regclass::text, ' ' ORDER BY id) FROM m"),
            "m_p0 m_default m_default m_default m_p10");
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran more = Run({"partition", "maintain", "m", "--premake", "2", "--yes"});
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_THAT(Ranges("m"), HasSubstr("m_p20 20 30, m_p30 30 40"));
  const Ran split = Run({"partition", "split", "m_default", "--every", "10", "--yes"});
  EXPECT_THAT(split.err, HasSubstr("there is nothing to cut"));
}

TEST_F(PartitionNumeric, OfAFractionIsNoWidth) {
  database_.Sql(
      "CREATE TABLE m (k numeric NOT NULL) PARTITION BY RANGE (k); CREATE TABLE m_0 PARTITION OF m "
      "FOR VALUES FROM (0) TO (0.5); INSERT INTO m VALUES (0.25)");
  const Ran ran = Run({"partition", "maintain", "m", "--yes"});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("is 0.5 wide"), HasSubstr("--every")));
  const Ran wide = Run({"partition", "maintain", "m", "--every", "10", "--premake", "1", "--yes"});
  ASSERT_EQ(wide.code, 0) << wide.err;
  EXPECT_EQ(Ranges("m"), "m_0 0 0.5, m_p0_5 0.5 10.5");
}

TEST_F(PartitionNumeric, TakesNoEpochAndNoBoundBeyondItsType) {
  database_.Sql("CREATE TABLE m (k numeric(4,0) PRIMARY KEY); INSERT INTO m VALUES (9000)");
  const Ran epoch = Run({"partition", "convert", "m", "--by", "range(k)", "--every", "1 day",
                         "--epoch", "seconds", "--dry-run"});
  EXPECT_EQ(epoch.code, 2) << epoch.err;
  EXPECT_THAT(epoch.err, HasSubstr("--epoch is for integers"));
  const Ran beyond =
      Run({"partition", "convert", "m", "--by", "range(k)", "--every", "1000", "--dry-run"});
  EXPECT_EQ(beyond.code, 2) << beyond.err;
  EXPECT_THAT(beyond.err, HasSubstr("which column k cannot hold"));
}

}  // namespace
}  // namespace pgalter::test
