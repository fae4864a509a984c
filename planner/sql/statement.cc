#include "planner/sql/statement.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "planner/sql/grammar.h"
#include "planner/sql/text.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

bool IsConstant(const grammar::Token& token) {
  switch (token.kind) {
    case pg_query::SCONST:
    case pg_query::USCONST:
    case pg_query::BCONST:
    case pg_query::XCONST:
    case pg_query::ICONST:
    case pg_query::FCONST:
      return true;
    default:
      return false;
  }
}

unsigned long HighestParameter(std::string_view sql, const std::vector<grammar::Token>& tokens) {
  unsigned long highest = 0;
  for (const auto& token : tokens) {
    if (token.kind != pg_query::PARAM) continue;
    const std::string_view digits = token.In(sql).substr(1);
    unsigned long number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    highest = std::max(highest, number);
  }
  return highest;
}

// Tells the semicolons that end a statement from those inside one: in brackets (CREATE RULE … DO
// (a; b)) and in a SQL function's body (BEGIN ATOMIC a; b; END), where CASE has an END of its own.
// psql counts the same way.
class StatementEnds {
 public:
  bool At(const grammar::Token& token) {
    const auto previous = std::exchange(previous_, token.IsComment() ? previous_ : token.kind);
    switch (token.kind) {
      case pg_query::ASCII_40:  // (
        ++brackets_;
        break;
      case pg_query::ASCII_41:  // )
        if (brackets_ > 0) --brackets_;
        break;
      case pg_query::ATOMIC:
        if (previous == pg_query::BEGIN_P) ++blocks_;
        break;
      case pg_query::CASE:
        if (blocks_ > 0) ++blocks_;
        break;
      case pg_query::END_P:
        if (blocks_ > 0) --blocks_;
        break;
      case pg_query::ASCII_59:  // ;
        return brackets_ == 0 && blocks_ == 0;
      default:
        break;
    }
    return false;
  }

 private:
  pg_query::Token previous_ = pg_query::NUL;
  int brackets_ = 0;
  int blocks_ = 0;
};

// Letters alone: a literal has a quote or a digit.
std::string FirstWord(std::string_view sql) {
  const std::string_view text = TrimSpace(sql);
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto end = std::ranges::find_if_not(text, is_letter);
  const std::string word(text.begin(), end);
  const bool is_whole = end == text.end() || IsSpace(*end);
  return is_whole && !word.empty() ? word + " …" : "…";
}

}  // namespace

// pg_query_normalize is not used: it leaves literals in DDL (DEFAULT 'x', COMMENT … IS 'x') and in
// comments.
std::string NormaliseStatement(std::string_view sql) {
  const auto tokens = grammar::Scan(sql);
  if (!tokens) return FirstWord(sql);
  unsigned long number = HighestParameter(sql, *tokens);
  std::string line;
  std::size_t previous_end = 0;
  bool is_first = true;
  for (const auto& token : *tokens) {
    if (token.IsComment()) continue;
    if (!is_first && token.begin > previous_end) line += ' ';
    is_first = false;
    previous_end = token.end;
    if (IsConstant(token)) {
      line += '$' + std::to_string(++number);
    } else {
      line += token.In(sql);
    }
  }
  return line;
}

// The library's own splitters are not used: one needs every statement to parse, the other drops
// statements that have no keyword it knows.
Result<std::vector<std::string>> SplitStatements(std::string_view script) {
  const auto tokens = grammar::Scan(script);
  if (!tokens) return tokens.error();
  std::vector<std::string> statements;
  StatementEnds ends;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool has_content = false;  // more than comments
  const auto finish = [&] {
    if (has_content) statements.emplace_back(script.substr(begin, end - begin));
    has_content = false;
    begin = end = 0;
  };
  for (const auto& token : *tokens) {
    if (ends.At(token)) {
      finish();
      continue;
    }
    if (end == 0) begin = token.begin;
    end = token.end;
    has_content = has_content || !token.IsComment();
  }
  finish();
  return statements;
}

Result<std::string> FingerprintStatement(std::string_view sql) {
  auto fingerprint = grammar::Fingerprint(sql);
  if (!fingerprint) return tree::WithoutPrefix(fingerprint.error(), 0, sql);
  return fingerprint;
}

Result<std::string> DeparseStatement(std::string_view sql) {
  const auto parsed = grammar::ParseTree(sql);
  if (!parsed) return tree::WithoutPrefix(parsed.error(), 0, sql);
  if (parsed->root->stmts_size() != 1) return Error{"this is not one statement", 0, ""};
  auto written = grammar::Deparse(sql);
  if (!written) return tree::WithoutPrefix(written.error(), 0, sql);
  const auto again = grammar::ParseTree(*written);
  const bool same =
      again && again->root->stmts_size() == 1 &&
      tree::Meaning(again->root->stmts(0).stmt()) == tree::Meaning(parsed->root->stmts(0).stmt());
  if (!same)
    return Error{"this cannot be written in another way without a change of meaning", 0, ""};
  return written;
}

}  // namespace pgalter::sql
