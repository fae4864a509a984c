#include "planner/sql/newer_syntax.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "planner/sql/grammar.h"
#include "planner/sql/newer/rewriting.h"
#include "planner/sql/script_lexer.h"
#include "planner/sql/text.h"

namespace pgalter::sql {
namespace {

// Data, not DDL: not worth the time of a second reading.
constexpr std::size_t kMaxBytes = 1 << 18;
constexpr int kMaxAliases = 50;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// 1_000 and 0x3E8 as 1000; the same text if it is neither.
std::string OldNumber(std::string_view number) {
  std::string digits;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const bool separates = number[i] == '_' && i > 0 && i + 1 < number.size() &&
                           IsNameByte(number[i - 1]) && number[i + 1] != '_';
    if (!separates) digits += number[i];
  }
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) base = 16;
  if (digits.starts_with("0o") || digits.starts_with("0O")) base = 8;
  if (digits.starts_with("0b") || digits.starts_with("0B")) base = 2;
  if (base == 10) return digits;
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data() + 2, end, value, base);
  const bool whole = read.ec == std::errc() && read.ptr == end;
  return whole ? std::to_string(value) : std::string(number);
}

// The text with every number as older versions write it.
std::string WithOldNumbers(std::string_view text) {
  std::string written;
  ScriptLexer lexer(text);
  std::size_t copied = 0;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    if (token.kind != TokenKind::kNumber || !IsDigit(text[token.span.begin])) continue;
    written += text.substr(copied, token.span.begin - copied);
    written += OldNumber(text.substr(token.span.begin, token.span.end - token.span.begin));
    copied = token.span.end;
  }
  return written += text.substr(copied);
}

std::vector<grammar::Token> WithoutComments(std::vector<grammar::Token> tokens) {
  std::erase_if(tokens, [](const grammar::Token& token) { return token.IsComment(); });
  return tokens;
}

std::size_t ByteAt(std::string_view text, int character) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
    if (starts && --character == 0) break;
  }
  return at;
}

// A name behind the subquery at `position`; false if there is none.
bool NameSubquery(std::string& text, int position, int number) {
  auto scanned = grammar::Scan(text);
  if (!scanned) return false;
  const newer::Rewriting brackets(text, WithoutComments(*scanned));
  const auto tokens = WithoutComments(*std::move(scanned));
  const std::size_t begin = ByteAt(text, position);
  const auto found = std::ranges::lower_bound(tokens, begin, {}, &grammar::Token::begin);
  if (found == tokens.end()) return false;
  const std::size_t close = brackets.Partner(static_cast<std::size_t>(found - tokens.begin()));
  if (close >= tokens.size()) return false;
  text.insert(tokens[close].end, " AS unnamed_" + std::to_string(number));
  return true;
}

}  // namespace

std::optional<Newer> RecogniseNewer(std::string_view sql) {
  if (sql.size() > kMaxBytes || RefuseUnreadable(sql)) return std::nullopt;
  std::string numbered(sql);
  auto tokens = grammar::Scan(numbered);
  const bool new_numbers = !tokens;
  if (new_numbers) {
    numbered = WithOldNumbers(sql);
    tokens = grammar::Scan(numbered);
    if (!tokens) return std::nullopt;
  }
  newer::Rewriting rewriting(numbered, WithoutComments(*std::move(tokens)));
  if (new_numbers) rewriting.Found(16, "a number with underscores or in another base");
  for (const auto& forms : {newer::ConstraintForms(), newer::TableForms(), newer::StatementForms(),
                            newer::ExpressionForms()}) {
    for (const newer::Form form : forms)
      for (std::size_t at = 0; at < rewriting.size(); ++at) form(rewriting, at);
  }
  if (!rewriting.readable()) return Newer{rewriting.major(), rewriting.what(), std::nullopt};

  std::string text = rewriting.EditedText();
  auto statement = ast::ReadMarked(text, rewriting.EditedMarks());
  for (int i = 1; !statement && i <= kMaxAliases; ++i) {
    if (!statement.error().message.ends_with("in FROM must have an alias")) break;
    if (!NameSubquery(text, statement.error().position, i)) break;
    rewriting.Found(16, "a subquery in FROM without an alias");
    statement = ast::ReadMarked(text, rewriting.EditedMarks());
  }
  if (!statement || rewriting.major() == 0) return std::nullopt;
  rewriting.Repair(*statement);
  return Newer{rewriting.major(), rewriting.what(), *std::move(statement)};
}

}  // namespace pgalter::sql
