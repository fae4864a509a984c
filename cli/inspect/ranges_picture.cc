#include "cli/inspect/ranges_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/table.h"

namespace pgalter::cli {

namespace {

// Narrower, the bars would tell nothing; wider, nobody finds the bar of a name.
constexpr std::size_t kLeastColumns = 40;
constexpr std::size_t kMostColumns = 200;
constexpr std::size_t kMostBars = 40;  // more are no picture, and neighbours are drawn as one

struct Scale {
  double least = 0;
  double greatest = 0;
  std::size_t width = 0;

  // A column of the picture.
  [[nodiscard]] std::size_t At(double place) const {
    const double share = (place - least) / (greatest - least);
    const double column = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
    return static_cast<std::size_t>(std::lround(column));
  }
};

// Characters of a name: a third of the picture, and never more than names have in general.
std::size_t MostNamed(std::size_t columns) {
  constexpr std::size_t kMost = 63;
  return std::min(columns * 7 / 20, kMost);
}

std::optional<Scale> ScaleOf(const std::vector<Bar>& bars, std::size_t width) {
  std::vector<double> ends;
  for (const Bar& bar : bars)
    for (const auto& end : {bar.begin, bar.end})
      if (end) ends.push_back(*end);
  if (ends.empty()) return std::nullopt;
  const auto [least, greatest] = std::ranges::minmax(ends);
  if (least == greatest) return std::nullopt;
  return Scale{least, greatest, width};
}

// Neighbours without a gap, that all have rows or all have none: "p_1 … p_99 (99)".
std::vector<Bar> Fold(const std::vector<Bar>& bars) {
  struct Fold {
    Bar bar;
    std::string last;
    int count = 1;
  };
  std::vector<Fold> folds;
  for (const Bar& bar : bars) {
    if (!folds.empty()) {
      Fold& before = folds.back();
      if (before.bar.end && bar.begin && *before.bar.end == *bar.begin && bar.end &&
          before.bar.begin && before.bar.filled == bar.filled) {
        before.bar.end = bar.end;
        before.last = bar.name;
        ++before.count;
        continue;
      }
    }
    folds.push_back({bar, bar.name});
  }
  std::vector<Bar> folded;
  for (Fold& fold : folds) {
    if (fold.count > 1) fold.bar.name = fmt::format("{} from {}", fold.count, fold.bar.name);
    folded.push_back(std::move(fold.bar));
  }
  return folded;
}

// What no bar covers, between two of them, gets a line of its own.
std::vector<Bar> WithGaps(const std::vector<Bar>& bars) {
  std::vector<Bar> all;
  for (const Bar& bar : bars) {
    if (!all.empty() && all.back().end && bar.begin && *all.back().end < *bar.begin) {
      Bar gap;
      gap.name = "(gap)";
      gap.begin = all.back().end;
      gap.end = bar.begin;
      gap.gap = true;
      all.push_back(std::move(gap));
    }
    all.push_back(bar);
  }
  return all;
}

std::string Cut(const std::string& name, std::size_t most) {
  std::string shown = Printable(name);
  while (DisplayWidth(shown) > most) {
    shown.pop_back();
    // Not within a character.
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0U) == 0x80U)
      shown.pop_back();
  }
  return shown;
}

std::string Line(const Bar& bar, const Scale& scale) {
  std::string line(scale.width, ' ');
  std::size_t from = bar.begin ? scale.At(*bar.begin) : 0;
  std::size_t to = bar.end ? scale.At(*bar.end) : scale.width;
  from = std::min(from, scale.width - 1);
  to = std::clamp(to, from + 1, scale.width);
  const char fill = bar.gap ? '.' : bar.filled ? '#' : '-';
  std::fill(line.begin() + static_cast<std::ptrdiff_t>(from),
            line.begin() + static_cast<std::ptrdiff_t>(to), fill);
  if (!bar.begin) line.front() = '<';
  if (!bar.end) line.back() = '>';
  return line;
}

}  // namespace

std::string Draw(const Picture& picture, std::size_t columns) {
  columns = std::clamp(columns, kLeastColumns, kMostColumns);
  const std::size_t most = MostNamed(columns);
  std::vector<Bar> bars =
      WithGaps(picture.bars.size() > kMostBars ? Fold(picture.bars) : picture.bars);
  std::size_t widest = 0;
  for (const Bar& bar : bars) widest = std::max(widest, DisplayWidth(Cut(bar.name, most)));
  constexpr std::size_t kFrame = 3;  // " |" and "|"
  const auto scale = ScaleOf(bars, columns - widest - kFrame);
  if (!scale) return "";
  std::string text;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    if (bars.size() > kMostBars && i == kMostBars / 2) {
      i = bars.size() - kMostBars / 2;
      text += fmt::format("... {} more\n", bars.size() - kMostBars);
    }
    const std::string name = Cut(bars[i].name, most);
    text += fmt::format("{}{} |{}|\n", name, std::string(widest - DisplayWidth(name), ' '),
                        Line(bars[i], *scale));
  }
  const std::string indent(widest + 2, ' ');
  if (picture.now && *picture.now >= scale->least && *picture.now <= scale->greatest) {
    const std::size_t at = std::min(scale->At(*picture.now), scale->width - 1);
    // Near the right edge it stands before the mark.
    constexpr std::string_view kNow = " now";
    if (at + 1 + kNow.size() <= scale->width)
      text += fmt::format("{}{}^ now\n", indent, std::string(at, ' '));
    else
      text += fmt::format("{}{}now ^\n", indent, std::string(at - kNow.size(), ' '));
  }
  const std::string first = Cut(picture.first, most);
  const std::string last = Cut(picture.last, most);
  const std::size_t taken = DisplayWidth(first) + DisplayWidth(last);
  const std::size_t between = taken < scale->width ? scale->width - taken : 1;
  // Ends that are longer than the scale begin below the names.
  const std::size_t before = std::min(indent.size(), columns - std::min(columns, taken + between));
  text +=
      fmt::format("{}{}{}{}\n", std::string(before, ' '), first, std::string(between, ' '), last);
  return text;
}

}  // namespace pgalter::cli
