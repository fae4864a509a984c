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

#include "planner/sql/line_index.h"

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
  // A string, comment, dollar quote, rule or BEGIN ATOMIC body without an end: from its statement's
  // start up to the next line that looks like a new statement, where reading goes on.
  kUnclosed,
  kWide,      // the whole text, which is UTF-16 or UTF-32: nothing of it can be read
  kComments,  // at the end of the text, with an empty span: comments that no piece follows
};

struct Piece {
  PieceKind kind = PieceKind::kStatement;
  // Without comments and blanks before it, and without its semicolon.
  Span span;
  // What the grammar is to read: the bytes of `span`, placeholders and psql variables replaced by
  // a word or number of the same length, psql commands inside by blanks, and bytes that are no
  // UTF-8 by '?' (by '_' in names; zero bytes count among them). Positions in it are positions in
  // the span.
  std::string sql;
  bool has_placeholder = false;   // not for those in strings, whose text nobody has to read
  bool has_invalid_utf8 = false;  // in what the span covers, comments and strings included
  std::vector<Comment> comments;  // since the piece before, and inside this one
};

// Pieces in their order, disjoint; a statement without anything in it is left out. What no span
// covers is blank, comment, semicolon (\; too) or byte order mark.
//
// A semicolon between brackets ends the statement unless it makes a rule: an open bracket hides
// nothing after it.
[[nodiscard]] std::vector<Piece> SplitScript(std::string_view text);

}  // namespace pgalter::sql
