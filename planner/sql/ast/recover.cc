#include "planner/sql/ast/recover.h"

#include <algorithm>
#include <optional>

#include "planner/sql/ast/statement.h"
#include "planner/sql/script_lexer.h"
#include "planner/sql/text.h"

namespace pgalter::sql::ast {
namespace {

// Each is tried with the lines after it: what is more broken than this stays so.
constexpr std::size_t kMostLines = 32;
constexpr std::size_t kMostBytes = std::size_t{1} << 16U;
// Beginnings that a statement may go over: INSERT … SELECT, CREATE VIEW … AS SELECT … UNION SELECT.
constexpr std::size_t kMostWithin = 3;

bool BeginsLine(std::string_view text, std::size_t at) {
  while (at > 0 && IsSpace(text[at - 1]) && !IsLineEnd(text[at - 1])) --at;
  return at == 0 || IsLineEnd(text[at - 1]);
}

// Outside of strings and comments.
std::vector<std::size_t> Beginnings(std::string_view text) {
  std::vector<std::size_t> places;
  ScriptLexer lexer(text);
  lexer.StartStatement(0);
  while (places.size() < kMostLines) {
    const Token token = lexer.Next();
    if (token.kind == TokenKind::kEnd || token.kind == TokenKind::kUnclosed) break;
    if (token.kind == TokenKind::kWord && BeginsLine(text, token.span.begin) &&
        LooksLikeStatement(text, token.span.begin))
      places.push_back(token.span.begin);
  }
  return places;
}

bool IsStatement(std::string_view text) { return ReadStatement(text).has_value(); }

}  // namespace

std::vector<Span> StatementsWithin(std::string_view broken) {
  std::vector<Span> found;
  if (broken.size() > kMostBytes) return found;
  std::vector<std::size_t> places = Beginnings(broken);
  if (places.size() < 2) return found;
  places.push_back(broken.size());
  const std::size_t last = places.size() - 1;
  for (std::size_t i = 0; i < last;) {
    // As far as it goes: what reads as a statement may be the front of a longer one.
    std::optional<std::size_t> end;
    if (IsStatement(broken.substr(places[i]))) end = last;
    for (std::size_t next = std::min(i + kMostWithin, last - 1); !end && next > i; --next)
      if (IsStatement(broken.substr(places[i], places[next] - places[i]))) end = next;
    if (!end) {
      ++i;
      continue;
    }
    Span span{places[i], places[*end]};
    while (IsSpace(broken[span.end - 1])) --span.end;
    found.push_back(span);
    i = *end;
  }
  return found;
}

}  // namespace pgalter::sql::ast
