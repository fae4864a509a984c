#include "planner/lint/render/xml.h"

#include <fmt/format.h>

#include "planner/lint/render/unicode.h"

namespace pgalter::lint {

namespace {

// The Char production of XML 1.0. A parser turns a bare line break in an attribute into a blank, so
// blanks other than the blank itself are written as references.
std::string Escaped(char32_t code) {
  switch (code) {
    case U'&':
      return "&amp;";
    case U'<':
      return "&lt;";
    case U'>':
      return "&gt;";
    case U'"':
      return "&quot;";
    case U'\t':
    case U'\n':
    case U'\r':
      return fmt::format("&#{};", static_cast<unsigned>(code));
    default:
      break;
  }
  if (code < 0x20) return fmt::format("\\x{:02X}", static_cast<unsigned>(code));
  if (code == 0xFFFE || code == 0xFFFF)
    return fmt::format("\\u{:04X}", static_cast<unsigned>(code));
  std::string text;
  AppendUtf8(text, code);
  return text;
}

}  // namespace

std::string XmlEscape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Character next = FirstCharacter(text);
    escaped += Escaped(next.code);
    text.remove_prefix(next.size);
  }
  return escaped;
}

}  // namespace pgalter::lint
