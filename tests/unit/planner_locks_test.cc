#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "planner/locks/lock_mode.h"

namespace pgalter::locks {
namespace {

// Section 13.3.1 of PostgreSQL's documentation, row by row: X where requested and held mode
// conflict.
constexpr std::array<std::string_view, 8> kDocumented = {
    ".......X",  // ACCESS SHARE
    "......XX",  // ROW SHARE
    "....XXXX",  // ROW EXCLUSIVE
    "...XXXXX",  // SHARE UPDATE EXCLUSIVE
    "..XX.XXX",  // SHARE
    "..XXXXXX",  // SHARE ROW EXCLUSIVE
    ".XXXXXXX",  // EXCLUSIVE
    "XXXXXXXX",  // ACCESS EXCLUSIVE
};

TEST(LockMode, ConflictsAsDocumented) {
  for (const LockMode requested : kAllLockModes) {
    for (const LockMode held : kAllLockModes) {
      const auto row = kDocumented.at(static_cast<std::size_t>(requested));
      EXPECT_EQ(Conflicts(requested, held), row.at(static_cast<std::size_t>(held)) == 'X')
          << Name(requested) << " against " << Name(held);
    }
  }
}

TEST(LockMode, ConflictsBothWays) {
  for (const LockMode a : kAllLockModes) {
    for (const LockMode b : kAllLockModes) EXPECT_EQ(Conflicts(a, b), Conflicts(b, a));
  }
}

TEST(LockMode, IsUsableInConstantExpressions) {
  static_assert(Conflicts(LockMode::kShare, LockMode::kRowExclusive));
  static_assert(!Conflicts(LockMode::kShare, LockMode::kShare));
  static_assert(BlocksWrites(LockMode::kShareRowExclusive));
}

TEST(LockMode, OnlyAccessExclusiveBlocksReads) {
  for (const LockMode mode : kAllLockModes) {
    EXPECT_EQ(BlocksReads(mode), mode == LockMode::kAccessExclusive) << Name(mode);
  }
}

TEST(LockMode, ShareAndStrongerBlockWrites) {
  for (const LockMode mode : kAllLockModes) {
    EXPECT_EQ(BlocksWrites(mode), mode >= LockMode::kShare) << Name(mode);
  }
}

TEST(LockMode, NamesLeadBackToTheMode) {
  std::set<std::string_view> seen;
  for (const LockMode mode : kAllLockModes) {
    EXPECT_EQ(FromName(Name(mode)), mode);
    EXPECT_EQ(FromServerName(ServerName(mode)), mode);
    EXPECT_TRUE(seen.insert(Name(mode)).second);
    EXPECT_TRUE(seen.insert(ServerName(mode)).second);
  }
}

TEST(LockMode, CarriesPostgresNames) {
  EXPECT_EQ(Name(LockMode::kAccessExclusive), "ACCESS EXCLUSIVE");
  EXPECT_EQ(ServerName(LockMode::kAccessExclusive), "AccessExclusiveLock");
  EXPECT_EQ(Name(LockMode::kShareUpdateExclusive), "SHARE UPDATE EXCLUSIVE");
  EXPECT_EQ(FromServerName("ShareLock"), LockMode::kShare);
}

// The two spellings differ exactly in case, spaces and the ending: a slip in one column of the
// table shows.
TEST(LockMode, BothNamesSayTheSame) {
  for (const LockMode mode : kAllLockModes) {
    std::string folded;
    for (const char c : Name(mode)) {
      if (c != ' ') folded += static_cast<char>(std::tolower(c));
    }
    std::string server;
    for (const char c : ServerName(mode)) server += static_cast<char>(std::tolower(c));
    EXPECT_EQ(server, folded + "lock");
  }
}

TEST(LockMode, RefusesUnknownNames) {
  for (const char* name :
       {"", "access exclusive", "ACCESS  EXCLUSIVE", "SIReadLock", "ShareLock "}) {
    EXPECT_FALSE(FromName(name)) << name;
    EXPECT_FALSE(FromServerName(name)) << name;
  }
}

}  // namespace
}  // namespace pgalter::locks
