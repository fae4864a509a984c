#include <algorithm>

#include "planner/locks/alter.h"

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;
using catalog::Truth;

bool ByConstraint(const catalog::Constraint& constraint, const std::string& column) {
  if (!constraint.valid || constraint.definition.not_enforced) return false;
  const ast::Constraint& definition = constraint.definition;
  const auto names = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, column) != list.end();
  };
  if (definition.kind == ConstraintKind::kCheck)
    return definition.expression && names(definition.expression->not_null_columns);
  return (definition.kind == ConstraintKind::kPrimaryKey ||
          definition.kind == ConstraintKind::kNotNull) &&
         names(definition.columns);
}

Truth ProvenOf(const catalog::Table& table, const std::string& column,
               const std::set<std::string>& dropped) {
  const catalog::Column* known = table.FindColumn(column);
  if (known != nullptr && (known->not_null || known->identity)) return Truth::kYes;
  for (const catalog::Constraint& constraint : table.constraints)
    if (!dropped.contains(constraint.name) && ByConstraint(constraint, column)) return Truth::kYes;
  // A column that was seen coming is known with all its constraints.
  if (known != nullptr && known->known) return Truth::kNo;
  return table.complete ? Truth::kNo : Truth::kUnknown;
}

}  // namespace

Truth NotNullProven(const Altered& altered, const catalog::Schema& schema,
                    const std::string& column) {
  if (altered.added_columns.contains(column)) return Truth::kNo;
  if (altered.table == nullptr) return Truth::kUnknown;
  const Truth own = ProvenOf(*altered.table, column, altered.dropped_constraints);
  if (own == Truth::kYes || altered.only) return own;
  // A CHECK on each child serves as well: every one of them is looked at by itself.
  const auto descendants = Descendants(schema, altered.name);
  if (!altered.IsPartitioned() || descendants.empty()) return own;
  Truth all = Truth::kYes;
  for (const catalog::Table* table : descendants) {
    const Truth one = ProvenOf(*table, column, altered.dropped_constraints);
    if (one == Truth::kNo) return Truth::kNo;
    if (one == Truth::kUnknown) all = Truth::kUnknown;
  }
  return all;
}

void ScanForNotNull(const Altered& altered, Draft& draft, const std::string& column) {
  const Truth proven = NotNullProven(altered, draft.schema(), column);
  if (proven == Truth::kYes) return;
  Work* work = WorkOn(altered, draft, Work::Kind::kScan, Reason::kNotNull, column);
  if (work != nullptr && proven == Truth::kUnknown)
    Doubt(*work, "whether a valid CHECK proves " + column + " IS NOT NULL is not known");
}

}  // namespace pgalter::locks
