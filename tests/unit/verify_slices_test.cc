// How a table and its copy are cut into slices: each block is in exactly one, whatever was sampled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "batcher/verify/slices.h"

namespace pgalter::verify {
namespace {

using backfill::IntervalSet;

// Where block `block` of the table, which has `blocks`, is in the copy.
using Where = Sample (*)(Block block, Block blocks, std::mt19937& dice);

Sample Same(Block block, Block, std::mt19937&) { return {0, 7, block}; }
// Two sessions that take 1,000 blocks in turn.
Sample Interleaved(Block block, Block, std::mt19937&) {
  const Block pair = block / 2000 * 2000;
  return {0, 7, pair + 2 * (block % 1000)};
}
Sample Anywhere(Block, Block blocks, std::mt19937& dice) {
  return {0, 7, std::uniform_int_distribution<Block>(0, blocks - 1)(dice)};
}
// Parts 7 and 8, one after the other, and all at once.
Sample InTurn(Block block, Block blocks, std::mt19937&) {
  const bool second = block >= blocks / 2;
  return {0, second ? 8U : 7U, block - (second ? blocks / 2 : 0)};
}
Sample AtOnce(Block block, Block, std::mt19937& dice) {
  return {0, std::uniform_int_distribution<pg::Oid>(7, 8)(dice), block / 2};
}

std::vector<Sample> SamplesOf(const std::vector<Stretch>& granules, Block blocks, Where where) {
  std::mt19937 dice(5);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < granules.size(); ++i) {
    for (const Block block : {granules[i].first, granules[i].first + granules[i].blocks() / 2}) {
      for (int n = 0; n < 4; ++n) {
        Sample sample = where(block, blocks, dice);
        sample.granule = i;
        samples.push_back(sample);
      }
    }
  }
  return samples;
}

struct Coverage {
  std::map<pg::Oid, IntervalSet> sets;
  Block sum = 0;

