#include <algorithm>

#include "planner/locks/alter.h"
#include "planner/locks/bound.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using ast::TableChange;
using ast::TableCommand;
using catalog::Truth;

// Each index of the parent needs its like on the partition.
bool HasLike(const catalog::Table& table, const catalog::Index& wanted) {
  return std::ranges::any_of(table.indexes, [&](const catalog::Index& index) {
    if (index.method != wanted.method || index.unique < wanted.unique || !index.valid) return false;
    if (index.where.has_value() != wanted.where.has_value()) return false;
    if (index.where && index.where->text != wanted.where->text) return false;
    if (index.included != wanted.included) return false;
    return std::ranges::equal(
        index.columns, wanted.columns, [](const ast::IndexColumn& a, const ast::IndexColumn& b) {
          const bool same_expression = a.expression.has_value() == b.expression.has_value() &&
                                       (!a.expression || a.expression->text == b.expression->text);
          return a.column == b.column && same_expression && a.descending == b.descending &&
                 a.nulls_first == b.nulls_first;
        });
  });
}

void BuildMissingIndexes(const Altered& parent, const QualifiedName& name, Draft& draft) {
  const catalog::Table* partition = draft.schema().FindTable(name);
  if (parent.table == nullptr || partition == nullptr) return;
  for (const catalog::Index& index : parent.table->indexes) {
    if (HasLike(*partition, index)) continue;
    Work* work = draft.DoTree(Work::Kind::kBuild, name, Reason::kIndexBuild, index.name.name);
    if (work != nullptr && !partition->complete)
      Doubt(*work,
            "whether " + Show(name) + " has an index like " + index.name.name + " is not known");
  }
}

void CheckForeignKeys(const Altered& parent, const QualifiedName& name, Draft& draft) {
  if (parent.table == nullptr) return;
  const catalog::Table* partition = draft.schema().FindTable(name);
  const bool empty = draft.schema().IsNew(name);
  for (const catalog::Constraint& constraint : parent.table->constraints) {
    if (!constraint.definition.foreign_key) continue;
    const QualifiedName& target = constraint.definition.foreign_key->target;
    TakeTarget(target, draft, LockMode::kShareRowExclusive);
    const auto same = [&](const catalog::Constraint& own) {
      return own.definition.foreign_key && own.valid &&
             own.definition.columns == constraint.definition.columns &&
             draft.schema().Resolve(own.definition.foreign_key->target) ==
                 draft.schema().Resolve(constraint.definition.foreign_key->target);
    };
    if (partition != nullptr && std::ranges::any_of(partition->constraints, same)) {
      // It becomes a part of the parent's, whose triggers stand in for its own.
      TakeTarget(target, draft, LockMode::kAccessExclusive);
      continue;
    }
    if (empty) continue;
    draft.DoTree(Work::Kind::kScan, name, Reason::kForeignKey, constraint.name);
    draft.DoTree(Work::Kind::kScan, target, Reason::kForeignKey, constraint.name);
  }
}

Truth ProvenInside(const TableCommand& command, const Altered& parent,
                   const catalog::Schema& schema) {
  // The only partition, and the default one, may hold anything.
  if (command.bound->is_default && schema.complete() && schema.Partitions(parent.name).empty())
    return Truth::kYes;
  const catalog::Table* partition = schema.FindTable(*command.other);
  if (parent.table == nullptr || partition == nullptr) return Truth::kUnknown;
  Truth proven = ProvesInside(*partition, *parent.table, *command.bound);
  // Where the parent is a partition itself, so are the bounds above it to be proven.
  const catalog::Table* below = parent.table;
  while (proven == Truth::kYes && below->parent) {
    const catalog::Table* above = schema.FindTable(*below->parent);
    if (above == nullptr || !below->bound) return Truth::kUnknown;
    proven = ProvesInside(*partition, *above, *below->bound);
    below = above;
  }
  return proven;
}

bool SameType(const ast::TypeName& one, const ast::TypeName& other) {
  return one.name == other.name && one.modifiers == other.modifiers &&
         (one.array_dimensions > 0) == (other.array_dimensions > 0);
}

