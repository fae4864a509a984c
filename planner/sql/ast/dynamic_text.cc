#include "planner/sql/ast/dynamic_text.h"

#include <utility>
#include <vector>

#include "planner/sql/ast/read_expression.h"
#include "planner/sql/ast/statement.h"
#include "planner/sql/grammar.h"
#include "planner/sql/identifier.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"
#include "planner/sql/text.h"

namespace pgalter::sql::ast {
namespace {

using pg_query::Node;

// Like the splitter's, so that no finding takes it for a name of the user's.
constexpr std::string_view kComputed = "__computed";

// Nobody writes longer statements into a function; format() in format() doubles with every level.
constexpr std::size_t kMaxText = 1 << 16;

struct Text {
  std::string value;
  bool has_literal = false;
  bool computed = false;  // in parts
};

Text Computed(std::string_view value = kComputed) { return {std::string(value), false, true}; }

Text ReadText(const Node& node);

std::string NameOf(const pg_query::FuncCall& call) {
  const auto& last = call.funcname(call.funcname_size() - 1);
  return last.string().sval();
}

// %% %s %I %L, with %1$I and %-10s.
Text Format(const pg_query::FuncCall& call) {
  Text format = ReadText(call.args(0));
  if (format.computed) return Computed();
  std::vector<Text> values;  // each is read once, however often it is named
  for (int i = 1; i < call.args_size(); ++i) values.push_back(ReadText(call.args(i)));
  Text text{"", format.has_literal, false};
  const std::string_view pattern = format.value;
  std::size_t next = 1;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (text.value.size() > kMaxText) return Computed();
    if (pattern[at] != '%') {
      text.value += pattern[at];
      continue;
    }
    std::size_t end = at + 1;
    std::size_t number = 0;
    while (end < pattern.size() && pattern[end] >= '0' && pattern[end] <= '9' && number < 1000)
      number = number * 10 + static_cast<std::size_t>(pattern[end++] - '0');
    if (end < pattern.size() && pattern[end] == '$') {
      next = number;
      ++end;
    }
    while (end < pattern.size() &&
           (pattern[end] == '-' || (pattern[end] >= '0' && pattern[end] <= '9')))
      ++end;
    if (end >= pattern.size()) return Computed();
    at = end;
    if (pattern[end] == '%') {
      text.value += '%';
      continue;
    }
    const Text value = next >= 1 && next <= values.size() ? values[next - 1] : Computed();
    ++next;
    text.computed = text.computed || value.computed;
    if (pattern[end] == 'I') text.value += QuoteIdentifier(value.value);
    if (pattern[end] == 'L') text.value += QuoteLiteral(value.value);
    if (pattern[end] == 's') text.value += value.value;
  }
  return text;
}

Text ReadCall(const pg_query::FuncCall& call) {
  if (call.args_size() == 0) return Computed();
  const std::string name = NameOf(call);
  if (name == "format") return Format(call);
  if (name != "quote_ident" && name != "quote_literal" && name != "quote_nullable")
    return Computed();
  Text text = ReadText(call.args(0));
  text.value = name == "quote_ident" ? QuoteIdentifier(text.value) : QuoteLiteral(text.value);
  text.has_literal = false;
  return text;
}

Text ReadJoin(const pg_query::A_Expr& expression) {
  Text left = ReadText(expression.lexpr());
  const Text right = ReadText(expression.rexpr());
  if (left.value.size() + right.value.size() > kMaxText) return Computed();
  left.value += right.value;
  left.has_literal = left.has_literal || right.has_literal;
  left.computed = left.computed || right.computed;
  return left;
}

Text ReadText(const Node& node) {
  if (node.has_type_cast()) return ReadText(node.type_cast().arg());
  if (node.has_func_call()) return ReadCall(node.func_call());
  if (node.has_a_const() && !node.a_const().isnull())
    return {ConstantText(node.a_const()), true, false};
  if (node.has_a_expr()) {
    const auto& expression = node.a_expr();
    const bool joins = expression.kind() == pg_query::AEXPR_OP && expression.has_lexpr() &&
                       expression.name_size() == 1 && expression.name(0).string().sval() == "||";
    if (joins) return ReadJoin(expression);
  }
  return Computed();
}

bool IsSql(std::string_view text) {
  for (const Piece& piece : SplitScript(text)) {
    if (piece.kind != PieceKind::kStatement) return false;
    if (!ReadStatement(piece.sql) && !RecogniseNewer(piece.sql)) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> DynamicText(std::string_view expression) {
  const auto tree = grammar::ParseTree("SELECT " + std::string(expression));
  if (!tree || tree->root->stmts_size() != 1) return std::nullopt;
  const auto& select = tree->root->stmts(0).stmt().select_stmt();
  if (select.target_list_size() != 1) return std::nullopt;
  Text text = ReadText(select.target_list(0).res_target().val());
  if (!text.has_literal || (text.computed && !IsSql(text.value))) return std::nullopt;
  return std::move(text.value);
}

}  // namespace pgalter::sql::ast
