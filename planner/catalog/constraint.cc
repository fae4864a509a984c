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

void MarkNotNull(Table& table, const std::vector<std::string>& columns) {
  for (Column& column : table.columns)
    if (std::ranges::find(columns, column.name) != columns.end()) column.not_null = true;
}

// A foreign key leans on the key with these columns, in whatever order.
bool LeansOn(const Constraint& foreign, const Constraint& key) {
  const auto& written = foreign.definition.foreign_key->target_columns;
  if (written.empty()) return key.definition.kind == ConstraintKind::kPrimaryKey;
  return std::ranges::is_permutation(written, key.definition.columns);
}

}  // namespace

void Change::AddIndex(Table& table, Index index) {
  LinkIndex(table, index);
  table.indexes.push_back(std::move(index));
}

void Change::DropIndex(Table& table, const std::string& name, int depth) {
  const auto found = std::ranges::find_if(
      table.indexes, [&](const Index& index) { return index.name.name == name; });
  if (found == table.indexes.end()) return;
  const QualifiedName full = found->name;
  if (found->constraint)
    std::erase_if(table.constraints, [&](const Constraint& constraint) {
      return constraint.name == name && IsKey(constraint.definition.kind);
    });
  UnlinkIndex(*found);
  table.indexes.erase(found);
  if (depth == kMostGenerations) return;
  for (Table* child : ChildrenOf(table)) {
    std::vector<std::string> parts;
    for (const Index& part : child->indexes)
      if (part.parent && *part.parent == full) parts.push_back(part.name.name);
    for (const std::string& part : parts) DropIndex(*child, part, depth + 1);
  }
}

