#include "cli/shell_words.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace pgalter::cli {

std::string ForShell(const std::string& word) {
  const bool plain = std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("_.,:=+-/", c) != nullptr;
  });
  if (plain && !word.empty()) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace pgalter::cli
