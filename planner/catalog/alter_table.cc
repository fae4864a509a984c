// ALTER TABLE and what the server runs through it.

#include <algorithm>

#include "planner/catalog/change.h"
#include "planner/catalog/key.h"

namespace pgalter::catalog {
namespace {

using sql::ast::ConstraintKind;
using sql::ast::TableChange;
using sql::ast::TableCommand;

// The server first takes away, then changes types, then adds columns; the rest follows as written.
int Pass(TableChange change) {
  switch (change) {
    case TableChange::kDropColumn:
    case TableChange::kDropConstraint:
    case TableChange::kDropDefault:
    case TableChange::kDropNotNull:
    case TableChange::kDropIdentity:
    case TableChange::kDropExpression:
      return 0;
    case TableChange::kSetType:
      return 1;
    case TableChange::kAddColumn:
      return 2;
    default:
      return 3;
  }
}

// Changes of a column that partitions and inheriting tables go along with.
bool Descends(TableChange change) {
  switch (change) {
    case TableChange::kSetType:
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
    case TableChange::kSetNotNull:
    case TableChange::kDropNotNull:
    case TableChange::kSetExpression:
    case TableChange::kDropExpression:
      return true;
    default:
      return false;
  }
}

std::optional<TableKind> WrittenKind(sql::ast::RelationKind kind) {
  switch (kind) {
    case sql::ast::RelationKind::kView:
      return TableKind::kView;
    case sql::ast::RelationKind::kMaterializedView:
      return TableKind::kMaterializedView;
    case sql::ast::RelationKind::kSequence:
      return TableKind::kSequence;
    case sql::ast::RelationKind::kForeignTable:
      return TableKind::kForeign;
    default:
      return std::nullopt;
  }
}

}  // namespace

void Change::operator()(const sql::ast::AlterTable& statement) {
  if (Table* owner = FindByIndex(statement.name)) {
    for (const TableCommand& command : statement.commands)
      AlterIndex(*owner, statement.name, command);
    return;
  }
  if (statement.kind == sql::ast::RelationKind::kIndex) return;
  if (statement.if_exists && Find(statement.name) == nullptr && schema_.ShowsHistory()) return;
  Table& table = Open(statement.name);
  if (const auto kind = WrittenKind(statement.kind);
      kind && table.kind == TableKind::kTable && !table.complete)
    table.kind = *kind;
  std::vector<const TableCommand*> commands;
  commands.reserve(statement.commands.size());
  for (const TableCommand& command : statement.commands) commands.push_back(&command);
  std::ranges::stable_sort(commands, {},
                           [](const TableCommand* command) { return Pass(command->change); });
  for (const TableCommand* command : commands) Alter(table, *command, !statement.only);
}

void Change::AlterIndex(Table& owner, const QualifiedName& name, const TableCommand& command) {
  const auto index = std::ranges::find_if(
      owner.indexes, [&](const Index& each) { return each.name.name == name.name; });
  if (index == owner.indexes.end()) return;
  switch (command.change) {
    case TableChange::kAttachPartition:
      if (command.other) AttachIndex(owner, name, *command.other);
      break;
    case TableChange::kSetOptions:
      for (const auto& [option, value] : command.options) index->options[option] = value;
      break;
    case TableChange::kResetOptions:
      for (const auto& [option, value] : command.options) index->options.erase(option);
      break;
    case TableChange::kSetTablespace:
      index->tablespace = command.name;
      break;
    default:
      break;
  }
}

void Change::Alter(Table& table, const TableCommand& command, bool recurse) {
  switch (command.change) {
    case TableChange::kAddColumn:
      AddColumn(table, command, recurse);
      break;
    case TableChange::kDropColumn:
      DropColumn(table, command.name, command.cascade, recurse);
      break;
    case TableChange::kAddConstraint:
      if (command.constraint) AddConstraintDown(table, *command.constraint, recurse);
      break;
    case TableChange::kAlterConstraint:
      if (command.constraint && command.constraint->enforced)
        ValidateConstraint(table, command.name);
      break;
    case TableChange::kDropConstraint:
      DropConstraint(table, command.name, command.cascade, recurse);
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
      if (!command.other) break;
      Edit(table, [&](Table& child) { std::erase(child.inherits, Target(*command.other)); });
      KeepWhatNoParentHas(table);
      break;
    default:
      for (Table* each : recurse&& Descends(command.change) ? WithDescendants(table)
                                                            : std::vector<Table*>{&table})
        AlterSettings(*each, command);
  }
}

void Change::AddColumn(Table& table, const TableCommand& command, bool recurse) {
  if (!command.column) return;
  const std::string& name = command.column->name;
  if (const Column* own = table.FindColumn(name); own != nullptr && own->known) return;
  if (table.columns.size() >= kMostColumns) return;
  const bool has_sequence = sql::ast::IsSerial(command.column->type) ||
                            command.column->Find(ConstraintKind::kIdentity) != nullptr;
  const Column column = MakeColumn(*command.column);
  for (Table* each : recurse ? WithDescendants(table) : std::vector<Table*>{&table}) {
    if (const Column* own = each->FindColumn(name); own != nullptr && own->known) continue;
    Edit(*each, [&](Table& target) {
      std::erase_if(target.columns, [&](const Column& unseen) { return unseen.name == name; });
      target.columns.push_back(column);
      target.columns.back().local = each == &table;
    });
  }
  if (has_sequence) AddIdentitySequence(table, *command.column);
  for (sql::ast::Constraint constraint : command.column->constraints) {
    PutAtColumn(constraint, name);
    AddConstraintDown(table, std::move(constraint), recurse);
  }
}

void Change::DropColumn(Table& table, const std::string& column, bool cascade, bool recurse,
                        int depth) {
  std::vector<std::string> columns{column};
  for (std::size_t i = 0; cascade && i < columns.size(); ++i)
    for (const Column& other : table.columns)
      if (std::ranges::find(other.generated_from, columns[i]) != other.generated_from.end() &&
          std::ranges::find(columns, other.name) == columns.end())
        columns.push_back(other.name);
  for (const std::string& name : columns) DropColumnAlone(table, name, cascade);
  if (!recurse) {
    KeepInChildren(table);
    return;
  }
  if (depth == kMostGenerations) return;
  for (Table* child : ChildrenOf(table)) {
    for (const std::string& name : columns) {
      const Column* own = child->FindColumn(name);
      if (own == nullptr || own->local || Inherited(*child, *own)) continue;
      DropColumn(*child, name, cascade, true, depth + 1);
    }
  }
}

void Change::DropColumnAlone(Table& table, const std::string& column, bool cascade) {
  const auto mentions = [&](const Constraint& constraint) {
    const auto& columns = constraint.definition.columns;
    return std::ranges::find(columns, column) != columns.end();
  };
  std::vector<std::string> constraints;
  for (const Constraint& constraint : table.constraints)
    if (mentions(constraint)) constraints.push_back(constraint.name);
  for (const std::string& name : constraints) DropConstraint(table, name, cascade, false);
  std::vector<std::string> indexes;
  for (const Index& index : table.indexes)
    if (index.Mentions(column)) indexes.push_back(index.name.name);
  for (const std::string& name : indexes) DropIndex(table, name);
  for (const Table* sequence : schema_.OwnedSequences(table.name))
    if (sequence->owned_by_column == column) doomed_.push_back(sequence->name);
  if (cascade) {
    for (const Table* view : schema_.Views(table.name)) {
      const bool reads = std::ranges::any_of(view->view_columns, [&](const sql::ColumnUse& use) {
        return use.name == column && use.qualifier == table.name.name;
      });
      if (reads) doomed_.push_back(view->name);
    }
    std::erase_if(table.triggers, [&](const Trigger& trigger) {
      return std::ranges::find(trigger.columns, column) != trigger.columns.end() ||
             std::ranges::find(trigger.columns_read, column) != trigger.columns_read.end();
    });
  }
  Edit(table, [&](Table& target) {
    std::erase_if(target.columns, [&](const Column& item) { return item.name == column; });
  });
  std::erase(table.policy_columns, column);
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

void Change::SetNotNull(Table& table, const std::string& column, bool not_null) {
  OpenColumn(table, column).not_null = not_null;
  const auto of_column = [&](const Constraint& constraint) {
    return constraint.definition.kind == ConstraintKind::kNotNull &&
           std::ranges::find(constraint.definition.columns, column) !=
               constraint.definition.columns.end();
  };
  if (!not_null) std::erase_if(table.constraints, of_column);
  // PostgreSQL 18: the constraint that was not valid now is.
  for (Constraint& constraint : table.constraints)
    if (of_column(constraint)) constraint.valid = true;
}

void Change::AlterSettings(Table& table, const TableCommand& command) {
  switch (command.change) {
    case TableChange::kSetType: {
      if (!command.type) break;
      OpenColumn(table, command.name);
      Edit(table, [&](Table& target) {
        Column& column = OpenColumn(target, command.name);
        column.type = ResolveType(*command.type);
        column.collation = command.collation;
      });
      break;
    }
    case TableChange::kSetDefault:
      OpenColumn(table, command.name).SetDefault(command.expression);
      break;
    case TableChange::kDropDefault:
      OpenColumn(table, command.name).SetDefault(std::nullopt);
      break;
    case TableChange::kSetStatistics:
      for (Column& column : table.columns)
        if (column.name == command.name)
          column.statistics = command.value == "-1" ? "" : command.value;
      break;
    case TableChange::kSetNotNull:
      SetNotNull(table, command.name, true);
      break;
    case TableChange::kDropNotNull:
      SetNotNull(table, command.name, false);
      break;
    case TableChange::kAddIdentity: {
      OpenColumn(table, command.name).identity = true;
      sql::ast::ColumnDefinition column;
      column.name = command.name;
      if (command.constraint) column.constraints.push_back(*command.constraint);
      AddIdentitySequence(table, column);
      break;
    }
    case TableChange::kDropIdentity:
      // IF EXISTS, on a serial column.
      if (Column& column = OpenColumn(table, command.name); !column.identity && column.known) break;
      OpenColumn(table, command.name).identity = false;
      for (const Table* sequence : schema_.OwnedSequences(table.name))
        if (sequence->owned_by_column == command.name) doomed_.push_back(sequence->name);
      break;
    case TableChange::kDropExpression: {
      Column& column = OpenColumn(table, command.name);
      column.generated = false;
      column.generated_from.clear();
      break;
    }
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
    case TableChange::kReplicaIdentity:
      table.replica_identity = command.value;
      table.identity_index = command.name;
      break;
    case TableChange::kEnableRowSecurity:
      table.row_security = true;
      break;
    case TableChange::kDisableRowSecurity:
      table.row_security = false;
      break;
    case TableChange::kOwner:
      // Sequences of its columns follow.
      table.owner = command.name;
      for (const QualifiedName& sequence : NamesOf(schema_.OwnedSequences(table.name)))
        Find(sequence)->owner = command.name;
      break;
    case TableChange::kOfType:
      if (!command.type) break;
      Edit(table, [&](Table& target) { target.of_type = TypeKey(ResolveType(*command.type)); });
      break;
    case TableChange::kNotOf:
      Edit(table, [](Table& target) { target.of_type.clear(); });
      break;
    default:
      break;
  }
}

}  // namespace pgalter::catalog
