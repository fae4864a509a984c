#include "migrations/history/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/formats/text.h"
#include "planner/sql/ast/command.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/line_index.h"
#include "planner/sql/script.h"
#include "planner/sql/text.h"

namespace pgalter::history {

namespace {

namespace ast = sql::ast;
using std::string_view_literals::operator""sv;
using sql::Piece;
using sql::PieceKind;

// The ladder's own: a longer wait for a lock would keep users waiting.
constexpr std::array kOurs{"lock_timeout"sv, "statement_timeout"sv,
                           "idle_in_transaction_session_timeout"sv, "deadlock_timeout"sv};

constexpr std::array kTimeouts{"lock_timeout"sv, "statement_timeout"sv,
                               "idle_in_transaction_session_timeout"sv, "transaction_timeout"sv};

// What stands at the head of a dump and does nothing to what stands below it here.
struct Setting {
  std::string_view name;
  std::string_view value;  // empty: any
};
constexpr std::array kDumpHead{
    Setting{"client_encoding", "UTF8"},   Setting{"client_encoding", "UTF-8"},
    Setting{"client_min_messages", ""},   Setting{"standard_conforming_strings", "on"},
    Setting{"check_function_bodies", ""}, Setting{"xmloption", "content"},
    Setting{"row_security", "off"},       Setting{"default_table_access_method", "heap"},
    Setting{"escape_string_warning", ""},
};

// A call in the statement itself; what a function's body does is its own.
bool CallsSetConfig(std::string_view sql) {
  const std::string text = formats::Lower(sql);
  for (const auto word : {"select"sv, "with"sv, "values"sv, "("sv})
    if (text.starts_with(word)) return text.find("set_config") != std::string::npos;
  return false;
}

std::string WithoutBlanks(std::string_view sql) {
  std::string text = formats::Lower(sql);
  std::erase_if(text, [](char c) { return sql::IsSpace(c); });
  return text;
}

// What the steps of a plan have of their own, so that it may be left out.
enum class Loss { kNone, kTimeout, kMatters };

bool IsTimeout(std::string_view name) {
  return std::ranges::find(kTimeouts, name) != kTimeouts.end();
}

Loss LossOf(const ast::Set& set) {
  if (IsTimeout(set.name)) return Loss::kTimeout;
  if (set.reset && set.name != "all") return Loss::kNone;
  const bool head = std::ranges::any_of(kDumpHead, [&](const Setting& known) {
    return known.name == set.name &&
           (known.value.empty() || formats::SameWord(known.value, set.value));
  });
  const bool empty = (set.name == "default_tablespace") && set.value.empty();
  return head || empty || set.reset ? Loss::kNone : Loss::kMatters;
}

Loss LossOfCall(std::string_view sql) {
  const std::string text = WithoutBlanks(sql);
  for (const auto call : {"selectset_config("sv, "selectpg_catalog.set_config("sv}) {
    if (!text.starts_with(call)) continue;
    const std::string_view rest = std::string_view(text).substr(call.size());
    if (rest == "'search_path','',false)") return Loss::kNone;
    const std::size_t end = rest.find('\'', 1);
    const bool one = rest.find("set_config") == std::string_view::npos;
    if (one && end != std::string_view::npos && IsTimeout(rest.substr(1, end - 1)))
      return Loss::kTimeout;
  }
  return Loss::kMatters;
}

// Steps have sessions of their own, so a setting would be lost: what matters is refused.
class LeavingOut {
 public:
  explicit LeavingOut(std::string text) : text_(std::move(text)) {}

  WithoutSettings Leave() {
    for (const Piece& piece : sql::SplitScript(text_))
      if (piece.kind == PieceKind::kStatement) TakePiece(piece);
    return {std::move(text_), std::move(refusal_), std::move(remarks_)};
  }

 private:
  void TakePiece(const Piece& piece);

  std::string text_;
  std::string refusal_;
  std::vector<std::string> remarks_;
};

void LeavingOut::TakePiece(const Piece& piece) {
  const auto read = ast::ReadStatement(piece.sql);
  const auto* set = read ? read->As<ast::Set>() : nullptr;
  if (set == nullptr && !CallsSetConfig(piece.sql)) return;
  const Loss loss = set != nullptr ? LossOf(*set) : LossOfCall(piece.sql);
  const int line = sql::LineIndex(text_).At(piece.span.begin).line;
  const std::string what =
      set != nullptr ? fmt::format("SET {}", set->name) : std::string("set_config()");
  if (loss == Loss::kMatters) {
    if (refusal_.empty())
      refusal_ = fmt::format(
          "line {}: {} would not hold: the steps of a plan have sessions of their own", line, what);
    return;
  }
  if (loss == Loss::kTimeout)
    remarks_.push_back(
        fmt::format("line {}: {} is left out: steps have timeouts of their own", line, what));
  formats::Blank(text_, piece.span);
}

}  // namespace

WithoutSettings LeaveOutSettings(std::string text) { return LeavingOut(std::move(text)).Leave(); }

std::vector<std::string> AsOneTransaction(const std::string& text) {
  std::vector<std::string> statements;
  for (const Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    std::string statement(formats::Cut(text, piece.span));
    const auto read = ast::ReadStatement(piece.sql);
    const auto* set = read ? read->As<ast::Set>() : nullptr;
    if (set != nullptr && std::ranges::find(kOurs, set->name) != kOurs.end()) continue;
    if (set != nullptr && !set->local && !set->reset) {
      auto rest = formats::Trim(std::string_view(statement).substr(3));
      if (formats::StartsWithWord(rest, "session ") && set->name != "session_authorization")
        rest = formats::Trim(rest.substr(8));
      statement = fmt::format("SET LOCAL {}", rest);
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

std::vector<std::string> ResetsFor(const std::string& text) {
  bool role = false;
  bool authorization = false;
  for (const Piece& piece : sql::SplitScript(text)) {
    if (piece.kind != PieceKind::kStatement) continue;
    const auto read = ast::ReadStatement(piece.sql);
    const auto* set = read ? read->As<ast::Set>() : nullptr;
    const bool any = set == nullptr && CallsSetConfig(piece.sql);
    role = role || any || (set != nullptr && set->name == "role");
    authorization =
        authorization || any || (set != nullptr && set->name == "session_authorization");
  }
  std::vector<std::string> resets;
  if (authorization) resets.emplace_back("RESET SESSION AUTHORIZATION");
  if (role || authorization) resets.emplace_back("RESET ROLE");
  return resets;
}

}  // namespace pgalter::history
