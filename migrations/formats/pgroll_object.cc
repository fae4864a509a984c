#include "migrations/formats/pgroll_object.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "migrations/formats/text.h"
#include "planner/sql/identifier.h"

namespace pgalter::formats {

namespace json = boost::json;

PgrollObject::PgrollObject(const json::value& value, std::string where) : where_(std::move(where)) {
  if (!value.is_object()) throw BadOperation(where_ + " is no list of keys");
  object_ = &value.get_object();
}

void PgrollObject::Know(std::initializer_list<std::string_view> keys) const {
  for (const auto& member : *object_)
    if (std::ranges::find(keys, std::string_view(member.key())) == keys.end())
      throw BadOperation(where_ + " has a key that is not known: " + std::string(member.key()));
}

const json::value* PgrollObject::Find(std::string_view key) const {
  const auto* found = object_->find(key);
  return found == object_->end() ? nullptr : &found->value();
}

std::string PgrollObject::Text(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr || value->is_null()) return "";
  return TextOf(*value, key);
}

std::string PgrollObject::Need(std::string_view key) const {
  std::string text = Text(key);
  if (text.empty()) throw BadOperation(where_ + " does not say its " + std::string(key));
  return text;
}

std::string PgrollObject::Name(std::string_view key) const {
  return sql::QuoteIdentifier(Need(key));
}

bool PgrollObject::Flag(std::string_view key, bool otherwise) const {
  const json::value* value = Find(key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (value->is_bool()) return value->get_bool();
  const std::string text = TextOf(*value, key);
  if (SameWord(text, "true")) return true;
  if (SameWord(text, "false")) return false;
  throw BadOperation(where_ + ": " + std::string(key) + " is neither true nor false");
}

std::vector<std::string> PgrollObject::Texts(std::string_view key) const {
  std::vector<std::string> texts;
  for (const json::value& item : Items(key)) texts.push_back(TextOf(item, key));
  return texts;
}

const json::array& PgrollObject::Items(std::string_view key) const {
  static const json::array kNone;
  const json::value* value = Find(key);
  if (value == nullptr || value->is_null()) return kNone;
  if (!value->is_array()) throw BadOperation(where_ + ": " + std::string(key) + " is no list");
  return value->get_array();
}

std::optional<PgrollObject> PgrollObject::Inner(std::string_view key) const {
  const json::value* value = Find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return PgrollObject(*value, where_ + ": " + std::string(key));
}

std::string PgrollObject::TextOf(const json::value& value, std::string_view key) const {
  if (value.is_bool() || value.is_number()) return json::serialize(value);
  if (!value.is_string()) throw BadOperation(where_ + ": " + std::string(key) + " is no text");
  std::string text(value.get_string());
  if (text.find('\0') != std::string::npos)
    throw BadOperation(where_ + ": " + std::string(key) + " holds a zero byte");
  return text;
}

namespace {

bool IsWordCharacter(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether one of the words that go on behind a list of what is selected stands outside of brackets
// and quotes, or a comma. "IS DISTINCT FROM" is none.
bool GoesOn(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kWords{"from",      "where",  "group", "having",
                                                           "order",     "limit",  "union", "into",
                                                           "intersect", "except", "offset"};
  int depth = 0;
  std::string_view last;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      const std::size_t end = text.find(c, at + 1);
      at = end == std::string_view::npos ? text.size() : end + 1;
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) return true;
    if (!IsWordCharacter(c)) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && IsWordCharacter(text[end])) ++end;
    const auto word = text.substr(at, end - at);
    const bool known =
        std::ranges::any_of(kWords, [&](std::string_view one) { return SameWord(word, one); });
    if (depth == 0 && known && !SameWord(last, "distinct")) return true;
    last = word;
    at = end;
  }
  return false;
}

}  // namespace

std::string PgrollObject::Expression(std::string_view key) const {
  std::string text = Text(key);
  if (text.find("--") != std::string::npos || text.find("/*") != std::string::npos)
    throw BadOperation(where_ + ": " + std::string(key) +
                       " holds a comment, or what looks like one: write it without");
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  std::string_view trimmed = Trim(text);
  while (trimmed.ends_with(';')) trimmed = Trim(trimmed.substr(0, trimmed.size() - 1));
  if (StartsWithWord(trimmed, "select ") && !GoesOn(trimmed.substr(7)))
    trimmed = Trim(trimmed.substr(7));
  return std::string(trimmed);
}

std::string Joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string joined;
  for (const std::string& part : parts) {
    if (!joined.empty()) joined += between;
    joined += part;
  }
  return joined;
}

std::string NamesOf(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(sql::QuoteIdentifier(name));
  return Joined(quoted, ", ");
}

}  // namespace pgalter::formats
