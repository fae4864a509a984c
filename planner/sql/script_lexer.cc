#include "planner/sql/script_lexer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "planner/sql/text.h"

namespace pgalter::sql {
namespace {

constexpr std::size_t kLongestPlaceholder = 256;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A byte of a psql variable's name.
constexpr bool IsVariableByte(char c) { return IsNameByte(c) && c != '$'; }

// A name that is as long as what it stands for, and shows where it comes from.
std::string AsWord(std::string_view text) {
  std::string word(text);
  for (char& c : word)
    if (!IsVariableByte(c)) c = '_';
  return word;
}

// The placeholder at the front, as ${name}, $(name), {{ name }} or {% block %}; empty if there is
// none.
std::string_view PlaceholderAt(std::string_view text) {
  struct Form {
    std::string_view open;
    std::string_view close;
  };
  static constexpr std::array kForms{Form{"${", "}"}, Form{"$(", ")"}, Form{"{{", "}}"},
                                     Form{"{%", "%}"}};
  for (const Form& form : kForms) {
    if (!text.starts_with(form.open)) continue;
    const auto line = text.substr(0, kLongestPlaceholder);
    const std::size_t close = line.find(form.close, form.open.size());
    if (close == std::string_view::npos || close == form.open.size()) return {};
    const auto found = line.substr(0, close + form.close.size());
    return std::ranges::any_of(found, IsLineEnd) ? std::string_view{} : found;
  }
  return {};
}

// Where a new statement may follow: the line ends one, is empty, or is a comment or psql command.
bool EndsStatement(std::string_view line) {
  line = TrimSpace(line);
  if (line.empty() || line.starts_with("--") || line.starts_with('\\') || line.ends_with(';') ||
      line.ends_with("*/"))
    return true;
  const std::size_t semicolon = line.rfind(';');
  return semicolon != std::string_view::npos &&
         TrimSpace(line.substr(semicolon + 1)).starts_with("--");
}

constexpr std::array<std::string_view, 50> kFirstWords{
    "abort",   "alter",   "analyze", "begin",   "call",       "checkpoint", "close",     "cluster",
    "comment", "commit",  "copy",    "create",  "deallocate", "declare",    "delete",    "discard",
    "do",      "drop",    "execute", "explain", "fetch",      "grant",      "import",    "insert",
    "listen",  "load",    "lock",    "merge",   "move",       "notify",     "prepare",   "reassign",
    "refresh", "reindex", "release", "reset",   "revoke",     "rollback",   "savepoint", "security",
    "select",  "set",     "show",    "start",   "truncate",   "unlisten",   "update",    "vacuum",
    "values",  "with"};

}  // namespace

std::size_t LineEnd(std::string_view text, std::size_t at) {
  while (at < text.size() && !IsLineEnd(text[at])) ++at;
  return at;
}

std::size_t NextLine(std::string_view text, std::size_t at) {
  at = LineEnd(text, at);
  if (text.substr(at).starts_with("\r\n")) return at + 2;
  return std::min(at + 1, text.size());
}

bool LooksLikeStatement(std::string_view text, std::size_t at) {
  if (at + 1 < text.size() && text[at] == '\\' && IsNameStart(text[at + 1])) return true;
  std::size_t end = at;
  while (end < text.size() && end < at + 12 && IsNameByte(text[end])) ++end;
  const auto word = text.substr(at, end - at);
  // A name, a column of data or a sentence goes on otherwise.
  if (end < text.size() && !IsSpace(text[end]) && text[end] != ';' && text[end] != '(')
    return false;
  return std::ranges::any_of(kFirstWords,
                             [&](std::string_view first) { return IsWord(word, first); });
}

std::size_t FindStatementLine(std::string_view text, std::size_t from, std::size_t indent) {
  for (std::size_t line = from; line < text.size();) {
    const std::size_t next = NextLine(text, line);
    std::size_t begin = next;
    while (begin < text.size() && begin < next + indent &&
           (text[begin] == ' ' || text[begin] == '\t'))
      ++begin;
    if (begin < text.size() && LooksLikeStatement(text, begin) &&
        EndsStatement(text.substr(line, next - line)))
      return next;
    line = next;
  }
  return text.size();
}

void ScriptLexer::StartStatement(std::size_t at) {
  at_ = at;
  previous_ = Token{};
  brackets_.clear();
  edits_.clear();
  has_placeholder_ = false;
}

void ScriptLexer::Blank(Span span) {
  edits_.push_back(Edit{span.begin, std::string(span.end - span.begin, ' ')});
  at_ = span.end;
}

Token ScriptLexer::Next() {
  // A zero byte between tokens is taken for a blank.
  while (at_ < text_.size() && (IsSpace(text_[at_]) || text_[at_] == '\0')) ++at_;
  if (at_ == text_.size()) return Take(TokenKind::kEnd, at_);
  const Token token = Read();
  if (token.kind != TokenKind::kComment) previous_ = token;
  return token;
}

Token ScriptLexer::Take(TokenKind kind, std::size_t end) {
  return Token{kind, {std::exchange(at_, end), end}};
}

Token ScriptLexer::Read() {
  const char c = text_[at_];
  switch (c) {
    case '-':
      if (Byte(at_ + 1) == '-') return ReadLineComment();
      break;
    case '/':
      if (Byte(at_ + 1) == '*') return ReadBlockComment();
      break;
    case '\'':
      return ReadQuoted(at_, backslash_escapes_, TokenKind::kString);
    case '"':
      return ReadQuoted(at_, false, TokenKind::kQuotedName);
    case '$':
      return ReadDollar();
    case ':':
      return ReadColon();
    case '{':
      return ReadBrace();
    case ';':
      return Take(TokenKind::kSemicolon, at_ + 1);
    case '\\':
      return Take(TokenKind::kBackslash, at_ + 1);
    case '(':
      return Open(Bracket::kParenthesis);
    case '[':
      return Open(PreviousIsOperand() ? Bracket::kSubscript : Bracket::kArray);
    case ')':
    case ']':
      return Close();
    default:
      if (IsNameStart(c)) return ReadWord();
      if (IsDigit(c)) return ReadNumber();
      break;
  }
  return Take(TokenKind::kOther, at_ + 1);
}

Token ScriptLexer::ReadLineComment() { return Take(TokenKind::kComment, LineEnd(text_, at_)); }

Token ScriptLexer::ReadBlockComment() {
  const std::size_t reach = ReachOf(at_);
  std::size_t level = 0;
  for (std::size_t i = at_; i + 1 < reach;) {
    if (text_[i] == '/' && text_[i + 1] == '*') {
      ++level;
      i += 2;
    } else if (text_[i] == '*' && text_[i + 1] == '/') {
      i += 2;
      if (--level == 0) return Take(TokenKind::kComment, i);
    } else {
      ++i;
    }
  }
  return Take(TokenKind::kUnclosed, reach);
}

// The token begins at at_, its text at `quote`: they differ for E'…'.
Token ScriptLexer::ReadQuoted(std::size_t quote, bool escapes, TokenKind kind) {
  const auto text = text_.substr(0, ReachOf(quote));
  const char mark = text[quote];
  const auto stop = [&](std::size_t from) {
    return escapes ? text.find_first_of("'\\", from) : text.find(mark, from);
  };
  for (std::size_t i = stop(quote + 1); i < text.size(); i = stop(i)) {
    if (text[i] == '\\' || text.substr(i + 1).starts_with(mark)) {
      i += 2;
      continue;
    }
    if (kind == TokenKind::kQuotedName) NotePlaceholders({quote, i}, false);
    return Take(kind, i + 1);
  }
  return Take(TokenKind::kUnclosed, text.size());
}

Token ScriptLexer::ReadDollar() {
  const auto rest = text_.substr(at_);
  if (const auto placeholder = PlaceholderAt(rest); !placeholder.empty())
    return Substitute(at_ + placeholder.size(), AsWord(placeholder));
  std::size_t size = 1;
  while (size < rest.size() && IsVariableByte(rest[size])) ++size;
  if (Byte(at_ + size) != '$' || IsDigit(Byte(at_ + 1))) return Take(TokenKind::kOther, at_ + 1);
  const auto tag = rest.substr(0, size + 1);
  const std::size_t reach = ReachOf(at_);
  const std::size_t end = text_.substr(0, reach).find(tag, at_ + tag.size());
  if (end == std::string_view::npos) return Take(TokenKind::kUnclosed, reach);
  // A body is SQL as a rule, and other tools replace their placeholders in it too.
  NotePlaceholders({at_ + tag.size(), end}, true);
  return Take(TokenKind::kDollarQuote, end + tag.size());
}

Token ScriptLexer::ReadColon() {
  const char next = Byte(at_ + 1);
  if (next == ':' || next == '=') return Take(TokenKind::kOther, at_ + 2);
  if (IsSlice()) return Take(TokenKind::kOther, at_ + 1);
  const bool quoted = next == '\'' || next == '"';
  const bool asked = next == '{' && Byte(at_ + 2) == '?';
  std::size_t end = at_ + 1 + (quoted ? 1 : 0) + (asked ? 2 : 0);
  const std::size_t name = end;
  while (end < text_.size() && IsVariableByte(text_[end])) ++end;
  if (end == name) return Take(TokenKind::kOther, at_ + 1);
  if (quoted && Byte(end) == next) {
    std::string text(text_.substr(at_, end + 1 - at_));
    text[0] = next;
    text[1] = '_';
    return Substitute(end + 1, std::move(text));
  }
  if (asked && Byte(end) == '}') {
    std::string text = "TRUE";
    text.resize(end + 1 - at_, ' ');
    return Substitute(end + 1, std::move(text));
  }
  // After a string it is the colon of JSON_OBJECT('key':value).
  if (quoted || asked || previous_.kind == TokenKind::kString)
    return Take(TokenKind::kOther, at_ + 1);
  std::string text(text_.substr(at_, end - at_));
  text.front() = std::ranges::all_of(text.substr(1), IsDigit) ? ' ' : '_';
  return Substitute(end, std::move(text));
}

Token ScriptLexer::ReadBrace() {
  const auto placeholder = PlaceholderAt(text_.substr(at_));
  if (placeholder.empty()) return Take(TokenKind::kOther, at_ + 1);
  return Substitute(at_ + placeholder.size(), placeholder.starts_with("{%")
                                                  ? std::string(placeholder.size(), ' ')
                                                  : AsWord(placeholder));
}

Token ScriptLexer::ReadWord() {
  std::size_t end = at_;
  while (end < text_.size() && IsNameByte(text_[end])) {
    // A name may hold a dollar sign, not end in a placeholder's.
    if (text_[end] == '$' && !PlaceholderAt(text_.substr(end)).empty()) break;
    ++end;
  }
  const bool escape = end == at_ + 1 && (text_[at_] == 'e' || text_[at_] == 'E');
  if (escape && Byte(end) == '\'') return ReadQuoted(end, true, TokenKind::kString);
  return Take(TokenKind::kWord, end);
}

Token ScriptLexer::ReadNumber() {
  std::size_t end = at_;
  while (end < text_.size() && (IsVariableByte(text_[end]) || text_[end] == '.')) ++end;
  return Take(TokenKind::kNumber, end);
}

Token ScriptLexer::Open(Bracket bracket) {
  brackets_.push_back(bracket);
  return Take(TokenKind::kOpen, at_ + 1);
}

Token ScriptLexer::Close() {
  if (!brackets_.empty()) brackets_.pop_back();
  return Take(TokenKind::kClose, at_ + 1);
}

Token ScriptLexer::Substitute(std::size_t end, std::string text) {
  has_placeholder_ = true;
  edits_.push_back(Edit{at_, std::move(text)});
  return Take(TokenKind::kSubstitute, end);
}

bool ScriptLexer::PreviousIsOperand() const {
  switch (previous_.kind) {
    case TokenKind::kWord:
      return !IsWord(text_.substr(previous_.span.begin, previous_.span.end - previous_.span.begin),
                     "array");
    case TokenKind::kNumber:
    case TokenKind::kString:
    case TokenKind::kQuotedName:
    case TokenKind::kDollarQuote:
    case TokenKind::kSubstitute:
    case TokenKind::kClose:
      return true;
    default:
      return false;
  }
}

// The colon of column[1:2], column[:upper] or column[lower:].
bool ScriptLexer::IsSlice() const {
  return !brackets_.empty() && brackets_.back() == Bracket::kSubscript &&
         (PreviousIsOperand() || previous_.kind == TokenKind::kOpen);
}

std::size_t ScriptLexer::ReachOf(std::size_t quote) {
  if (!limited_) return text_.size();
  if (quote < next_statement_line_.begin || quote >= next_statement_line_.end)
    next_statement_line_ = {
        quote, FindStatementLine(text_, quote, std::numeric_limits<std::size_t>::max() / 2)};
  return next_statement_line_.end;
}

void ScriptLexer::NotePlaceholders(Span quoted, bool edit) {
  const auto text = text_.substr(0, quoted.end);
  for (std::size_t i = text.find('$', quoted.begin); i < text.size();) {
    const auto placeholder = PlaceholderAt(text.substr(i));
    if (placeholder.starts_with("${")) {
      has_placeholder_ = true;
      if (edit) edits_.push_back(Edit{i, AsWord(placeholder)});
    }
    i = text.find('$', i + std::max<std::size_t>(placeholder.size(), 1));
  }
}

}  // namespace pgalter::sql
