#include "planner/catalog/change.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;

std::string IntegerOfSerial(const std::string& serial) {
  if (serial == "smallserial" || serial == "serial2") return "int2";
  if (serial == "bigserial" || serial == "serial8") return "int8";
  return "int4";
}

}  // namespace

Table* Change::Find(const QualifiedName& name) {
  const Table* table = schema_.FindTable(name);
  if (table == nullptr) return nullptr;
  const std::string key = Key(table->name);
  schema_.NoteTable(key);
  return &schema_.tables_.find(key)->second;
}

Domain* Change::FindDomain(const QualifiedName& name) {
  const std::string key = Key(schema_.ResolveType(name));
  const auto found = schema_.domains_.find(key);
  if (found == schema_.domains_.end()) return nullptr;
  schema_.NoteDomain(key);
  return &found->second;
}

Type* Change::FindType(const QualifiedName& name) {
  const std::string key = Key(schema_.ResolveType(name));
  const auto found = schema_.types_.find(key);
  if (found == schema_.types_.end()) return nullptr;
  schema_.NoteType(key);
  return &found->second;
}

void Change::Finish() {
  for (const QualifiedName& name : doomed_) DropTable(name, true);
}

Table& Change::Open(const QualifiedName& name) {
  if (Table* table = Find(name)) return *table;
  Table unseen;
  unseen.name = schema_.Placed(name);
  const std::string key = Key(unseen.name);
  Insert(std::move(unseen));
  return schema_.tables_.find(key)->second;
}

Table* Change::FindByIndex(const QualifiedName& index) {
  const Table* table = schema_.TableOfIndex(index);
  return table == nullptr ? nullptr : Find(table->name);
}

void Change::Erase(const QualifiedName& name) {
  const auto found = schema_.tables_.find(Key(name));
  if (found == schema_.tables_.end()) return;
  schema_.NoteTable(found->first);
  schema_.Unlink(found->first, found->second);
  schema_.tables_.erase(found);
}

void Change::LinkIndex(const Table& table, const Index& index) {
  schema_.index_tables_[Key(index.name)] = Key(table.name);
}

void Change::UnlinkIndex(const Index& index) { schema_.index_tables_.erase(Key(index.name)); }

std::vector<Table*> Change::ChildrenOf(const Table& table) {
  std::vector<Table*> children;
  if (schema_.children_.empty()) return children;
  for (const Table* child : schema_.Children(table.name))
    if (Table* found = Find(child->name)) children.push_back(found);
  return children;
}

bool Change::Circular(const QualifiedName& child, const QualifiedName& parent) const {
  constexpr std::size_t kMostAncestors = kMostGenerations;
  std::vector<QualifiedName> ahead{parent};
  for (std::size_t i = 0; i < ahead.size(); ++i) {
    if (ahead[i] == child || i == kMostAncestors) return true;
    const Table* table = schema_.Get(Key(ahead[i]));
    if (table == nullptr) continue;
    const auto add = [&](const QualifiedName& name) {
      if (std::ranges::find(ahead, name) == ahead.end()) ahead.push_back(name);
    };
    if (table->parent) add(*table->parent);
    for (const QualifiedName& name : table->inherits) add(name);
  }
  return false;
}

// What is dropped or moved one by one must not be held by pointer.
std::vector<QualifiedName> Change::NamesOf(const std::vector<const Table*>& tables) {
  std::vector<QualifiedName> names;
  names.reserve(tables.size());
  for (const Table* table : tables) names.push_back(table->name);
  return names;
}

sql::ast::TypeName Change::ResolveType(sql::ast::TypeName type) const {
  if (!type.schema.empty()) return type;
  sql::ast::TypeName element = type;
  element.array_dimensions = 0;
  if (const Domain* domain = schema_.FindDomain(element)) {
    type.schema = *domain->name.schema;
  } else if (const Type* found = schema_.FindType(element)) {
    type.schema = *found->name.schema;
  }
  return type;
}

Column Change::MakeColumn(const sql::ast::ColumnDefinition& definition) const {
  Column column;
  column.name = definition.name;
  column.type = ResolveType(definition.type);
  column.collation = definition.collation;
  column.origin = NewOrigin();
  if (sql::ast::IsSerial(definition.type)) {
    column.type.name = IntegerOfSerial(definition.type.name);
    column.not_null = true;
    column.has_default = true;
  }
  for (const sql::ast::Constraint& constraint : definition.constraints) {
    switch (constraint.kind) {
      case ConstraintKind::kNotNull:
        column.not_null = !constraint.not_valid;
        break;
      case ConstraintKind::kPrimaryKey:
        column.not_null = true;
        break;
      case ConstraintKind::kDefault:
        column.SetDefault(constraint.expression);
        break;
      case ConstraintKind::kIdentity:
        column.identity = true;
        column.not_null = true;
        break;
      case ConstraintKind::kGeneratedStored:
      case ConstraintKind::kGeneratedVirtual:
        column.generated = true;
        column.generated_virtual = constraint.kind == ConstraintKind::kGeneratedVirtual;
        if (constraint.expression)
          for (const sql::ColumnUse& use : constraint.expression->facts.columns)
            column.generated_from.push_back(use.name);
        break;
      default:
        break;
    }
  }
  return column;
}

}  // namespace pgalter::catalog
