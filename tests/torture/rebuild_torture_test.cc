// Rebuilds of every kind under users who do everything, killed, cut off, taken over and crashed,
// there and back: no row is ever wrong. A round is its seed: `./dev torture rounds 1 SEED` plays it
// again.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "tests/torture/round.h"

namespace pgalter::test {
namespace {

int NumberOf(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

// One line a round, where PGALTER_TORTURE_LEDGER says: version, seed, milliseconds, writes, what
// happened, and whether all was right.
void Enter(const Arena& arena, unsigned seed, std::chrono::milliseconds took, const Round& round,
           bool right) {
  const char* const path = std::getenv("PGALTER_TORTURE_LEDGER");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app)
      << fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", arena.version(), seed, took.count(),
                     round.writes(), right ? "right" : "DIFFERENT", round.Story());
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
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    Enter(arena, seed, took, round, problems.empty());
    ASSERT_EQ(problems, "") << "PostgreSQL " << arena.version() << ", seed " << seed << ", "
                            << round.Story();
  }
}

}  // namespace
}  // namespace pgalter::test
