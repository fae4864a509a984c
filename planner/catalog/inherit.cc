// What partitions and inheriting tables have from their parents, and what stays when these go.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;

bool IsCondition(ConstraintKind kind) {
  return kind == ConstraintKind::kCheck || kind == ConstraintKind::kNotNull;
}

bool SameIndex(const Index& a, const Index& b) {
  if (a.unique != b.unique || a.nulls_not_distinct != b.nulls_not_distinct ||
      a.method != b.method || a.where.has_value() != b.where.has_value() ||
      a.columns.size() != b.columns.size() || a.included.size() != b.included.size())
    return false;
  if (a.where && a.where->text != b.where->text) return false;
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const auto& left = a.columns[i];
    const auto& right = b.columns[i];
    if (left.column != right.column || left.operator_class != right.operator_class ||
        left.collation != right.collation)
      return false;
    if (left.expression && right.expression && left.expression->text != right.expression->text)
      return false;
  }
  return true;
}

bool SameForeignKey(const sql::ast::Constraint& a, const sql::ast::Constraint& b) {
  return a.foreign_key && b.foreign_key && a.columns == b.columns &&
         a.foreign_key->target == b.foreign_key->target &&
         a.foreign_key->target_columns == b.foreign_key->target_columns &&
         a.foreign_key->on_delete == b.foreign_key->on_delete &&
         a.foreign_key->on_update == b.foreign_key->on_update &&
         a.foreign_key->match_full == b.foreign_key->match_full &&
         a.foreign_key->set_columns == b.foreign_key->set_columns && a.deferrable == b.deferrable &&
         a.initially_deferred == b.initially_deferred;
}

}  // namespace

std::vector<Table*> Change::WithDescendants(Table& table) {
  std::vector<Table*> tables{&table};
  if (schema_.children_.empty()) return tables;
  std::unordered_set<const Table*> seen{&table};
  for (std::size_t i = 0; i < tables.size(); ++i)
    for (Table* child : ChildrenOf(*tables[i]))
      if (seen.insert(child).second) tables.push_back(child);
  return tables;
}

std::vector<const Table*> Change::ParentsOf(const Table& table) const {
  std::vector<const Table*> parents;
  const auto add = [&](const QualifiedName& name) {
    if (const Table* found = schema_.Get(Key(name))) parents.push_back(found);
  };
  for (const QualifiedName& name : table.inherits) add(name);
  if (table.parent) add(*table.parent);
  return parents;
}

bool Change::Inherited(const Table& table, const Column& column) const {
  return std::ranges::any_of(ParentsOf(table), [&](const Table* parent) {
    return parent->FindColumn(column.name) != nullptr;
  });
}

bool Change::Inherited(const Table& table, const Constraint& constraint) const {
  return std::ranges::any_of(ParentsOf(table), [&](const Table* parent) {
    const Constraint* own = parent->FindConstraint(constraint.name);
    return own != nullptr && IsCondition(own->definition.kind) && !own->definition.no_inherit;
  });
}

void Change::KeepWhatNoParentHas(Table& table) {
  for (Column& column : table.columns)
    if (!column.local && !Inherited(table, column)) column.local = true;
  for (Constraint& constraint : table.constraints)
    if (!constraint.local && IsCondition(constraint.definition.kind) &&
        !Inherited(table, constraint))
      constraint.local = true;
}

void Change::KeepInChildren(const Table& table) {
  for (Table* child : ChildrenOf(table)) KeepWhatNoParentHas(*child);
}

void Change::InheritColumns(Table& child, const Table& parent, bool partition) {
  for (const Column& column : parent.columns) {
    const auto own = std::ranges::find(child.columns, column.name, &Column::name);
    if (own == child.columns.end()) {
      child.columns.push_back(column);
      Column& made = child.columns.back();
      made.origin = child.origin;
      made.identity = false;
      made.local = false;
      continue;
    }
    own->not_null = own->not_null || column.not_null;
    if (partition) own->local = false;
  }
}

void Change::InheritConstraint(Table& child, const Constraint& constraint, bool partition,
                               int depth) {
  if (depth == kMostGenerations) return;
  if (IsCondition(constraint.definition.kind)) {
    if (constraint.definition.no_inherit) return;
    const auto own = std::ranges::find(child.constraints, constraint.name, &Constraint::name);
    if (own != child.constraints.end()) {
      if (partition) own->local = false;
      return;
    }
    sql::ast::Constraint copy = constraint.definition;
    copy.name = constraint.name;
    copy.not_valid = !constraint.valid;
    AddConstraint(child, std::move(copy)).local = false;
  } else if (partition && constraint.definition.foreign_key) {
    const auto own = std::ranges::find_if(child.constraints, [&](const Constraint& item) {
      return item.parent.empty() && item.valid &&
             SameForeignKey(item.definition, constraint.definition);
    });
    if (own != child.constraints.end()) {
      own->parent = constraint.name;
      own->local = false;
      return;
    }
    sql::ast::Constraint copy = constraint.definition;
    copy.name = child.FindConstraint(constraint.name) == nullptr ? constraint.name : "";
    copy.not_valid = !constraint.valid;
    Constraint& made = AddConstraint(child, std::move(copy));
    made.parent = constraint.name;
    made.local = false;
  } else {
    return;
  }
  const Constraint made = child.constraints.back();
  for (Table* grandchild : ChildrenOf(child))
    InheritConstraint(*grandchild, made, grandchild->parent.has_value(), depth + 1);
}

void Change::InheritIndex(Table& child, const Table& parent, const Index& index, int depth) {
  if (depth == kMostGenerations) return;
  const auto fitting = std::ranges::find_if(child.indexes, [&](const Index& own) {
    return !own.parent && own.valid && (own.constraint || !index.constraint) &&
           SameIndex(own, index);
  });
  if (fitting != child.indexes.end()) {
    fitting->parent = index.name;
    return;
  }
  const Constraint* key = index.constraint ? parent.FindConstraint(index.name.name) : nullptr;
  if (key != nullptr) {
    sql::ast::Constraint copy = key->definition;
    copy.name.clear();
    copy.using_index.clear();
    AddConstraint(child, std::move(copy)).local = false;
  } else {
    Index copy = index;
    copy.name = {child.name.schema, IndexName(child, index.columns, index.included)};
    copy.constraint = false;
    AddIndex(child, std::move(copy));
  }
  if (child.indexes.empty()) return;
  Index& made = child.indexes.back();
  made.parent = index.name;
  made.valid = true;
  made.origin = NewOrigin();
  const Index given = made;
  for (const Table* grandchild : schema_.Partitions(child.name))
    InheritIndex(*Find(grandchild->name), child, given, depth + 1);
}

void Change::Inherit(Table& child, const Table& parent) {
  const bool partition = child.parent && *child.parent == parent.name;
  for (const Constraint& constraint : std::vector<Constraint>(parent.constraints))
    InheritConstraint(child, constraint, partition, 0);
  if (!partition) return;
  for (const Index& index : std::vector<Index>(parent.indexes))
    InheritIndex(child, parent, index, 0);
}

}  // namespace pgalter::catalog
