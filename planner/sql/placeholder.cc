#include "planner/sql/placeholder.h"

#include "planner/sql/grammar.h"
#include "planner/sql/text.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {

Result<std::string> BindPlaceholders(
    std::string_view expression,
    const std::map<std::string, std::string, std::less<>>& replacements) {
  const auto tokens = grammar::Scan(expression);
  if (!tokens) return tree::WithoutPrefix(tokens.error(), 0, expression);
  std::string bound;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const auto& token = (*tokens)[i];
    const auto position = [&] { return CharacterAt(expression, token.begin); };
    if (token.kind == pg_query::PARAM) {
      return Error{"the numbers of bound values cannot be written by hand", position(),
                   "write :name"};
    }
    const bool is_colon = token.kind == pg_query::ASCII_58;
    if (!is_colon || i + 1 == tokens->size() || (*tokens)[i + 1].begin != token.end) continue;
    const auto& next = (*tokens)[i + 1];
    const std::string_view name = next.In(expression);
    if (name.starts_with('"') || name.starts_with('\'')) {
      return Error{"a placeholder's name stands without quotes", position(), "write :name"};
    }
    if (!IsNameStart(name.front())) continue;
    const auto known = replacements.find(name);
    if (known == replacements.end()) {
      return Error{"nothing is bound to :" + std::string(name), position(),
                   "bind it, or put a space after the colon of an array slice"};
    }
    bound += expression.substr(copied, token.begin - copied);
    // Behind a name it would become part of it.
    if (!bound.empty() && IsNameByte(bound.back())) bound += ' ';
    bound += known->second;
    copied = next.end;
    ++i;
  }
  return bound += expression.substr(copied);
}

}  // namespace pgalter::sql
