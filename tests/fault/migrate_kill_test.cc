// `pgalter up` and `down`, killed anywhere: the same command again ends in the same schema, with
// every migration applied once and every change of state in the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

constexpr const char* kAllApplied =
    "20260101000000 applied, 20260102000000 applied, 20260103000000 applied";

Words Numbered(const std::string& point, int last) {
  Words points;
  for (int i = 1; i <= last; ++i) points.push_back(point + ":" + std::to_string(i));
  return points;
}

Words Points(const std::vector<std::pair<std::string, int>>& all) {
  Words points;
  for (const auto& [point, last] : all)
    for (const std::string& one : Numbered(point, last)) points.push_back(one);
  return points;
}

Words UpPoints() {
  return Points({{"migration-uncommitted", 3},
                 {"migration-created", 3},
                 {"migration-unverified", 3},
                 {"step-started", 8},
                 {"step-done-unrecorded", 8},
                 {"step-recorded", 8},
                 {"ddl-unrecorded", 5},
                 {"ddl-uncommitted", 5},
                 {"ddl-committed", 5},
                 {"index-in-ledger", 1},
                 {"index-built", 1},
                 {"index-recorded", 1},
                 {"chunk-updated", 1},
                 {"chunk-committed", 1},
                 {"backfill-settled", 1}});
}

Words DownPoints() {
  return Points({{"migration-down-created", 3},
                 {"step-started", 4},
                 {"step-done-unrecorded", 4},
                 {"step-recorded", 4},
                 {"ddl-unrecorded", 3},
                 {"ddl-uncommitted", 3},
                 {"ddl-committed", 3}});
}

// All of them where there is time (./dev torture); else some, always the same.
Words Slice(Words points, std::size_t count) {
  if (std::getenv("PGALTER_TORTURE_ROUNDS") != nullptr || points.size() <= count) return points;
  std::mt19937 dice(20261121);
  std::shuffle(points.begin(), points.end(), dice);
  points.resize(count);
  return points;
}

std::string AsName(const ::testing::TestParamInfo<std::string>& point) {
  std::string name = point.param;
  for (char& c : name)
    if (c == '-' || c == ':') c = '_';
  return name;
}

class KilledMigration : public MigrationWorld, public ::testing::WithParamInterface<std::string> {
 protected:
  [[nodiscard]] Ran Killed(Words words) const {
    Ran ran = Run(std::move(words), {"PGALTER_FAIL_POINT=" + GetParam()});
    AwaitNoRunner();
    return ran;
  }
  [[nodiscard]] std::string Logged(const std::string& event) const {
    return database_.Value(
        "SELECT string_agg(subject, ' ' ORDER BY seq) FROM pgalter.audit_log"
        " WHERE event = 'migration." +
        event + "'");
  }
  void ExpectChainWhole() const {
    EXPECT_EQ(
        database_.Value("SELECT bool_and(hash = pgalter.audit_hash(l) AND prev_hash ="
                        " COALESCE(before, sha256('pgalter audit 1'))) FROM (SELECT l, l.hash,"
                        " l.prev_hash, lag(l.hash) OVER (ORDER BY seq) before"
                        " FROM pgalter.audit_log l) all_rows"),
        "t");
  }
};

class KilledUp : public KilledMigration {};

TEST_P(KilledUp, UpAgainEndsInTheSameSchema) {
  WriteOrders();
  const Ran killed = Killed({"up", "--yes"});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  const Ran again = Up();
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Applied(), kAllApplied);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM orders"), "2000");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM orders WHERE total IS DISTINCT FROM id"), "0");
  EXPECT_EQ(Logged("applied"), "20260101000000 20260102000000 20260103000000");
  EXPECT_EQ(Logged("verified"), "20260101000000 20260102000000");
  ExpectChainWhole();
  const std::string schema = Schema();
  EXPECT_THAT(schema, ::testing::Not(::testing::HasSubstr("INVALID")));
  EXPECT_THAT(schema, ::testing::Not(::testing::HasSubstr("pgalter")));
}

class KilledDown : public KilledMigration {};

TEST_P(KilledDown, DownAgainEndsInNothing) {
  WriteOrders();
  ASSERT_EQ(Up().code, 0);
  const Ran killed = Killed({"down", "--count", "3", "--yes"});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  const Ran again = Run({"down", "--count", "3", "--yes"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Applied(), "");
  EXPECT_EQ(Schema(), "");
  EXPECT_EQ(Logged("down"), "20260103000000 20260102000000 20260101000000");
  ExpectChainWhole();
}

INSTANTIATE_TEST_SUITE_P(Points, KilledUp, ::testing::ValuesIn(Slice(UpPoints(), 14)), AsName);
INSTANTIATE_TEST_SUITE_P(Points, KilledDown, ::testing::ValuesIn(Slice(DownPoints(), 6)), AsName);

}  // namespace
}  // namespace pgalter::test
