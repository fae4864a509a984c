#pragma once

// A statement's text beside its tree, so that expressions can be cut from it. Private to
// planner/sql. Scans when first asked for a token: most statements have nothing to cut.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/grammar.h"

namespace pgalter::sql::ast {

// What a constraint is in truth where a newer form stands rewritten into one that the installed
// grammar reads (newer_syntax.h).
enum class Mark { kNotNull, kVirtual, kNotEnforced, kWithoutOverlaps };
using Marks = std::multimap<int, Mark>;  // by the byte where the constraint starts

// Tokens [first, last).
struct Extent {
  std::size_t first = 0;
  std::size_t last = 0;

  [[nodiscard]] bool empty() const { return first >= last; }
};

class Source {
 public:
  explicit Source(std::string_view text, Marks marks = {});

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool Has(int location, Mark mark) const;

  // Every token of the statement, without comments and the semicolon.
  [[nodiscard]] Extent All();
  // From the one that starts at this byte, or the next, to the last.
  [[nodiscard]] Extent From(int location);
  [[nodiscard]] pg_query::Token At(std::size_t token);  // NUL past the end

  // The first token of this kind outside of brackets; in.last if there is none.
  [[nodiscard]] std::size_t Find(Extent in, pg_query::Token kind);
  // What comes after it, up to in.last; empty if there is none.
  [[nodiscard]] Extent After(Extent in, pg_query::Token kind);
  // What stands in the first pair of round brackets.
  [[nodiscard]] Extent InBrackets(Extent in);
  // One past the partner of the bracket at `open`.
  [[nodiscard]] std::size_t Closed(std::size_t open);
  // Split at commas outside of brackets.
  [[nodiscard]] std::vector<Extent> Parts(Extent in);
  // Without brackets around the whole.
  [[nodiscard]] Extent Bare(Extent in);

  [[nodiscard]] std::string Cut(Extent extent);

 private:
  const std::vector<grammar::Token>& Tokens();

  std::string_view text_;
  Marks marks_;
  std::optional<std::vector<grammar::Token>> tokens_;
};

[[nodiscard]] constexpr bool Opens(pg_query::Token kind) {
  return kind == pg_query::ASCII_40 || kind == pg_query::ASCII_91;
}
[[nodiscard]] constexpr bool Closes(pg_query::Token kind) {
  return kind == pg_query::ASCII_41 || kind == pg_query::ASCII_93;
}

}  // namespace pgalter::sql::ast
