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

// It finds its partitions by their names and makes them all as wide: each refusal names the
// function of its own that does what was asked for.
TEST_F(BesidePartman, OtherVerbsNameItsOwnWay) {
  database_.Sql("UPDATE parts.part_config SET retention = '1 year'");
  const Rows parts = database_.Sql(
      "SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE "
      "inhparent = 'theirs'::regclass AND relname LIKE '%\\_p2%' ORDER BY relname LIMIT 2");
  const std::string one = parts.at(0).at(0);
  const std::string other = parts.at(1).at(0);
  database_.Sql("CREATE TABLE apart (LIKE theirs INCLUDING ALL)");
  const long before = Partitions();
  const auto says = [&](Words words, const char* text) {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    const Ran ran = Run(words);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
    EXPECT_THAT(ran.err, HasSubstr("DELETE FROM parts.part_config WHERE parent_table = "
                                   "'public.theirs'"));
  };
  says({"add", "theirs", "--from", "2001-01-01", "--to", "2001-02-01"},
       "SELECT parts.create_partition_time('public.theirs', ARRAY[…])");
  says({"attach", "apart", "--as", "theirs", "--from", "2001-01-01", "--to", "2001-02-01"},
       "parts.create_partition_time");
  says({"detach", one}, "SELECT parts.drop_partition_time('public.theirs', p_keep_table := true)");
  says({"split", one, "--every", "1 day"}, "CALL parts.partition_data_proc('public.theirs')");
  says({"merge", one, other}, "CALL parts.undo_partition_proc('public.theirs', …)");
  says({"undo", "theirs"}, "CALL parts.undo_partition_proc('public.theirs', …)");
  EXPECT_EQ(Partitions(), before);
  // Where it lets none go, that is ours to do, and it goes on after it.
  database_.Sql("UPDATE parts.part_config SET retention = NULL");
  const Ran detached = Run({"partition", "detach", one, "--yes"});
  EXPECT_EQ(detached.code, 0) << detached.err;
  EXPECT_EQ(Partitions(), before - 1);
  database_.Sql("SELECT parts.run_maintenance()");
  // What the messages name is there.
  for (const char* function :
       {"create_partition_time", "create_partition_id", "drop_partition_time", "drop_partition_id",
        "partition_data_proc", "undo_partition_proc"})
    EXPECT_GT(Number(fmt::format("SELECT count(*) FROM pg_proc WHERE pronamespace = "
                                 "'parts'::regnamespace AND proname = '{}'",
                                 function)),
              0)
        << function;
}

TEST_F(BesidePartman, ListAndInspectionSaySo) {
  EXPECT_THAT(Run({"partition", "list", "theirs"}).out, HasSubstr("pg_partman looks after it"));
  const Ran inspected = Run({"inspect", "partitions", "theirs"});
  EXPECT_EQ(inspected.code, 0) << inspected.err;
  EXPECT_THAT(inspected.out, HasSubstr("pg_partman looks after it"));
  EXPECT_THAT(inspected.out,
              HasSubstr("what comes next: pg_partman makes it: SELECT parts.run_maintenance()"));
  EXPECT_THAT(inspected.out, Not(HasSubstr("Nothing was changed")));
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
