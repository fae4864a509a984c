// What serve keeps partitioned, without a server: what is asked for, what came out, when it looks
// again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/rejected.h"
#include "cli/serve/maintain_policy.h"

namespace pgalter::cli::serve {
namespace {

using async::Milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MaintainWish, HasOptionsBehindItsTable) {
  const MaintainWish plain = ReadMaintainWish("shop.events");
  EXPECT_EQ(plain.table, "shop.events");
  EXPECT_THAT(plain.words, IsEmpty());
  const MaintainWish more =
      ReadMaintainWish("\"a,b\".c,premake=6,every=1 month,time-zone=Asia/Tokyo");
  EXPECT_EQ(more.table, "\"a,b\".c");
  EXPECT_THAT(more.words,
              ElementsAre("--premake", "6", "--every", "1 month", "--time-zone", "Asia/Tokyo"));
  EXPECT_EQ(ReadMaintainWish("all,premake=2").table, "");
  EXPECT_EQ(more.time_zone, "Asia/Tokyo");
  for (const char* wrong : {"", ",premake=2", "m,premake", "m,yes=1", "m,"})
    EXPECT_THROW(ReadMaintainWish(wrong), Rejected) << wrong;
}

TEST(MaintainWish, HasNoValueThatTheCommandRefuses) {
  for (const char* wrong : {"t,premake=x", "t,premake=", "t,premake=0", "t,premake=1001",
                            "t,premake=2 ", "t,epoch=days", "t,every=often",
                            "t,every=", "t,time-zone=", "all,premake=x", "t,premake=2,premake=3"})
    EXPECT_THROW(ReadMaintainWish(wrong), Rejected) << wrong;
  for (const char* right :
       {"t,premake=1000", "t,epoch=seconds", "t,every=1000000", "t,every=2 weeks"})
    EXPECT_NO_THROW(ReadMaintainWish(right)) << right;
}

TEST(MaintainWish, IsOneForATable) {
  EXPECT_NO_THROW(
      RefuseTwice({ReadMaintainWish("a"), ReadMaintainWish("b"), ReadMaintainWish("all")}));
  EXPECT_THROW(RefuseTwice({ReadMaintainWish("a"), ReadMaintainWish("a,premake=2")}), Rejected);
  EXPECT_THROW(RefuseTwice({ReadMaintainWish("all"), ReadMaintainWish("all,premake=2")}), Rejected);
}

TEST(MaintainWish, IsLookedAtEverySoOften) {
  EXPECT_EQ(ReadMaintainEvery("1h"), Milliseconds(3'600'000));
  EXPECT_EQ(ReadMaintainEvery("90"), Milliseconds(90'000));
  for (const char* wrong : {"", "0", "10ms", "soon", "-1h"})
    EXPECT_THROW(ReadMaintainEvery(wrong), Rejected) << wrong;
}

TEST(MaintainReport, IsWhatTheCommandSays) {
  struct Case {
    const char* name;
    int code;
    const char* out;
    const char* err;
    MaintainOutcome outcome;
    const char* problem;
  };
  for (const Case& one : {
           Case{"nothing", 0,
                R"({"version":1,"table":"public.m","until":"'x'","made":0,"runs":[],"remarks":[]})",
                "", MaintainOutcome::kNothing, ""},
           Case{"made", 0,
                "{\"run\":\"1\",\"state\":\"done\"}\n{\"table\":\"public.m\",\"made\":2,\"runs\":["
                "\"1\"]}\n",
                "", MaintainOutcome::kMade, ""},
           Case{"moved", 0, R"({"table":"public.m","made":0,"runs":["1"]})", "",
                MaintainOutcome::kMade, ""},
           Case{"elsewhere", 0, R"({"table":"public.m","made":0,"runs":[],"elsewhere":true})", "",
                MaintainOutcome::kElsewhere, ""},
           Case{"refused", 4, "", R"({"error":{"what":"no","hint":"yes"}})",
                MaintainOutcome::kFailed, "no (yes)"},
           Case{"killed", 137, "{\"run\":\"1\"}\n", "", MaintainOutcome::kFailed,
                "its process was ended by signal 9"},
           Case{"silent", 0, "", "", MaintainOutcome::kFailed, "it ended with exit code 0"},
           Case{"cut", 1, "{\"made\":", "{\"error\":", MaintainOutcome::kFailed,
                "it ended with exit code 1"},
       }) {
    const MaintainReport report = ReadMaintainReport(one.code, one.out, one.err);
    EXPECT_EQ(report.outcome, one.outcome) << one.name;
    EXPECT_EQ(report.problem, one.problem) << one.name;
  }
}

MaintainReport Of(MaintainOutcome outcome) {
  MaintainReport report;
  report.outcome = outcome;
  return report;
}

TEST(Maintained, CountsWhatFailsInARow) {
  Maintained table;
  for (const auto outcome : {MaintainOutcome::kFailed, MaintainOutcome::kFailed})
    Take(table, Of(outcome), 100);
  EXPECT_EQ(table.failing, 2);
  EXPECT_FALSE(table.succeeded);
  Take(table, Of(MaintainOutcome::kElsewhere), 200);  // says nothing of how it is
  EXPECT_EQ(table.failing, 2);
  EXPECT_FALSE(table.succeeded);
  Take(table, Of(MaintainOutcome::kNothing), 300);
  EXPECT_EQ(table.failing, 0);
  EXPECT_EQ(table.failures, 2);
  EXPECT_EQ(table.succeeded, 300);
}

TEST(Maintained, IsLookedAtSoonerWhileItFails) {
  constexpr Milliseconds kHour{3'600'000};
  Maintained table;
  EXPECT_EQ(NextPause(table, kHour, 0), kHour);
  EXPECT_EQ(NextPause(table, kHour, 1), kHour * 9 / 10);
  std::vector<Milliseconds> pauses;
  for (int i = 0; i < 40; ++i) {
    Take(table, Of(MaintainOutcome::kFailed), 0);
    pauses.push_back(NextPause(table, kHour, 0));
  }
  EXPECT_EQ(pauses[0], Milliseconds(30'000));
  EXPECT_EQ(pauses[1], Milliseconds(60'000));
  EXPECT_EQ(pauses[39], kHour);
  EXPECT_TRUE(std::ranges::is_sorted(pauses));
  EXPECT_EQ(NextPause(table, Milliseconds(1'000), 0), Milliseconds(1'000));
  EXPECT_EQ(FirstPause(kHour, 0.5), Milliseconds(30'000));
  EXPECT_EQ(FirstPause(Milliseconds(1'000), 0.5), Milliseconds(500));
}

}  // namespace
}  // namespace pgalter::cli::serve
