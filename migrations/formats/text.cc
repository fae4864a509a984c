#include "migrations/formats/text.h"

#include <algorithm>
#include <functional>

namespace pgalter::formats {

namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool IsLetter(char c) { return LowerOf(c) >= 'a' && LowerOf(c) <= 'z'; }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// The digits at the front, without leading zeros; `text` goes on behind them.
std::string_view TakeNumber(std::string_view& text) {
  while (text.size() > 1 && text[0] == '0' && IsDigit(text[1])) text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  const auto number = text.substr(0, size);
  text.remove_prefix(size);
  return number;
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  std::string_view left = a;
  std::string_view right = b;
  while (!left.empty() && !right.empty()) {
    if (IsDigit(left[0]) && IsDigit(right[0])) {
      const auto x = TakeNumber(left);
      const auto y = TakeNumber(right);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    if (left[0] != right[0])
      return static_cast<unsigned char>(left[0]) < static_cast<unsigned char>(right[0]);
    left.remove_prefix(1);
    right.remove_prefix(1);
  }
  if (left.empty() != right.empty()) return left.empty();
  return a < b;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), LowerOf);
  return lower;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, std::equal_to<>(), LowerOf, LowerOf);
}

bool StartsWithWord(std::string_view text, std::string_view start) {
  return SameWord(text.substr(0, start.size()), start);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  char quote = '\0';
  bool inside = false;
  for (const char c : text) {
    if (quote == '\0' && (IsBlank(c) || c == '\r' || c == '\n')) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::string_view FileName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view DirectoryName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : FileName(path.substr(0, slash));
}

std::optional<Line> Lines::Next() {
  if (at_ >= text_.size()) return std::nullopt;
  const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
  std::size_t next = std::min(end + 1, text_.size());
  if (text_.substr(end).starts_with("\r\n")) ++next;
  const Line line{{at_, end}, next};
  at_ = next;
  return line;
}

std::optional<std::string_view> AfterMark(std::string_view line, std::string_view mark) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  line = Trim(line);
  if (!line.starts_with("--")) return std::nullopt;
  line = Trim(line.substr(2));
  if (!StartsWithWord(line, mark)) return std::nullopt;
  line.remove_prefix(mark.size());
  if (!line.empty() && !mark.empty() && IsLetter(mark.back()) &&
      (IsLetter(line[0]) || IsDigit(line[0])))
    return std::nullopt;
  return Trim(line);
}

bool HasMark(std::string_view text, std::string_view mark) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  // The mark's first byte, in either case, on a line that is a comment: lines are few, texts long.
  for (std::size_t at = text.find("--"); at != std::string_view::npos; at = text.find("--", at)) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    const auto rest = text.substr(at + 2, end - at - 2);
    const std::size_t first = rest.find_first_not_of(" \t-");
    if (first != std::string_view::npos && upper(rest[first]) == upper(mark.front())) {
      std::size_t begin = at;
      while (begin > 0 && IsBlank(text[begin - 1])) --begin;
      const bool front = begin == 0 || text[begin - 1] == '\n' || text[begin - 1] == '\r' ||
                         text.substr(0, begin) == "\xEF\xBB\xBF";
      if (front && AfterMark(text.substr(at, end - at), mark)) return true;
    }
    at = end;
  }
  return false;
}

void Blank(std::string& text, sql::Span span) {
  for (std::size_t i = span.begin; i < span.end; ++i)
    if (text[i] != '\n' && text[i] != '\r') text[i] = ' ';
}

bool ReplaceDelimiter(std::string& text, sql::Span span, std::string_view delimiter) {
  const auto mark = Trim(delimiter);
  if (mark.empty() || mark == ";") return false;
  const bool alone =
      mark.size() == 1 || mark.size() != delimiter.size() || std::ranges::all_of(mark, IsLetter);
  const auto replace = [&](std::size_t at) {
    Blank(text, {at, at + mark.size()});
    text[at] = ';';
  };
  bool any = false;
  if (alone) {
    Lines lines(std::string_view(text).substr(0, span.end), span.begin);
    while (const auto line = lines.Next()) {
      if (!SameWord(Trim(Cut(text, line->span)), mark)) continue;
      any = true;
      replace(text.find_first_not_of(" \t", line->span.begin));
    }
    return any;
  }
  const auto body = std::string_view(text).substr(0, span.end);
  for (std::size_t at = body.find(mark, span.begin); at != std::string_view::npos;
       at = body.find(mark, at + mark.size())) {
    any = true;
    replace(at);
  }
  return any;
}

}  // namespace pgalter::formats
