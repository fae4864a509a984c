// Rebuilds of every kind under users who do everything, killed, cut off, taken over and crashed,
// there and back: no row is ever wrong. A round is its seed: `./dev torture rounds 1 SEED` plays it
// again.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "tests/torture/ledger.h"
#include "tests/torture/round.h"

namespace pgalter::test {
namespace {

int NumberOf(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

TEST(RebuildTorture, NoRowIsEverWrong) {
  const int rounds = NumberOf("PGALTER_TORTURE_ROUNDS", 5);
  const auto first = static_cast<unsigned>(NumberOf("PGALTER_TORTURE_SEED", 2600));
  const int seconds = NumberOf("PGALTER_TORTURE_SECONDS", 0);
  Arena arena;
  const auto begun = std::chrono::steady_clock::now();
  for (unsigned seed = first; seed < first + static_cast<unsigned>(rounds); ++seed) {
    const auto start = std::chrono::steady_clock::now();
    if (seconds > 0 && start - begun > std::chrono::seconds(seconds)) break;
    Round round(arena, seed);
    const std::string problems = round.Play();
    Played played;
    played.version = arena.version();
    played.seed = seed;
    played.begun = start;
    played.writes = round.writes();
    played.right = problems.empty();
    played.story = round.Story();
    Enter(played);
    ASSERT_EQ(problems, "") << "PostgreSQL " << arena.version() << ", seed " << seed << ", "
                            << round.Story();
  }
}

}  // namespace
}  // namespace pgalter::test
