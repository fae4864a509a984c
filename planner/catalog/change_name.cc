// RENAME and SET SCHEMA, and everybody who knew the old name.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ObjectKind;

void Replace(std::string& name, const std::string& from, const std::string& to) {
  if (name == from) name = to;
}
void Replace(std::vector<std::string>& names, const std::string& from, const std::string& to) {
  std::ranges::replace(names, from, to);
}
void Replace(std::vector<sql::ColumnUse>& uses, const std::string& from, const std::string& to) {
  for (sql::ColumnUse& use : uses) Replace(use.name, from, to);
}
void Replace(std::optional<sql::ast::Expression>& expression, const std::string& from,
             const std::string& to) {
  if (!expression) return;
  Replace(expression->facts.columns, from, to);
  Replace(expression->not_null_columns, from, to);
  Replace(expression->null_columns, from, to);
  for (sql::ast::Comparison& comparison : expression->comparisons)
    Replace(comparison.column, from, to);
  for (sql::ast::ColumnCast& cast : expression->column_casts) Replace(cast.column, from, to);
}

bool IsRelation(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable:
    case ObjectKind::kIndex:
    case ObjectKind::kView:
    case ObjectKind::kMaterializedView:
    case ObjectKind::kSequence:
    case ObjectKind::kForeignTable:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Change::operator()(const sql::ast::Rename& statement) {
  if (IsRelation(statement.kind)) {
    if (Table* owner = FindByIndex(statement.name)) {
      MoveIndex(*owner, statement.name.name, {owner->name.schema, statement.new_name});
      return;
    }
    if (statement.kind == ObjectKind::kIndex) return;
    Table& table = Open(statement.name);
    MoveTable(table, {table.name.schema, statement.new_name});
    return;
  }
  switch (statement.kind) {
    case ObjectKind::kColumn: {
      if (FindByIndex(statement.name) != nullptr) return;
      Table& table = Open(statement.name);
      for (ViewOutput& output : table.view_outputs)
        Replace(output.name, statement.part, statement.new_name);
      RenameColumn(table, statement.part, statement.new_name);
      return;
    }
    case ObjectKind::kConstraint:
      RenameConstraint(Open(statement.name), statement.part, statement.new_name);
      return;
    case ObjectKind::kDomainConstraint:
      if (Domain* domain = FindDomain(statement.name))
        for (sql::ast::Constraint& constraint : domain->constraints)
          Replace(constraint.name, statement.part, statement.new_name);
      return;
    case ObjectKind::kTrigger:
      for (Trigger& trigger : Open(statement.name).triggers)
        Replace(trigger.name, statement.part, statement.new_name);
      return;
    case ObjectKind::kPolicy:
      Replace(Open(statement.name).policies, statement.part, statement.new_name);
      return;
    case ObjectKind::kRule:
      Replace(Open(statement.name).rules, statement.part, statement.new_name);
      return;
    case ObjectKind::kType:
    case ObjectKind::kDomain: {
      const QualifiedName from = schema_.ResolveType(statement.name);
      RenameType(from, {from.schema, statement.new_name});
      return;
    }
    case ObjectKind::kSchema:
      RenameSchema(statement.name.name, statement.new_name);
      return;
    case ObjectKind::kAttribute: {
      Type* type = FindType(statement.name);
      if (type == nullptr) return;
      for (Column& attribute : type->attributes)
        Replace(attribute.name, statement.part, statement.new_name);
      for (const Table* table : schema_.TypedTables(type->name))
        RenameColumn(*Find(table->name), statement.part, statement.new_name);
      return;
    }
    case ObjectKind::kFunction:
      MoveFunctions(statement.name, statement.arguments,
                    {statement.name.schema, statement.new_name});
      return;
    default:
      return;
  }
}

void Change::operator()(const sql::ast::SetSchema& statement) {
  if (IsRelation(statement.kind)) {
    if (FindByIndex(statement.name) != nullptr) return;
    Table& table = Open(statement.name);
    MoveTable(table, {statement.new_schema, table.name.name});
  } else if (statement.kind == ObjectKind::kType || statement.kind == ObjectKind::kDomain) {
    const QualifiedName from = schema_.ResolveType(statement.name);
    RenameType(from, {statement.new_schema, from.name});
  } else if (statement.kind == ObjectKind::kFunction) {
    MoveFunctions(statement.name, statement.arguments, {statement.new_schema, statement.name.name});
  }
}

// Without a schema they stay in theirs.
void Change::MoveFunctions(const QualifiedName& from, const sql::ast::ArgumentTypes& arguments,
                           const QualifiedName& to) {
  const auto overloads = schema_.functions_.find(from.name);
  if (overloads == schema_.functions_.end()) return;
  schema_.NoteFunctions(from.name);
  std::vector<Function> moved;
  std::erase_if(overloads->second, [&](const Function& function) {
    if (!function.IsMeant(from, arguments)) return false;
    moved.push_back(function);
    return true;
  });
  if (overloads->second.empty()) schema_.functions_.erase(overloads);
  for (Function& function : moved) {
    if (to.schema) function.name.schema = to.schema;
    function.name.name = to.name;
    schema_.Add(std::move(function));
  }
}

void Change::RenameSchema(const std::string& from, const std::string& to) {
  for (const QualifiedName& table : NamesOf(schema_.TablesIn(from)))
    if (Table* found = Find(table)) MoveTable(*found, {to, table.name});
  std::vector<QualifiedName> types;
  for (const auto& [key, type] : schema_.types_)
    if (type.name.schema == from) types.push_back(type.name);
  for (const auto& [key, domain] : schema_.domains_)
    if (domain.name.schema == from) types.push_back(domain.name);
  for (const QualifiedName& type : types) RenameType(type, {to, type.name});
  std::vector<std::string> functions;
  for (const auto& [name, overloads] : schema_.functions_)
    if (std::ranges::any_of(overloads,
                            [&](const Function& item) { return item.name.schema == from; }))
      functions.push_back(name);
  for (const std::string& name : functions) MoveFunctions({from, name}, std::nullopt, {to, name});
  if (schema_.schemas_.erase(from) != 0) schema_.schemas_.insert(to);
}

void Change::RenameConstraint(Table& table, const std::string& from, const std::string& to) {
  const Constraint* renamed = table.FindConstraint(from);
  if (renamed == nullptr) return;
  if (table.FindIndex(from) != nullptr) {
    MoveIndex(table, from, {table.name.schema, to});
    return;
  }
  const bool foreign = renamed->definition.foreign_key.has_value();
  for (Table* each : WithDescendants(table)) {
    for (Constraint& constraint : each->constraints) {
      if (foreign) {
        Replace(constraint.parent, from, to);
        if (each == &table) Replace(constraint.name, from, to);
      } else if (each == &table || !constraint.local || Inherited(*each, constraint)) {
        Replace(constraint.name, from, to);
      }
    }
  }
}

void Change::RenameColumn(Table& renamed, const std::string& from, const std::string& to) {
  for (Table* each : WithDescendants(renamed)) RenameOwnColumn(*each, from, to);
}

void Change::RenameOwnColumn(Table& table, const std::string& from, const std::string& to) {
  for (Column& column : table.columns) {
    Replace(column.name, from, to);
    Replace(column.generated_from, from, to);
  }
  for (Constraint& constraint : table.constraints) {
    Replace(constraint.definition.columns, from, to);
    Replace(constraint.definition.included, from, to);
    if (constraint.definition.foreign_key)
      Replace(constraint.definition.foreign_key->set_columns, from, to);
    Replace(constraint.definition.expression, from, to);
  }
  for (Index& index : table.indexes) {
    for (sql::ast::IndexColumn& part : index.columns) {
      Replace(part.column, from, to);
      Replace(part.expression, from, to);
    }
    Replace(index.included, from, to);
    Replace(index.where, from, to);
  }
  for (Trigger& trigger : table.triggers) {
    Replace(trigger.columns, from, to);
    Replace(trigger.columns_read, from, to);
  }
  Replace(table.policy_columns, from, to);
  if (table.partition_by) Replace(table.partition_by->columns, from, to);
  for (const auto& [other, constraint] : schema_.References(table.name)) {
    for (Constraint& own : Find(other->name)->constraints)
      if (&own == constraint) Replace(own.definition.foreign_key->target_columns, from, to);
  }
  for (const Table* reader : schema_.Views(table.name)) {
    for (sql::ColumnUse& use : Find(reader->name)->view_columns)
      if (use.qualifier == table.name.name) Replace(use.name, from, to);
  }
  for (const Table* sequence : schema_.OwnedSequences(table.name))
    Replace(Find(sequence->name)->owned_by_column, from, to);
}

// The others first, while they are still found by the old name.
void Change::MoveTable(Table& table, const QualifiedName& to) {
  const QualifiedName from = table.name;
  if (from == to) return;
  for (Table* child : ChildrenOf(table)) {
    Edit(*child, [&](Table& target) {
      if (target.parent && *target.parent == from) target.parent = to;
      std::ranges::replace(target.inherits, from, to);
    });
  }
  std::vector<Table*> pointing;
  for (const auto& [other, constraint] : schema_.References(from))
    pointing.push_back(Find(other->name));
  for (Table* other : pointing) {
    Edit(*other, [&](Table& target) {
      for (Constraint& constraint : target.constraints) {
        auto& key = constraint.definition.foreign_key;
        if (key && key->target.name == from.name &&
            (!key->target.schema || key->target.schema == from.schema))
          key->target = to;
      }
    });
  }
  for (const Table* reader : schema_.Views(from)) {
    Edit(*Find(reader->name), [&](Table& view) {
      for (QualifiedName& name : view.reads)
        if (name.name == from.name && (!name.schema || name.schema == from.schema)) name = to;
      for (sql::ColumnUse& use : view.view_columns) {
        if (use.qualifier != from.name) continue;
        use.qualifier = to.name;
        if (!use.schema.empty()) use.schema = *to.schema;
      }
    });
  }
  const std::vector<QualifiedName> sequences = NamesOf(schema_.OwnedSequences(from));
  for (const QualifiedName& name : sequences)
    Edit(*Find(name), [&](Table& sequence) { sequence.owned_by = to; });

  schema_.NoteTable(Key(from));
  schema_.NoteTable(Key(to));
  schema_.Unlink(Key(from), table);
  auto node = schema_.tables_.extract(Key(from));
  Table& moved = node.mapped();
  moved.name = to;
  if (moved.parent && Circular(to, *moved.parent)) moved.parent.reset();
  std::erase_if(moved.inherits, [&](const QualifiedName& parent) { return Circular(to, parent); });
  for (Index& index : moved.indexes) index.name.schema = to.schema;
  node.key() = Key(to);
  // Somebody gave its size, or it is what no server lets happen.
  if (const Table* known = schema_.Get(Key(to)); known != nullptr && !moved.rows) {
    moved.rows = known->rows;
    moved.bytes = known->bytes;
  }
  Erase(to);
  schema_.tables_.insert(std::move(node));
  schema_.Link(Key(to), schema_.tables_.find(Key(to))->second);
  // They follow into another schema, under their own names.
  if (from.schema != to.schema)
    for (const QualifiedName& name : sequences)
      if (Table* sequence = Find(name)) MoveTable(*sequence, {to.schema, name.name});
}

void Change::MoveIndex(Table& table, const std::string& from, const QualifiedName& to) {
  const QualifiedName old{table.name.schema, from};
  for (Index& index : table.indexes) {
    if (index.name.name != from) continue;
    UnlinkIndex(index);
    index.name = to;
    LinkIndex(table, index);
    if (index.constraint)
      for (Constraint& constraint : table.constraints) Replace(constraint.name, from, to.name);
  }
  for (Table* child : ChildrenOf(table))
    for (Index& index : child->indexes)
      if (index.parent == old) index.parent = to;
}

void Change::RenameType(const QualifiedName& from, const QualifiedName& to) {
  std::vector<Table*> users;
  for (const auto& [table, column] : schema_.ColumnsOfType(from))
    users.push_back(Find(table->name));
  for (const Table* table : schema_.TypedTables(from)) users.push_back(Find(table->name));
  const auto rename = [&](sql::ast::TypeName& used) {
    if (used.name != from.name || used.schema != from.schema.value_or("")) return false;
    used.name = to.name;
    used.schema = to.schema.value_or("");
    return true;
  };
  for (auto& [key, domain] : schema_.domains_) {
    schema_.NoteDomain(key);
    rename(domain.base);
  }
  for (auto& [key, type] : schema_.types_) {
    schema_.NoteType(key);
    for (Column& attribute : type.attributes) rename(attribute.type);
  }
  schema_.NoteType(Key(to));
  schema_.NoteDomain(Key(to));
  for (Table* user : users) {
    Edit(*user, [&](Table& table) {
      for (Column& column : table.columns) rename(column.type);
      if (table.of_type == Key(from)) table.of_type = Key(to);
    });
  }
  if (from == to) return;
  schema_.types_.erase(Key(to));
  schema_.domains_.erase(Key(to));
  if (auto node = schema_.types_.extract(Key(from))) {
    node.mapped().name = to;
    node.key() = Key(to);
    schema_.types_.insert(std::move(node));
  }
  if (auto node = schema_.domains_.extract(Key(from))) {
    node.mapped().name = to;
    node.key() = Key(to);
    schema_.domains_.insert(std::move(node));
  }
}

}  // namespace pgalter::catalog
