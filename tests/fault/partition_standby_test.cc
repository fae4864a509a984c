// The short transactions of the partition verbs, and those who read the table on a standby, which
// replays their lock.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/partition_world.h"
#include "tests/fault/reading_standby.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionStandby : public Partitioned {
 protected:
  PartitionStandby() : standby_(database_) { MakeEvents(300); }

  [[nodiscard]] Words Named(Words words) const {
    words.insert(words.end(), {"--replica", standby_.conninfo()});
    return words;
  }
  // It waits for a reader, who can go on, and ends when he has.
  void ExpectWaits(Words words) const {
    SCOPED_TRACE(words.at(0) + " " + words.at(1));
    Session reader = standby_.Reader("events");
    Program program = Start(std::move(words));
    standby_.AwaitAskedAgain();
    standby_.AwaitReplayed();
    EXPECT_EQ(reader.Value("SELECT count(*) FROM events"), "300");
    reader.Exec("COMMIT");
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  [[nodiscard]] std::string First() const {
    return database_.Value(
        "SELECT relname FROM pg_class WHERE relname LIKE 'events_until_%' AND relkind = 'r'");
  }
  [[nodiscard]] std::string Empty(int which) const {
    return database_.Value(
        fmt::format("SELECT relname FROM pg_class WHERE relname LIKE 'events\\_p%' AND relkind = "
                    "'r' ORDER BY relname OFFSET {} LIMIT 1",
                    which));
  }

  ReadingStandby standby_;
};

// The CHECK of the bound, and the exchange, there and back.
TEST_F(PartitionStandby, AttachingAndItsWayBackWait) {
  ExpectWaits(Named(Convert()));
  ExpectPartitioned();
  ExpectWaits({"revert", RunId(), "--yes"});
  ExpectPlain("reverted");
  ExpectSame();
}

TEST_F(PartitionStandby, AttachingWaitsNoLongerThanThatAndSaysSo) {
  // Killed in the exchange, so that it alone is left to wait.
  ASSERT_EQ(Run(Named(Convert()), {"PGALTER_FAIL_POINT=attached"}).code, kKilled);
  AwaitNoRunner();
  Session reader = standby_.Reader("events");
  const Ran ran = Run({"resume", RunId()}, {"PGALTER_LIMITS=standby-readers=2000"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("whom the standby may have cancelled: pid"));
  EXPECT_THAT(ran.err, HasSubstr("users were blocked for at most"));
  standby_.ExpectCancelled(reader);
  ExpectPartitioned();
}

TEST_F(PartitionStandby, APauseOrAKillEndsTheWaitAndItGoesOnAfterwards) {
  Session reader = standby_.Reader("events");
  Program first = Start(Named(Convert()));
  standby_.AwaitAskedAgain();
  ASSERT_EQ(Run({"pause", RunId()}).code, 0);
  EXPECT_EQ(first.Wait(kLimit).code, 6);
  Program second = Start({"resume", RunId()});
  standby_.AwaitAskedAgain();
  second.Signal(SIGKILL);
  second.Wait(kLimit);
  AwaitNoRunner();
  standby_.AwaitReplayed();
  EXPECT_EQ(reader.Value("SELECT count(*) FROM events"), "300");
  reader.Exec("COMMIT");
  ResumeToTheEnd();
  ExpectPartitioned();
  ExpectSame();
}

TEST_F(PartitionStandby, AnAbortWaitsNoLongerThanThat) {
  ASSERT_EQ(Run(Named(Convert()), {"PGALTER_FAIL_POINT=attached"}).code, kKilled);
  AwaitNoRunner();
  Session reader = standby_.Reader("events");
  const Ran ran = Run({"abort", RunId(), "--yes"}, {"PGALTER_LIMITS=standby-readers=1500"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  standby_.ExpectCancelled(reader);
  ExpectPlain("aborted");
}

TEST_F(PartitionStandby, SplitWaits) {
  ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
  ExpectWaits(Named({"partition", "split", First(), "--every", "1 month", "--yes"}));
  ExpectSame();
}

TEST_F(PartitionStandby, MergeAndItsWayBackWait) {
  ASSERT_EQ(Run(Convert()).code, 0);
  const std::string first = Empty(0);
  const std::string second = Empty(1);
  ExpectWaits(Named({"partition", "merge", first, second, "--yes"}));
  ExpectWaits({"revert", RunId(), "--yes"});
  ExpectSame();
}

// Beside a default partition it is under ACCESS EXCLUSIVE on the whole.
TEST_F(PartitionStandby, DetachWaits) {
  ASSERT_EQ(Run(Convert()).code, 0);
  ExpectWaits(Named({"partition", "detach", Empty(0), "--yes"}));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"), 5);
}

TEST_F(PartitionStandby, RetainWaits) {
  ASSERT_EQ(Run(Convert({"--strategy", "copy"})).code, 0);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  ExpectWaits(Named({"partition", "retain", "events", "--keep", "1", "--yes"}));
}

}  // namespace
}  // namespace pgalter::test
