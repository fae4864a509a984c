// What partitions and inheriting tables share with their parent.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;

bool SameShape(const Index& a, const Index& b) {
  if (a.unique != b.unique || a.method != b.method || a.where.has_value() != b.where.has_value() ||
      a.columns.size() != b.columns.size())
    return false;
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    const auto& left = a.columns[i];
    const auto& right = b.columns[i];
    if (left.column != right.column || left.operator_class != right.operator_class) return false;
    if (left.expression && right.expression && left.expression->text != right.expression->text)
      return false;
  }
  return true;
}

}  // namespace

void Change::InheritColumns(Table& child, const Table& parent) {
  for (const Column& column : parent.columns) {
    const auto own = std::ranges::find(child.columns, column.name, &Column::name);
    if (own == child.columns.end()) {
      child.columns.push_back(column);
      child.columns.back().origin = child.origin;
    } else {
      own->not_null = own->not_null || column.not_null;
      if (own->type.name.empty()) own->type = column.type;  // PARTITION OF … (a WITH OPTIONS …)
    }
  }
}

void Change::Inherit(Table& child, const Table& parent) {
  Edit(child, [&](Table& table) { InheritColumns(table, parent); });
  const bool partition = child.parent && *child.parent == parent.name;
  for (const Constraint& constraint : parent.constraints) {
    const ConstraintKind kind = constraint.definition.kind;
    const bool condition = kind == ConstraintKind::kCheck || kind == ConstraintKind::kNotNull;
    if (condition ? constraint.definition.no_inherit
                  : !(partition && kind == ConstraintKind::kForeignKey))
      continue;
    if (child.FindConstraint(constraint.name) != nullptr) continue;
    sql::ast::Constraint copy = constraint.definition;
    copy.name = constraint.name;
    AddConstraint(child, std::move(copy), "");
  }
  if (!partition) return;
  for (const Index& index : parent.indexes) {
    const auto fitting = std::ranges::find_if(child.indexes, [&](const Index& own) {
      return !own.parent && own.valid && SameShape(own, index);
    });
    if (fitting != child.indexes.end()) {
      fitting->parent = index.name;
      continue;
    }
    const Constraint* key = index.constraint ? parent.FindConstraint(index.name.name) : nullptr;
    if (key != nullptr) {
      sql::ast::Constraint copy = key->definition;
      copy.name.clear();
      copy.using_index.clear();
      AddConstraint(child, std::move(copy), "");
      if (!child.indexes.empty()) child.indexes.back().parent = index.name;
    } else {
      Index copy = index;
      copy.name = {child.name.schema, IndexName(child, index.columns, index.included)};
      copy.parent = index.name;
      copy.valid = true;
      copy.constraint = false;
      copy.origin = NewOrigin();
      AddIndex(child, std::move(copy));
    }
  }
}

void Change::Attach(Table& parent, const sql::ast::TableCommand& command) {
  if (!command.other) return;
  Table& child = Open(*command.other);
  if (Circular(child.name, parent.name)) return;
  Edit(child, [&](Table& table) {
    table.parent = parent.name;
    table.bound = command.bound;
  });
  Inherit(child, parent);
}

void Change::AttachIndex(Table& parent, const QualifiedName& index, const QualifiedName& part) {
  Table* child = FindByIndex(part);
  if (child == nullptr) return;
  const auto named = [](Table& table, const std::string& name) {
    return std::ranges::find_if(table.indexes,
                                [&](const Index& item) { return item.name.name == name; });
  };
  const auto whole = named(parent, index.name);
  const auto own = named(*child, part.name);
  if (whole == parent.indexes.end() || own == child->indexes.end()) return;
  own->parent = whole->name;
  // The index of the whole table becomes valid with its last part.
  for (const Table* partition : schema_.Partitions(parent.name)) {
    const bool has_part = std::ranges::any_of(partition->indexes, [&](const Index& item) {
      return item.valid && item.parent == whole->name;
    });
    if (!has_part) return;
  }
  whole->valid = true;
}

void Change::Detach(Table& parent, const QualifiedName& partition) {
  Table* child = Find(partition);
  if (child == nullptr) return;
  Edit(*child, [](Table& table) {
    table.parent.reset();
    table.bound.reset();
    for (Index& index : table.indexes) index.parent.reset();
  });
  std::erase(child->inherits, parent.name);
}

}  // namespace pgalter::catalog
