// DROP: what goes with an object, and with CASCADE what hung on it.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ObjectKind;

}  // namespace

void Change::operator()(const sql::ast::Drop& statement) {
  for (const QualifiedName& name : statement.names) {
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
        DropFunctions(name);
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
    for (const auto& [other, constraint] : keys) DropConstraint(*other, constraint);
    for (const QualifiedName& sequence : NamesOf(schema_.OwnedSequences(full))) Erase(sequence);
    Erase(full);
  }
}

void Change::DropType(const QualifiedName& name, bool cascade) {
  const QualifiedName type = schema_.ResolveType(name);
  if (cascade) {
    std::vector<std::pair<Table*, std::string>> columns;
    for (const auto& [table, column] : schema_.ColumnsOfType(type))
      columns.emplace_back(Find(table->name), column->name);
    for (const auto& [table, column] : columns) DropColumn(*table, column, true);
    for (const QualifiedName& table : NamesOf(schema_.TypedTables(type))) DropTable(table, true);
  }
  schema_.types_.erase(Key(type));
  schema_.domains_.erase(Key(type));
}

// The overload that is meant is not told: all of that name go.
void Change::DropFunctions(const QualifiedName& name) {
  const auto overloads = schema_.functions_.find(name.name);
  if (overloads == schema_.functions_.end()) return;
  std::erase_if(overloads->second, [&](const Function& function) {
    return !name.schema || function.name.schema == name.schema;
  });
  if (overloads->second.empty()) schema_.functions_.erase(overloads);
}

void Change::DropSchema(const std::string& name) {
  for (const QualifiedName& table : NamesOf(schema_.TablesIn(name))) DropTable(table, true);
  const auto in_schema = [&](const auto& item) { return item.second.name.schema == name; };
  std::erase_if(schema_.types_, in_schema);
  std::erase_if(schema_.domains_, in_schema);
  for (auto& [plain, overloads] : schema_.functions_)
    std::erase_if(overloads,
                  [&](const Function& function) { return function.name.schema == name; });
}

}  // namespace pgalter::catalog
