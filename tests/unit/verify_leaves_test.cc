// Which leaves are compared with each other, how many at once, and how many rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "batcher/verify/leaf_pairs.h"
#include "batcher/verify/rows_policy.h"

namespace pgalter::verify {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

Leaf At(pg::Oid oid, const std::string& place, double rows = 100, Block blocks = 1) {
  Leaf leaf;
  leaf.part.oid = oid;
  leaf.place = place;
  leaf.rows = rows;
  leaf.blocks = blocks;
  return leaf;
}

TEST(LeafPairs, AreThoseOfTheSamePlace) {
  const auto pairs =
      PairLeaves({At(1, "a"), At(2, "b"), At(3, "c")}, {At(11, "c"), At(12, "a"), At(13, "b")});
  ASSERT_TRUE(pairs);
  ASSERT_EQ(pairs->size(), 3U);
  EXPECT_EQ(pairs->at(0).to.part.oid, 12U);
  EXPECT_EQ(pairs->at(1).to.part.oid, 13U);
  EXPECT_EQ(pairs->at(2).to.part.oid, 11U);
}

TEST(LeafPairs, AreNoneOfTreesThatAreNotAlike) {
  EXPECT_FALSE(PairLeaves({At(1, "a")}, {At(2, "b")}));
  EXPECT_FALSE(PairLeaves({At(1, "a"), At(2, "b")}, {At(3, "a")}));
  EXPECT_FALSE(PairLeaves({At(1, "a")}, {At(2, "a"), At(3, "b")}));
  EXPECT_FALSE(PairLeaves({At(1, "a"), At(2, "a")}, {At(3, "a"), At(4, "b")}));
  EXPECT_TRUE(PairLeaves({}, {}));
}

std::vector<LeafPair> Pairs(std::size_t count, double rows, Block blocks) {
  std::vector<LeafPair> pairs(count);
  for (LeafPair& pair : pairs) pair = {At(1, "", rows, blocks), At(2, "", rows / 2, blocks)};
  return pairs;
}

TEST(LeafPairs, AreSeveralInAStatement) {
  EXPECT_EQ(CountForAStatement(Pairs(972, 100, 2), 0, 20'000), 64U);
  EXPECT_EQ(CountForAStatement(Pairs(972, 100, 2), 960, 20'000), 12U);
  EXPECT_EQ(CountForAStatement(Pairs(972, 1'000, 2), 0, 20'000), 20U) << "rows";
  EXPECT_EQ(CountForAStatement(Pairs(972, 10, 1'000), 0, 20'000), 4U) << "bytes";
  EXPECT_EQ(CountForAStatement(Pairs(972, 1'000, 2), 5, 1), 1U) << "one at least";
  EXPECT_TRUE(IsSmall(Pairs(1, 20'000, 4'096).front()));
  EXPECT_FALSE(IsSmall(Pairs(1, 20'001, 1).front()));
  EXPECT_FALSE(IsSmall(Pairs(1, 1, 4'097).front()));
}

// Seconds that a statement takes by itself, and for each row.
struct Cost {
  double by_itself;
  double row;
};

std::int64_t RowsAfterAWhile(const Cost& cost) {
  RowsPolicy policy;
  for (int i = 0; i < 30; ++i) {
    const auto rows = static_cast<double>(policy.rows());
    policy.Done(policy.rows(), std::chrono::duration<double>(cost.by_itself + cost.row * rows));
  }
  return policy.rows();
}

TEST(RowsPolicy, GivesARangeAQuarterOfASecond) {
  EXPECT_THAT(RowsAfterAWhile({0, 5e-6}), AllOf(Ge(45'000), Le(55'000)));
  EXPECT_THAT(RowsAfterAWhile({0.01, 5e-6}), AllOf(Ge(40'000), Le(55'000)));
  EXPECT_EQ(RowsAfterAWhile({0, 1e-7}), kMostRows);
  EXPECT_THAT(RowsAfterAWhile({0, 3e-3}), AllOf(Ge(60), Le(120))) << "rows of megabytes";
}

// Less and less of it would be read at the same cost each.
TEST(RowsPolicy, DoesNotShrinkWhatTakesLongByItself) {
  EXPECT_THAT(RowsAfterAWhile({1, 5e-6}), AllOf(Ge(100'000), Le(kMostRows)));
  EXPECT_EQ(RowsAfterAWhile({0.5, 1e-9}), kMostRows);
  EXPECT_THAT(RowsAfterAWhile({1, 1e-3}), AllOf(Ge(1'000), Le(3'000)));
  EXPECT_THAT(RowsAfterAWhile({60, 1e-3}), Ge(1)) << "nothing helps";
}

}  // namespace
}  // namespace pgalter::verify
