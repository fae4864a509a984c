// Compare: two tables, each both ways. Exact, and without a lock on rows: every statement sees both
// tables, and the flow between them where there is one, in one snapshot.
//
// In ranges of a key that both have an index for (ranges.h): a key belongs to one range whatever
// happens meanwhile. Where the key's order is not that of the rows on disk, which would be read all
// over, in slices of blocks of both, if the one is a copy of the other (places.h). Either way each
// row is read once on either side, several ranges or slices at a time. Where there is neither, in
// windows of blocks, with a lookup for each row.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/throttle/throttle.h"
#include "batcher/verify/slices.h"

namespace pgalter::verify {

using async::Task;
using guard::Session;

struct Difference {
  std::string of;      // the table whose rows they are
  std::string in;      // the other
  bool one_way;        // they are in the first alone; else they may be there and differ
  bool twice = false;  // their keys are there more than once: `rows` more than once
  std::int64_t rows = 0;
  std::vector<std::string> keys;  // some of them
};

// Called after each window, range or slice, with the share that is done.
using OnWindow = std::function<void(double)>;

// Blocks of one file of a table.
struct Compared {
  Stretch blocks;
  pg::Oid filenode = 0;

  bool operator==(const Compared&) const = default;
};

// How far a comparison has come, for another one that goes on there, the same way.
struct Mark {
  // By ranges: all keys below are compared.
  std::vector<std::string> walk;  // columns; empty: none is
  std::vector<std::string> key;
  // By slices: all rows that were in these blocks.
  std::vector<Compared> from;
  std::vector<Compared> to;

  bool operator==(const Mark&) const = default;
};

struct CompareOptions {
  // Ends after the first window, range or slice that differs where it is 1; else so many are told.
  std::size_t most = 1;
  OnWindow on_window = [](double) {};
  Mark from;
  std::function<Task<>(Mark)> keep;  // called every few seconds, once at a time; may be empty
};

// By all sessions at once, one at least. A flow without a run is between two tables that nothing
// joins: all rows must be the same.
Task<std::vector<Difference>> CompareTables(std::vector<Session>& sessions,
                                            const capture::Flow& flow, throttle::Throttle& throttle,
                                            async::Stopper& stopper, CompareOptions options);

}  // namespace pgalter::verify
