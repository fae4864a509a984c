// ALTER TABLE and what the server runs through it.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;
using sql::ast::TableChange;
using sql::ast::TableCommand;

// Whether the command reaches partitions and inheriting tables.
bool Descends(const TableCommand& command) {
  switch (command.change) {
    case TableChange::kAddColumn:
    case TableChange::kDropColumn:
    case TableChange::kSetType:
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
    case TableChange::kSetNotNull:
    case TableChange::kDropNotNull:
    case TableChange::kSetExpression:
    case TableChange::kDropExpression:
    case TableChange::kDropConstraint:
    case TableChange::kValidateConstraint:
      return true;
    default:
      return false;
  }
}

// A constraint of a partitioned table is one of each partition; a CHECK goes to all children.
bool Descends(const sql::ast::Constraint& constraint, bool partitioned) {
  switch (constraint.kind) {
    case ConstraintKind::kCheck:
    case ConstraintKind::kNotNull:
      return !constraint.no_inherit;
    default:
      return partitioned;
  }
}

void Forget(std::vector<std::string>& names, const std::string& name) { std::erase(names, name); }

}  // namespace

void Change::operator()(const sql::ast::AlterTable& statement) {
  if (Table* owner = FindByIndex(statement.name)) {
    for (const TableCommand& command : statement.commands)
      if (command.change == TableChange::kAttachPartition && command.other)
        AttachIndex(*owner, statement.name, *command.other);
    return;
  }
  if (statement.kind == sql::ast::RelationKind::kIndex) return;
  if (statement.if_exists && schema_.complete_ && Find(statement.name) == nullptr) return;
  Table& table = Open(statement.name);
  if (table.kind == TableKind::kTable && !table.complete) {
    switch (statement.kind) {
      case sql::ast::RelationKind::kView:
        table.kind = TableKind::kView;
        break;
      case sql::ast::RelationKind::kMaterializedView:
        table.kind = TableKind::kMaterializedView;
        break;
      case sql::ast::RelationKind::kSequence:
        table.kind = TableKind::kSequence;
        break;
      case sql::ast::RelationKind::kForeignTable:
        table.kind = TableKind::kForeign;
        break;
      default:
        break;
    }
  }
  // The server puts type changes, then constraints and indexes, behind what takes away; nothing
  // here depends on that order.
  for (const TableCommand& command : statement.commands) Alter(table, command, !statement.only);
}

void Change::Alter(Table& table, const TableCommand& command, bool recurse) {
  switch (command.change) {
    case TableChange::kAddColumn:
      AddColumn(table, command);
      break;
    case TableChange::kDropColumn:
      DropColumn(table, command.name, command.cascade);
      break;
    case TableChange::kSetType:
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
    case TableChange::kSetNotNull:
    case TableChange::kDropNotNull:
    case TableChange::kAddIdentity:
    case TableChange::kDropIdentity:
    case TableChange::kDropExpression:
      AlterColumn(table, command);
      break;
    case TableChange::kAddConstraint:
      if (command.constraint) AddConstraint(table, *command.constraint, "");
      break;
    case TableChange::kAlterConstraint:
      if (command.constraint && command.constraint->enforced)
        ValidateConstraint(table, command.name);
      break;
    case TableChange::kDropConstraint:
      DropConstraint(table, command.name);
      break;
    case TableChange::kValidateConstraint:
      ValidateConstraint(table, command.name);
      break;
    case TableChange::kAttachPartition:
      Attach(table, command);
      break;
    case TableChange::kDetachPartition:
    case TableChange::kDetachPartitionConcurrently:
    case TableChange::kDetachPartitionFinalize:
      if (command.other) Detach(table, *command.other);
      break;
    case TableChange::kInherit:
      if (command.other && !Circular(table.name, Target(*command.other)))
        Edit(table, [&](Table& child) { child.inherits.push_back(Target(*command.other)); });
      break;
    case TableChange::kNoInherit:
      if (command.other)
        Edit(table, [&](Table& child) { std::erase(child.inherits, Target(*command.other)); });
      break;
    default:
      AlterSettings(table, command);
  }
  if (!recurse) return;
  const bool partitioned = table.kind == TableKind::kPartitioned;
  if (command.change == TableChange::kAddConstraint) {
    if (!command.constraint || !Descends(*command.constraint, partitioned)) return;
  } else if (!Descends(command)) {
    return;
  }
  TableCommand inherited = command;
  if (inherited.constraint && inherited.constraint->name.empty() && !table.constraints.empty() &&
      inherited.constraint->kind == ConstraintKind::kCheck)
    inherited.constraint->name = table.constraints.back().name;
  if (inherited.constraint && inherited.constraint->kind != ConstraintKind::kCheck &&
      inherited.constraint->kind != ConstraintKind::kForeignKey)
    inherited.constraint->name.clear();  // a name is an index's, and one index has it
  for (Table* child : ChildrenOf(table)) {
    Alter(*child, inherited, true);
    // A key's part goes when the key goes.
    if (command.change == TableChange::kAddConstraint && !table.indexes.empty() &&
        !child->indexes.empty() && !inherited.constraint->columns.empty() &&
        child->indexes.back().constraint)
      child->indexes.back().parent = table.indexes.back().name;
  }
}

void Change::AddColumn(Table& table, const TableCommand& command) {
  if (!command.column) return;
  const auto own = std::ranges::find(table.columns, command.column->name, &Column::name);
  if (own != table.columns.end()) {
    // IF NOT EXISTS, or a child that has it.
    if (own->known) return;
    table.columns.erase(own);
  }
  Column column = MakeColumn(*command.column);
  Edit(table, [&](Table& target) { target.columns.push_back(std::move(column)); });
  AddColumnConstraints(table, *command.column);
}