void Change::AddKey(Table& table, Constraint& constraint) {
  sql::ast::Constraint& key = constraint.definition;
  if (!key.using_index.empty()) {
    // The index takes the constraint's name.
    for (Index& index : table.indexes) {
      if (index.name.name != key.using_index) continue;
      for (const sql::ast::IndexColumn& part : index.columns) key.columns.push_back(part.column);
      key.included = index.included;
      key.nulls_not_distinct = index.nulls_not_distinct;
      key.index_options = index.options;
      key.index_tablespace = index.tablespace;
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
    if (key.kind == ConstraintKind::kExclude && !key.method.empty()) index.method = key.method;
    index.included = key.included;
    index.nulls_not_distinct = key.nulls_not_distinct;
    index.options = key.index_options;
    index.tablespace = key.index_tablespace;
    index.where = key.kind == ConstraintKind::kExclude ? key.expression : std::nullopt;
    index.origin = NewOrigin();
    for (const std::string& column : key.columns) {
      index.columns.emplace_back();
      index.columns.back().column = column;
    }
    AddIndex(table, std::move(index));
  }
  if (key.kind == ConstraintKind::kPrimaryKey) MarkNotNull(table, key.columns);
}

void Change::PutAtColumn(sql::ast::Constraint& constraint, const std::string& column) {
  if (constraint.columns.empty() && constraint.kind != ConstraintKind::kCheck)
    constraint.columns.push_back(column);
}

Constraint& Change::AddConstraint(Table& table, sql::ast::Constraint constraint) {
  if (constraint.kind == ConstraintKind::kNotNull && !constraint.not_valid)
    MarkNotNull(table, constraint.columns);
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
  if (auto& foreign = constraint.foreign_key) {
    foreign->target = Target(foreign->target);
    const Table* target = schema_.Get(Key(foreign->target));
    const Constraint* key = target == nullptr ? nullptr : target->PrimaryKey();
    if (foreign->target_columns.empty() && key != nullptr)
      foreign->target_columns = key->definition.columns;
  }
  added.definition = std::move(constraint);
  if (IsKey(added.definition.kind)) AddKey(table, added);
  if (added.definition.foreign_key)
    schema_.references_[Key(added.definition.foreign_key->target)].insert(Key(table.name));
  table.constraints.push_back(std::move(added));
  return table.constraints.back();
}

void Change::AddConstraintDown(Table& table, sql::ast::Constraint constraint, bool recurse) {
  switch (constraint.kind) {
    case ConstraintKind::kNotNull:
      // Without a name the flag at the column says it all, until PostgreSQL 18 knows one not valid.
      if (!constraint.name.empty() || constraint.not_valid) break;
      for (Table* each : recurse ? WithDescendants(table) : std::vector<Table*>{&table})
        MarkNotNull(*each, constraint.columns);
      return;
    case ConstraintKind::kCheck:
    case ConstraintKind::kPrimaryKey:
    case ConstraintKind::kUnique:
    case ConstraintKind::kExclude:
    case ConstraintKind::kForeignKey:
      break;
    default:
      return;
  }
  const bool key = IsKey(constraint.kind);
  const Constraint added = AddConstraint(table, std::move(constraint));
  const bool partitioned = table.kind == TableKind::kPartitioned;
  if (key && partitioned && !table.indexes.empty()) {
    const Index index = table.indexes.back();
    const auto partitions = NamesOf(schema_.Partitions(table.name));
    // With ONLY, not valid before every partition has its part.
    if (!recurse) table.indexes.back().valid = partitions.empty();
    for (const QualifiedName& partition : partitions)
      if (recurse) InheritIndex(*Find(partition), table, index, 0);
  } else if (recurse && !key) {
    for (Table* child : ChildrenOf(table))
      InheritConstraint(*child, added, partitioned && child->parent.has_value(), 0);
  }
}

void Change::AddIdentitySequence(Table& table, const sql::ast::ColumnDefinition& column) {
  const auto* identity = column.Find(ConstraintKind::kIdentity);
  Table sequence;
  sequence.name = {table.name.schema, ""};
  if (identity != nullptr && identity->sequence) sequence.name = Target(*identity->sequence);
  if (sequence.name.name.empty()) sequence.name.name = RelationName(table.name, column.name, "seq");
  sequence.kind = TableKind::kSequence;
  sequence.persistence = table.persistence;
  sequence.origin = NewOrigin();
  sequence.complete = true;
  sequence.owned_by = table.name;
  sequence.owned_by_column = column.name;
  sequence.owner = table.owner;
  if (sequence.name != table.name) Insert(std::move(sequence));
}

void Change::DropConstraint(Table& table, const std::string& name, bool cascade, bool recurse,
                            int depth) {
  const auto found = std::ranges::find(table.constraints, name, &Constraint::name);
  if (found == table.constraints.end()) return;
  const Constraint dropped = std::move(*found);
  table.constraints.erase(found);
  const ConstraintKind kind = dropped.definition.kind;
  if (kind == ConstraintKind::kNotNull)
    for (Column& column : table.columns)
      if (std::ranges::find(dropped.definition.columns, column.name) !=
          dropped.definition.columns.end())
        column.not_null = false;
  if (IsKey(kind)) {
    DropIndex(table, name);
    if (!cascade) return;
    std::vector<std::pair<QualifiedName, std::string>> foreign;
    for (const auto& [other, constraint] : schema_.References(table.name))
      if (LeansOn(*constraint, dropped)) foreign.emplace_back(other->name, constraint->name);
    for (const auto& [other, constraint] : foreign)
      DropConstraint(*Find(other), constraint, false, true, depth);
    return;
  }
  if (!recurse) {
    KeepInChildren(table);
    return;
  }
  if (depth == kMostGenerations) return;
  for (Table* child : ChildrenOf(table)) {
    std::vector<std::string> parts;
    for (const Constraint& own : child->constraints) {
      const bool part = dropped.definition.foreign_key
                            ? own.parent == name
                            : own.name == name && !own.local && !Inherited(*child, own);
      if (part) parts.push_back(own.name);
    }
    for (const std::string& part : parts) DropConstraint(*child, part, cascade, true, depth + 1);
  }
}

void Change::ValidateConstraint(Table& table, const std::string& name) {
  for (Table* each : WithDescendants(table)) {
    for (Constraint& constraint : each->constraints) {
      if (constraint.name != name && constraint.parent != name) continue;
      constraint.valid = true;
      constraint.definition.not_valid = false;
      if (constraint.definition.kind == ConstraintKind::kNotNull)
        MarkNotNull(*each, constraint.definition.columns);
    }
  }
}

}  // namespace pgalter::catalog
