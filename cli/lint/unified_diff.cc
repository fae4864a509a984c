#include "cli/lint/unified_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace pgalter::cli {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

enum class Mark : char { kSame = ' ', kGone = '-', kNew = '+' };

struct Step {
  Mark mark = Mark::kSame;
  std::string_view line;
};

// Myers' greedy search for the shortest script of deletions and insertions. A diagonal is x - y, of
// x lines taken from before and y from after.
class Comparison {
 public:
  Comparison(const Lines& before, const Lines& after)
      : before_(before),
        after_(after),
        most_(static_cast<int>(before.size() + after.size())),
        reach_(2 * before.size() + 2 * after.size() + 3) {}

  std::vector<Step> Steps() {
    for (int depth = 0;; ++depth) {
      const auto from = reach_.begin() + (most_ - depth);
      trace_.emplace_back(from, from + 2 * depth + 3);
      if (Advance(depth)) return Backtrack(depth);
    }
  }

 private:
  [[nodiscard]] std::string_view Before(int i) const {
    return before_[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] std::string_view After(int i) const { return after_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] int Width() const { return static_cast<int>(before_.size()); }
  [[nodiscard]] int Height() const { return static_cast<int>(after_.size()); }
  int& Reach(int diagonal) {
    const int place = diagonal + most_ + 1;
    return reach_[static_cast<std::size_t>(place)];
  }
  // As it was before that depth.
  [[nodiscard]] int Reach(int diagonal, int depth) const {
    const int place = diagonal + depth + 1;
    return trace_[static_cast<std::size_t>(depth)][static_cast<std::size_t>(place)];
  }
  static bool GoesDown(int diagonal, int depth, int left, int right) {
    return diagonal == -depth || (diagonal != depth && left < right);
  }

  bool Advance(int depth) {
    for (int diagonal = -depth; diagonal <= depth; diagonal += 2) {
      const int left = Reach(diagonal - 1);
      const int right = Reach(diagonal + 1);
      int x = GoesDown(diagonal, depth, left, right) ? right : left + 1;
      while (x < Width() && x - diagonal < Height() && Before(x) == After(x - diagonal)) ++x;
      Reach(diagonal) = x;
      if (x >= Width() && x - diagonal >= Height()) return true;
    }
    return false;
  }

  [[nodiscard]] std::vector<Step> Backtrack(int depth) const {
    std::vector<Step> steps;
    int x = Width();
    int y = Height();
    for (;; --depth) {
      const int diagonal = x - y;
      const bool down =
          GoesDown(diagonal, depth, Reach(diagonal - 1, depth), Reach(diagonal + 1, depth));
      const int previous = down ? diagonal + 1 : diagonal - 1;
      const int from_x = Reach(previous, depth);
      const int from_y = from_x - previous;
      for (; x > from_x && y > from_y; --y) steps.push_back({Mark::kSame, Before(--x)});
      if (depth == 0) break;
      if (down) {
        steps.push_back({Mark::kNew, After(from_y)});
      } else {
        steps.push_back({Mark::kGone, Before(from_x)});
      }
      x = from_x;
      y = from_y;
    }
    std::ranges::reverse(steps);
    return steps;
  }

  const Lines& before_;
  const Lines& after_;
  int most_;
  std::vector<int> reach_;
  std::vector<std::vector<int>> trace_;
};

std::string LineText(const Step& step) {
  std::string text = fmt::format("{}{}", static_cast<char>(step.mark), step.line);
  if (!text.ends_with('\n')) text += "\n\\ No newline at end of file\n";
  return text;
}

// Lines from..to of the steps, with how many lines of either side stand before them.
std::string Hunk(const std::vector<Step>& steps, std::size_t from, std::size_t to) {
  const auto count = [&](std::size_t begin, std::size_t end, Mark other) {
    return std::count_if(steps.begin() + static_cast<std::ptrdiff_t>(begin),
                         steps.begin() + static_cast<std::ptrdiff_t>(end),
                         [&](const Step& step) { return step.mark != other; });
  };
  const auto range = [&](Mark other) {
    const auto length = count(from, to, other);
    return fmt::format("{},{}", count(0, from, other) + (length > 0 ? 1 : 0), length);
  };
  std::string text = fmt::format("@@ -{} +{} @@\n", range(Mark::kNew), range(Mark::kGone));
  for (std::size_t i = from; i < to; ++i) text += LineText(steps[i]);
  return text;
}

}  // namespace

std::string UnifiedDiff(std::string_view name, std::string_view before, std::string_view after) {
  if (before == after) return {};
  const Lines old_lines = Split(before);
  const Lines new_lines = Split(after);
  const std::vector<Step> steps = Comparison(old_lines, new_lines).Steps();
  std::string text = fmt::format("--- a/{}\n+++ b/{}\n", name, name);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].mark == Mark::kSame) continue;
    std::size_t last = i;  // of the changes that are near enough to stand together
    for (std::size_t j = i; j < steps.size() && j <= last + 2 * kContext; ++j)
      if (steps[j].mark != Mark::kSame) last = j;
    const std::size_t from = i - std::min(i, kContext);
    text += Hunk(steps, from, std::min(steps.size(), last + 1 + kContext));
    i = last;
  }
  return text;
}

}  // namespace pgalter::cli
