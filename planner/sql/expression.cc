#include "planner/sql/expression.h"

#include "planner/sql/facts.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {

Result<ExpressionFacts> ParseExpression(std::string_view text) {
  const auto expression = tree::ReadExpression(text);
  if (!expression) return expression.error();
  ExpressionFacts facts = Collect(expression->root).expression;
  if (const auto& root = expression->root; root.has_a_const())
    facts.untyped = root.a_const().isnull() || root.a_const().has_sval();
  return facts;
}

}  // namespace pgalter::sql
