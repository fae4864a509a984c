// What a release is linked with: no environment may kill it, or take a safeguard away.
#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/async/fail_point.h"

namespace pgalter::async {
namespace {

using namespace std::chrono_literals;

TEST(NoFailPoint, NothingListensToTheEnvironment) {
  ::setenv("PGALTER_FAIL_POINT", "after-copy", 1);
  ::setenv("PGALTER_SAFEGUARDS_OFF", "lease", 1);
  ::setenv("PGALTER_LIMITS", "beat=300", 1);
  FailPoint("after-copy");
  EXPECT_TRUE(SafeguardOn("lease"));
  EXPECT_EQ(LimitOf("beat", 10s), 10s);
}

}  // namespace
}  // namespace pgalter::async
