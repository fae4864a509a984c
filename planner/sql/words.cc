#include "planner/sql/words.h"

#include <algorithm>

#include "planner/sql/grammar.h"
#include "planner/sql/text.h"

namespace pgalter::sql {

Result<Words> Words::Read(std::string_view text) {
  auto tokens = grammar::Scan(text);
  if (!tokens) return tokens.error();
  Words words;
  words.text_ = text;
  int depth = 0;
  for (const grammar::Token& token : *tokens) {
    if (token.IsComment()) continue;
    const bool closes = token.kind == pg_query::ASCII_41 || token.kind == pg_query::ASCII_93;
    const bool opens = token.kind == pg_query::ASCII_40 || token.kind == pg_query::ASCII_91;
    if (closes && depth > 0) --depth;
    words.words_.push_back({token.begin, token.end, depth});
    if (opens) ++depth;
  }
  while (!words.words_.empty() && words.At(words.size() - 1) == ";") words.words_.pop_back();
  return words;
}

std::string_view Words::At(std::size_t word) const {
  if (word >= words_.size()) return "";
  return std::string_view(text_).substr(words_[word].begin, words_[word].end - words_[word].begin);
}

bool Words::Is(std::size_t word, std::string_view lower_case) const {
  return IsWord(At(word), lower_case);
}

bool Words::Are(std::size_t word, std::initializer_list<std::string_view> keywords) const {
  for (const std::string_view keyword : keywords)
    if (!Is(word++, keyword)) return false;
  return true;
}

std::size_t Words::Find(std::string_view keyword, std::size_t from) const {
  for (std::size_t at = from; at < words_.size(); ++at)
    if (words_[at].depth == 0 && Is(at, keyword)) return at;
  return words_.size();
}

std::size_t Words::AfterName(std::size_t word) const {
  ++word;
  while (At(word) == ".") word += 2;
  return word;
}

std::string Words::Cut(std::size_t first, std::size_t last) const {
  last = std::min(last, words_.size());
  if (first >= last) return "";
  return text_.substr(words_[first].begin, words_[last - 1].end - words_[first].begin);
}

std::vector<std::string> Words::Parts(std::size_t first, std::size_t last) const {
  std::vector<std::string> parts;
  last = std::min(last, words_.size());
  if (first >= last) return parts;
  const int depth = words_[first].depth;
  for (std::size_t at = first; at < last; ++at) {
    if (words_[at].depth != depth || At(at) != ",") continue;
    parts.push_back(Cut(first, at));
    first = at + 1;
  }
  parts.push_back(Cut(first, last));
  return parts;
}

std::string Words::Replace(std::size_t first, std::size_t last, std::string_view by) const {
  const std::size_t begin = first < words_.size() ? words_[first].begin : text_.size();
  const std::size_t end = last > first ? words_[last - 1].end : begin;
  const std::size_t all = words_.empty() ? 0 : words_.back().end;
  std::string result = text_.substr(0, begin);
  result += by;
  if (end < all) result += text_.substr(end, all - end);
  return result;
}

}  // namespace pgalter::sql