// A partition has just the columns of its parent, of the same types.
void RequireSameColumns(const catalog::Table& parent, const catalog::Table& partition,
                        Draft& draft) {
  if (!parent.complete || !partition.complete) return;
  for (const catalog::Column& column : parent.columns) {
    const catalog::Column* own = partition.FindColumn(column.name);
    const std::string of = " column " + column.name + " of " + Show(parent.name);
    if (own == nullptr) {
      draft.Refuse(Refusal::kOther, column.name, Show(partition.name) + " does not have" + of);
    } else if (column.known && own->known && !SameType(column.type, own->type)) {
      draft.Refuse(Refusal::kOther, column.name,
                   Show(partition.name) + " has another type for" + of);
    } else if (column.not_null &&
               draft.schema().NotNullProven(partition.name, column.name) == Truth::kNo) {
      draft.Refuse(Refusal::kOther, column.name, Show(partition.name) + " allows NULL in" + of);
    }
  }
  for (const catalog::Column& own : partition.columns)
    if (parent.FindColumn(own.name) == nullptr)
      draft.Refuse(Refusal::kOther, own.name,
                   Show(partition.name) + " has a column " + own.name + ", which " +
                       Show(parent.name) + " does not have");
}

}  // namespace

void ScanDefaultPartition(const QualifiedName& parent, const ast::PartitionBound& bound,
                          Draft& draft) {
  const catalog::Table* by_default = draft.schema().DefaultPartition(parent);
  if (by_default == nullptr || bound.is_default) return;
  draft.TakeTree(by_default->name, LockMode::kAccessExclusive);
  const catalog::Table* table = draft.schema().FindTable(parent);
  if (table != nullptr && ProvesOutside(*by_default, *table, bound)) return;
  Work* work = draft.DoTree(Work::Kind::kScan, by_default->name, Reason::kDefaultPartition);
  if (work != nullptr && HasOtherChecks(*by_default))
    Doubt(*work, "whether a CHECK of " + Show(by_default->name) +
                     " keeps the rows of the new partition out is not known");
}

void AttachPartition(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!command.other || !command.bound) return;
  const QualifiedName& name = *command.other;
  draft.TakeTree(name, LockMode::kAccessExclusive);
  if (altered.table != nullptr && !altered.IsPartitioned())
    draft.Refuse(Refusal::kOther, Show(altered.name), Show(altered.name) + " is not partitioned");
  const catalog::Table* partition = draft.schema().FindTable(name);
  if (partition != nullptr && partition->parent)
    draft.Refuse(Refusal::kOther, Show(name),
                 Show(name) + " is a partition of " + Show(*partition->parent) + " already");
  if (partition != nullptr && altered.table != nullptr)
    RequireSameColumns(*altered.table, *partition, draft);
  const Truth inside = ProvenInside(command, altered, draft.schema());
  if (inside != Truth::kYes) {
    Work* work = draft.DoTree(Work::Kind::kScan, name, Reason::kPartitionBound);
    if (work != nullptr && inside == Truth::kUnknown)
      Doubt(*work, "whether a valid CHECK of " + Show(name) + " proves the bound is not known");
  }
  RefuseOverlap(altered.name, *command.bound, draft);
  ScanDefaultPartition(altered.name, *command.bound, draft);
  BuildMissingIndexes(altered, name, draft);
  CheckForeignKeys(altered, name, draft);
}

void DetachPartition(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!command.other) return;
  const bool concurrently = command.change == TableChange::kDetachPartitionConcurrently;
  const catalog::Table* by_default = draft.schema().DefaultPartition(altered.name);
  if (concurrently) {
    draft.SetOutsideTransaction();
    // The last of its two transactions; the partition has no new users by then.
    draft.Take(*command.other, LockMode::kAccessExclusive);
    if (by_default != nullptr)
      draft.Refuse(Refusal::kDetachWithDefault, Show(by_default->name),
                   "CONCURRENTLY is refused beside a default partition, " + Show(by_default->name));
    return;
  }
  constexpr int kLocksPartition = 14;  // the version since which it excludes its readers, too
  const bool strict =
      draft.version() >= kLocksPartition || command.change == TableChange::kDetachPartitionFinalize;
  draft.Take(*command.other, strict ? LockMode::kAccessExclusive : LockMode::kShareUpdateExclusive);
  // A foreign key of the parent goes on as one of its own.
  if (altered.table != nullptr)
    for (const catalog::Constraint& constraint : altered.table->constraints)
      if (constraint.definition.foreign_key)
        TakeTarget(constraint.definition.foreign_key->target, draft, LockMode::kShareRowExclusive);
  // No row of the partition may be pointed at any longer.
  for (const auto& [table, reference] : draft.schema().References(altered.name))
    draft.TakeTree(table->name, LockMode::kAccessExclusive);
  if (by_default != nullptr && command.change == TableChange::kDetachPartition)
    draft.Take(by_default->name, LockMode::kAccessExclusive);
}

}  // namespace pgalter::locks
