#include "cli/inspect/ranges_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/table.h"

namespace pgalter::cli {

namespace {

constexpr std::size_t kWidth = 60;
constexpr std::size_t kMostNamed = 32;  // characters of a name

struct Scale {
  double least = 0;
  double greatest = 0;

  // A column of the picture.
  [[nodiscard]] std::size_t At(double place) const {
    const double share = (place - least) / (greatest - least);
    const double column = std::clamp(share, 0.0, 1.0) * static_cast<double>(kWidth);
    return static_cast<std::size_t>(std::lround(column));
  }
};

std::optional<Scale> ScaleOf(const Picture& picture) {
  std::vector<double> ends;
  for (const Bar& bar : picture.bars)
    for (const auto& end : {bar.begin, bar.end})
      if (end) ends.push_back(*end);
  if (ends.empty()) return std::nullopt;
  const auto [least, greatest] = std::ranges::minmax(ends);
  if (least == greatest) return std::nullopt;
  return Scale{least, greatest};
}

std::string Cut(const std::string& name) {
  std::string shown = Printable(name);
  while (DisplayWidth(shown) > kMostNamed) {
    shown.pop_back();
    // Not within a character.
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0U) == 0x80U)
      shown.pop_back();
  }
  return shown;
}

std::string Line(const Bar& bar, const Scale& scale) {
  std::string line(kWidth, ' ');
  std::size_t from = bar.begin ? scale.At(*bar.begin) : 0;
  std::size_t to = bar.end ? scale.At(*bar.end) : kWidth;
  from = std::min(from, kWidth - 1);
  to = std::clamp(to, from + 1, kWidth);
  std::fill(line.begin() + static_cast<std::ptrdiff_t>(from),
            line.begin() + static_cast<std::ptrdiff_t>(to), bar.filled ? '#' : '-');
  if (!bar.begin) line.front() = '<';
  if (!bar.end) line.back() = '>';
  return line;
}

}  // namespace

std::string Draw(const Picture& picture) {
  const auto scale = ScaleOf(picture);
  if (!scale) return "";
  std::size_t widest = 0;
  for (const Bar& bar : picture.bars) widest = std::max(widest, DisplayWidth(Cut(bar.name)));
  std::string text;
  for (const Bar& bar : picture.bars) {
    const std::string name = Cut(bar.name);
    text += fmt::format("{}{} |{}|\n", name, std::string(widest - DisplayWidth(name), ' '),
                        Line(bar, *scale));
  }
  const std::string indent(widest + 2, ' ');
  if (picture.now && *picture.now >= scale->least && *picture.now <= scale->greatest) {
    const std::size_t at = std::min(scale->At(*picture.now), kWidth - 1);
    text += fmt::format("{}{}^ now\n", indent, std::string(at, ' '));
  }
  const std::size_t taken = DisplayWidth(picture.first) + DisplayWidth(picture.last);
  const std::size_t between = taken < kWidth ? kWidth - taken : 1;
  text += fmt::format("{}{}{}{}\n", indent, picture.first, std::string(between, ' '), picture.last);
  return text;
}

}  // namespace pgalter::cli
