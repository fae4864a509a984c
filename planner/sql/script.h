#pragma once

// A migration file, statement by statement, whatever else is in it: psql's meta-commands and
// variables, data after COPY … FROM stdin, placeholders of other tools, a byte order mark, CRLF,
// bytes that are no UTF-8. Nothing here stops at what it does not understand: it becomes a piece
// with a problem, and the next statement is read.
//
// Linear in the size of the text. Does not parse: that is ReadStatement's (ast/statement.h).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::sql {

// Half-open range of bytes in the text that was given.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct Comment {
  Span span;
  std::string_view text;  // with its marks
};

enum class PieceKind {
  kStatement,
  kMeta,      // a psql command: \set, \i file, \copy …
  kCopyData,  // rows after COPY … FROM stdin, with the line \.
  kUnclosed,  // a string, comment or dollar quote without an end: from its statement's start on
};

struct Piece {
  PieceKind kind = PieceKind::kStatement;
  // Without comments and blanks before it, and without its semicolon.
  Span span;
  // What the grammar is to read: the bytes of `span`, placeholders and psql variables replaced by
  // a word or number of the same length, bytes that are no UTF-8 by '?'. Positions in it are
  // positions in the span.
  std::string sql;
  bool has_placeholder = false;
  bool has_invalid_utf8 = false;
  std::vector<Comment> comments;  // since the piece before, and inside this one
};

// Pieces in their order; a statement without anything in it is left out.
[[nodiscard]] std::vector<Piece> SplitScript(std::string_view text);

// Lines and columns from offsets, both 1-based.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text);

  struct Place {
    int line = 1;
    int column = 1;        // in characters
    int utf16_column = 1;  // in UTF-16 code units
  };
  [[nodiscard]] Place At(std::size_t offset) const;
  [[nodiscard]] std::string_view Line(int line) const;  // without its end

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

}  // namespace pgalter::sql
