#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using ast::ObjectKind;

void RenameRelation(const ast::Rename& rename, Draft& draft) {
  const catalog::Table* table = draft.schema().FindTable(rename.name);
  const catalog::Table* of_index = draft.schema().TableOfIndex(rename.name);
  const bool index = rename.kind == ObjectKind::kIndex || (table == nullptr && of_index != nullptr);
  if (index) {
    // ALTER INDEX lets the index be used meanwhile; ALTER TABLE on the same does not.
    const bool as_index = rename.relation == ast::RelationKind::kIndex;
    draft.TakeIndex(rename.name,
                    as_index ? LockMode::kShareUpdateExclusive : LockMode::kAccessExclusive);
    return;
  }
  draft.Take(rename.name, LockMode::kAccessExclusive);
  const QualifiedName placed{draft.schema().Resolve(rename.name).schema, rename.new_name};
  if (placed.schema && draft.schema().FindTable(placed) != nullptr)
    draft.Refuse(Refusal::kExists, rename.new_name,
                 "there is a relation " + rename.new_name + " already");
}

void RenameColumn(const ast::Rename& rename, Draft& draft) {
  draft.TakeTree(rename.name, LockMode::kAccessExclusive);
  const catalog::Table* table = draft.schema().FindTable(rename.name);
  if (table == nullptr) return;
  if (table->FindColumn(rename.new_name) != nullptr)
    draft.Refuse(Refusal::kExists, rename.new_name,
                 Show(table->name) + " has a column " + rename.new_name + " already");
  if (table->complete && table->FindColumn(rename.part) == nullptr)
    draft.Refuse(Refusal::kUnknownObject, rename.part,
                 Show(table->name) + " has no column " + rename.part);
}

bool IsRelation(ObjectKind kind) {
  return kind == ObjectKind::kTable || kind == ObjectKind::kIndex || kind == ObjectKind::kView ||
         kind == ObjectKind::kMaterializedView || kind == ObjectKind::kForeignTable ||
         kind == ObjectKind::kSequence;
}

bool Refused(const QualifiedName& name, bool if_exists, Draft& draft) {
  const catalog::Schema& schema = draft.schema();
  if (!schema.complete() || schema.FindTable(name) != nullptr ||
      schema.TableOfIndex(name) != nullptr)
    return false;
  if (!if_exists)
    draft.Refuse(Refusal::kUnknownObject, Show(name), "there is no relation " + Show(name));
  return true;
}

}  // namespace

void Form(const ast::Rename& rename, Draft& draft) {
  if (IsRelation(rename.kind)) {
    if (!Refused(rename.name, rename.if_exists, draft)) RenameRelation(rename, draft);
    return;
  }
  switch (rename.kind) {
    case ObjectKind::kColumn:
      return RenameColumn(rename, draft);
    case ObjectKind::kAttribute:
      for (const catalog::Table* table : draft.schema().TypedTables(rename.name))
        draft.Take(table->name, LockMode::kAccessExclusive);
      return;
    case ObjectKind::kConstraint:
      return draft.TakeTree(rename.name, LockMode::kAccessExclusive);
    case ObjectKind::kTrigger:
    case ObjectKind::kRule:
    case ObjectKind::kPolicy:
      return draft.Take(rename.name, LockMode::kAccessExclusive);
    default:
      return;
  }
}

void Form(const ast::SetSchema& move, Draft& draft) {
  if (!IsRelation(move.kind) || Refused(move.name, move.if_exists, draft)) return;
  draft.Take(move.name, LockMode::kAccessExclusive);
}

}  // namespace pgalter::locks
