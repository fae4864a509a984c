#include "planner/sql/text.h"

#include <algorithm>

namespace pgalter::sql {
namespace {

// palloc's limit in the server; offsets then fit PostgreSQL's int as well.
constexpr std::size_t kMaxTextSize = 0x3fffffff;

}  // namespace

std::optional<Error> RefuseUnreadable(std::string_view text) {
  if (text.size() > kMaxTextSize) return Error{"the text is longer than 1 GB", 0, ""};
  int character = 1;
  for (std::size_t at = 0; at < text.size(); ++character) {
    if (text[at] == '\0') return Error{"the text has a zero byte in it", character, ""};
    const std::size_t size = CharacterSize(text.substr(at));
    if (size == 0) return Error{"the text is not valid UTF-8", character, ""};
    at += size;
  }
  return std::nullopt;
}

int CharacterAt(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<int>(std::ranges::count_if(
                 before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::size_t CharacterSize(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool IsWord(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

}  // namespace pgalter::sql
