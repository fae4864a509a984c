#include <algorithm>

#include "planner/locks/alter.h"
#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using ast::ObjectKind;
using ast::TableCommand;
using catalog::TableKind;

// Before it a generated column went with the one that it was made from.
constexpr int kKeepsGenerated = 15;

// A DROP of several names drops each, also where one needs another.
bool Named(const ast::Drop& drop, const QualifiedName& name, const catalog::Schema& schema) {
  return std::ranges::any_of(
      drop.names, [&](const QualifiedName& other) { return schema.Resolve(other) == name; });
}

void DropDependants(const ast::Drop& drop, const catalog::Table& table, Draft& draft) {
  const auto touch = [&](const QualifiedName& other, const std::string& what) {
    if (Named(drop, other, draft.schema())) return;
    if (drop.cascade) {
      draft.Take(other, LockMode::kAccessExclusive);
    } else {
      draft.Refuse(Refusal::kDependants, Show(table.name), what);
    }
  };
  for (const catalog::Table* view : draft.schema().Views(table.name))
    touch(view->name, "view " + Show(view->name) + " reads it");
  for (const auto& [other, reference] : draft.schema().References(table.name))
    if (other != &table)
      touch(other->name,
            "foreign key " + reference->name + " of " + Show(other->name) + " points at it");
  for (const catalog::Table* child : draft.schema().Children(table.name)) {
    // Partitions go with their parent; what only inherits does not.
    if (child->parent) continue;
    touch(child->name, Show(child->name) + " inherits from it");
  }
}

void DropTable(const ast::Drop& drop, const QualifiedName& name, Draft& draft) {
  const catalog::Table* table = draft.schema().FindTable(name);
  if (table == nullptr) {
    if (!draft.schema().complete()) {
      if (!drop.if_exists || !draft.schema().ShowsHistory())
        draft.Take(name, LockMode::kAccessExclusive);
    } else if (!drop.if_exists) {
      draft.Refuse(Refusal::kUnknownObject, Show(name), "there is no relation " + Show(name));
    }
    return;
  }
  if (table->kind == TableKind::kSequence) return;
  draft.Take(name, LockMode::kAccessExclusive);
  if (table->parent) {
    draft.Take(*table->parent, LockMode::kAccessExclusive);
    // Its bound is what the others leave.
    if (const catalog::Table* by_default = draft.schema().DefaultPartition(*table->parent))
      draft.Take(by_default->name, LockMode::kAccessExclusive);
  }
  std::vector<const catalog::Table*> gone{table};
  if (table->kind == TableKind::kPartitioned)
    for (const catalog::Table* part : Descendants(draft.schema(), name)) gone.push_back(part);
  for (const catalog::Table* one : gone) {
    draft.Take(one->name, LockMode::kAccessExclusive);
    for (const catalog::Constraint& constraint : one->constraints)
      if (constraint.definition.foreign_key)
        TakeTarget(constraint.definition.foreign_key->target, draft, LockMode::kAccessExclusive);
    DropDependants(drop, *one, draft);
  }
}

void DropIndex(const ast::Drop& drop, const QualifiedName& name, Draft& draft) {
  const catalog::Table* table = draft.schema().TableOfIndex(name);
  if (table == nullptr && draft.schema().complete()) {
    if (!drop.if_exists)
      draft.Refuse(Refusal::kUnknownObject, Show(name), "there is no index " + Show(name));
    return;
  }
  const LockMode mode =
      drop.concurrently ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive;
  draft.TakeIndex(name, mode);
  if (table == nullptr) return;
  const catalog::Index* index = table->FindIndex(name.name);
  const bool partitioned = table->kind == TableKind::kPartitioned;
  if (partitioned && !drop.concurrently) {
    draft.TakeTree(table->name, mode);
  } else {
    draft.Take(table->name, mode);
  }
  if (partitioned && drop.concurrently)
    draft.Refuse(Refusal::kConcurrentOnPartitioned, Show(name),
                 "an index of a partitioned table cannot be dropped CONCURRENTLY");
  if (index == nullptr) return;
  if (index->constraint && !drop.cascade)
    draft.Refuse(Refusal::kDependants, Show(name),
                 "it belongs to a constraint of " + Show(table->name));
  if (index->parent)
    draft.Refuse(Refusal::kDependants, Show(name),
                 "it is part of index " + Show(*index->parent) + " of the partitioned table");
}

void DropSchema(const ast::Drop& drop, const QualifiedName& name, Draft& draft) {
  for (const catalog::Table* table : draft.schema().TablesIn(name.name)) {
    if (!drop.cascade) {
      draft.Refuse(Refusal::kDependants, name.name, Show(table->name) + " is in it");
      return;
    }
    if (table->kind == TableKind::kSequence) continue;
    ast::Drop one;
    one.kind = ObjectKind::kTable;
    one.cascade = true;
    DropTable(one, table->name, draft);
  }
}

void DropType(const ast::Drop& drop, const QualifiedName& name, Draft& draft) {
  const auto touch = [&](const catalog::Table& table, const std::string& what) {
    if (drop.cascade) {
      draft.TakeTree(table.name, LockMode::kAccessExclusive);
    } else {
      draft.Refuse(Refusal::kDependants, Show(name), what);
    }
  };
  for (const auto& [table, column] : draft.schema().ColumnsOfType(name))
    touch(*table, "column " + column->name + " of " + Show(table->name) + " has that type");
  for (const catalog::Table* table : draft.schema().TypedTables(name))
    touch(*table, Show(table->name) + " is made of it");
}

