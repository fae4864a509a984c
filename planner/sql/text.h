#pragma once

// Bytes and characters of SQL text. Private to planner/sql.

#include <optional>
#include <string>
#include <string_view>

#include "planner/sql/result.h"

namespace pgalter::sql {

// Why the text cannot be SQL at all: not UTF-8, a NUL byte (C code would stop reading there and
// judge only what stands before it), or past the size that the server reads.
[[nodiscard]] std::optional<Error> RefuseUnreadable(std::string_view text);

// The 1-based character at a byte offset.
[[nodiscard]] int CharacterAt(std::string_view text, std::size_t offset);

[[nodiscard]] std::string_view TrimSpace(std::string_view text);

// The length of the UTF-8 character at the front; 0 if the bytes there are none (overlong forms,
// surrogates and values past U+10FFFF are not) and at the end.
[[nodiscard]] std::size_t CharacterSize(std::string_view text);

// Whether the text is the word given in lower case. Letters outside ASCII have no case here, as in
// PostgreSQL's keywords.
[[nodiscard]] bool IsWord(std::string_view text, std::string_view lower_case);

[[nodiscard]] constexpr bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

// A byte of an unquoted identifier, as PostgreSQL's scanner has it.
[[nodiscard]] constexpr bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
[[nodiscard]] constexpr bool IsNameByte(char c) {
  return IsNameStart(c) || (c >= '0' && c <= '9') || c == '$';
}

}  // namespace pgalter::sql
