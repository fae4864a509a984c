// DROP: what goes with an object, and with CASCADE what hung on it.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ObjectKind;

}  // namespace

void Change::operator()(const sql::ast::Drop& statement) {
  for (std::size_t i = 0; i < statement.names.size(); ++i) {
    const QualifiedName& name = statement.names[i];
    switch (statement.kind) {
      case ObjectKind::kTable:
      case ObjectKind::kView:
      case ObjectKind::kMaterializedView:
      case ObjectKind::kSequence:
      case ObjectKind::kForeignTable:
        DropTable(name, statement.cascade);
        break;
      case ObjectKind::kIndex:
        if (Table* table = FindByIndex(name)) DropIndex(*table, name.name);
        break;
      case ObjectKind::kType:
      case ObjectKind::kDomain:
        DropType(name, statement.cascade);
        break;
      case ObjectKind::kFunction:
        DropFunctions(name, i < statement.arguments.size() ? statement.arguments[i] : std::nullopt,
                      statement.cascade);
        break;
      case ObjectKind::kExtension:
        schema_.extensions_.erase(name.name);
        break;
      case ObjectKind::kSchema:
        DropSchema(name.name);
        break;
      case ObjectKind::kTrigger:
        if (Table* table = statement.on_table ? Find(*statement.on_table) : nullptr)
          std::erase_if(table->triggers,
                        [&](const Trigger& trigger) { return trigger.name == name.name; });
        break;
      case ObjectKind::kPolicy:
        if (Table* table = statement.on_table ? Find(*statement.on_table) : nullptr) {
          std::erase(table->policies, name.name);
          if (table->policies.empty()) table->policy_columns.clear();
        }
        break;
      case ObjectKind::kRule:
        if (Table* table = statement.on_table ? Find(*statement.on_table) : nullptr)
          std::erase(table->rules, name.name);
        break;
      default:
        break;
    }
  }
}

void Change::DropTable(const QualifiedName& name, bool cascade) {
  std::vector<QualifiedName> doomed{name};
  while (!doomed.empty()) {
    const Table* table = Find(doomed.back());
    doomed.pop_back();
    if (table == nullptr) continue;
    const QualifiedName full = table->name;
    const auto add = [&](const std::vector<const Table*>& tables) {
      for (QualifiedName& other : NamesOf(tables)) doomed.push_back(std::move(other));
    };
    add(schema_.Partitions(full));
    std::vector<std::pair<Table*, std::string>> keys;
    if (cascade) {
      add(schema_.Views(full));
      add(schema_.Children(full));
      for (const auto& [other, constraint] : schema_.References(full))
        if (other->name != full) keys.emplace_back(Find(other->name), constraint->name);
    }
    for (const auto& [other, constraint] : keys) DropConstraint(*other, constraint, false, true);
    for (const QualifiedName& sequence : NamesOf(schema_.OwnedSequences(full))) Erase(sequence);
    Erase(full);
  }
}

void Change::DropType(const QualifiedName& name, bool cascade) {
  const auto is = [](const sql::ast::TypeName& used, const QualifiedName& type) {
    return used.name == type.name && used.schema == type.schema.value_or("");
  };
  std::vector<QualifiedName> types{schema_.ResolveType(name)};
  for (std::size_t i = 0; i < types.size(); ++i) {
    const QualifiedName type = types[i];
    schema_.NoteType(Key(type));
    schema_.types_.erase(Key(type));
    schema_.NoteDomain(Key(type));
    schema_.domains_.erase(Key(type));
    if (!cascade) return;
    std::vector<std::pair<QualifiedName, std::string>> columns;
    for (const auto& [table, column] : schema_.ColumnsOfType(type))
      columns.emplace_back(table->name, column->name);
    for (const auto& [table, column] : columns) DropColumn(*Find(table), column, true, true);
    for (const QualifiedName& table : NamesOf(schema_.TypedTables(type))) doomed_.push_back(table);
    for (const auto& [key, domain] : schema_.domains_)
      if (is(domain.base, type)) types.push_back(domain.name);
    for (auto& [key, composite] : schema_.types_) {
      if (std::ranges::none_of(composite.attributes,
                               [&](const Column& attribute) { return is(attribute.type, type); }))
        continue;
      schema_.NoteType(key);
      std::erase_if(composite.attributes,
                    [&](const Column& attribute) { return is(attribute.type, type); });
    }
  }
}

void Change::DropFunctions(const QualifiedName& name, const sql::ast::ArgumentTypes& arguments,
                           bool cascade) {
  schema_.NoteFunctions(name.name);
  if (cascade) {
    const auto calls = [&](const Trigger& trigger) {
      return trigger.function.name == name.name &&
             (!name.schema || !trigger.function.schema || trigger.function.schema == name.schema);
    };
    for (auto& [key, table] : schema_.tables_) {
      if (std::ranges::none_of(table.triggers, calls)) continue;
      schema_.NoteTable(key);
      std::erase_if(table.triggers, calls);
    }
  }
  const auto overloads = schema_.functions_.find(name.name);
  if (overloads == schema_.functions_.end()) return;
  std::erase_if(overloads->second,
                [&](const Function& function) { return function.IsMeant(name, arguments); });
  if (overloads->second.empty()) schema_.functions_.erase(overloads);
}

void Change::DropSchema(const std::string& name) {
  for (const QualifiedName& table : NamesOf(schema_.TablesIn(name))) DropTable(table, true);
  std::vector<QualifiedName> types;
  for (const auto& [key, type] : schema_.types_)
    if (type.name.schema == name) types.push_back(type.name);
  for (const auto& [key, domain] : schema_.domains_)
    if (domain.name.schema == name) types.push_back(domain.name);
  for (const QualifiedName& type : types) DropType(type, true);
  const auto within = [&](const Function& function) { return function.name.schema == name; };
  std::vector<QualifiedName> functions;
  for (const auto& [plain, overloads] : schema_.functions_)
    if (std::ranges::any_of(overloads, within)) functions.push_back({name, plain});
  for (const QualifiedName& function : functions) DropFunctions(function, std::nullopt, false);
  schema_.schemas_.erase(name);
}

}  // namespace pgalter::catalog
