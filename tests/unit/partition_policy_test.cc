// Into how many exchanges a split goes, so that users wait for no longer than they may; and what a
// copy gets around that keeps a table from being attached; and what does in use what a revert does.
#include <gmock/gmock.h>

#include <numeric>

#include "batcher/partition/hindrance.h"
#include "batcher/partition/placing_policy.h"
#include "batcher/partition/way_out.h"

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

Target Old(const char* name, const char* bound) {
  Target target;
  target.becomes = name;
  target.bound = bound;
  return target;
}

TEST(WayOut, OfAMergeIsASplitWithinTheSameBounds) {
  EXPECT_EQ(CommandFor("public.t", {"public.t_a"},
                       {Old("t_a", "FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00+00')"),
                        Old("t_b", "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01')"),
                        Old("t_c", "FOR VALUES FROM ('2026-02-01') TO (MAXVALUE)")}),
            "pgalter partition split public.t_a --at '2026-01-01 00:00:00+00' --at 2026-02-01 "
            "--yes");
  EXPECT_EQ(CommandFor(
                "public.l", {"public.\"L all\""},
                {Old("l_n", "FOR VALUES IN ('a, b', NULL)"), Old("other", "FOR VALUES IN ('de')")}),
            R"(pgalter partition split 'public."L all"' --values 'n='\''a, b'\'',NULL')"
            R"( --values 'other=de' --yes)");
}

TEST(WayOut, OfASplitIsAMergeUnderTheOldName) {
  EXPECT_EQ(CommandFor("public.t", {"public.t_1", "public.t_2"},
                       {Old("\"Old one\"", "FOR VALUES FROM (1) TO (9)")}),
            "pgalter partition merge public.t_1 public.t_2 --name 'Old one' --yes");
  EXPECT_EQ(CommandFor("public.t", {"public.t_1", "public.rest"}, {Old("rest", "DEFAULT")}), "");
}

}  // namespace
}  // namespace pgalter::partition
