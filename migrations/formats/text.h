#pragma once

// Lines and marks in a migration's text, for the readers of the formats. Private to
// migrations/formats. ASCII letters have no case here.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::formats {

// Numbers in names count as numbers: 2_b before 10_a. Otherwise byte by byte.
[[nodiscard]] bool NaturalLess(std::string_view a, std::string_view b);

[[nodiscard]] std::string Lower(std::string_view text);
[[nodiscard]] std::string_view Trim(std::string_view text);
[[nodiscard]] bool SameWord(std::string_view a, std::string_view b);
[[nodiscard]] bool StartsWithWord(std::string_view text, std::string_view start);
// Parts between blanks; quotes, single or double, keep blanks and are left off.
[[nodiscard]] std::vector<std::string> Words(std::string_view text);

// "b/c.sql" of "a/b/c.sql": the last part of a path, and the directory it is in.
[[nodiscard]] std::string_view FileName(std::string_view path);
[[nodiscard]] std::string_view DirectoryName(std::string_view path);

struct Line {
  sql::Span span;        // without its end
  std::size_t next = 0;  // where the next begins
};

class Lines {
 public:
  explicit Lines(std::string_view text, std::size_t begin = 0) : text_(text), at_(begin) {}

  // The next line; nothing after the last.
  [[nodiscard]] std::optional<Line> Next();

 private:
  std::string_view text_;
  std::size_t at_;
};

[[nodiscard]] inline std::string_view Cut(std::string_view text, sql::Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

// What follows a mark in a comment that stands at the front of its line: "Up" in "-- +goose Up" for
// "+goose". Blanks before the mark do not matter; a letter or digit right after it does.
[[nodiscard]] std::optional<std::string_view> AfterMark(std::string_view line,
                                                        std::string_view mark);

// Whether there is such a line. Fast where the mark does not occur at all.
[[nodiscard]] bool HasMark(std::string_view text, std::string_view mark);

// Blanks every byte of the span but line ends.
void Blank(std::string& text, sql::Span span);

// Puts a semicolon where a tool's own end of a statement stands; blanks for the rest of it. One of
// a single character or a word counts on a line of its own only. Whether there was any.
bool ReplaceDelimiter(std::string& text, sql::Span span, std::string_view delimiter);

}  // namespace pgalter::formats
