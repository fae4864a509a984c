#include "batcher/throttle/chunk_size_policy.h"

#include <algorithm>
#include <cmath>

namespace pgalter::throttle {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kAim = 0.6;        // of the target: leaves room for a chunk three times as heavy
constexpr double kTooShort = 0.45;  // between the two nothing changes: noise is not followed
constexpr double kTooLong = 0.75;
constexpr double kGrowth = 1.25;
constexpr double kShrink = 0.25;
constexpr double kMaxStretch = 3;  // times kAim stays below 2 targets when dense rows come back
constexpr double kEnoughRows = 0.5;
constexpr std::int64_t kRowsThatTell = 100;  // fewer are dense by chance
constexpr int kTimeoutTargets = 4;
constexpr std::chrono::milliseconds kShortestTimeout{500};

}  // namespace

std::int64_t BlocksFor(std::int64_t rows, double rows_per_block) {
  const double blocks = std::ceil(static_cast<double>(rows) / std::max(rows_per_block, 1e-6));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(blocks, 4e9)));
}

ChunkSizePolicy::ChunkSizePolicy(ChunkSizeOptions options)
    : options_(options),
      rows_(Bounded(static_cast<double>(options.start_rows))),
      rows_per_block_(options.rows_per_block) {}

ChunkSize ChunkSizePolicy::Next() const {
  const auto base = static_cast<double>(BlocksFor(rows_, rows_per_block_));
  return {rows_, static_cast<std::int64_t>(base * stretch_)};
}

void ChunkSizePolicy::Done(const ChunkOutcome& outcome) {
  LearnDensity(outcome);
  AdjustRows(outcome);
  AdjustStretch(outcome);
}

void ChunkSizePolicy::Cancelled(const ChunkSize& asked) {
  rows_ = std::min(rows_, Bounded(static_cast<double>(asked.rows) / 2));
  stretch_ = 1;
}

std::chrono::milliseconds ChunkSizePolicy::statement_timeout() const {
  return std::max(kTimeoutTargets * options_.target, kShortestTimeout);
}

void ChunkSizePolicy::SetTarget(std::chrono::milliseconds target) { options_.target = target; }

void ChunkSizePolicy::LearnDensity(const ChunkOutcome& outcome) {
  if (outcome.blocks <= 0 || outcome.rows < kRowsThatTell) return;
  const double density = static_cast<double>(outcome.rows) / static_cast<double>(outcome.blocks);
  rows_per_block_ = std::max(rows_per_block_, density);
}

void ChunkSizePolicy::AdjustRows(const ChunkOutcome& outcome) {
  const Seconds target = options_.target;
  const double share = std::max(Seconds(outcome.duration) / target, 1e-6);
  // Relative to what the chunk had asked for, so that several chunks of one size count once.
  const auto asked = static_cast<double>(outcome.asked.rows);
  if (share > kTooLong) {
    rows_ = std::min(rows_, Bounded(asked * std::max(kShrink, kAim / share)));
    return;
  }
  const bool telling = static_cast<double>(outcome.rows) >= kEnoughRows * asked;
  if (share >= kTooShort || !telling || outcome.asked.rows < rows_) return;
  rows_ = Bounded(static_cast<double>(rows_) * std::min(kGrowth, kAim / share));
}

void ChunkSizePolicy::AdjustStretch(const ChunkOutcome& outcome) {
  const auto base = static_cast<double>(BlocksFor(outcome.asked.rows, rows_per_block_));
  const double measured = static_cast<double>(outcome.asked.blocks) / base;
  const double fill = static_cast<double>(outcome.rows) /
                      std::max(static_cast<double>(outcome.blocks) * rows_per_block_, 1e-6);
  const double wanted = std::clamp(1 / std::max(fill, 1e-6), 1.0, kMaxStretch);
  const Seconds target = options_.target;
  const bool slow = Seconds(outcome.duration) / target > kTooShort;
  if (wanted < stretch_ || slow) {
    stretch_ = std::min({stretch_, wanted, std::max(1.0, measured)});
  } else if (measured >= stretch_ * 0.99) {
    stretch_ = std::min(wanted, stretch_ * kGrowth);
  }
}

std::int64_t ChunkSizePolicy::Bounded(double rows) const {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::min(rows, 1e15)));
  return std::clamp(whole, options_.min_rows, std::max(options_.min_rows, options_.max_rows));
}

}  // namespace pgalter::throttle
