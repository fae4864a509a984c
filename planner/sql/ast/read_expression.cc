#include "planner/sql/ast/read_expression.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace pgalter::sql::ast {
namespace {

const pg_query::Node& WithoutCasts(const pg_query::Node& node) {
  const pg_query::Node* inner = &node;
  while (inner->has_type_cast()) inner = &inner->type_cast().arg();
  return *inner;
}

const pg_query::A_Const* Literal(const pg_query::Node& node) {
  const auto& inner = WithoutCasts(node);
  return inner.has_a_const() ? &inner.a_const() : nullptr;
}

std::string OperatorOf(const pg_query::A_Expr& expr) {
  return expr.name_size() == 1 ? expr.name(0).string().sval() : "";
}

bool SameLiteral(const pg_query::Node& left, const pg_query::Node& right) {
  const auto* literal = Literal(left);
  return literal != nullptr && !literal->isnull() && Literal(right) != nullptr &&
         LiteralText(left) == LiteralText(right);
}

bool IsSigned(const pg_query::Node& node) {
  if (!node.has_a_expr()) return false;
  const auto& expr = node.a_expr();
  const std::string name = OperatorOf(expr);
  return !expr.has_lexpr() && (name == "-" || name == "+") && Literal(expr.rexpr()) != nullptr;
}

// Whether the condition is this for every row, as far as its text alone tells.
bool IsAlways(const pg_query::Node& node, bool value) {
  if (const auto* literal = Literal(node)) {
    if (literal->has_boolval()) return literal->boolval().boolval() == value;
    return value && literal->has_sval() && (literal->sval().sval() == "t");
  }
  if (node.has_a_expr()) {
    const auto& expr = node.a_expr();
    return value && expr.kind() == pg_query::AEXPR_OP && OperatorOf(expr) == "=" &&
           expr.has_lexpr() && SameLiteral(expr.lexpr(), expr.rexpr());
  }
  if (!node.has_bool_expr()) return false;
  const auto& parts = node.bool_expr().args();
  const auto holds = [&](const auto& part) { return IsAlways(part, value); };
  switch (node.bool_expr().boolop()) {
    case pg_query::AND_EXPR:
      return value ? std::ranges::all_of(parts, holds) : std::ranges::any_of(parts, holds);
    case pg_query::OR_EXPR:
      return value ? std::ranges::any_of(parts, holds) : std::ranges::all_of(parts, holds);
    case pg_query::NOT_EXPR:
      return IsAlways(parts[0], !value);
    default:
      return false;
  }
}

std::optional<Constant> ReadConstant(const pg_query::Node& node) {
  const auto* literal = Literal(node);
  if (literal == nullptr || literal->isnull()) return std::nullopt;
  using Kind = Constant::Kind;
  Constant constant;
  constant.text = ConstantText(*literal);
  if (literal->has_ival()) constant.kind = Kind::kInteger;
  // A number that is no int4 comes as one with a point.
  if (literal->has_fval())
    constant.kind =
        constant.text.find_first_of(".eE") == std::string::npos ? Kind::kInteger : Kind::kDecimal;
  if (literal->has_boolval()) constant.kind = Kind::kBoolean;
  if (literal->has_bsval()) constant.kind = Kind::kBits;
  for (const auto* at = &node; at->has_type_cast(); at = &at->type_cast().arg())
    constant.casts.push_back(ReadType(at->type_cast().type_name()));
  std::ranges::reverse(constant.casts);
  return constant;
}

std::string ColumnName(const pg_query::Node& node) {
  const auto& inner = WithoutCasts(node);
  return inner.has_column_ref() ? ReadColumn(inner.column_ref()).name : "";
}

std::string TurnedAround(std::string op) {
  if (op.starts_with('<') && op != "<>") return op.replace(0, 1, ">");
  if (op.starts_with('>')) return op.replace(0, 1, "<");
  return op;
}

void AddComparison(Expression& into, const pg_query::Node& left, std::string op,
                   const pg_query::Node& right) {
  static constexpr std::string_view kOperators[] = {"<", "<=", "=", "<>", ">=", ">"};
  if (std::ranges::find(kOperators, op) == std::end(kOperators)) return;
  std::string column = ColumnName(left);
  std::string literal = LiteralText(right);
  if (column.empty() || literal.empty()) {
    column = ColumnName(right);
    literal = LiteralText(left);
    op = TurnedAround(std::move(op));
  }
  if (column.empty() || literal.empty()) return;
  into.comparisons.push_back({std::move(column), std::move(op), std::move(literal)});
}

void AddNullTest(Expression& into, const pg_query::NullTest& test, bool negated) {
  // With a cast in between it would be the cast's result that is tested.
  if (!test.arg().has_column_ref()) return;
  const bool is_null = (test.nulltesttype() == pg_query::IS_NULL) != negated;
  auto& columns = is_null ? into.null_columns : into.not_null_columns;
  AddOnce(columns, ReadColumn(test.arg().column_ref()).name);
}

void AddExpr(Expression& into, const pg_query::A_Expr& expr) {
  if (expr.kind() == pg_query::AEXPR_OP && expr.has_lexpr()) {
    AddComparison(into, expr.lexpr(), OperatorOf(expr), expr.rexpr());
  } else if (expr.kind() == pg_query::AEXPR_BETWEEN && expr.rexpr().list().items().size() == 2) {
    AddComparison(into, expr.lexpr(), ">=", expr.rexpr().list().items()[0]);
    AddComparison(into, expr.lexpr(), "<=", expr.rexpr().list().items()[1]);
  }
}

void AddConjunct(Expression& into, const pg_query::Node& node) {
  if (node.has_null_test()) {
    AddNullTest(into, node.null_test(), false);
  } else if (node.has_a_expr()) {
    AddExpr(into, node.a_expr());
  } else if (node.has_bool_expr()) {
    const auto& expr = node.bool_expr();
    if (expr.boolop() == pg_query::AND_EXPR) {
      for (const auto& part : expr.args()) AddConjunct(into, part);
    } else if (expr.boolop() == pg_query::NOT_EXPR && expr.args(0).has_null_test()) {
      AddNullTest(into, expr.args(0).null_test(), true);
    }
  }
}

}  // namespace

