#include "planner/catalog/objects.h"

#include <algorithm>

namespace pgalter::catalog {
namespace {

bool Reads(const sql::ast::Expression& expression, const std::string& column) {
  return std::ranges::any_of(expression.facts.columns, [&](const sql::ColumnUse& use) {
    return use.name == column || use.whole_row || (use.name.empty() && !use.qualifier.empty());
  });
}

template <class Item>
const Item* Named(const std::vector<Item>& items, const std::string& name) {
  const auto found = std::ranges::find(items, name, &Item::name);
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

bool Index::Mentions(const std::string& column) const {
  if (std::ranges::find(included, column) != included.end()) return true;
  if (where && Reads(*where, column)) return true;
  return std::ranges::any_of(columns, [&](const sql::ast::IndexColumn& part) {
    return part.column == column || (part.expression && Reads(*part.expression, column));
  });
}

void Column::SetDefault(const std::optional<sql::ast::Expression>& value) {
  has_default = value && !value->is_null;
  default_value = has_default ? value->text : std::string();
}

const Column* Table::FindColumn(const std::string& column) const { return Named(columns, column); }

const Constraint* Table::FindConstraint(const std::string& constraint) const {
  return Named(constraints, constraint);
}

const Index* Table::FindIndex(const std::string& index) const {
  const auto found =
      std::ranges::find(indexes, index, [](const Index& item) { return item.name.name; });
  return found == indexes.end() ? nullptr : &*found;
}

const Constraint* Table::PrimaryKey() const {
  const auto found = std::ranges::find(constraints, sql::ast::ConstraintKind::kPrimaryKey,
                                       [](const Constraint& item) { return item.definition.kind; });
  return found == constraints.end() ? nullptr : &*found;
}

bool Domain::Constrained() const {
  return not_null || std::ranges::any_of(constraints, [](const sql::ast::Constraint& constraint) {
           return constraint.kind == sql::ast::ConstraintKind::kCheck ||
                  constraint.kind == sql::ast::ConstraintKind::kNotNull;
         });
}

bool Function::TakesTypes(const std::vector<sql::ast::TypeName>& given) const {
  if (static_cast<int>(given.size()) != arguments) return false;
  const auto same = [](const sql::ast::TypeName& a, const sql::ast::TypeName& b) {
    return a.name == b.name && (a.array_dimensions > 0) == (b.array_dimensions > 0);
  };
  return types.empty() || std::ranges::equal(types, given, same);
}

bool Function::IsMeant(const QualifiedName& named, const sql::ast::ArgumentTypes& given) const {
  return name.name == named.name && (!named.schema || name.schema == named.schema) &&
         (!given || TakesTypes(*given));
}

}  // namespace pgalter::catalog
