// Constraints, and the indexes and sequences that come and go with them.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;

bool IsKey(ConstraintKind kind) {
  return kind == ConstraintKind::kPrimaryKey || kind == ConstraintKind::kUnique ||
         kind == ConstraintKind::kExclude;
}

void SetNotNull(Table& table, const std::vector<std::string>& columns) {
  for (Column& column : table.columns)
    if (std::ranges::find(columns, column.name) != columns.end()) column.not_null = true;
}

}  // namespace

void Change::AddIndex(Table& table, Index index) {
  LinkIndex(table, index);
  table.indexes.push_back(std::move(index));
}

void Change::DropIndex(Table& table, const std::string& name) {
  const auto found = std::ranges::find_if(
      table.indexes, [&](const Index& index) { return index.name.name == name; });
  if (found == table.indexes.end()) return;
  for (Table* child : ChildrenOf(table)) {
    for (const Index& part : std::vector<Index>(child->indexes))
      if (part.parent && *part.parent == found->name) DropIndex(*child, part.name.name);
  }
  UnlinkIndex(*found);
  table.indexes.erase(found);
}

void Change::AddKey(Table& table, Constraint& constraint) {
  sql::ast::Constraint& key = constraint.definition;
  if (!key.using_index.empty()) {
    // The index takes the constraint's name.
    for (Index& index : table.indexes) {
      if (index.name.name != key.using_index) continue;
      for (const sql::ast::IndexColumn& part : index.columns) key.columns.push_back(part.column);
      key.included = index.included;
      UnlinkIndex(index);
      index.name.name = constraint.name;
      index.constraint = true;
      LinkIndex(table, index);
    }
  } else {
    Index index;
    index.name = {table.name.schema, constraint.name};
    index.unique = key.kind != ConstraintKind::kExclude;
    index.constraint = true;
    if (key.kind == ConstraintKind::kExclude) index.method = "gist";
    index.included = key.included;
    index.where = key.kind == ConstraintKind::kExclude ? key.expression : std::nullopt;
    index.origin = NewOrigin();
    for (const std::string& column : key.columns) {
      index.columns.emplace_back();
      index.columns.back().column = column;
    }
    AddIndex(table, std::move(index));
  }
  if (key.kind == ConstraintKind::kPrimaryKey) SetNotNull(table, key.columns);
}

void Change::AddConstraint(Table& table, sql::ast::Constraint constraint,
                           const std::string& column) {
  switch (constraint.kind) {
    case ConstraintKind::kNotNull:
      if (constraint.columns.empty() && !column.empty()) constraint.columns.push_back(column);
      // Without a name the flag at the column says it all, until PostgreSQL 18 knows one not valid.
      if (!constraint.not_valid) {
        SetNotNull(table, constraint.columns);
        if (constraint.name.empty()) return;
      }
      break;
    case ConstraintKind::kCheck:
    case ConstraintKind::kPrimaryKey:
    case ConstraintKind::kUnique:
    case ConstraintKind::kExclude:
    case ConstraintKind::kForeignKey:
      break;
    default:
      return;
  }
  if (constraint.columns.empty() && !column.empty() && constraint.kind != ConstraintKind::kCheck)
    constraint.columns.push_back(column);
  if (constraint.kind == ConstraintKind::kCheck && constraint.columns.empty() &&
      constraint.expression) {
    for (const sql::ColumnUse& use : constraint.expression->facts.columns)
      if (std::ranges::find(constraint.columns, use.name) == constraint.columns.end())
        constraint.columns.push_back(use.name);
  }
  Constraint added;
  if (constraint.name.empty()) {
    // A key made of an index takes that index's name.
    added.name =
        constraint.using_index.empty() ? ConstraintName(table, constraint) : constraint.using_index;
  } else {
    added.name = constraint.name;
  }
  added.valid = !constraint.not_valid && !constraint.not_enforced;
  if (constraint.foreign_key)
    constraint.foreign_key->target = Target(constraint.foreign_key->target);
  added.definition = std::move(constraint);
  if (IsKey(added.definition.kind)) AddKey(table, added);
  if (added.definition.foreign_key)
    schema_.references_[Key(added.definition.foreign_key->target)].insert(Key(table.name));
  table.constraints.push_back(std::move(added));
}

void Change::AddIdentitySequence(Table& table, const std::string& column) {
  Table sequence;
  sequence.name = {table.name.schema, RelationName(table.name, column, "seq")};
  sequence.kind = TableKind::kSequence;
  sequence.origin = NewOrigin();
  sequence.complete = true;
  sequence.owned_by = table.name;
  sequence.owned_by_column = column;
  Insert(std::move(sequence));
}

void Change::AddColumnConstraints(Table& table, const sql::ast::ColumnDefinition& definition) {
  if (sql::ast::IsSerial(definition.type) || definition.Find(ConstraintKind::kIdentity) != nullptr)
    AddIdentitySequence(table, definition.name);
  for (const sql::ast::Constraint& constraint : definition.constraints)
    AddConstraint(table, constraint, definition.name);
}

void Change::DropConstraint(Table& table, const std::string& name) {
  const auto found = std::ranges::find(table.constraints, name, &Constraint::name);
  if (found == table.constraints.end()) return;
  if (IsKey(found->definition.kind)) DropIndex(table, name);
  if (found->definition.kind == ConstraintKind::kNotNull)
    for (Column& column : table.columns)
      if (std::ranges::find(found->definition.columns, column.name) !=
          found->definition.columns.end())
        column.not_null = false;
  table.constraints.erase(found);
}

void Change::ValidateConstraint(Table& table, const std::string& name) {
  const auto found = std::ranges::find(table.constraints, name, &Constraint::name);
  if (found == table.constraints.end()) return;
  found->valid = true;
  found->definition.not_valid = false;
  if (found->definition.kind == ConstraintKind::kNotNull)
    SetNotNull(table, found->definition.columns);
}

}  // namespace pgalter::catalog
