#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "migrations/convert/node.h"
#include "migrations/formats/text.h"

namespace pgalter::convert {

namespace {

namespace json = boost::json;
using formats::Trim;

constexpr int kDeepest = 100;

struct YamlLine {
  int number = 1;
  std::size_t indent = 0;
  std::string_view text;  // without its indentation, not yet without a comment
  bool empty() const { return text.empty() || text.front() == '#'; }
};

// A comment begins with # behind a blank, and not in quotes.
std::string_view WithoutComment(std::string_view text) {
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (quote == '"' && c == '\\') ++i;
      if (c == quote) quote = '\0';
    } else if ((c == '"' || c == '\'') &&
               (i == 0 || std::string_view(" [{,:").find(text[i - 1]) != std::string_view::npos)) {
      quote = c;
    } else if (c == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) {
      return Trim(text.substr(0, i));
    }
  }
  return Trim(text);
}

class Reading {
 public:
  explicit Reading(std::string_view text) {
    formats::Lines lines(text);
    int number = 0;
    while (const auto line = lines.Next()) {
      const auto whole = formats::Cut(text, line->span);
      const std::size_t indent = std::min(whole.find_first_not_of(' '), whole.size());
      lines_.push_back({++number, indent, whole.substr(indent)});
    }
  }

  json::value Read() {
    SkipEmpty();
    if (at_ < lines_.size() && lines_[at_].text.starts_with("---")) Advance();
    if (at_ >= lines_.size()) return nullptr;
    json::value value = Block(lines_[at_].indent, 0);
    SkipEmpty();
    if (at_ < lines_.size()) Fail("its indentation fits nothing");
    return value;
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const {
    const int line = lines_.empty() ? 1 : lines_[std::min(at_, lines_.size() - 1)].number;
    throw Unreadable(fmt::format("line {}: {}", line, what));
  }
  void SkipEmpty() {
    while (at_ < lines_.size() && lines_[at_].empty()) ++at_;
  }
  void Advance() {
    ++at_;
    SkipEmpty();
  }
  [[nodiscard]] bool AtItem() const {
    return lines_[at_].text == "-" || lines_[at_].text.starts_with("- ");
  }
  json::value Block(std::size_t indent, int depth);
  json::value Sequence(std::size_t indent, int depth);
  json::value Mapping(std::size_t indent, int depth);
  // What follows a key or a dash on its line, or below it.
  json::value Value(std::string_view rest, std::size_t parent, int depth);
  std::string BlockScalar(std::string_view mark, std::size_t parent);
  std::string Quoted(std::string_view text);
  json::value Scalar(std::string_view text);
  // Where a key ends: at a colon with a blank or nothing behind it.
  static std::optional<std::size_t> KeyEnd(std::string_view text);

  std::vector<YamlLine> lines_;
  std::size_t at_ = 0;
};

std::optional<std::size_t> Reading::KeyEnd(std::string_view text) {
  if (text.empty() || text.front() == '{' || text.front() == '[') return std::nullopt;
  std::size_t from = 0;
  if (text.front() == '"' || text.front() == '\'') {
    from = text.find(text.front(), 1);
    if (from == std::string_view::npos) return std::nullopt;
  }
  for (std::size_t at = text.find(':', from); at != std::string_view::npos;
       at = text.find(':', at + 1))
    if (at + 1 == text.size() || text[at + 1] == ' ') return at;
  return std::nullopt;
}

json::value Reading::Block(std::size_t indent, int depth) {
  if (depth > kDeepest) Fail("values stand too deep in one another");
  if (AtItem()) return Sequence(indent, depth);
  if (KeyEnd(WithoutComment(lines_[at_].text))) return Mapping(indent, depth);
  const json::value value = Scalar(WithoutComment(lines_[at_].text));
  Advance();
  return value;
}

json::value Reading::Sequence(std::size_t indent, int depth) {
  json::array items;
  while (at_ < lines_.size() && lines_[at_].indent == indent && AtItem()) {
    YamlLine& line = lines_[at_];
    const std::string_view rest = line.text.substr(1);
    const std::size_t blanks = std::min(rest.find_first_not_of(' '), rest.size());
    const std::string_view value = rest.substr(blanks);
    if (KeyEnd(WithoutComment(value)) || value == "-" || value.starts_with("- ")) {
      line.indent += 1 + blanks;  // what follows the dash is a block of its own
      line.text = value;
      items.push_back(Block(line.indent, depth + 1));
    } else {
      items.push_back(Value(value, indent, depth));
    }
  }
  return items;
}

json::value Reading::Mapping(std::size_t indent, int depth) {
  json::object object;
  while (at_ < lines_.size() && lines_[at_].indent == indent && !AtItem()) {
    const std::string_view text = lines_[at_].text;
    const auto end = KeyEnd(text);
    if (!end) Fail("a key is missing: \"key: value\"");
    std::string key(Trim(text.substr(0, *end)));
    if (key.starts_with('"') || key.starts_with('\'')) key = Quoted(key);
    if (object.contains(key)) Fail(fmt::format("{} is there twice", key));
    object[key] = Value(Trim(text.substr(*end + 1)), indent, depth);
  }
  return object;
}

json::value Reading::Value(std::string_view rest, std::size_t parent, int depth) {
  if (!rest.empty() && (rest.front() == '|' || rest.front() == '>'))
    return json::value(BlockScalar(WithoutComment(rest), parent));
  rest = WithoutComment(rest);
  if (!rest.empty()) {
    // A plain or quoted scalar may go on below, deeper than its key.
    std::string whole(rest);
    ++at_;
    while (at_ < lines_.size() && (lines_[at_].text.empty() || lines_[at_].indent > parent)) {
      const auto more = WithoutComment(lines_[at_].text);
      whole += more.empty() ? "" : " " + std::string(more);
      ++at_;
    }
    SkipEmpty();
    --at_;  // for the line of an error
    json::value value = Scalar(whole);
    ++at_;
    return value;
  }
  Advance();
  if (at_ >= lines_.size()) return nullptr;
  const bool deeper = lines_[at_].indent > parent;
  const bool items = lines_[at_].indent == parent && AtItem();
  if (!deeper && !items) return nullptr;
  return Block(lines_[at_].indent, depth + 1);
}

// | keeps line ends, > makes blanks of them; - drops the last one.
std::string Reading::BlockScalar(std::string_view mark, std::size_t parent) {
  const bool folded = mark.front() == '>';
  const bool strip = mark.find('-') != std::string_view::npos;
  if (mark.find_first_of("0123456789") != std::string_view::npos)
    Fail("an indentation that is given as a number is not read");
  ++at_;
  std::string text;
  std::size_t indent = 0;
  for (; at_ < lines_.size(); ++at_) {
    const YamlLine& line = lines_[at_];
    if (line.text.empty()) {
      text += "\n";
      continue;
    }
    if (indent == 0) indent = line.indent > parent ? line.indent : 0;
    if (indent == 0 || line.indent < indent) break;
    text += std::string(line.indent - indent, ' ') + std::string(line.text);
    text += folded ? " " : "\n";
  }
  SkipEmpty();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return strip ? text : text + "\n";
}

std::string Reading::Quoted(std::string_view text) {
  const char quote = text.front();
  if (text.size() < 2 || text.back() != quote) Fail("a quote has no end");
  if (quote == '"') {
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error || !value.is_string()) Fail("a text between \" cannot be read");
    return std::string(value.get_string());
  }
  std::string plain;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    plain += text[i];
    if (text[i] == quote && text[i + 1] == quote) ++i;
  }
  return plain;
}