  void Add(const std::vector<Stretch>& stretches) {
    for (const Stretch& one : stretches) {
      EXPECT_LT(one.first, one.end);
      sets[one.part].Add(one.first, one.end);
      sum += one.blocks();
    }
  }
};

void ExpectEachBlockOnce(Slices& slices, Block of, const std::vector<Stretch>& from,
                         const std::vector<Stretch>& to) {
  Coverage ours;
  Coverage theirs;
  Block all_theirs = 0;
  for (const Stretch& part : to) all_theirs += part.blocks();
  for (int n = 0; const auto slice = slices.Take(of); ++n) {
    ASSERT_LT(n, 100'000);
    ours.Add(slice->from);
    theirs.Add(slice->to);
    Block longest = 0;
    for (const Stretch& one : slice->to) longest += one.blocks();
    EXPECT_LE(longest, 4 * std::max<Block>(of, 8) * std::max<Block>(1, all_theirs / 10'000));
  }
  for (const auto& [stretches, coverage] : {std::pair(&from, &ours), std::pair(&to, &theirs)}) {
    Block all = 0;
    for (const Stretch& part : *stretches) {
      all += part.blocks();
      EXPECT_TRUE(part.blocks() == 0 || coverage->sets[part.part].Contains(part.first, part.end));
    }
    EXPECT_EQ(coverage->sum, all) << "some block twice";
  }
}

struct Shape {
  const char* name;
  Where where;
  std::vector<Stretch> to;
};

const std::vector<Shape> kNear{
    {"the same", &Same, {{7, 0, 10'000}}},
    {"longer, and its end has no row", &Same, {{7, 0, 25'000}}},
    {"interleaved", &Interleaved, {{7, 0, 10'000}}},
    {"in turn", &InTurn, {{7, 0, 5'000}, {9, 0, 0}, {8, 0, 5'000}}},
    {"at once", &AtOnce, {{7, 0, 5'000}, {8, 0, 5'000}}},
};

TEST(Slices, HoldEachBlockOnce) {
  const std::vector<Stretch> from{{1, 0, 6'000}, {2, 0, 0}, {3, 0, 4'000}};
  for (const Shape& shape : kNear) {
    for (const Block of : {1, 50, 700, 100'000}) {
      SCOPED_TRACE(shape.name + std::string(", ") + std::to_string(of));
      const std::vector<Stretch> granules = CutIntoGranules({{1, 0, 10'000}});
      auto slices = Slices::Of(granules, shape.to, SamplesOf(granules, 10'000, shape.where));
      ASSERT_TRUE(slices);
      ExpectEachBlockOnce(*slices, of, {{1, 0, 10'000}}, shape.to);
    }
  }
  const std::vector<Stretch> granules = CutIntoGranules(from);
  auto slices = Slices::Of(granules, {{7, 0, 10'000}}, SamplesOf(granules, 10'000, &Same));
  ASSERT_TRUE(slices) << "the second part's rows are in its blocks, too";
  ExpectEachBlockOnce(*slices, 300, from, {{7, 0, 10'000}});
}

// What the sessions of the copy interleaved is put in order again.
TEST(Slices, MeetTheirRows) {
  const std::vector<Stretch> granules = CutIntoGranules({{1, 0, 10'000}});
  auto slices = Slices::Of(granules, {{7, 0, 10'000}}, SamplesOf(granules, 10'000, &Interleaved));
  ASSERT_TRUE(slices);
  std::mt19937 dice(1);
  Block met = 0;
  while (const auto slice = slices->Take(300)) {
    for (const Stretch& ours : slice->from) {
      for (Block block = ours.first; block < ours.end; ++block) {
        const Block at = Interleaved(block, 10'000, dice).block;
        met += std::ranges::any_of(slice->to, [at](const Stretch& theirs) {
          return theirs.first <= at && at < theirs.end;
        });
      }
    }
  }
  EXPECT_GT(met, 9'500);
}

// Many parts of one block: each is met whole, whatever the length of a slice.
TEST(Slices, MeetPartsOfOneBlock) {
  std::vector<Stretch> from;
  std::vector<Stretch> to;
  std::vector<Sample> samples;
  for (pg::Oid i = 0; i < 200; ++i) {
    from.push_back({1'000 + i, 0, 1});
    to.push_back({2'000 + i, 0, 1});
    samples.push_back({i, 2'000 + i, 0});
  }
  for (const Block of : {1, 7, 200}) {
    auto slices = Slices::Of(CutIntoGranules(from), to, samples);
    ASSERT_TRUE(slices);
    while (const auto slice = slices->Take(of)) {
      ASSERT_EQ(slice->from.size(), slice->to.size());
      for (std::size_t i = 0; i < slice->from.size(); ++i)
        EXPECT_EQ(slice->from[i].part + 1'000, slice->to[i].part);
    }
  }
}

TEST(Slices, AreNoneWhereTheCopyIsSortedAnew) {
  const std::vector<Stretch> granules = CutIntoGranules({{1, 0, 10'000}});
  EXPECT_FALSE(Slices::Of(granules, {{7, 0, 10'000}}, SamplesOf(granules, 10'000, &Anywhere)));
}

TEST(Slices, AreNoneWithoutRowsThatWereFound) {
  const std::vector<Stretch> granules = CutIntoGranules({{1, 0, 10'000}});
  EXPECT_FALSE(Slices::Of(granules, {{7, 0, 10'000}}, {}));
}

TEST(Slices, OfAnEmptyTableAreItsCopyAlone) {
  auto slices = Slices::Of({}, {{7, 0, 100}}, {});
  ASSERT_TRUE(slices);
  ExpectEachBlockOnce(*slices, 10, {}, {{7, 0, 100}});
  EXPECT_FALSE(Slices::Of({}, {}, {})->Take(1));
}

}  // namespace
}  // namespace pgalter::verify
