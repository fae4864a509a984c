#include "planner/locks/condition.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace pgalter::locks {
namespace {

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// Strings keep their quotes, names lose theirs, words are in lower case.
std::vector<std::string> Tokens(std::string_view text) {
  std::vector<std::string> tokens;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    std::size_t end = at + 1;
    if (c == '\'' || c == '"') {
      end = text.find(c, at + 1);
      if (end == std::string_view::npos) return {};
      ++end;
      tokens.emplace_back(c == '"' ? text.substr(at + 1, end - at - 2) : text.substr(at, end - at));
    } else if (IsWordByte(c)) {
      while (end < text.size() && IsWordByte(text[end])) ++end;
      tokens.push_back(Lower(text.substr(at, end - at)));
    } else if (std::string_view("<>=!:").find(c) != std::string_view::npos) {
      while (end < text.size() &&
             std::string_view("<>=:").find(text[end]) != std::string_view::npos)
        ++end;
      tokens.emplace_back(text.substr(at, end - at));
    } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      tokens.emplace_back(1, c);
    }
    at = end;
  }
  return tokens;
}

std::optional<long long> Integer(const std::string& literal) {
  long long value = 0;
  const char* end = literal.data() + literal.size();
  const auto [stop, error] = std::from_chars(literal.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// '2025-01-01' or '2025-01-01 00:00:00+00' as its day and what is behind it: days of four-digit
// years sort as they are written.
std::optional<std::pair<std::string_view, std::string_view>> DayOf(std::string_view literal) {
  constexpr std::string_view kShape = "'dddd-dd-dd";
  if (literal.size() <= kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = literal[i] >= '0' && literal[i] <= '9';
    if (kShape[i] == 'd' ? !digit : literal[i] != kShape[i]) return std::nullopt;
  }
  const std::string_view rest = literal.substr(kShape.size());
  if (rest[0] != '\'' && rest[0] != ' ' && rest[0] != 'T') return std::nullopt;
  return std::pair(literal.substr(0, kShape.size()), rest);
}

// What a part says of the rows for which it holds, and of those in the range.
struct Said {
  bool keeps_out = false;  // it holds for no row in the range
  bool covers = false;     // it holds for every row in the range
  bool within = false;     // of a list: it holds for no row outside, but for NULL
};

class Reader {
 public:
  Reader(std::string_view text, const Range& range) : tokens_(Tokens(text)), range_(range) {}

  Said Read() {
    const Said said = Alternatives();
    return at_ == tokens_.size() ? said : Said{};
  }

 private:
  [[nodiscard]] std::string Next() const { return at_ < tokens_.size() ? tokens_[at_] : ""; }
  bool Take(std::string_view token) {
    if (Next() != token) return false;
    ++at_;
    return true;
  }

  Said Alternatives() {
    Said said = Conditions();
    while (Take("or")) {
      const Said other = Conditions();
      said = {said.keeps_out && other.keeps_out, said.covers || other.covers,
              said.within && other.within};
    }
    return said;
  }

  Said Conditions() {
    Said said = Part();
    while (Take("and")) {
      const Said other = Part();
      said = {said.keeps_out || other.keeps_out, said.covers && other.covers,
              said.within || other.within};
    }
    return said;
  }

  Said Part() {
    if (depth_ > kDeepest) return {};
    ++depth_;
    Said said;
    if (Take("not")) {
      const Said inner = Part();
      said = {inner.covers, inner.keeps_out, false};
    } else if (Next() == "(" && !BracketsAValue()) {
      Take("(");
      said = Alternatives();
      if (!Take(")")) at_ = tokens_.size() + 1;
    } else {
      said = Comparison();
    }
    --depth_;
    return said;
  }

  // (day) >= …
  [[nodiscard]] bool BracketsAValue() const {
    return at_ + 2 < tokens_.size() && tokens_[at_ + 2] == ")";
  }

  // A name or literal without its cast and brackets.
  std::string Value() {
    const bool bracket = Take("(");
    std::string value = Next();
    ++at_;
    // A type before a string: DATE '2025-01-01'.
    while (at_ < tokens_.size() && Next().starts_with('\'')) {
      value = Next();
      ++at_;
    }
    if (bracket) Take(")");
    while (Take("::")) SkipType();
    if (value == "-") {
      value += Next();
      ++at_;
    }
    return value;
  }

  void SkipType() {
    ++at_;
    for (const std::string_view word : {"without", "with", "varying", "precision", "time", "zone"})
      Take(word);
    if (!Take("(")) return;
    while (at_ < tokens_.size() && !Take(")")) ++at_;
  }

  Said Comparison() {
    const std::string left = Value();
    if (Take("is")) {
      const bool negated = Take("not");
      if (!Take("null")) return Fail();
      if (left != range_.column) return {};
      return {!negated, negated, false};
    }
    const bool negated = Take("not");
    if (Take("in")) return Listed(left, negated, List(")"));
    if (negated) return Fail();
    const std::string op = Next();
    ++at_;
    // As the server writes IN: a = ANY (ARRAY[1, 2]), a <> ALL (ARRAY[1, 2]).
    const bool all = op == "<>" && Take("all");
    if (all || (op == "=" && Take("any"))) {
      if (!Take("(") || !Take("array")) return Fail();
      const std::vector<std::string> values = List("]");
      return Take(")") ? Listed(left, all, values) : Fail();
    }
    const std::string right = Value();
    if (left != range_.column) return {};
    if (!range_.values.empty())
      return op == "=" || op == "<>" ? Listed(left, op == "<>", {right}) : Said();
    return Compare(op, right);
  }

  // From the bracket that opens to the one that closes.
  std::vector<std::string> List(std::string_view end) {
    std::vector<std::string> values;
    ++at_;
    while (at_ < tokens_.size() && Next() != end) {
      values.push_back(Value());
      Take(",");
    }
    ++at_;
    return values;
  }

  // What is written otherwise may be the same value all the same: only what is written alike
  // counts.
  [[nodiscard]] Said Listed(const std::string& left, bool negated,
                            const std::vector<std::string>& values) const {
    if (left != range_.column || range_.values.empty()) return {};
    const bool all = std::ranges::all_of(range_.values, [&](const std::string& value) {
      return std::ranges::find(values, value) != values.end();
    });
    const bool within = std::ranges::all_of(values, [&](const std::string& value) {
      return std::ranges::find(range_.values, value) != range_.values.end();
    });
    return negated ? Said{all, false, false} : Said{false, all, within};
  }

  // The range has its start and not its end.
  [[nodiscard]] Said Compare(const std::string& op, const std::string& value) const {
    const bool at_start = !range_.from.empty() && AtLeast(range_.from, value);
    const bool before = at_start && range_.from != value;
    const bool past = !range_.to.empty() && AtLeast(value, range_.to);
    if (op == "<") return {at_start, past, false};
    if (op == "<=") return {before, past, false};
    if (op == ">=") return {past, at_start, false};
    if (op == ">") return {past, before, false};
    if (op == "=") return {before || past, false, false};
    return {};
  }

  Said Fail() {
    at_ = tokens_.size() + 1;
    return {};
  }

  static constexpr int kDeepest = 50;

  std::vector<std::string> tokens_;
  const Range& range_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

bool AtLeast(const std::string& value, const std::string& limit) {
  if (value == limit) return true;
  const auto left = Integer(value);
  const auto right = Integer(limit);
  if (left && right) return *left >= *right;
  const auto day = DayOf(value);
  const auto other = DayOf(limit);
  return day && other && day->second == other->second && day->first > other->first;
}

bool KeepsOut(std::string_view condition, const Range& range) {
  return Reader(condition, range).Read().keeps_out;
}

bool StaysWithin(std::string_view condition, const Range& range) {
  return Reader(condition, range).Read().within;
}

}  // namespace pgalter::locks
