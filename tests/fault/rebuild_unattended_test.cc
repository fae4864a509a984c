// Nobody is there: a capture without a runner gives up before its log fills the disk, and what it
// missed is never taken for complete.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Unattended : public RebuildWorld {
 protected:
  [[nodiscard]] std::string Of(const char* what) const {
    return fmt::format("pgalter_{}.{}", RunId().substr(0, 8), what);
  }
  // As if the time without a runner were over.
  void LetTimePass(const char* flow) const {
    database_.Sql(fmt::format("SELECT setval('{}_{}', 100)", Of("deadline"), flow));
  }
  // What a capture that has given up costs is nothing: the log does not grow.
  void Change(int rows) const {
    database_.Sql(fmt::format("UPDATE items SET a = a + 1 WHERE id <= {}", rows));
  }
  void KillWhenReady() const {
    const Ran killed = Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=cutover-waits"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  }
};

// Copied and compared: only the swap is left when the changes begin to be missing.
TEST_F(Unattended, ACopyThatMissesChangesIsNotPutInPlace) {
  MakeRebuilt(2'000);
  KillWhenReady();
  LetTimePass("forward");
  Change(500);
  EXPECT_EQ(Number("SELECT count(*) FROM " + Of("log_forward")), 0);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("is not logged any more, since no runner was there for"));
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
  EXPECT_EQ(Run(Rebuild()).code, 0);
  ExpectNew();
  ExpectSame();
  ExpectNothingLeft();
}

TEST_F(Unattended, WithoutTheSignChangesAreLost) {
  MakeRebuilt(2'000);
  KillWhenReady();
  LetTimePass("forward");
  Change(500);
  const Ran resumed = Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=given-up"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items i JOIN mirror m USING (id) WHERE i.a <> m.a"), 500);
}

// The sign is no part of a transaction: one that is rolled back leaves it, and that is on the safe
// side; one that is not yet over has given it already.
TEST_F(Unattended, AChangeThatIsNotOverYetCountsToo) {
  MakeRebuilt(1'000);
  KillWhenReady();
  LetTimePass("forward");
  Session user(database_.conninfo());
  user.Exec("BEGIN");
  user.Exec("UPDATE items SET a = a + 1 WHERE id = 1");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  user.Exec("COMMIT");
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(Unattended, ARunnerMovesTheDeadline) {
  MakeRebuilt(1'000);
  Program program = Start(Rebuild({"--cutover", "wait", "--unattended", "10min"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%kept up to date%'", "1",
      kLimit);
  const std::string last = "SELECT last_value FROM " + Of("deadline_forward");
  const long first = Number(last);
  EXPECT_LE(first - Number("SELECT extract(epoch FROM now())::int8"), 600);
  database_.AwaitValue(fmt::format("SELECT last_value > {} FROM {}", first, Of("deadline_forward")),
                       "t", kLimit);
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
}

TEST_F(Unattended, AfterTheWindowThereIsNoWayBack) {
  MakeRebuilt(2'000);
  ASSERT_EQ(Run(Rebuild({"--revert-window", "1h"})).code, 0);
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("back:       until 2"));
  LetTimePass("reverse");
  Change(100);
  EXPECT_EQ(Number("SELECT count(*) FROM " + Of("log_reverse")), 0);
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("back:       no more"));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("there is no way back without a loss"));
  ExpectNew();
  ExpectSame();
  ExpectNothingLeft();
}

TEST_F(Unattended, ALogThatHasGrownTooLargeGrowsNoMore) {
  MakeRebuilt(20'000);
  ASSERT_EQ(Run(Rebuild({"--log-limit", "1MB"})).code, 0);
  const std::string size = "SELECT pg_relation_size('" + Of("log_reverse") + "')";
  for (int i = 0; i < 5; ++i) Change(20'000);
  // 100,000 changes would be 5 MB; one of 128 asks for the size.
  EXPECT_GT(Number(size), 1'000'000);
  EXPECT_LT(Number(size), 3'000'000);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("has grown to more than 1048576 bytes (--log-limit)"));
  ExpectSame();
  ExpectNothingLeft();
}

TEST_F(Unattended, TheOldTableIsFollowedAndRevertTakesOver) {
  MakeRebuilt(2'000);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  Program follower = Start({"resume", RunId(), "--follow"});
  Change(500);
  database_.AwaitValue("SELECT count(*) FROM " + Of("log_reverse"), "0", kLimit);
  database_.AwaitValue("SELECT count(*) FROM " + Of("dirty_reverse"), "0", kLimit);
  const Ran second = Run({"resume", RunId(), "--follow"});
  EXPECT_EQ(second.code, 4) << second.err;
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  const Ran followed = follower.Wait(kLimit);
  EXPECT_EQ(followed.code, 0) << followed.err;
  ExpectSame();
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(Run({"resume", RunId(), "--follow"}).code, 4);
  EXPECT_EQ(Run({"resume", RunId(), "--follow", "--detach"}).code, 2);
}

TEST_F(Unattended, AFollowerThatIsKilledOrEndedLeavesTheWayBackOpen) {
  MakeRebuilt(2'000);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  Change(300);
  const Ran killed = Run({"resume", RunId(), "--follow"}, {"PGALTER_FAIL_POINT=followed-back"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  Program follower = Start({"resume", RunId(), "--follow"});
  Change(200);
  database_.AwaitValue("SELECT count(*) FROM " + Of("log_reverse"), "0", kLimit);
  follower.Signal(SIGTERM);
  const Ran ended = follower.Wait(kLimit);
  EXPECT_EQ(ended.code, 0) << ended.err;
  Change(100);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(Unattended, WhatCannotBeALimitIsRefused) {
  MakeRebuilt(10);
  EXPECT_EQ(Run(Rebuild({"--unattended", "5s"})).code, 2);
  EXPECT_EQ(Run(Rebuild({"--revert-window", "soon"})).code, 2);
  EXPECT_EQ(Run(Rebuild({"--log-limit", "1kB"})).code, 2);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgalter'"), 0);
}

}  // namespace
}  // namespace pgalter::test
