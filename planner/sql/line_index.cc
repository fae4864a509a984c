#include "planner/sql/line_index.h"

#include <algorithm>

namespace pgalter::sql {
namespace {

constexpr std::size_t kStride = 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineIndex::LineIndex(std::string_view text) : text_(text) {
  starts_.push_back(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  for (std::size_t i = text.find_first_of("\r\n"); i < text.size();
       i = text.find_first_of("\r\n", i)) {
    i += text.substr(i).starts_with("\r\n") ? 2 : 1;
    starts_.push_back(i);
  }
  counts_.reserve(text.size() / kStride + 1);
  counts_.emplace_back();
  for (std::size_t end = kStride; end <= text.size(); end += kStride)
    counts_.push_back(CountTo(end));
}

LineIndex::Count LineIndex::CountTo(std::size_t offset) const {
  const std::size_t known = std::min(offset / kStride, counts_.size() - 1);
  Count count = counts_[known];
  for (const char c : text_.substr(known * kStride, offset - known * kStride)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;
    ++count.characters;
    count.utf16_units += byte >= 0xF0 ? 2 : 1;
  }
  return count;
}

LineIndex::Place LineIndex::At(std::size_t offset) const {
  offset = std::clamp(offset, starts_.front(), text_.size());
  const auto after = std::ranges::upper_bound(starts_, offset);
  const Count start = CountTo(*(after - 1));
  const Count here = CountTo(offset);
  return {static_cast<int>(after - starts_.begin()),
          static_cast<int>(here.characters - start.characters) + 1,
          static_cast<int>(here.utf16_units - start.utf16_units) + 1};
}

std::string_view LineIndex::Line(int line) const {
  if (line < 1 || static_cast<std::size_t>(line) > starts_.size()) return {};
  const std::size_t begin = starts_[static_cast<std::size_t>(line) - 1];
  const auto rest = text_.substr(begin);
  return rest.substr(0, rest.find_first_of("\r\n"));
}

}  // namespace pgalter::sql
