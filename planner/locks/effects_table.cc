#include <algorithm>
#include <set>

#include "planner/locks/allowed.h"
#include "planner/locks/alter.h"
#include "planner/locks/bound.h"
#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;

void TakeReferenced(const ast::Constraint& constraint, ast::Persistence persistence,
                    const QualifiedName& own, Draft& draft) {
  if (!constraint.foreign_key) return;
  const QualifiedName& target = constraint.foreign_key->target;
  if (draft.schema().Placed(target) == own) return;
  RequireTarget(constraint, persistence, draft);
  TakeTarget(target, draft, LockMode::kShareRowExclusive);
}

// Two primary keys, or a key of columns that are not there.
void RefuseContradictions(const ast::CreateTable& create, Draft& draft) {
  std::set<std::string> columns;
  int keys = 0;
  const auto count = [&](const ast::Constraint& constraint) {
    if (constraint.kind == ConstraintKind::kPrimaryKey) ++keys;
  };
  for (const ast::ColumnDefinition& column : create.columns) {
    columns.insert(column.name);
    std::ranges::for_each(column.constraints, count);
  }
  std::ranges::for_each(create.constraints, count);
  if (keys > 1)
    draft.Refuse(Refusal::kOther, Show(create.name),
                 Show(create.name) + " gets more than one primary key");
  const bool all_written = create.inherits.empty() && create.like.empty() && !create.partition_of &&
                           create.of_type.empty();
  if (!all_written) return;
  for (const ast::Constraint& constraint : create.constraints) {
    if (constraint.kind == ConstraintKind::kExclude) continue;
    for (const std::string& column : constraint.columns)
      if (!columns.contains(column))
        draft.Refuse(Refusal::kUnknownObject, column,
                     Show(create.name) + " has no column " + column);
  }
}

void BecomePartition(const ast::CreateTable& create, Draft& draft) {
  const QualifiedName& parent = *create.partition_of;
  draft.Take(parent, LockMode::kAccessExclusive);
  const catalog::Table* table = draft.schema().FindTable(parent);
  if (table != nullptr && table->kind != catalog::TableKind::kPartitioned)
    draft.Refuse(Refusal::kOther, Show(parent), Show(parent) + " is not partitioned");
  if (create.bound) {
    RefuseOverlap(parent, *create.bound, draft);
    ScanDefaultPartition(parent, *create.bound, draft);
  }
  if (table == nullptr) return;
  for (const catalog::Constraint& constraint : table->constraints)
    if (constraint.definition.foreign_key)
      TakeTarget(constraint.definition.foreign_key->target, draft, LockMode::kShareRowExclusive);
}

void CheckVersion(const ast::CreateTable& create, Draft& draft) {
  const auto check = [&](const ast::Constraint& constraint) {
    if (constraint.kind == ConstraintKind::kGeneratedVirtual)
      draft.Needs(18, "a VIRTUAL generated column");
    if (constraint.not_enforced) draft.Needs(18, "NOT ENFORCED");
    if (constraint.without_overlaps) draft.Needs(18, "WITHOUT OVERLAPS");
    if (constraint.nulls_not_distinct) draft.Needs(15, "NULLS NOT DISTINCT");
  };
  for (const ast::ColumnDefinition& column : create.columns)
    for (const ast::Constraint& constraint : column.constraints) check(constraint);
  for (const ast::Constraint& constraint : create.constraints) check(constraint);
}

}  // namespace

void Form(const ast::CreateTable& create, Draft& draft) {
  const QualifiedName own = draft.schema().Placed(create.name);
  if (create.persistence != ast::Persistence::kTemporary) {
    if (create.if_not_exists && draft.schema().FindTable(own) != nullptr) return;
    if (!create.if_not_exists) RefuseTaken(create.name, draft);
  }
  CheckVersion(create, draft);
  RefuseContradictions(create, draft);
  for (const ast::ColumnDefinition& column : create.columns) RefuseAtColumn(column, draft);
  for (const ast::Constraint& constraint : create.constraints)
    RefuseInConstraint(constraint, Show(create.name), draft);
  for (const ast::ColumnDefinition& column : create.columns)
    for (const ast::Constraint& constraint : column.constraints)
      TakeReferenced(constraint, create.persistence, own, draft);
  for (const ast::Constraint& constraint : create.constraints)
    TakeReferenced(constraint, create.persistence, own, draft);
  for (const QualifiedName& parent : create.inherits)
    draft.Take(parent, LockMode::kShareUpdateExclusive);
  for (const QualifiedName& like : create.like) draft.Take(like, LockMode::kAccessShare);
  if (create.partition_of) BecomePartition(create, draft);
}

void Form(const ast::CreateTableAs& create, Draft& draft) {
  if (create.persistence != ast::Persistence::kTemporary && !create.if_not_exists)
    RefuseTaken(create.name, draft);
  for (const QualifiedName& table : create.reads) {
    draft.TakeTree(table, LockMode::kAccessShare);
    if (!create.with_data) continue;
    if (Work* work = draft.DoTree(Work::Kind::kScan, table, Reason::kRows))
      Doubt(*work, "how much of the table is read is the planner's choice");
  }
}

}  // namespace pgalter::locks
