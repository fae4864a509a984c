#include "planner/locks/allowed.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;

constexpr std::array<std::string_view, 39> kAggregates = {
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
};
static_assert(std::ranges::is_sorted(kAggregates));

constexpr std::array<std::string_view, 11> kWindow = {
    "cume_dist", "dense_rank", "first_value",  "lag",  "last_value", "lead",
    "nth_value", "ntile",      "percent_rank", "rank", "row_number",
};
static_assert(std::ranges::is_sorted(kWindow));

std::string_view Name(Place place) {
  switch (place) {
    case Place::kCheck:
      return "a CHECK";
    case Place::kDefault:
      return "a default";
    case Place::kGenerated:
      return "a generated column";
    case Place::kIndex:
      return "an index";
    case Place::kIndexCondition:
      return "the condition of an index";
  }
  return "";
}

bool IsServers(const FunctionUse& use) {
  return use.name.size() == 1 || (use.name.size() == 2 && use.name.front() == "pg_catalog");
}

// A word that stands for a placeholder of another tool begins so: what it will be is not known.
bool MayBePlaceholder(const sql::ColumnUse& use) {
  return use.name.starts_with('_') || use.qualifier.starts_with('_');
}

}  // namespace

void RefuseForbidden(const ast::Expression& expression, Place place, const std::string& subject,
                     Draft& draft) {
  const auto refuse = [&](const std::string& what) {
    draft.Refuse(Refusal::kOther, subject, what + " cannot stand in " + std::string(Name(place)));
  };
  if (expression.facts.has_subquery) return refuse("a subquery");
  for (const FunctionUse& use : expression.facts.functions) {
    if (use.name.empty()) continue;
    const std::string& called = use.name.back();
    const bool window = std::ranges::binary_search(kWindow, std::string_view(called));
    const bool aggregate = std::ranges::binary_search(kAggregates, std::string_view(called));
    const bool own = !IsServers(use) || draft.schema().functions().contains(called);
    if (use.over || (window && !own)) return refuse("the window function " + called + "()");
    if (aggregate && !own) return refuse("the aggregate " + called + "()");
  }
  if (place != Place::kDefault) return;
  for (const sql::ColumnUse& use : expression.facts.columns)
    if (!MayBePlaceholder(use)) return refuse("the column " + use.name);
}

void RefuseInConstraint(const ast::Constraint& constraint, const std::string& subject,
                        Draft& draft) {
  if (!constraint.expression) return;
  switch (constraint.kind) {
    case ConstraintKind::kCheck:
      return RefuseForbidden(*constraint.expression, Place::kCheck, subject, draft);
    case ConstraintKind::kDefault:
      return RefuseForbidden(*constraint.expression, Place::kDefault, subject, draft);
    case ConstraintKind::kGeneratedStored:
    case ConstraintKind::kGeneratedVirtual:
      return RefuseForbidden(*constraint.expression, Place::kGenerated, subject, draft);
    case ConstraintKind::kExclude:
      return RefuseForbidden(*constraint.expression, Place::kIndexCondition, subject, draft);
    default:
      return;
  }
}

void RefuseAtColumn(const ast::ColumnDefinition& column, Draft& draft) {
  for (const ast::Constraint& constraint : column.constraints)
    RefuseInConstraint(constraint, column.name, draft);
  const ast::Constraint* given = column.Find(ConstraintKind::kDefault);
  if (given != nullptr && given->expression)
    RefuseUnfitDefault(*given->expression, column.type, column.name, draft);
}

}  // namespace pgalter::locks
