#include "planner/sql/psql_command.h"

#include <algorithm>
#include <array>

#include "planner/sql/script_lexer.h"
#include "planner/sql/text.h"

namespace pgalter::sql {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kSending{"g"sv,     "gx"sv,    "gexec"sv,       "gset"sv,
                              "gdesc"sv, "watch"sv, "crosstabview"sv};
// Their argument is the rest of the line, backslashes and all.
constexpr std::array kWholeLine{"!"sv, "copy"sv, "ef"sv, "ev"sv, "sf"sv, "sv"sv, "h"sv, "help"sv};

std::string_view NameAt(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && ((text[end] >= 'a' && text[end] <= 'z') ||
                               (text[end] >= 'A' && text[end] <= 'Z') || text[end] == '_'))
    ++end;
  if (end == at && end < text.size() && (text[end] == '!' || text[end] == '?' || text[end] == '.'))
    ++end;
  return text.substr(at, end - at);
}

// Up to the next backslash outside quotes, or to the line's end; two of them only part commands.
// Looks no further: a line of megabytes may be full of commands.
std::size_t ArgumentsEnd(std::string_view text, std::size_t at) {
  char quote = '\0';
  for (; at < text.size() && !IsLineEnd(text[at]); ++at) {
    const char c = text[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
      if (c == '\\' && quote == '\'' && at + 1 < text.size() && !IsLineEnd(text[at + 1])) ++at;
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == '\\') {
      return text.substr(at).starts_with("\\\\") ? at + 2 : at;
    }
  }
  return at;
}

bool CopiesFromStdin(std::string_view line) {
  ScriptLexer lexer(line);
  bool after_from = false;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd; token = lexer.Next()) {
    const auto word = line.substr(token.span.begin, token.span.end - token.span.begin);
    if (after_from && IsWord(word, "stdin")) return true;
    after_from = lexer.depth() == 0 && IsWord(word, "from");
  }
  return false;
}

}  // namespace

std::optional<PsqlCommand> ReadPsqlCommand(std::string_view text, std::size_t at) {
  const auto name = NameAt(text, at + 1);
  if (name.empty()) return std::nullopt;
  const std::size_t arguments = at + 1 + name.size();
  PsqlCommand command;
  command.sends_statement = std::ranges::find(kSending, name) != kSending.end();
  if (std::ranges::find(kWholeLine, name) != kWholeLine.end()) {
    command.end = LineEnd(text, arguments);
    command.data_follows =
        name == "copy" && CopiesFromStdin(text.substr(arguments, command.end - arguments));
  } else {
    command.end = ArgumentsEnd(text, arguments);
  }
  while (IsSpace(text[command.end - 1])) --command.end;
  return command;
}

}  // namespace pgalter::sql
