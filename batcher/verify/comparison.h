// What all ways of comparing share; for the files of this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "batcher/verify/compare.h"

namespace pgalter::verify {

// A window, range or slice takes about a quarter of a second, so no snapshot is held for longer,
// and has at most so many rows, so its hash stays in memory.
constexpr std::int64_t kRowsAtFirst = 20'000;
constexpr std::int64_t kMostRows = 200'000;

struct Comparison {
  const capture::Flow& flow;
  throttle::Throttle& throttle;
  async::Stopper& stopper;
  const CompareOptions& options;
  std::vector<Difference> differences;
  bool moved = false;  // rows have other places than those that were read: nothing found counts

  [[nodiscard]] bool over() const { return moved || differences.size() >= options.most; }
};

// Throttled, in a transaction of its own. How long it took. `check`, when the tables are locked:
// one boolean, false when they have moved.
Task<async::Clock::duration> CompareWindow(Comparison& comparison, Session& session,
                                           std::string statement, pg::Params params,
                                           std::optional<pg::Statement> check);

// As many rows as should take the time of a range, from what the last one took.
std::int64_t NextRows(std::int64_t rows, async::Clock::duration took);

// As the planner has it.
struct Size {
  double rows = 0;
  double blocks = 0;
  bool in_blocks = false;  // all of it: no foreign table, and PostgreSQL's own access method
};
Task<Size> EstimateSize(Session& session, pg::Oid table);

}  // namespace pgalter::verify
