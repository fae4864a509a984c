// Two runners of one run, and keys whose application is cut short: what keeps rows right then, and
// what becomes of them without it.
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

class RebuildFence : public RebuildWorld {
 protected:
  // The first runner rests between two chunks of its copy, and is stopped. The second one goes
  // through the copy and dies before a key is built. Then the first is let go.
  Ran LetGoLate(const std::string& off) {
    MakeRebuilt();
    const std::string without = "PGALTER_SAFEGUARDS_OFF=" + off;
    Program first = Start(Rebuild({"--throttle", "ratio=0.001", "--workers", "1"}), {without});
    AwaitWindows(1);
    first.Signal(SIGSTOP);
    Throttle("ratio=1");
    const Ran second =
        Run({"resume", RunId(), "--take-over"}, {without, "PGALTER_FAIL_POINT=purged"});
    EXPECT_EQ(second.code, kKilled) << second.err;
    first.Signal(SIGCONT);
    return first.Wait(kLimit);
  }
  void ExpectLost(const Ran& first) {
    EXPECT_EQ(first.code, 6) << first.err;
    EXPECT_THAT(first.err, ::testing::HasSubstr("has taken over run " + RunId()));
    ResumeToTheEnd();
    ExpectSame();
    ExpectNew();
  }
};

// Its sessions were ended, and it may not take the run back.
TEST_F(RebuildFence, ARunnerWhoseSessionsWereEndedWritesNothing) { ExpectLost(LetGoLate("lease")); }

// Its sessions are out of the other's reach: it finds that its epoch is over.
TEST_F(RebuildFence, ARunnerThatKeptItsSessionsWritesNothing) { ExpectLost(LetGoLate("orphans")); }

TEST_F(RebuildFence, WithoutBothItCopiesRowsTwice) {
  const Ran first = LetGoLate("lease,orphans");
  EXPECT_NE(first.code, 6) << first.err;
  AwaitNoRunner();
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_NE(resumed.code, 0) << "no key can be built over rows that are there twice";
}

class RebuildRequeue : public RebuildWorld {
 protected:
  // Killed when keys have been taken from the set, and their rows are not committed.
  Ran KillWhileKeysAreApplied(const std::string& off) {
    MakeRebuilt(2'000);
    const std::string without = "PGALTER_SAFEGUARDS_OFF=" + off;
    EXPECT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=index-built"}).code, kKilled);
    AwaitNoRunner();
    database_.Sql("DELETE FROM items WHERE id % 7 = 0; UPDATE items SET a = 3 WHERE id % 7 = 1");
    const Ran killed = Run({"resume", RunId()}, {without, "PGALTER_FAIL_POINT=keys-applied"});
    EXPECT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    return Run({"resume", RunId()}, {without});
  }
};

TEST_F(RebuildRequeue, KeysLeaveTheSetWithTheirRows) {
  const Ran ran = KillWhileKeysAreApplied("none");
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

TEST_F(RebuildRequeue, WithoutThatTheComparisonFindsThem) {
  EXPECT_EQ(KillWhileKeysAreApplied("requeue").code, 7);
}

}  // namespace
}  // namespace pgalter::test
