// What PostgreSQL has from version 18 on: constraints that are not valid, not enforced, over
// periods.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class OfVersion18 : public RebuildWorld {
 protected:
  void SetUp() override {
    RebuildWorld::SetUp();
    if (Number("SELECT current_setting('server_version_num')::int") < 180000)
      GTEST_SKIP() << "PostgreSQL 18 has this first";
  }
};

TEST_F(OfVersion18, ANotNullThatIsNotValidStaysSoThereAndBack) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, b int, v int); INSERT INTO t VALUES (1, NULL, 1), (2, "
      "2, "
      "2); ALTER TABLE t ADD CONSTRAINT b_there NOT NULL b NOT VALID");
  constexpr const char* kNotNull =
      "SELECT format('%s %s %s', conname, pg_get_constraintdef(oid), convalidated) FROM "
      "pg_constraint WHERE conrelid = 't'::regclass AND contype = 'n' AND conname = 'b_there'";
  const std::string before = database_.Value(kNotNull);
  const Ran rebuilt = Run({"rebuild", "t", "--alter", "ALTER v TYPE bigint", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_EQ(database_.Value(kNotNull), before);
  database_.Sql("UPDATE t SET v = 5 WHERE id = 2");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value(kNotNull), before);
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE b IS NULL OR v = 5"), 2);
}

TEST_F(OfVersion18, NoRowIsFoundByAKeyThatMayBeNull) {
  database_.Sql(
      "CREATE TABLE t (id int UNIQUE, v int); INSERT INTO t VALUES (NULL, 1), (2, 2);"
      "ALTER TABLE t ADD CONSTRAINT id_there NOT NULL id NOT VALID");
  const Ran refused = Run({"rebuild", "t", "--alter", "ALTER v TYPE bigint", "--dry-run"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("no unique index over NOT NULL columns"));
}

TEST_F(OfVersion18, AKeyOverAPeriodIsRefusedByItsName) {
  database_.Sql(
      "CREATE TABLE t (id int4range, valid tstzrange, v int, CONSTRAINT over PRIMARY KEY (id, "
      "valid "
      "WITHOUT OVERLAPS))");
  for (const Words& words :
       {Words{"rebuild", "t", "--alter", "ALTER v TYPE bigint", "--dry-run"},
        Words{"partition", "convert", "t", "--by", "hash(id)", "--modulus", "2", "--dry-run"}}) {
    const Ran refused = Run(words);
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("constraint over"));
    EXPECT_THAT(refused.err, HasSubstr("drop it before, and add it again after"));
  }
}

TEST_F(OfVersion18, AForeignKeyThatIsNotEnforcedIsNotToBeValidated) {
  database_.Sql(
      "CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, c int CONSTRAINT "
      "loose REFERENCES c NOT ENFORCED, made timestamptz NOT NULL DEFAULT now())");
  for (const char* strategy : {"attach", "copy"}) {
    const Ran refused = Run({"partition", "convert", "t", "--by", "range(made)", "--every",
                             "1 month", "--strategy", strategy, "--dry-run"});
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("loose is NOT ENFORCED"));
    EXPECT_THAT(refused.err, ::testing::Not(HasSubstr("VALIDATE")));
  }
}

}  // namespace
}  // namespace pgalter::test
