// ChunkSizePolicy: how many rows, and over how many blocks, the next chunk takes, so that it lasts
// about 0.6 of a target. Pure.
//
// A chunk holds row locks: what counts is the longest one, and that it may meet denser rows, colder
// blocks or a busier server than the chunks that its size was learned from. Hence:
//  - it grows by at most a quarter over a size that was measured, and shrinks at once in
//  proportion;
//  - chunks that found few rows (a stretch of dead ones) say nothing about rows: they never raise
//    the number of rows, and the blocks only up to three times what the rows ask for;
//  - the densest block seen counts, not the average.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgalter::throttle {

struct ChunkSizeOptions {
  std::chrono::milliseconds target{100};
  std::int64_t start_rows = 1'000;
  std::int64_t min_rows = 50;
  std::int64_t max_rows = 100'000;
  // Of a well filled block, as far as one chunk touches it: a chunk that takes a k-th of each
  // block's rows gives a k-th.
  double rows_per_block = 1;
};

struct ChunkSize {
  std::int64_t rows = 0;
  std::int64_t blocks = 0;
};

struct ChunkOutcome {
  ChunkSize asked;          // what Next() had said; chunks of one size may come back in any number
  std::int64_t rows = 0;    // that were changed
  std::int64_t blocks = 0;  // that were looked at
  std::chrono::steady_clock::duration duration{};
};

// The blocks that so many rows fill; at least one.
std::int64_t BlocksFor(std::int64_t rows, double rows_per_block);

class ChunkSizePolicy {
 public:
  explicit ChunkSizePolicy(ChunkSizeOptions options);

  ChunkSize Next() const;
  void Done(const ChunkOutcome& outcome);
  void Cancelled(const ChunkSize& asked);  // by statement_timeout: half of it next time

  // For the chunk's statement: past it the server cancels, and the chunk is halved.
  std::chrono::milliseconds statement_timeout() const;

  void SetTarget(std::chrono::milliseconds target);  // the operator's word, at run time
  std::chrono::milliseconds target() const { return options_.target; }
  double rows_per_block() const { return options_.rows_per_block; }  // as given

 private:
  void LearnDensity(const ChunkOutcome& outcome);
  void AdjustRows(const ChunkOutcome& outcome);
  void AdjustStretch(const ChunkOutcome& outcome);
  std::int64_t Bounded(double rows) const;

  ChunkSizeOptions options_;
  std::int64_t rows_;
  double rows_per_block_;
  double stretch_ = 1;  // blocks beyond what the rows ask for, where few rows are found
};

}  // namespace pgalter::throttle
