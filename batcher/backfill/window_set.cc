#include "batcher/backfill/window_set.h"

#include <algorithm>

#include "engine/async/fail_point.h"

namespace pgalter::backfill {

void IntervalSet::Add(Block first, Block end) {
  if (first >= end) return;
  auto next = intervals_.lower_bound(first);
  if (next != intervals_.begin() && std::prev(next)->second >= first) --next;
  while (next != intervals_.end() && next->first <= end) {
    first = std::min(first, next->first);
    end = std::max(end, next->second);
    next = intervals_.erase(next);
  }
  intervals_.emplace(first, end);
}

bool IntervalSet::Contains(Block first, Block end) const {
  const auto next = intervals_.upper_bound(first);
  return next != intervals_.begin() && std::prev(next)->second >= end;
}

std::optional<std::pair<Block, Block>> IntervalSet::Gap(Block from, Block limit) const {
  auto next = intervals_.upper_bound(from);
  if (next != intervals_.begin()) from = std::max(from, std::prev(next)->second);
  if (from >= limit) return std::nullopt;
  const Block end = next == intervals_.end() ? limit : std::min(limit, next->first);
  return std::pair(from, end);
}

Block IntervalSet::Size() const {
  Block size = 0;
  for (const auto& [first, end] : intervals_) size += end - first;
  return size;
}

WindowSet::WindowSet(Block blocks, const std::vector<Window>& recorded) : blocks_(blocks) {
  Block cursor = 0;
  for (const Window& window : recorded) {
    taken_.Add(window.first, window.end);
    if (window.done()) {
      done_.Add(window.first, window.end);
    } else {
      begun_.push_back(window);
    }
    cursor = std::max(cursor, window.end);
  }
  if (!async::SafeguardOn("interval-set")) {
    // What a cursor would believe: all before the furthest window is done.
    done_.Add(0, cursor);
    taken_.Add(0, cursor);
    begun_.clear();
  }
}

std::optional<Window> WindowSet::Take(Block blocks, int stripes) {
  if (!begun_.empty()) {
    const Window window = begun_.back();
    begun_.pop_back();
    return window;
  }
  const auto gap = taken_.Gap(0, blocks_);
  if (!gap) return std::nullopt;
  const Window window{gap->first, std::min(gap->second, gap->first + std::max<Block>(blocks, 1)),
                      stripes, 0};
  taken_.Add(window.first, window.end);
  return window;
}

void WindowSet::Finish(const Window& window) { done_.Add(window.first, window.end); }

void WindowSet::GiveBack(const Window& window) { begun_.push_back(window); }

}  // namespace pgalter::backfill