void Change::DropColumn(Table& table, const std::string& column, bool cascade) {
  const auto mentions = [&](const Constraint& constraint) {
    const auto& columns = constraint.definition.columns;
    return std::ranges::find(columns, column) != columns.end();
  };
  std::vector<std::string> constraints;
  for (const Constraint& constraint : table.constraints)
    if (mentions(constraint)) constraints.push_back(constraint.name);
  for (const std::string& name : constraints) DropConstraint(table, name);
  std::vector<std::string> indexes;
  for (const Index& index : table.indexes)
    if (index.Mentions(column)) indexes.push_back(index.name.name);
  for (const std::string& name : indexes) DropIndex(table, name);
  for (const QualifiedName& sequence : NamesOf(schema_.OwnedSequences(table.name)))
    if (Find(sequence)->owned_by_column == column) Erase(sequence);
  if (cascade) {
    for (const QualifiedName& name : NamesOf(schema_.Views(table.name))) {
      const Table* view = Find(name);
      if (view == nullptr) continue;
      const bool reads = std::ranges::any_of(view->view_columns, [&](const sql::ColumnUse& use) {
        return use.name == column && use.qualifier == table.name.name;
      });
      if (reads) DropTable(name, true);
    }
    std::vector<std::string> generated;
    for (const Column& other : table.columns)
      if (std::ranges::find(other.generated_from, column) != other.generated_from.end())
        generated.push_back(other.name);
    for (const std::string& name : generated) DropColumn(table, name, true);
  }
  Edit(table, [&](Table& target) {
    std::erase_if(target.columns, [&](const Column& item) { return item.name == column; });
  });
  Forget(table.policy_columns, column);
  for (Trigger& trigger : table.triggers) Forget(trigger.columns, column);
}

Column& Change::OpenColumn(Table& table, const std::string& column) {
  const auto found = std::ranges::find(table.columns, column, &Column::name);
  if (found != table.columns.end()) return *found;
  Column unseen;
  unseen.name = column;
  unseen.known = false;
  table.columns.push_back(std::move(unseen));
  return table.columns.back();
}

void Change::AlterColumn(Table& table, const TableCommand& command) {
  Column& column = OpenColumn(table, command.name);
  switch (command.change) {
    case TableChange::kSetType:
      if (!command.type) break;
      Edit(table, [&](Table& /*target*/) {
        column.type = ResolveType(*command.type);
        column.collation = command.collation;
      });
      break;
    case TableChange::kSetDefault:
      column.has_default = !(command.expression && command.expression->is_null);
      break;
    case TableChange::kDropDefault:
      column.has_default = false;
      break;
    case TableChange::kSetNotNull: {
      column.not_null = true;
      for (Constraint& constraint : table.constraints) {
        // PostgreSQL 18: the constraint that was not valid now is.
        if (constraint.definition.kind == ConstraintKind::kNotNull &&
            std::ranges::find(constraint.definition.columns, command.name) !=
                constraint.definition.columns.end())
          constraint.valid = true;
      }
      break;
    }
    case TableChange::kDropNotNull:
      column.not_null = false;
      std::erase_if(table.constraints, [&](const Constraint& constraint) {
        return constraint.definition.kind == ConstraintKind::kNotNull &&
               std::ranges::find(constraint.definition.columns, command.name) !=
                   constraint.definition.columns.end();
      });
      break;
    case TableChange::kAddIdentity:
      column.identity = true;
      AddIdentitySequence(table, command.name);
      break;
    case TableChange::kDropIdentity:
      column.identity = false;
      for (const QualifiedName& sequence : NamesOf(schema_.OwnedSequences(table.name)))
        if (Find(sequence)->owned_by_column == command.name) Erase(sequence);
      break;
    case TableChange::kDropExpression:
      column.generated = false;
      column.generated_from.clear();
      break;
    default:
      break;
  }
}

void Change::AlterSettings(Table& table, const TableCommand& command) {
  switch (command.change) {
    case TableChange::kSetExpression: {
      Column& column = OpenColumn(table, command.name);
      column.generated_from.clear();
      if (command.expression)
        for (const sql::ColumnUse& use : command.expression->facts.columns)
          column.generated_from.push_back(use.name);
      break;
    }
    case TableChange::kSetLogged:
      table.persistence = sql::ast::Persistence::kPermanent;
      break;
    case TableChange::kSetUnlogged:
      // Of a partitioned table the server takes no notice.
      if (table.kind != TableKind::kPartitioned)
        table.persistence = sql::ast::Persistence::kUnlogged;
      break;
    case TableChange::kSetTablespace:
      table.tablespace = command.name;
      break;
    case TableChange::kSetAccessMethod:
      table.access_method = command.name;
      break;
    case TableChange::kEnableRowSecurity:
      table.row_security = true;
      break;
    case TableChange::kDisableRowSecurity:
      table.row_security = false;
      break;
    case TableChange::kOfType: {
      const Type* type = schema_.FindType({"", command.name, {}, 0});
      const std::string of_type = type == nullptr ? command.name : Key(type->name);
      Edit(table, [&](Table& target) { target.of_type = of_type; });
      break;
    }
    case TableChange::kNotOf:
      Edit(table, [](Table& target) { target.of_type.clear(); });
      break;
    default:
      break;
  }
}

}  // namespace pgalter::catalog