json::value Reading::Scalar(std::string_view text) {
  if (text.empty() || text == "~" || text == "null") return nullptr;
  const char first = text.front();
  if (first == '"' || first == '\'') return json::value(Quoted(text));
  if (first == '&' || first == '*' || first == '!')
    Fail("anchors, aliases and tags of YAML are not read");
  if (text == "{}") return json::object();
  if (text == "[]") return json::array();
  if (first != '{' && first != '[') return json::value(std::string(text));
  // On one line: {path: a.sql, splitStatements: false}, ["a", b].
  const char last = first == '{' ? '}' : ']';
  if (text.back() != last) Fail(fmt::format("{} has no {}", first, last));
  json::object object;
  json::array array;
  std::string_view inside = text.substr(1, text.size() - 2);
  while (!Trim(inside).empty()) {
    inside = Trim(inside);
    std::size_t end = 0;
    char quote = '\0';
    for (; end < inside.size(); ++end) {
      const char c = inside[end];
      if (quote == '\0' && c == ',') break;
      if (quote == '\0' && (c == '{' || c == '[')) Fail("brackets in brackets are not read");
      if (quote == '\0' && (c == '"' || c == '\''))
        quote = c;
      else if (c == quote)
        quote = '\0';
    }
    const auto part = Trim(inside.substr(0, end));
    inside.remove_prefix(std::min(end + 1, inside.size()));
    if (first == '[') {
      array.push_back(Scalar(part));
      continue;
    }
    const auto colon = KeyEnd(part);
    if (!colon) Fail("a key is missing: {key: value}");
    object[std::string(Trim(part.substr(0, *colon)))] = Scalar(Trim(part.substr(*colon + 1)));
  }
  if (first == '[') return array;
  return object;
}

std::string Text(const json::value& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

void Put(Node& node, const std::string& key, const json::value& value) {
  if (value.is_object()) {
    Node child;
    child.name = key;
    for (const auto& [name, inner] : value.get_object()) Put(child, std::string(name), inner);
    node.children.push_back(std::move(child));
  } else if (value.is_array()) {
    Node child;
    child.name = key;
    for (const json::value& item : value.get_array()) {
      if (item.is_object() && item.get_object().size() == 1 &&
          item.get_object().begin()->value().is_primitive()) {
        Node only;  // in its place among the others
        only.name = std::string(item.get_object().begin()->key());
        only.text = Text(item.get_object().begin()->value());
        child.children.push_back(std::move(only));
      } else if (item.is_object()) {
        for (const auto& [name, inner] : item.get_object()) Put(child, std::string(name), inner);
      } else {
        child.text += Text(item);
      }
    }
    node.children.push_back(std::move(child));
  } else {
    node.attributes.emplace_back(key, Text(value));
  }
}

// Of {"databaseChangeLog": [...]}: the one key is the root.
Node RootOf(const json::value& value) {
  if (!value.is_object() || value.get_object().size() != 1)
    throw Unreadable("line 1: it is no changelog: one key, databaseChangeLog, is to hold the rest");
  Node around;
  const auto& only = *value.get_object().begin();
  Put(around, std::string(only.key()), only.value());
  if (around.children.empty()) throw Unreadable("line 1: its databaseChangeLog holds nothing");
  return std::move(around.children.front());
}

}  // namespace

Node ReadYaml(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return RootOf(Reading(text).Read());
}

Node ReadJson(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) throw Unreadable(fmt::format("line 1: it is no JSON: {}", error.message()));
  return RootOf(value);
}

}  // namespace pgalter::convert
