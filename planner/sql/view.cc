#include "planner/sql/view.h"

#include <algorithm>
#include <optional>

#include "planner/sql/text.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

using Tokens = std::vector<grammar::Token>;

Error CannotTakeApart(int position) {
  return Error{"the view's definition cannot be taken apart", position,
               "its form is SELECT expr AS name, … FROM table"};
}

// The text of tokens [first, last) if, read on its own, it is the target's expression.
std::optional<std::string> IfSame(std::string_view text, const Tokens& tokens, std::size_t first,
                                  std::size_t last, const pg_query::Node& value) {
  if (first >= last) return std::nullopt;
  const std::string_view cut =
      text.substr(tokens[first].begin, tokens[last - 1].end - tokens[first].begin);
  const auto expression = tree::ReadExpression(cut);
  if (!expression || tree::Meaning(expression->root) != tree::Meaning(value)) return std::nullopt;
  return std::string(cut);
}

// A target's expression ends before `AS`, or before the comma or FROM after it. All three words
// also stand inside expressions (CAST … AS, IS DISTINCT FROM), so the right end is the one whose
// text has the right tree.
std::optional<std::string> CutTarget(std::string_view text, const Tokens& tokens, std::size_t first,
                                     std::size_t limit, const pg_query::Node& value) {
  int depth = 0;
  for (std::size_t at = first; at < limit; ++at) {
    const auto kind = tokens[at].kind;
    if (kind == pg_query::ASCII_40 || kind == pg_query::ASCII_91) ++depth;
    if (kind == pg_query::ASCII_41 || kind == pg_query::ASCII_93) --depth;
    const bool may_end =
        kind == pg_query::AS || kind == pg_query::FROM || kind == pg_query::ASCII_44;
    if (depth > 0 || !may_end) continue;
    if (auto cut = IfSame(text, tokens, first, at, value)) return cut;
  }
  return IfSame(text, tokens, first, limit, value);
}

}  // namespace

Result<std::vector<std::string>> ViewTargets(std::string_view definition) {
  std::string_view text = TrimSpace(definition);
  if (text.ends_with(';')) text.remove_suffix(1);
  const auto tokens = tree::ScanFragment(text);
  if (!tokens) return tokens.error();
  const auto parsed = grammar::Parse(text);
  if (!parsed) return parsed.error();
  if (parsed->stmts_size() != 1 || !parsed->stmts(0).stmt().has_select_stmt())
    return CannotTakeApart(0);
  const auto& select = parsed->stmts(0).stmt().select_stmt();
  if (select.op() != pg_query::SETOP_NONE || select.target_list_size() == 0)
    return CannotTakeApart(0);

  std::vector<std::string> expressions;
  const auto first_token = [&](int target) {
    const auto begin = static_cast<std::size_t>(select.target_list(target).res_target().location());
    const auto found = std::ranges::lower_bound(*tokens, begin, {}, &grammar::Token::begin);
    return static_cast<std::size_t>(found - tokens->begin());
  };
  for (int i = 0; i < select.target_list_size(); ++i) {
    const auto& target = select.target_list(i).res_target();
    const bool is_last = i + 1 == select.target_list_size();
    const std::size_t limit = is_last ? tokens->size() : first_token(i + 1);
    const auto expression = CutTarget(text, *tokens, first_token(i), limit, target.val());
    if (!expression)
      return CannotTakeApart(CharacterAt(text, static_cast<std::size_t>(target.location())));
    expressions.push_back(*expression);
  }
  return expressions;
}

}  // namespace pgalter::sql
