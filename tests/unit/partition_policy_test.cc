// Into how many exchanges a split goes, so that users wait for no longer than they may; and what a
// copy gets around that keeps a table from being attached.
#include <gmock/gmock.h>

#include <numeric>

#include "batcher/partition/hindrance.h"
#include "batcher/partition/placing_policy.h"

namespace pgalter::partition {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr async::Milliseconds kSecond{1000};

TEST(Placing, AllAtOnceWhereTheyFit) {
  EXPECT_THAT(Exchanges({12, 3, false, kSecond}), ElementsAre(12));
  EXPECT_THAT(Exchanges({229, 0, false, kSecond}), ElementsAre(229));
}

TEST(Placing, EachExchangeIsWithinTheBudgetAndAllArePlaced) {
  for (const bool rest_stays : {false, true})
    for (const std::size_t pieces : {230U, 400U, 999U}) {
      const auto exchanges = Exchanges({pieces, 2, rest_stays, kSecond});
      ASSERT_GT(exchanges.size(), 1U);
      EXPECT_EQ(std::accumulate(exchanges.begin(), exchanges.end(), std::size_t{0}), pieces);
      std::size_t others = 2;
      for (std::size_t i = 0; i < exchanges.size(); ++i) {
        const bool left = rest_stays || i + 1 < exchanges.size();
        EXPECT_LE(PlacingTakes(exchanges[i] + (left ? 1 : 0), others), kSecond);
        others += exchanges[i];
      }
      // What is left is more than one piece, or it would be one.
      EXPECT_GE(exchanges.back(), rest_stays ? 1U : 2U);
    }
}

TEST(Placing, NoneWhereNoTwoFit) {
  EXPECT_THAT(Exchanges({9, 2, false, async::Milliseconds(5)}), IsEmpty());
  EXPECT_THAT(Exchanges({9, 5000, true, async::Milliseconds(200)}), IsEmpty());
}

TEST(Placing, RowsThatWaitAreCopiedAgain) {
  EXPECT_DOUBLE_EQ(TimesCopied({7}), 1);
  EXPECT_DOUBLE_EQ(TimesCopied({2, 2}), 1.5);
  EXPECT_DOUBLE_EQ(TimesCopied({2, 1, 1}), 1.75);
}

TEST(Hindrance, ACopyIsTriedOnlyWhereItMayGetAroundIt) {
  for (const char* kind :
       {"check-not-valid", "refers-to-itself", "null", "view-by-key", "materialized-view"})
    EXPECT_EQ(InsteadOf(kind), Instead::kCopy) << kind;
  for (const char* kind : {"excludes", "null-in-primary-key", "foreign-key-not-valid", "dependant",
                           "publication", "something that is not in the table"})
    EXPECT_EQ(InsteadOf(kind), Instead::kNothing) << kind;
}

}  // namespace
}  // namespace pgalter::partition
