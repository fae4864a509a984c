// A table that pg_partman looks after: pgalter says so, and does nothing that it does.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BesidePartman : public BackfillWorld {
 protected:
  void SetUp() override {
    BackfillWorld::SetUp();
    if (Number("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'") == 0)
      GTEST_SKIP() << "this server has no pg_partman";
    database_.Sql(
        "CREATE SCHEMA parts; CREATE EXTENSION pg_partman SCHEMA parts;"
        "CREATE TABLE ours (made timestamptz NOT NULL) PARTITION BY RANGE (made);"
        "CREATE TABLE ours_1 PARTITION OF ours FOR VALUES FROM ('2020-01-01 00:00+00') TO "
        "('2020-02-01 00:00+00');"
        "CREATE TABLE theirs (made timestamptz NOT NULL, PRIMARY KEY (made)) PARTITION BY RANGE "
        "(made)");
    database_.Sql(
        "SELECT parts.create_parent('public.theirs', 'made', 'native', 'monthly', p_premake := 2, "
        "p_start_partition := to_char(now() - interval '6 months', 'YYYY-MM-01'))");
  }

  [[nodiscard]] long Partitions(const char* table = "theirs") const {
    return Number(
        fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = '{}'::regclass", table));
  }
};

TEST_F(BesidePartman, MaintainLeavesItsTableAlone) {
  const long before = Partitions();
  const Ran ran = Run({"partition", "maintain", "theirs", "--premake", "9", "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("pg_partman looks after it"));
  EXPECT_THAT(ran.err, HasSubstr("2 ahead"));
  EXPECT_THAT(ran.err, HasSubstr("parts.run_maintenance()"));
  EXPECT_THAT(ran.err, HasSubstr("WHERE parent_table = 'public.theirs'"));
  EXPECT_EQ(Partitions(), before);
  // What the message says makes it ours.
  database_.Sql("DELETE FROM parts.part_config WHERE parent_table = 'public.theirs'");
  const Ran given = Run({"partition", "maintain", "theirs", "--premake", "3", "--yes"});
  EXPECT_EQ(given.code, 0) << given.err;
  EXPECT_GT(Partitions(), before);
}

TEST_F(BesidePartman, OtherTablesAreOurs) {
  const Ran ran = Run({"partition", "maintain", "ours", "--premake", "1", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(Partitions("ours"), 1);
  EXPECT_THAT(Run({"partition", "list", "ours"}).out, Not(HasSubstr("pg_partman")));
}

TEST_F(BesidePartman, RetainGoesOnlyWhereItLetsNothingGo) {
  database_.Sql("UPDATE parts.part_config SET retention = '1 month'");
  const Words retain{"partition", "retain", "theirs", "--keep", "2 months", "--yes"};
  const long before = Partitions();
  const Ran refused = Run(retain);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("what is older than 1 month goes"));
  EXPECT_EQ(Partitions(), before);
  database_.Sql("UPDATE parts.part_config SET retention = NULL");
  const Ran kept = Run(retain);
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_LT(Partitions(), before);
  // It goes on after that.
  database_.Sql("UPDATE parts.part_config SET premake = 6, infinite_time_partitions = true");
  const long now = Partitions();
  database_.Sql("SELECT parts.run_maintenance()");
  EXPECT_GT(Partitions(), now);
}

TEST_F(BesidePartman, ListAndInspectionSaySo) {
  EXPECT_THAT(Run({"partition", "list", "theirs"}).out, HasSubstr("pg_partman looks after it"));
  const Ran inspected = Run({"inspect", "partitions", "theirs"});
  EXPECT_EQ(inspected.code, 0) << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr("pg_partman looks after it"));
  const Ran json = Run({"inspect", "partitions", "theirs", "--output", "json"});
  EXPECT_THAT(json.out, HasSubstr("\"partman\":{\"readable\":true"));
}

// Whether it looks after the table is not known: nothing is done that it might do.
TEST_F(BesidePartman, WithoutTheRightToReadItsSettingsNothingIsMade) {
  database_.Sql(fmt::format(
      "CREATE ROLE dba_{0} LOGIN; GRANT CREATE ON DATABASE {0} TO dba_{0}; GRANT ALL ON SCHEMA "
      "public TO dba_{0}; ALTER TABLE ours OWNER TO dba_{0}; ALTER TABLE ours_1 OWNER TO dba_{0}",
      database_.Value("SELECT current_database()")));
  user_ = database_.Value("SELECT 'dba_' || current_database()");
  const Ran ran = Run({"partition", "maintain", "ours", "--premake", "1", "--yes"});
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("GRANT SELECT ON parts.part_config"));
  EXPECT_EQ(Partitions("ours"), 1);
}

}  // namespace
}  // namespace pgalter::test
