// A rebuild, its revert and a plan, and those who read the table on a standby, which replays the
// lock.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/reading_standby.h"
#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildStandby : public RebuildWorld {
 protected:
  RebuildStandby() : standby_(database_) { MakeRebuilt(1'000); }

  [[nodiscard]] Session Reader() const { return standby_.Reader("items"); }
  [[nodiscard]] Words Named() const { return Rebuild({"--replica", standby_.conninfo()}); }
  [[nodiscard]] Program StartNamed(Words environment = {}) const {
    return Start(Named(), std::move(environment));
  }
  void AwaitNote(const std::string& like) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        fmt::format("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '{}'", like), "1",
        kLimit);
  }

  ReadingStandby standby_;
};

// C2 49.
TEST_F(RebuildStandby, TheSwapWaitsForAReaderThere) {
  Session reader = Reader();
  Program program = StartNamed();
  AwaitNote("%monthly report%on standby far has read public.items%");
  EXPECT_EQ(database_.Value("SELECT bool_and(swapped_at IS NULL) FROM pgalter.rebuild"), "t");
  database_.Sql("UPDATE items SET pad = 'meanwhile' WHERE id <= 300");
  standby_.AwaitReplayed();
  EXPECT_EQ(reader.Value("SELECT count(*) FROM items"), "1000");
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// The same, where it does not wait, or not for so long: the reader is cancelled.
TEST_F(RebuildStandby, AReaderThatStaysTooLongIsCancelledAndNamed) {
  Session reader = Reader();
  Program program = StartNamed({"PGALTER_LIMITS=standby-readers=3000"});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("whom the standby may have cancelled: pid"));
  EXPECT_THAT(ran.err, HasSubstr("monthly report"));
  standby_.ExpectCancelled(reader);
}

TEST_F(RebuildStandby, WithoutThatEveryReaderIsCancelled) {
  Session reader = Reader();
  Program program = StartNamed({"PGALTER_SAFEGUARDS_OFF=standby-readers"});
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  standby_.ExpectCancelled(reader);
}

TEST_F(RebuildStandby, OneThatDoesNotAnswerIsNotWaitedFor) {
  Session reader = Reader();
  Program program = StartNamed();
  AwaitNote("%monthly report%");
  // Before: the run may be over as soon as nobody is there any more.
  EXPECT_EQ(Run({"throttle", RunId(), "--set", "replay-lag-seconds=off"}).code, 0);
  standby_.Stop();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// What users change while it waits is followed on, and comes back with the table.
TEST_F(RebuildStandby, TheWayBackWaitsToo) {
  ASSERT_EQ(Run(Named()).code, 0);
  Session reader = Reader();
  Program program = Start({"revert", RunId(), "--yes"});
  standby_.AwaitAskedAgain();
  EXPECT_EQ(database_.Value("SELECT bool_and(swapped_at IS NOT NULL) FROM pgalter.rebuild"), "t");
  database_.Sql("UPDATE items SET pad = 'meanwhile' WHERE id <= 300");
  standby_.AwaitReplayed();
  EXPECT_EQ(reader.Value("SELECT count(*) FROM items"), "1000");
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "reverted");
  ExpectSame();
}

TEST_F(RebuildStandby, TheWayBackWaitsNoLongerThanThatAndSaysSo) {
  ASSERT_EQ(Run(Named()).code, 0);
  Session reader = Reader();
  const Ran ran = Run({"revert", RunId(), "--yes"}, {"PGALTER_LIMITS=standby-readers=2000"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("whom the standby may have cancelled: pid"));
  standby_.ExpectCancelled(reader);
}

class PlanStandby : public RebuildStandby {
 protected:
  void AwaitPlanNote(const std::string& text) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        fmt::format("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%{}%'", text), "1",
        kLimit);
  }
  [[nodiscard]] Words Plan(const std::string& sql) const {
    return {"run", "--sql", sql, "--yes", "--replica", standby_.conninfo()};
  }
};

TEST_F(PlanStandby, AStepThatStopsReadersWaits) {
  Session reader = Reader();
  Program program = Start(Plan("ALTER TABLE items ADD COLUMN later int"));
  AwaitPlanNote("monthly report");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_attribute WHERE attname = 'later'"), 0);
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_attribute WHERE attname = 'later'"), 1);
}

// A lock that is not replayed.
TEST_F(PlanStandby, AStepThatStopsNobodyThereDoesNotWait) {
  Session reader = Reader();
  const Ran ran =
      Run(Plan("ALTER TABLE items ALTER a SET STATISTICS 50; CREATE INDEX items_later "
               "ON items (pad)"));
  EXPECT_EQ(ran.code, 0) << ran.err;
  standby_.AwaitReplayed();
  EXPECT_EQ(reader.Value("SELECT count(*) FROM items"), "1000");
}

}  // namespace
}  // namespace pgalter::test
