#include "planner/sql/ast/source.h"

#include <algorithm>
#include <utility>

namespace pgalter::sql::ast {

Source::Source(std::string_view text, Marks marks) : text_(text), marks_(std::move(marks)) {}

bool Source::Has(int location, Mark mark) const {
  const auto [first, last] = marks_.equal_range(location);
  return std::any_of(first, last, [&](const auto& entry) { return entry.second == mark; });
}

const std::vector<grammar::Token>& Source::Tokens() {
  if (!tokens_) {
    auto scanned = grammar::Scan(text_);
    tokens_ = scanned ? *std::move(scanned) : std::vector<grammar::Token>();
    std::erase_if(*tokens_, [](const grammar::Token& token) { return token.IsComment(); });
    while (!tokens_->empty() && tokens_->back().kind == pg_query::ASCII_59) tokens_->pop_back();
  }
  return *tokens_;
}

Extent Source::All() { return {0, Tokens().size()}; }

Extent Source::From(int location) {
  const auto& tokens = Tokens();
  const auto begin = static_cast<std::size_t>(std::max(location, 0));
  const auto found = std::ranges::lower_bound(tokens, begin, {}, &grammar::Token::begin);
  return {static_cast<std::size_t>(found - tokens.begin()), tokens.size()};
}

pg_query::Token Source::At(std::size_t token) {
  return token < Tokens().size() ? Tokens()[token].kind : pg_query::NUL;
}

std::size_t Source::Closed(std::size_t open) {
  const auto& tokens = Tokens();
  int depth = 0;
  for (std::size_t at = open; at < tokens.size(); ++at) {
    if (Opens(tokens[at].kind)) ++depth;
    if (Closes(tokens[at].kind) && --depth == 0) return at + 1;
  }
  return tokens.size();
}

std::size_t Source::Find(Extent in, pg_query::Token kind) {
  for (std::size_t at = in.first; at < in.last;) {
    if (At(at) == kind) return at;
    at = Opens(At(at)) ? Closed(at) : at + 1;
  }
  return in.last;
}

Extent Source::After(Extent in, pg_query::Token kind) {
  return {std::min(Find(in, kind) + 1, in.last), in.last};
}

Extent Source::InBrackets(Extent in) {
  const std::size_t open = Find(in, pg_query::ASCII_40);
  if (open >= in.last) return {in.last, in.last};
  return {open + 1, std::min(Closed(open), in.last) - 1};
}

std::vector<Extent> Source::Parts(Extent in) {
  std::vector<Extent> parts;
  while (!in.empty()) {
    const std::size_t comma = Find(in, pg_query::ASCII_44);
    parts.push_back({in.first, comma});
    in.first = comma + 1;
  }
  return parts;
}

Extent Source::Bare(Extent in) {
  while (!in.empty() && At(in.first) == pg_query::ASCII_40 && Closed(in.first) == in.last)
    in = {in.first + 1, in.last - 1};
  return in;
}

std::string Source::Cut(Extent extent) {
  const auto& tokens = Tokens();
  extent.last = std::min(extent.last, tokens.size());
  if (extent.empty()) return "";
  const std::size_t begin = tokens[extent.first].begin;
  return std::string(text_.substr(begin, tokens[extent.last - 1].end - begin));
}

}  // namespace pgalter::sql::ast
