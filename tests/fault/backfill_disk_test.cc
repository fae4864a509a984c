// A backfill makes its table grow until the disk is full. Users do not write here: they would be
// refused as well, and that is no fault of the test's subject.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"
#include "tests/support/small_disk.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t kMegabyte = 1 << 20;
constexpr std::int64_t kEnough = 64 * kMegabyte;

// Ends in the opposite order: the server first.
struct OwnDisk {
  OwnDisk() { options.settings.emplace_back("autovacuum = off"); }
  SmallDisk disk{kEnough};
  sandbox::Options options = TestServerOptions();
};
struct ServerOnDisk : OwnDisk {
  sandbox::Sandbox server = sandbox::Sandbox::Start(options);
};

class FullDisk : private ServerOnDisk, public BackfillWorld {
 protected:
  FullDisk() : BackfillWorld(ServerOnDisk::server) {}

  void SetUp() override {
    if (!disk.problem().empty()) GTEST_SKIP() << disk.problem();
    disk.GiveToOwnerOf(ServerOnDisk::server.data_dir());
    MakeItems();
    database_.Sql(fmt::format("CREATE TABLESPACE small LOCATION '{}'", disk.path().string()));
    database_.Sql("ALTER TABLE items SET TABLESPACE small");
    // The table doubles: this is reached about a third of the way.
    disk.Resize(disk.used() + 3 * kMegabyte / 2);
  }
  void MakeRoom() const { disk.Resize(kEnough); }

  static Words Growing() { return Backfill({"--stripes", "1"}); }
};

TEST_F(FullDisk, EndsTheRunAndResumeGoesOn) {
  const Ran full = Run(Growing(), {"PGALTER_LIMITS=no-resource-pause=100"});
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err,
              AllOf(HasSubstr("items"), HasSubstr("SQLSTATE 53100"),
                    HasSubstr("No space left on device"), HasSubstr("pg_tblspc/"),
                    HasSubstr("What is done stays"), HasSubstr("pgalter resume " + RunId())));
  EXPECT_EQ(StateOfRun(), "failed");
  EXPECT_THAT(database_.Value("SELECT failure FROM pgalter.run"), HasSubstr("SQLSTATE 53100"));
  const long done = Number("SELECT count(*) FROM items WHERE b = a * 2");
  EXPECT_GT(done, 0);
  EXPECT_LT(done, kRows);
  EXPECT_EQ(Number("SELECT sum(updated_rows) FROM pgalter.backfill_window"), done);

  MakeRoom();
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT sum(updated_rows) FROM pgalter.backfill_window"), kRows);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(FullDisk, RoomThatComesBackIsUsed) {
  Program program = Start(Growing());
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT COALESCE((SELECT state || (progress->>'note' LIKE '%SQLSTATE 53100%')"
      " FROM pgalter.run), '')",
      "waitingtrue", kLimit);
  EXPECT_GT(Undone(), 0);
  MakeRoom();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT sum(updated_rows) FROM pgalter.backfill_window"), kRows);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

}  // namespace
}  // namespace pgalter::test
