#pragma once

// Text of users on its way into a format. Bytes of a file or a name need not be UTF-8; every format
// and every terminal needs it to be.

#include <cstddef>
#include <string>
#include <string_view>

namespace pgalter::lint {

struct Character {
  char32_t code = 0;
  std::size_t size = 1;  // in bytes
};

// The character at the front of a text that is not empty. A byte that is no UTF-8 is U+FFFD.
[[nodiscard]] Character FirstCharacter(std::string_view text);

void AppendUtf8(std::string& text, char32_t code);

// What is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string ValidUtf8(std::string_view text);

// For a terminal: moreover control characters and what turns the direction of writing are spelled
// out (\x1B, \u202E), so that a file cannot draw what it likes.
[[nodiscard]] std::string Visible(std::string_view text);

// Cells of a terminal that the visible text takes: 0, 1 or 2 a character.
[[nodiscard]] std::size_t Cells(std::string_view visible);

}  // namespace pgalter::lint
