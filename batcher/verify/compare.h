// Compare: two tables, each both ways. Exact, and without a lock on rows: every statement sees both
// tables, and the flow between them where there is one, in one snapshot.
//
// In ranges of a key that both have an index for (walk.h): a key belongs to one range whatever
// happens meanwhile, and each range is read once on either side. Where there is none, in windows of
// blocks, with a lookup for each row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/throttle/throttle.h"

namespace pgalter::verify {

using async::Task;
using guard::Session;

struct Difference {
  std::string of;  // the table whose rows they are
  std::string in;  // the other
  bool one_way;    // they are in the first alone; else they may be there and differ
  std::int64_t rows = 0;
  std::vector<std::string> keys;  // some of them
};

// Called after each window or range, with the share that is done.
using OnWindow = std::function<void(double)>;

// Ends after the first window or range that differs where `most` is 1; else so many are told. A
// flow without a run is between two tables that nothing joins: all rows must be the same.
Task<std::vector<Difference>> CompareTables(Session& session, const capture::Flow& flow,
                                            throttle::Throttle& throttle, async::Stopper& stopper,
                                            std::size_t most, OnWindow on_window);

}  // namespace pgalter::verify
