#include "engine/async/fail_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace pgalter::async {
namespace {

using namespace std::chrono_literals;

class FailPointDeathTest : public testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("PGALTER_FAIL_POINT");
    ::unsetenv("PGALTER_SAFEGUARDS_OFF");
    ::unsetenv("PGALTER_LIMITS");
  }
};

void PassTimes(const char* name, int times) {
  for (int i = 0; i < times; ++i) FailPoint(name);
}

TEST_F(FailPointDeathTest, DoesNothingUnlessNamed) {
  FailPoint("after-copy");
  ::setenv("PGALTER_FAIL_POINT", "before-copy", 1);
  FailPoint("after-copy");
}

TEST_F(FailPointDeathTest, KillsTheProcessAtItsName) {
  ::setenv("PGALTER_FAIL_POINT", "after-copy", 1);
  EXPECT_EXIT(FailPoint("after-copy"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FailPointDeathTest, KillsTheProcessTheNthTime) {
  ::setenv("PGALTER_FAIL_POINT", "after-copy:3", 1);
  EXPECT_EXIT(PassTimes("after-copy", 3), testing::KilledBySignal(SIGKILL), "");
  const auto passes_twice = [] {
    PassTimes("after-copy", 2);
    std::_Exit(0);
  };
  EXPECT_EXIT(passes_twice(), testing::ExitedWithCode(0), "");
}

TEST_F(FailPointDeathTest, SafeguardsAreOnUnlessNamed) {
  EXPECT_TRUE(SafeguardOn("lease"));
  ::setenv("PGALTER_SAFEGUARDS_OFF", "purge,lease", 1);
  EXPECT_FALSE(SafeguardOn("lease"));
  EXPECT_FALSE(SafeguardOn("purge"));
  EXPECT_TRUE(SafeguardOn("lea"));
}

TEST_F(FailPointDeathTest, LimitsAreAsUsualUnlessNamed) {
  EXPECT_EQ(LimitOf("beat", 10s), 10s);
  ::setenv("PGALTER_LIMITS", "heartbeat=20,beat=300", 1);
  EXPECT_EQ(LimitOf("beat", 10s), 300ms);
  EXPECT_EQ(LimitOf("heartbeat", 10s), 20ms);
  EXPECT_EQ(LimitOf("pulse", 10s), 10s);
}

}  // namespace
}  // namespace pgalter::async
