#include <algorithm>

#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

constexpr int kGrantLocks = 18;  // the version since which GRANT opens the table

bool SameType(const ast::TypeName& one, const ast::TypeName& other) {
  return one.name == other.name && one.modifiers == other.modifiers &&
         (one.array_dimensions > 0) == (other.array_dimensions > 0);
}

// CREATE OR REPLACE VIEW keeps the columns there are, in their order, and adds to them.
void RefuseOtherColumns(const ast::CreateView& create, const catalog::Table& view, Draft& draft) {
  const std::vector<catalog::ViewOutput> made = draft.schema().OutputsOf(create);
  if (made.empty()) return;
  std::vector<catalog::ViewOutput> known = view.view_outputs;
  if (view.complete)
    for (const catalog::Column& column : view.columns) known.push_back({column.name, column.type});
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto& [name, type] = known[i];
    if (i >= made.size() || made[i].name != name) {
      draft.Refuse(Refusal::kOther, name,
                   "CREATE OR REPLACE VIEW cannot drop, rename or move column " + name + " of " +
                       Show(view.name));
      return;
    }
    if (!type || !made[i].type || SameType(*type, *made[i].type)) continue;
    draft.Refuse(Refusal::kOther, name,
                 "CREATE OR REPLACE VIEW cannot give column " + name + " of " + Show(view.name) +
                     " another type: " + ToString(*type) + " is " + ToString(*made[i].type) +
                     " here");
    return;
  }
}

}  // namespace

void Form(const ast::CreateView& create, Draft& draft) {
  if (!create.replace && !create.temporary) RefuseTaken(create.name, draft);
  if (const auto* view = create.replace ? draft.schema().FindTable(create.name) : nullptr) {
    draft.Take(create.name, LockMode::kAccessExclusive);
    RefuseOtherColumns(create, *view, draft);
  }
  for (const QualifiedName& table : create.reads) draft.Take(table, LockMode::kAccessShare);
}

void Form(const ast::CreateTrigger& create, Draft& draft) {
  if (create.replace) draft.Needs(14, "CREATE OR REPLACE TRIGGER");
  const catalog::Table* table = draft.schema().FindTable(create.table);
  const bool taken = table != nullptr &&
                     std::ranges::find(table->triggers, create.name, &catalog::Trigger::name) !=
                         table->triggers.end();
  if (taken && !create.replace)
    draft.Refuse(Refusal::kExists, create.name,
                 Show(table->name) + " has a trigger " + create.name + " already");
  if (table != nullptr && table->kind == catalog::TableKind::kPartitioned && create.row) {
    draft.TakeTree(create.table, LockMode::kShareRowExclusive);
  } else {
    draft.Take(create.table, LockMode::kShareRowExclusive);
  }
}

void Form(const ast::CreateRule& create, Draft& draft) {
  draft.Take(create.table, LockMode::kAccessExclusive);
  for (const QualifiedName& table : create.reads) draft.Take(table, LockMode::kAccessShare);
}

void Form(const ast::Policy& policy, Draft& draft) {
  draft.Take(policy.table, LockMode::kAccessExclusive);
  const catalog::Table* known = draft.schema().FindTable(policy.table);
  if (policy.create && known != nullptr &&
      std::ranges::find(known->policies, policy.name) != known->policies.end())
    draft.Refuse(Refusal::kExists, policy.name,
                 Show(known->name) + " has a policy " + policy.name + " already");
  for (const QualifiedName& table : policy.reads) draft.Take(table, LockMode::kAccessShare);
}

void Form(const ast::CreateStatistics& create, Draft& draft) {
  if (create.name.empty()) draft.Needs(16, "CREATE STATISTICS without a name");
  draft.Take(create.table, LockMode::kShareUpdateExclusive);
}

void Form(const ast::Grant& grant, Draft& draft) {
  if (draft.version() < kGrantLocks || grant.kind != ast::ObjectKind::kTable ||
      grant.default_privileges || grant.role_membership || grant.all_in_schema)
    return;
  for (const QualifiedName& table : grant.objects) draft.Take(table, LockMode::kAccessShare);
}

void Form(const ast::CommentOn& comment, Draft& draft) {
  switch (comment.kind) {
    case ast::ObjectKind::kTable:
    case ast::ObjectKind::kColumn:
    case ast::ObjectKind::kView:
    case ast::ObjectKind::kMaterializedView:
    case ast::ObjectKind::kForeignTable:
      return draft.Take(comment.name, LockMode::kShareUpdateExclusive);
    case ast::ObjectKind::kIndex:
      return draft.TakeIndex(comment.name, LockMode::kShareUpdateExclusive);
    case ast::ObjectKind::kConstraint:
    case ast::ObjectKind::kTrigger:
    case ast::ObjectKind::kRule:
    case ast::ObjectKind::kPolicy:
      return draft.Take(comment.name, LockMode::kAccessShare);
    default:
      return;
  }
}

void Form(const ast::Publication& publication, Draft& draft) {
  // It makes a slot on the other side, which no rollback takes back.
  if (publication.subscription && publication.create) draft.SetOutsideTransaction();
  for (const QualifiedName& name : publication.tables) {
    const catalog::Table* table = draft.schema().FindTable(name);
    const bool partitioned = table != nullptr && table->kind == catalog::TableKind::kPartitioned;
    // Partitions follow their parent without being listed.
    if (partitioned) {
      draft.Take(name, LockMode::kShareUpdateExclusive);
    } else {
      draft.TakeTree(name, LockMode::kShareUpdateExclusive);
    }
  }
}

void Form(const ast::Sequence& sequence, Draft& draft) {
  const bool temporary = sequence.name.schema == "pg_temp";
  if (sequence.create && !sequence.if_not_exists && !temporary) RefuseTaken(sequence.name, draft);
  if (sequence.owner_table) draft.Take(*sequence.owner_table, LockMode::kAccessShare);
}

}  // namespace pgalter::locks
