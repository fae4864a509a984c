#include "cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace pgalter::cli {

namespace {

// Levenshtein, with two neighbours swapped counting as one slip.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string Nearest(std::string_view typed, const std::vector<std::string>& known) {
  std::string best;
  // Of a short word less may be wrong, or anything resembles it.
  std::size_t least = typed.size() < 4 ? 2 : 3;
  for (const std::string& word : known) {
    const bool begins = typed.size() >= 2 && word.starts_with(typed);
    const std::size_t distance = begins ? 1 : Distance(typed, word);
    if (distance < least) {
      least = distance;
      best = word;
    }
  }
  return best;
}

}  // namespace pgalter::cli
