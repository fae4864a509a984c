#include "planner/lint/render/unicode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pgalter::lint {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

using Range = std::pair<char32_t, char32_t>;

bool IsIn(char32_t code, const auto& ranges) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return code >= range.first && code <= range.second; });
}

// Marks that write over the character before them, and joiners.
constexpr std::array<Range, 8> kNoCell = {{{0x0300, 0x036F},
                                           {0x0483, 0x0489},
                                           {0x0591, 0x05BD},
                                           {0x064B, 0x065F},
                                           {0x200B, 0x200D},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F},
                                           {0xFEFF, 0xFEFF}}};
// East Asian wide characters and emoji.
constexpr std::array<Range, 9> kTwoCells = {{{0x1100, 0x115F},
                                             {0x2E80, 0x303E},
                                             {0x3041, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0x1F300, 0x1FAFF},
                                             {0x20000, 0x3FFFD}}};
// Line separators among them: a terminal may take them for line breaks.
constexpr std::array<Range, 3> kTurns = {{{0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

bool IsContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

}  // namespace

Character FirstCharacter(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, 1};
  const Character bad{kReplacement, 1};
  std::size_t size = 0;
  if (first >= 0xC2 && first <= 0xDF) size = 2;
  if (first >= 0xE0 && first <= 0xEF) size = 3;
  if (first >= 0xF0 && first <= 0xF4) size = 4;
  if (size == 0) return bad;
  char32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text, i)) return bad;
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return bad;
  return {code, size};
}

void AppendUtf8(std::string& text, char32_t code) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Character next = FirstCharacter(text);
    AppendUtf8(valid, next.code);
    text.remove_prefix(next.size);
  }
  return valid;
}

std::string Visible(std::string_view text) {
  std::string visible;
  visible.reserve(text.size());
  while (!text.empty()) {
    const Character next = FirstCharacter(text);
    text.remove_prefix(next.size);
    if (next.code < 0x20 || (next.code >= 0x7F && next.code < 0xA0)) {
      visible += fmt::format("\\x{:02X}", static_cast<unsigned>(next.code));
    } else if (IsIn(next.code, kTurns)) {
      visible += fmt::format("\\u{:04X}", static_cast<unsigned>(next.code));
    } else {
      AppendUtf8(visible, next.code);
    }
  }
  return visible;
}

std::size_t Cells(std::string_view visible) {
  std::size_t cells = 0;
  while (!visible.empty()) {
    const Character next = FirstCharacter(visible);
    visible.remove_prefix(next.size);
    if (IsIn(next.code, kNoCell)) continue;
    cells += IsIn(next.code, kTwoCells) ? 2 : 1;
  }
  return cells;
}

}  // namespace pgalter::lint
