#include "planner/sql/set_clause.h"

#include <algorithm>
#include <set>
#include <utility>

#include "planner/sql/identifier.h"
#include "planner/sql/text.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {
namespace {

constexpr std::string_view kUpdate = "UPDATE t SET ";
constexpr const char* kHint = "write column = expression, separated by commas";

Error Refuse(std::string message, int position = 0) {
  return Error{std::move(message), position, kHint};
}

// The byte of the clause where a target's column name starts.
std::size_t Start(const pg_query::ResTarget& target) {
  return static_cast<std::size_t>(target.location()) - kUpdate.size();
}

std::optional<Error> RefuseTarget(const pg_query::ResTarget& target, std::string_view text) {
  const int position = CharacterAt(text, Start(target));
  if (target.val().has_multi_assign_ref()) {
    return Refuse("several columns cannot be assigned from one row", position);
  }
  if (target.indirection_size() > 0) {
    return Refuse(
        "only a whole column can be assigned, not a part of " + QuoteIdentifier(target.name()),
        position);
  }
  if (target.val().has_set_to_default()) {
    return Error{"DEFAULT cannot be assigned to " + QuoteIdentifier(target.name()), position,
                 "write the default's own expression"};
  }
  return std::nullopt;
}

// The expression of the assignment that starts at byte `begin` and ends where the next starts (or
// the text ends). Read again on its own, it has to be the same tree: the proof that it was cut at
// the right places.
Result<std::string> CutExpression(std::string_view text, const std::vector<grammar::Token>& tokens,
                                  std::size_t begin, std::size_t end, const pg_query::Node& value) {
  auto first = std::ranges::lower_bound(tokens, begin, {}, &grammar::Token::begin);
  auto last = std::ranges::lower_bound(tokens, end, {}, &grammar::Token::begin);
  first =
      std::find_if(first, last, [](const auto& token) { return token.kind == pg_query::ASCII_61; });
  if (first != last) ++first;
  if (end < text.size() && first != last) --last;  // the comma
  if (first == last) return Refuse("the clause cannot be taken apart", CharacterAt(text, begin));
  const std::size_t expression_begin = first->begin;
  const std::string_view cut =
      text.substr(expression_begin, std::prev(last)->end - expression_begin);
  const auto expression = tree::ReadExpression(cut);
  if (!expression) {
    Error error = expression.error();
    if (error.position > 0) error.position += CharacterAt(text, expression_begin) - 1;
    return error;
  }
  if (tree::Meaning(expression->root) != tree::Meaning(value)) {
    return Refuse("the clause cannot be taken apart", CharacterAt(text, begin));
  }
  return std::string(cut);
}

}  // namespace

Result<std::vector<Assignment>> ParseSetClause(std::string_view text) {
  const auto tokens = tree::ScanFragment(text);
  if (!tokens) return tokens.error();
  if (tokens->empty()) return Refuse("nothing is assigned");
  const auto parsed = grammar::Parse(std::string(kUpdate).append(text));
  if (!parsed) return tree::WithoutPrefix(parsed.error(), kUpdate.size(), text);
  if (parsed->stmts_size() != 1 || !parsed->stmts(0).stmt().has_update_stmt()) {
    return Refuse("this is not a list of assignments");
  }
  const auto& update = parsed->stmts(0).stmt().update_stmt();
  if (update.has_where_clause()) return Refuse("WHERE cannot stand among the assignments");
  if (update.from_clause_size() > 0) return Refuse("FROM cannot stand among the assignments");
  if (update.returning_list_size() > 0)
    return Refuse("RETURNING cannot stand among the assignments");

  std::vector<Assignment> assignments;
  std::set<std::string> columns;
  for (int i = 0; i < update.target_list_size(); ++i) {
    const auto& target = update.target_list(i).res_target();
    if (auto error = RefuseTarget(target, text)) return *std::move(error);
    if (!columns.insert(target.name()).second) {
      return Refuse(QuoteIdentifier(target.name()) + " is assigned twice",
                    CharacterAt(text, Start(target)));
    }
    const bool is_last = i + 1 == update.target_list_size();
    const std::size_t end = is_last ? text.size() : Start(update.target_list(i + 1).res_target());
    auto expression = CutExpression(text, *tokens, Start(target), end, target.val());
    if (!expression) return expression.error();
    assignments.push_back({target.name(), *std::move(expression)});
  }
  return assignments;
}

}  // namespace pgalter::sql
