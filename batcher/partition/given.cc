#include "batcher/partition/given.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "engine/run/failure.h"

namespace pgalter::partition {

namespace {

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool IsNullInAnyCase(const std::string& text) {
  return std::ranges::equal(text, std::string_view("NULL"), {}, [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
}

std::string InQuotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

class Reader {
 public:
  Reader(const std::string& text, const std::string& option) : text_(text), option_(option) {}

  Givens Read() {
    Givens values;
    for (;;) {
      SkipSpaces();
      values.push_back(At() == '\'' ? Quoted() : Bare());
      if (at_ == text_.size()) return values;
      ++at_;  // the comma
    }
  }

 private:
  [[noreturn]] void Refuse(const std::string& why) const {
    throw run::Failure(run::ExitCode::kUsage, fmt::format("{} \"{}\": {}", option_, text_, why));
  }

  [[nodiscard]] char At() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void SkipSpaces() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  Given Quoted() {
    Given value;
    for (++at_;; ++at_) {
      if (at_ == text_.size()) Refuse("a quote does not end; one within a value is written twice");
      if (text_[at_] == '\'' && text_.compare(at_, 2, "''") != 0) break;
      if (text_[at_] == '\'') ++at_;
      value.text += text_[at_];
    }
    ++at_;
    SkipSpaces();
    if (at_ < text_.size() && text_[at_] != ',')
      Refuse(fmt::format("behind {} there is no comma; a quote within a value is written twice",
                         InQuotes(value.text)));
    return value;
  }

  Given Bare() {
    const std::size_t comma = std::min(text_.find(',', at_), text_.size());
    Given value;
    value.quoted = false;
    value.text = text_.substr(at_, comma - at_);
    while (!value.text.empty() && IsSpace(value.text.back())) value.text.pop_back();
    at_ = comma;
    if (value.text.empty())
      Refuse("it has an empty value; '' is the text without a character, NULL is no value");
    if (value.text.front() == '"')
      Refuse(
          "a value begins with a double quote, which is for names: values are in single ones, or "
          "in none");
    if (!value.IsNull() && IsNullInAnyCase(value.text))
      Refuse(
          fmt::format("is {0} no value, or a text? NULL is no value, '{0}' is a text", value.text));
    return value;
  }

  const std::string& text_;
  const std::string& option_;
  std::size_t at_ = 0;
};

// What would be read as something else.
bool NeedsQuotes(const Given& value) {
  const std::string& text = value.text;
  if (!value.quoted) return false;
  if (text.empty() || IsSpace(text.front()) || IsSpace(text.back())) return true;
  if (text.front() == '\'' || text.front() == '"' || IsNullInAnyCase(text)) return true;
  const bool is_word = std::ranges::all_of(
      text, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
  // MINVALUE, in whatever case, too.
  return text.find_first_of(",=") != std::string::npos || (is_word && text.size() == 8);
}

}  // namespace

Givens ReadGivens(const std::string& text, const std::string& option) {
  return Reader(text, option).Read();
}

Givens ReadLiterals(const std::string& text) {
  Givens values;
  for (std::size_t at = 0; at < text.size();) {
    Given value;
    const bool escapes = text.compare(at, 2, "E'") == 0;
    if (escapes) ++at;
    value.quoted = text[at] == '\'';
    for (at += value.quoted ? 1 : 0; at < text.size(); ++at) {
      const bool doubled = value.quoted && at + 1 < text.size() && text[at] == text[at + 1] &&
                           (text[at] == '\'' || (escapes && text[at] == '\\'));
      if (doubled) ++at;
      if (!doubled && text[at] == (value.quoted ? '\'' : ',')) break;
      value.text += text[at];
    }
    if (value.quoted) ++at;
    values.push_back(std::move(value));
    while (at < text.size() && (text[at] == ',' || text[at] == ' ')) ++at;
  }
  return values;
}

Given ReadGiven(const std::string& text, const std::string& option) {
  Givens values = ReadGivens(text, option);
  if (values.size() > 1)
    throw run::Failure(run::ExitCode::kUsage,
                       fmt::format("{} \"{}\" has {} values, and one is wanted: a value with a "
                                   "comma is in quotes, as {}",
                                   option, text, values.size(), InQuotes(text)));
  return std::move(values.front());
}

std::string ToText(const Givens& values) {
  std::string text;
  for (const Given& value : values)
    text += (text.empty() ? "" : ",") + (NeedsQuotes(value) ? InQuotes(value.text) : value.text);
  return text;
}

std::string NameBefore(const std::string& text) {
  const std::size_t at = text.find_first_of("=,'");
  return at == std::string::npos || text[at] != '=' ? std::string() : text.substr(0, at);
}

}  // namespace pgalter::partition
