#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

#include "planner/locks/allowed.h"
#include "planner/locks/alter.h"
#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using ast::TableChange;
using ast::TableCommand;

bool IsPartitioned(const catalog::Table* table) {
  return table != nullptr && table->kind == catalog::TableKind::kPartitioned;
}

// Types that no operator class of the method is the default for, and extensions bring none either.
bool HasNoDefault(const std::string& method, const ast::TypeName& type) {
  if (type.array_dimensions > 0) return false;
  const auto is_one_of = [&](std::initializer_list<const char*> names) {
    return std::ranges::find(names, type.name) != names.end();
  };
  if (method == "gin")
    return is_one_of({"text", "varchar", "bpchar", "int2", "int4", "int8", "numeric", "float4",
                      "float8", "bool", "uuid", "date", "timestamp", "timestamptz", "json"});
  return (method == "btree" || method == "hash") &&
         is_one_of({"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle"});
}

void RefuseWithoutClass(const ast::CreateIndex& create, const catalog::Table& table, Draft& draft) {
  for (const ast::IndexColumn& column : create.columns) {
    const catalog::Column* known = table.FindColumn(column.column);
    if (known == nullptr || !known->known || !column.operator_class.name.empty()) continue;
    if (!HasNoDefault(create.method, known->type)) continue;
    if (create.method == "gin" && draft.schema().HasExtension("btree_gin")) continue;
    // btree_gin may be there without anybody having shown it.
    const bool certain = create.method != "gin" || draft.schema().complete();
    draft.Refuse(Refusal::kOther, column.column,
                 "type " + ToString(known->type) + " has no default operator class for method " +
                     create.method,
                 certain ? Certainty::kCertain : Certainty::kPossible);
  }
}

void RefuseChanging(const ast::CreateIndex& create, const catalog::Table& table, Draft& draft) {
  const auto refuse = [&](const std::optional<ast::Expression>& expression, const char* where) {
    if (!expression) return;
    if (const auto why = WhyNotImmutable(*expression, table.columns, draft.schema()))
      draft.Refuse(Refusal::kOther, create.name, *why + ", so it cannot stand in " + where);
  };
  for (const ast::IndexColumn& column : create.columns) refuse(column.expression, "an index");
  refuse(create.where, "the condition of an index");
}

void AttachIndex(const TableCommand& command, const QualifiedName& index, Draft& draft) {
  const auto read = [&](const QualifiedName& name) {
    if (const catalog::Table* table = draft.schema().TableOfIndex(name))
      draft.Take(table->name, LockMode::kAccessShare);
  };
  draft.TakeIndex(index, LockMode::kShareUpdateExclusive);
  read(index);
  if (!command.other) return;
  const QualifiedName part{command.other->schema ? command.other->schema : index.schema,
                           command.other->name};
  draft.TakeIndex(part, LockMode::kAccessExclusive);
  read(part);
}

LockMode ModeOf(const TableCommand& command) {
  switch (command.change) {
    case TableChange::kSetOptions:
    case TableChange::kResetOptions: {
      // What decides how the index is read or written while others do.
      const auto strict = {"buffering", "fastupdate", "pages_per_range", "autosummarize",
                           "gin_pending_list_limit"};
      const bool any = std::ranges::any_of(
          strict, [&](const char* option) { return command.options.contains(option); });
      return any ? LockMode::kAccessExclusive : LockMode::kShareUpdateExclusive;
    }
    case TableChange::kSetStatistics:
      return LockMode::kShareUpdateExclusive;
    default:
      return LockMode::kAccessExclusive;
  }
}

}  // namespace

void Form(const ast::CreateIndex& create, Draft& draft) {
  const catalog::Schema& schema = draft.schema();
  const catalog::Table* table = schema.FindTable(create.table);
  if (table == nullptr && schema.complete())
    draft.Refuse(Refusal::kUnknownObject, Show(create.table),
                 "there is no table " + Show(create.table));
  if (create.nulls_not_distinct) draft.Needs(15, "NULLS NOT DISTINCT");
  const bool partitioned = IsPartitioned(table);
  if (table != nullptr) {
    for (const ast::IndexColumn& column : create.columns)
      if (!column.column.empty()) RefuseUnknownColumn(*table, column.column, draft);
    RefuseWithoutClass(create, *table, draft);
    RefuseChanging(create, *table, draft);
  }
  for (const ast::IndexColumn& column : create.columns)
    if (column.expression) RefuseForbidden(*column.expression, Place::kIndex, create.name, draft);
  if (create.where) RefuseForbidden(*create.where, Place::kIndexCondition, create.name, draft);
  if (!create.name.empty() && table != nullptr) {
    const bool taken = schema.FindIndex({table->name.schema, create.name}) != nullptr;
    if (taken && create.if_not_exists) {
      draft.Take(create.table,
                 create.concurrently ? LockMode::kShareUpdateExclusive : LockMode::kShare);
      if (create.concurrently) draft.SetOutsideTransaction();
      return;
    }
    if (taken)
      draft.Refuse(Refusal::kExists, create.name, "there is an index " + create.name + " already");
  }
  if (create.concurrently) {
    draft.SetOutsideTransaction();
    draft.Take(create.table, LockMode::kShareUpdateExclusive);
    if (partitioned) {
      draft.Refuse(Refusal::kConcurrentOnPartitioned, Show(create.table),
                   Show(create.table) + " is partitioned: CONCURRENTLY works on its partitions");
      return;
    }
    draft.Do(Work::Kind::kBuild, create.table, Reason::kIndexBuild, create.name);
    return;
  }
  if (partitioned && create.only) {
    draft.Take(create.table, LockMode::kShare);
    return;
  }
  if (partitioned) {
    draft.TakeTree(create.table, LockMode::kShare);
    draft.DoTree(Work::Kind::kBuild, create.table, Reason::kIndexBuild, create.name);
    return;
  }
  draft.Take(create.table, LockMode::kShare);
  draft.Do(Work::Kind::kBuild, create.table, Reason::kIndexBuild, create.name);
}

void AlterIndex(const ast::AlterTable& alter, Draft& draft) {
  const QualifiedName index = draft.schema().Resolve(alter.name);
  const catalog::Table* table = draft.schema().TableOfIndex(alter.name);
  if (table == nullptr && draft.schema().complete() && !alter.if_exists) {
    draft.Refuse(Refusal::kUnknownObject, Show(index), "there is no index " + Show(index));
    return;
  }
  for (std::size_t i = 0; i < alter.commands.size(); ++i) {
    const TableCommand& command = alter.commands[i];
    draft.SetCommand(static_cast<int>(i));
    if (command.change == TableChange::kAttachPartition) {
      AttachIndex(command, index, draft);
      continue;
    }
    draft.TakeIndex(index, ModeOf(command));
    if (command.change == TableChange::kSetTablespace && !IsPartitioned(table))
      draft.Do(Work::Kind::kBuild, table == nullptr ? index : table->name, Reason::kTablespace,
               index.name);
  }
}

}  // namespace pgalter::locks
