// Abort rules and signatures: values in, values out.
#include <gmock/gmock.h>

#include "cli/outside/notify.h"
#include "cli/outside/rule_policy.h"

namespace pgalter::cli::outside {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Threshold, IsANumberOrFollowsFromTheBaseline) {
  EXPECT_EQ(ParseThreshold("250")->From(7), 250);
  EXPECT_EQ(ParseThreshold(" 2.5 ")->From(7), 2.5);
  EXPECT_EQ(ParseThreshold("-1")->From(7), -1);
  EXPECT_EQ(ParseThreshold("baseline")->From(40), 40);
  EXPECT_EQ(ParseThreshold("baseline + 50 %")->From(40), 60);
  EXPECT_EQ(ParseThreshold("baseline+50%")->From(40), 60);
  EXPECT_EQ(ParseThreshold("baseline + 20")->From(40), 60);
  EXPECT_EQ(ParseThreshold("baseline * 2")->From(40), 80);
  EXPECT_EQ(ParseThreshold("canary + 50 %")->From(40), 60);
  EXPECT_TRUE(ParseThreshold("canary + 50 %")->to_canary);
  EXPECT_FALSE(ParseThreshold("baseline + 50 %")->to_canary);
  for (const char* text : {"", "much", "canary -", "baseline - 5", "baseline +", "baseline + -5",
                           "baseline * x", "baseline * 2 %", "250 ms", "nan", "inf"})
    EXPECT_FALSE(ParseThreshold(text)) << text;
}

TEST(RulePolicy, IsBrokenByWhatStaysAboveAndByNothingElse) {
  struct Case {
    const char* name;
    std::vector<std::pair<int, std::optional<double>>> values;  // second, value
    Judgement last;
  };
  for (const Case& one :
       {Case{"at the limit", {{0, 100}, {60, 100}}, Judgement::kKept},
        Case{"above, not for long", {{0, 101}, {9, 101}}, Judgement::kKept},
        Case{"above for long", {{0, 101}, {10, 200}}, Judgement::kBroken},
        Case{"below in between", {{0, 101}, {5, 99}, {10, 101}}, Judgement::kKept},
        Case{"unreadable in between", {{0, 101}, {5, std::nullopt}, {10, 101}}, Judgement::kBroken},
        Case{"unreadable, not for long", {{0, std::nullopt}, {14, std::nullopt}}, Judgement::kKept},
        Case{
            "unreadable for long", {{0, std::nullopt}, {15, std::nullopt}}, Judgement::kUnreadable},
        Case{"readable in between",
             {{0, std::nullopt}, {14, 1}, {15, std::nullopt}},
             Judgement::kKept}}) {
    RulePolicy policy(100, 10s, 15s);
    Judgement judgement = Judgement::kKept;
    for (const auto& [second, value] : one.values)
      judgement = policy.Step(value, Time(std::chrono::seconds(second)));
    EXPECT_EQ(judgement, one.last) << one.name;
  }
}

TEST(RulePolicy, WithoutATimeIsBrokenAtOnce) {
  EXPECT_EQ(RulePolicy(1, 0s, 15s).Step(1.5, Time()), Judgement::kBroken);
}

TEST(Median, IsTheMiddleOne) {
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({9, 1, 5}), 5);
}

// RFC 4231, cases 1, 2 and 6.
TEST(Signature, IsHmacSha256) {
  EXPECT_EQ(Signature(std::string(20, '\x0b'), "Hi There"),
            "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      Signature(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "sha256=60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Body, ForSlackIsOneTextWithNothingThatMeansMore) {
  Webhook slack;
  slack.slack = true;
  const boost::json::object facts{{"event", "failed"},   {"command", "rebuild"},
                                  {"table", "<!here>&"}, {"note", "no"},
                                  {"run", "7d"},         {"throttle_reason", ""}};
  EXPECT_EQ(BodyFor(slack, facts),
            "{\"text\":\"pgalter rebuild of &lt;!here&gt;&amp;: failed; no (7d)\"}");
  EXPECT_THAT(BodyFor(Webhook(), facts), HasSubstr("\"table\":\"<!here>&\""));
}

TEST(Variables, AreTheFactsByName) {
  const auto variables = VariablesOf({{"run", "7d"},
                                      {"rows_done", 5},
                                      {"note", "a b"},
                                      {"throttle_ratio", 1.0},
                                      {"progress", 0.25},
                                      {"eta_seconds", nullptr}});
  EXPECT_THAT(variables, ::testing::ElementsAre("PGALTER_RUN_ID=7d", "PGALTER_ROWS_DONE=5",
                                                "PGALTER_NOTE=a b", "PGALTER_THROTTLE_RATIO=1",
                                                "PGALTER_PROGRESS=0.25", "PGALTER_ETA_SECONDS="));
}

}  // namespace
}  // namespace pgalter::cli::outside
