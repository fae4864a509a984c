// What rounds came to, over many programs: one line a round where PGALTER_TORTURE_LEDGER says.
// Server version, seed, milliseconds, writes of users, right or DIFFERENT, what happened
// (tab-separated). tests/torture/sum adds up.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

namespace pgalter::test {

struct Played {
  int version = 0;
  unsigned seed = 0;
  std::chrono::steady_clock::time_point begun;
  long writes = 0;
  bool right = false;
  std::string story;
};

inline void Enter(const Played& round) {
  const char* const path = std::getenv("PGALTER_TORTURE_LEDGER");
  if (path == nullptr) return;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - round.begun);
  std::ofstream(path, std::ios::app)
      << fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", round.version, round.seed, took.count(),
                     round.writes, round.right ? "right" : "DIFFERENT", round.story);
}

}  // namespace pgalter::test
