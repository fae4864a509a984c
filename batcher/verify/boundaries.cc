#include "batcher/verify/boundaries.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pgalter::verify {

namespace {

// The more, the more even the ranges are.
constexpr double kBlocksInARange = 8;
constexpr double kMostBlocks = 16'384;
constexpr double kUsualBlocks = 1'024;

double BlocksToRead(double rows) {
  const double of_first = rows * kBlocksInARange / static_cast<double>(kRowsAtFirst);
  const double of_longest = rows * kBlocksInARange / static_cast<double>(kMostRows);
  return std::min({of_first, std::max(of_longest, kUsualBlocks), kMostBlocks});
}

Key KeyOf(const pg::Result& rows, int row) {
  Key key;
  for (int i = 0; i < rows.columns(); ++i) key.push_back(rows.Get<std::string>(row, i));
  return key;
}

}  // namespace

capture::Ends EndsOf(const Key& lower, const Key& upper) {
  if (lower.empty()) return upper.empty() ? capture::Ends::kNone : capture::Ends::kUpper;
  return upper.empty() ? capture::Ends::kLower : capture::Ends::kBoth;
}

Task<> Boundaries::ReadSample(Comparison& comparison, Session& session, const Key& lower,
                              const Size& size) {
  constexpr double kSmall = 2;
  if (!size.in_blocks || size.blocks < 1) co_return;
  if (size.rows < kSmall * static_cast<double>(kRowsAtFirst)) co_return;
  const double share = std::min(1.0, BlocksToRead(size.rows) / size.blocks);
  const auto each = std::max<std::int64_t>(1, std::llround(size.rows / size.blocks));
  co_await comparison.throttle.Admit(comparison.stopper);
  pg::Params params;
  for (const std::string& value : lower) params.Add(value);
  params.Add(100 * share);
  params.Add(each);
  std::vector<pg::Statement> statements;
  statements.push_back({capture::SampleStatement(flow_, walk_, !lower.empty()), params});
  const auto found = co_await session.db().Pipeline(std::move(statements));
  for (int i = 0; i < found.front().rows(); ++i) sample_.push_back(KeyOf(found.front(), i));
  rows_between_ = static_cast<double>(each) / share;
}

Task<Key> Boundaries::Count(Session& session, const Key& lower, const Key& upper,
                            std::int64_t rows) {
  pg::Params params;
  for (const Key& key : {lower, upper})
    for (const std::string& value : key) params.Add(value);
  params.Add(rows);
  std::vector<pg::Statement> statements;
  statements.push_back(
      {capture::BoundaryStatement(flow_, walk_, EndsOf(lower, upper)), std::move(params)});
  const auto found = co_await session.db().Pipeline(std::move(statements));
  Key key;
  if (!found.front().empty()) key = KeyOf(found.front(), 0);
  co_return key;
}

Task<Key> Boundaries::Next(Session& session, const Key& lower, std::int64_t rows) {
  const auto steps = static_cast<std::size_t>(static_cast<double>(rows) / rows_between_);
  const Key none;
  if (next_ == sample_.size()) co_return co_await Count(session, lower, none, rows);
  if (steps == 0) {
    Key nearer = co_await Count(session, lower, sample_[next_], rows);
    if (!nearer.empty()) co_return nearer;
  }
  next_ = std::min(next_ + std::max<std::size_t>(steps, 1), sample_.size());
  co_return sample_[next_ - 1];
}

}  // namespace pgalter::verify
