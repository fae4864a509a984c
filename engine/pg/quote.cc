#include "engine/pg/quote.h"

namespace pgalter::pg {

namespace {

std::string Doubled(std::string_view text, char quote, bool backslash_too) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || (backslash_too && c == '\\')) quoted += c;
    quoted += c;
  }
  return quoted + quote;
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) { return Doubled(name, '"', false); }

std::string QuoteLiteral(std::string_view text) {
  const bool backslash = text.find('\\') != std::string_view::npos;
  return (backslash ? " E" : "") + Doubled(text, '\'', backslash);
}

}  // namespace pgalter::pg
