#include "planner/sql/expression.h"

#include "planner/sql/facts.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {

Result<ExpressionFacts> ParseExpression(std::string_view text) {
  const auto expression = tree::ReadExpression(text);
  if (!expression) return expression.error();
  return Collect(expression->root).expression;
}

}  // namespace pgalter::sql
