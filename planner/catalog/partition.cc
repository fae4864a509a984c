// ATTACH and DETACH, of partitions and of their indexes.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {

void Change::Attach(Table& parent, const sql::ast::TableCommand& command) {
  if (!command.other) return;
  Table& child = Open(*command.other);
  if (Circular(child.name, parent.name)) return;
  Edit(child, [&](Table& table) {
    table.parent = parent.name;
    table.bound = command.bound;
    InheritColumns(table, parent, true);
  });
  Inherit(child, parent);
}

void Change::AttachIndex(Table& parent, const QualifiedName& index, const QualifiedName& part) {
  Table* child = FindByIndex(part);
  if (child == nullptr || child == &parent) return;
  const auto named = [](Table& table, const std::string& name) {
    return std::ranges::find_if(table.indexes,
                                [&](const Index& item) { return item.name.name == name; });
  };
  const auto whole = named(parent, index.name);
  const auto own = named(*child, part.name);
  if (whole == parent.indexes.end() || own == child->indexes.end()) return;
  own->parent = whole->name;
  if (own->constraint)
    for (Constraint& constraint : child->constraints)
      if (constraint.name == own->name.name) constraint.local = false;
  CompleteIndex(parent, *whole, 0);
}

// An index of a partitioned table becomes valid with its last part, and then its own parent may.
void Change::CompleteIndex(Table& table, Index& index, int depth) {
  if (index.valid || depth == kMostGenerations) return;
  for (const Table* partition : schema_.Partitions(table.name)) {
    const bool has_part = std::ranges::any_of(partition->indexes, [&](const Index& item) {
      return item.valid && item.parent == index.name;
    });
    if (!has_part) return;
  }
  index.valid = true;
  Table* above = table.parent && index.parent ? Find(*table.parent) : nullptr;
  if (above == nullptr) return;
  for (Index& whole : above->indexes)
    if (whole.name == *index.parent) CompleteIndex(*above, whole, depth + 1);
}

void Change::Detach(Table& parent, const QualifiedName& partition) {
  Table* child = Find(partition);
  if (child == nullptr || child->parent != parent.name) return;
  Edit(*child, [](Table& table) {
    table.parent.reset();
    table.bound.reset();
    for (Index& index : table.indexes) index.parent.reset();
    for (Constraint& constraint : table.constraints) {
      constraint.parent.clear();
      constraint.local = true;
    }
    for (Column& column : table.columns) column.local = true;
  });
}

}  // namespace pgalter::catalog