// A trigger's function has no arguments.
void DropFunction(const ast::Drop& drop, const QualifiedName& name,
                  const ast::ArgumentTypes& arguments, Draft& draft) {
  if (arguments && !arguments->empty()) return;
  for (const auto& [key, table] : draft.schema().tables()) {
    for (const catalog::Trigger& trigger : table.triggers) {
      const QualifiedName& function = trigger.function;
      if (function.name != name.name ||
          (name.schema && function.schema && name.schema != function.schema))
        continue;
      if (drop.cascade)
        draft.Take(table.name, LockMode::kAccessExclusive);
      else
        draft.Refuse(Refusal::kDependants, Show(name),
                     "trigger " + trigger.name + " of " + Show(table.name) + " needs it");
    }
  }
}

void DropOne(const ast::Drop& drop, const QualifiedName& name, Draft& draft) {
  switch (drop.kind) {
    case ObjectKind::kTable:
    case ObjectKind::kView:
    case ObjectKind::kMaterializedView:
    case ObjectKind::kForeignTable:
      return DropTable(drop, name, draft);
    case ObjectKind::kIndex:
      return DropIndex(drop, name, draft);
    case ObjectKind::kSchema:
      return DropSchema(drop, name, draft);
    case ObjectKind::kType:
    case ObjectKind::kDomain:
      return DropType(drop, name, draft);
    default:
      return;
  }
}

bool ReadsColumn(const catalog::Table& view, const QualifiedName& table,
                 const std::string& column) {
  return std::ranges::any_of(view.view_columns, [&](const sql::ColumnUse& use) {
    return (use.whole_row || use.name == column) &&
           (use.qualifier.empty() || use.qualifier == table.name);
  });
}

}  // namespace

void Form(const ast::Drop& drop, Draft& draft) {
  if (drop.concurrently) {
    draft.SetOutsideTransaction();
    if (drop.names.size() > 1)
      draft.Refuse(Refusal::kOther, Show(drop.names.front()),
                   "DROP INDEX CONCURRENTLY takes one index at a time");
    if (drop.cascade)
      draft.Refuse(Refusal::kOther, Show(drop.names.front()),
                   "DROP INDEX CONCURRENTLY does not take CASCADE");
  }
  if (drop.kind == ObjectKind::kDatabase || drop.kind == ObjectKind::kTablespace ||
      drop.kind == ObjectKind::kSubscription)
    draft.SetOutsideTransaction();
  if (drop.on_table) {
    draft.Take(*drop.on_table, LockMode::kAccessExclusive);
    return;
  }
  for (std::size_t i = 0; i < drop.names.size(); ++i) {
    if (drop.kind == ObjectKind::kFunction)
      DropFunction(drop, drop.names[i], drop.arguments[i], draft);
    else
      DropOne(drop, drop.names[i], draft);
  }
}

void DropColumn(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (altered.table == nullptr) return;
  const catalog::Table& table = *altered.table;
  const std::string& name = command.name;
  const auto lists = [&](const std::vector<std::string>& columns) {
    return std::ranges::find(columns, name) != columns.end();
  };
  if (table.complete && table.FindColumn(name) == nullptr) {
    if (!command.if_exists)
      draft.Refuse(Refusal::kUnknownObject, name, Show(table.name) + " has no column " + name);
    return;
  }
  if (table.partition_by && lists(table.partition_by->columns))
    draft.Refuse(Refusal::kColumnInUse, name, "it is part of the partition key");
  if (table.parent && !altered.only)
    draft.Refuse(Refusal::kOther, name,
                 "the column comes from " + Show(*table.parent) + " and is dropped there");
  const auto depend = [&](const QualifiedName* relation, const std::string& what) {
    if (!command.cascade) {
      draft.Refuse(Refusal::kDependants, name, what);
    } else if (relation != nullptr) {
      draft.Take(*relation, LockMode::kAccessExclusive);
    }
  };
  for (const catalog::Table* view : draft.schema().Views(table.name))
    if (ReadsColumn(*view, table.name, name)) {
      const bool kept = view->kind == catalog::TableKind::kMaterializedView;
      depend(&view->name,
             (kept ? "materialized view " : "view ") + Show(view->name) + " reads the column");
    }
  for (const auto& [other, reference] : draft.schema().References(table.name))
    if (other != &table && lists(reference->definition.foreign_key->target_columns))
      depend(&other->name, "foreign key " + reference->name + " of " + Show(other->name) +
                               " points at the column");
  for (const catalog::Column& other : table.columns)
    if (other.name != name && lists(other.generated_from) && draft.version() >= kKeepsGenerated)
      depend(nullptr, "generated column " + other.name + " is made from it");
  for (const catalog::Trigger& trigger : table.triggers)
    if (lists(trigger.columns) || lists(trigger.columns_read))
      depend(nullptr, "trigger " + trigger.name + " names the column");
  if (lists(table.policy_columns)) depend(nullptr, "a policy reads the column");
  for (const catalog::Constraint& constraint : table.constraints)
    if (constraint.definition.foreign_key && lists(constraint.definition.columns))
      TakeTarget(constraint.definition.foreign_key->target, draft, LockMode::kAccessExclusive);
}

}  // namespace pgalter::locks
