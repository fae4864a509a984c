#include "batcher/backfill/work_policy.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "planner/sql/identifier.h"

namespace pgalter::backfill {

namespace {

std::string Differs(const Column& column) {
  const std::string name = sql::QuoteIdentifier(column.name);
  const std::string value = fmt::format("CAST(({}) AS {})", column.expression, column.type);
  if (column.equality_is_identity) return fmt::format("{} IS DISTINCT FROM {}", name, value);
  return fmt::format(
      "ROW({})::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW({})::pg_catalog.record", name,
      value);
}

template <class Render>
std::string AnyOf(const std::vector<Column>& columns, Render render) {
  std::string condition;
  for (const Column& column : columns)
    condition += (condition.empty() ? "" : " OR ") + render(column);
  return "(" + condition + ")";
}

}  // namespace

WorkOrRefusal DecideWork(const std::vector<Column>& columns, const ExpressionNature& nature,
                         const std::string& where) {
  const std::string given = where.empty() ? "" : "(" + where + ")";
  if (!nature.reads_target && !nature.moving) {
    const std::string differs = AnyOf(columns, Differs);
    return {Work{given.empty() ? differs : given + " AND " + differs, false}, ""};
  }
  if (!given.empty()) return {Work{given, true}, ""};
  if (nature.reads_target) {
    if (!async::SafeguardOn("double-application"))
      return {Work{AnyOf(columns, Differs), false}, ""};
    return {std::nullopt,
            "the expression reads the column that it sets, so a row that is met twice (users move "
            "rows by updating them) would get it applied twice. Give a --where that is false once "
            "the value is set"};
  }
  for (const Column& column : columns)
    if (!column.nullable)
      return {std::nullopt,
              fmt::format("the value is another one each time it is made, and column {} is NOT "
                          "NULL, so nothing tells a finished row. Give a --where that is false "
                          "once the value is set",
                          sql::QuoteIdentifier(column.name))};
  const auto is_null = [](const Column& column) {
    return sql::QuoteIdentifier(column.name) + " IS NULL";
  };
  return {Work{AnyOf(columns, is_null), true}, ""};
}

}  // namespace pgalter::backfill
