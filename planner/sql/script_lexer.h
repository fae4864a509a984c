#pragma once

// The tokens of a script, as far as the ends of its statements depend on them. Private to
// planner/sql: script.cc makes pieces of them.
//
// Knows no keyword but ARRAY. Every byte is in a token, a comment or a blank between tokens, and is
// read once; only quotes without an end are read to the end of the text, which Limit() ends.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::sql {

enum class TokenKind {
  kEnd,
  kComment,
  kWord,
  kNumber,
  kString,
  kQuotedName,
  kDollarQuote,
  kSubstitute,  // a psql variable, or a placeholder of another tool
  kSemicolon,
  kOpen,
  kClose,
  kBackslash,  // this one byte: a psql command may begin here
  kUnclosed,   // from the quote or comment that has no end, up to where it was looked for
  kOther,      // one byte, or the two of :: and :=
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
};

// What the grammar is to read at `at` instead of as many bytes of the text.
struct Edit {
  std::size_t at = 0;
  std::string text;
};

class ScriptLexer {
 public:
  explicit ScriptLexer(std::string_view text) : text_(text) {}

  [[nodiscard]] Token Next();
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::size_t depth() const { return brackets_.size(); }

  // Goes to an offset; what is read there begins a statement.
  void StartStatement(std::size_t at);
  // Goes on behind a psql command; Blank: as if it were not there.
  void SkipTo(std::size_t at) { at_ = at; }
  void Blank(Span span);

  // standard_conforming_strings = off.
  void SetBackslashEscapes(bool on) { backslash_escapes_ = on; }
  [[nodiscard]] bool backslash_escapes() const { return backslash_escapes_; }

  // From here on no quote and no comment goes past a line that looks like a new statement: however
  // many of them have no end, the text is read once.
  void Limit() { limited_ = true; }
  [[nodiscard]] bool limited() const { return limited_; }

  // Since the statement's start.
  [[nodiscard]] const std::vector<Edit>& edits() const { return edits_; }
  [[nodiscard]] bool has_placeholder() const { return has_placeholder_; }

 private:
  enum class Bracket { kParenthesis, kSubscript, kArray };

  [[nodiscard]] char Byte(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  Token Take(TokenKind kind, std::size_t end);
  Token Read();
  Token ReadLineComment();
  Token ReadBlockComment();
  Token ReadQuoted(std::size_t quote, bool escapes, TokenKind kind);
  Token ReadDollar();
  Token ReadColon();
  Token ReadBrace();
  Token ReadWord();
  Token ReadNumber();
  Token Open(Bracket bracket);
  Token Close();
  Token Substitute(std::size_t end, std::string text);
  [[nodiscard]] bool PreviousIsOperand() const;
  [[nodiscard]] bool IsSlice() const;
  [[nodiscard]] std::size_t ReachOf(std::size_t quote);
  void NotePlaceholders(Span quoted, bool edit);

  std::string_view text_;
  std::size_t at_ = 0;
  Token previous_;
  std::vector<Bracket> brackets_;
  std::vector<Edit> edits_;
  bool has_placeholder_ = false;
  bool backslash_escapes_ = false;
  bool limited_ = false;
  Span next_statement_line_;  // no line in it looks like a statement, but the one at its end
};

[[nodiscard]] constexpr bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }

// The end of the line that `at` is in, without its line end.
[[nodiscard]] std::size_t LineEnd(std::string_view text, std::size_t at);
// Where the line after that one begins.
[[nodiscard]] std::size_t NextLine(std::string_view text, std::size_t at);

// Whether a statement or a psql command may begin at this place.
[[nodiscard]] bool LooksLikeStatement(std::string_view text, std::size_t at);

// The first line after the one that `from` is in that looks like a new statement: indented by at
// most `indent` bytes, and after a semicolon, a comment, a psql command or an empty line. The size
// of the text if there is none.
[[nodiscard]] std::size_t FindStatementLine(std::string_view text, std::size_t from,
                                            std::size_t indent);

}  // namespace pgalter::sql