TypeName ReadType(const pg_query::TypeName& type) {
  TypeName read;
  const int parts = type.names_size();
  if (parts > 0) read.name = type.names(parts - 1).string().sval();
  if (parts > 1) read.schema = type.names(parts - 2).string().sval();
  if (read.schema == "pg_catalog") read.schema.clear();
  for (const auto& modifier : type.typmods()) {
    if (modifier.has_a_const() && modifier.a_const().has_ival())
      read.modifiers.push_back(modifier.a_const().ival().ival());
  }
  read.array_dimensions = type.array_bounds_size();
  return read;
}

std::string ConstantText(const pg_query::A_Const& constant) {
  switch (constant.val_case()) {
    case pg_query::A_Const::kIval:
      return std::to_string(constant.ival().ival());
    case pg_query::A_Const::kFval:
      return constant.fval().fval();
    case pg_query::A_Const::kBoolval:
      return constant.boolval().boolval() ? "true" : "false";
    case pg_query::A_Const::kSval:
      return constant.sval().sval();
    case pg_query::A_Const::kBsval:
      return constant.bsval().bsval();
    default:
      return "";
  }
}

std::string LiteralText(const pg_query::Node& node) {
  const auto* literal = Literal(node);
  if (literal == nullptr) return "";
  if (literal->isnull()) return "NULL";
  return literal->has_sval() ? QuoteLiteral(literal->sval().sval()) : ConstantText(*literal);
}

namespace {

std::optional<ColumnCast> ReadColumnCast(const pg_query::TypeCast& cast) {
  const auto& operand = cast.arg();
  if (operand.has_column_ref())
    return ColumnCast{ReadColumn(operand.column_ref()).name, ReadType(cast.type_name())};
  const std::string taken = operand.has_a_expr() ? OperatorOf(operand.a_expr()) : "";
  if (taken != "->>" && taken != "#>>") return std::nullopt;
  return ColumnCast{"", ReadType(cast.type_name())};
}

}  // namespace

Expression ReadExpression(const pg_query::Node& node, Extent extent, Source& source) {
  Expression expression;
  expression.text = source.Cut(source.Bare(extent));
  TreeFacts facts = Collect(node);
  expression.facts = std::move(facts.expression);
  expression.literals = std::move(facts.literals);
  for (const auto* cast : facts.casts) {
    AddOnce(expression.casts, ReadType(cast->type_name()));
    if (auto of_column = ReadColumnCast(*cast))
      AddOnce(expression.column_casts, *std::move(of_column));
  }
  const auto* literal = Literal(node);
  expression.is_null = literal != nullptr && literal->isnull();
  expression.is_literal = literal != nullptr || IsSigned(WithoutCasts(node));
  expression.constant = ReadConstant(node);
  if ((node.has_func_call() || node.has_sqlvalue_function()) && !expression.facts.functions.empty())
    expression.call = expression.facts.functions.front();
  expression.is_true = IsAlways(node, true);
  AddConjunct(expression, node);
  return expression;
}

}  // namespace pgalter::sql::ast
