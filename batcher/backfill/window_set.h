// Windows of blocks of one relation: which are done, which are begun, which come next. Pure.
//
// Done windows are a set of intervals, so any number of workers can finish them in any order, and a
// resume needs no cursor: what is not in the set is work.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace pgalter::backfill {

using Block = std::int64_t;

struct Window {
  Block first = 0;
  Block end = 0;  // exclusive
  int stripes = 1;
  int passes = 0;  // done so far

  Block blocks() const { return end - first; }
  bool done() const { return passes >= stripes; }
  bool operator==(const Window&) const = default;
};

class IntervalSet {
 public:
  void Add(Block first, Block end);  // may overlap what is there
  bool Contains(Block first, Block end) const;
  // The first interval at or after `from` that is not in the set, up to `limit`.
  std::optional<std::pair<Block, Block>> Gap(Block from, Block limit) const;
  Block Size() const;
  std::size_t Count() const { return intervals_.size(); }
  const std::map<Block, Block>& intervals() const { return intervals_; }  // first -> end

 private:
  std::map<Block, Block> intervals_;  // first -> end, apart from each other
};

class WindowSet {
 public:
  WindowSet(Block blocks, const std::vector<Window>& recorded);

  // A begun window first, else the next gap, at most `blocks` long. nullopt: all are done or taken.
  std::optional<Window> Take(Block blocks, int stripes);
  void Finish(const Window& window);
  // A window that was taken and is not finished, e.g. one half after a split.
  void GiveBack(const Window& window);

  Block total() const { return blocks_; }
  Block done() const { return done_.Size(); }
  const IntervalSet& finished() const { return done_; }

 private:
  Block blocks_;
  IntervalSet done_;
  IntervalSet taken_;  // done or in somebody's hands
  std::vector<Window> begun_;
};

}  // namespace pgalter::backfill
