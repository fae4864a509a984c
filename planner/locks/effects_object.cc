#include <algorithm>
#include <array>
#include <string_view>

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

// SELECT total: the name is the column's.
bool IsPlainOutput(const ast::CreateView& create, const sql::ColumnUse& use) {
  return std::ranges::any_of(create.outputs, [&](const ast::ViewColumn& output) {
    return output.name == use.name && output.column && output.column->name == use.name;
  });
}

bool IsOfEveryTable(const std::string& column) {
  constexpr std::array<std::string_view, 6> kSystem = {"tableoid", "ctid", "xmin",
                                                       "xmax",     "cmin", "cmax"};
  return std::ranges::find(kSystem, column) != kSystem.end();
}

struct Source {
  const catalog::Table* table = nullptr;
  std::string name;  // by which columns name it
};

// Columns that no table has, of what is known whole.
void RefuseUnknownUses(const std::vector<sql::ColumnUse>& uses, const std::vector<Source>& from,
                       Draft& draft) {
  const auto known = [](const Source& source) {
    return source.table != nullptr && source.table->complete;
  };
  if (from.empty() || !std::ranges::all_of(from, known)) return;
  for (const sql::ColumnUse& use : uses) {
    if (use.whole_row || use.name.empty() || IsOfEveryTable(use.name)) continue;
    const auto is_named = [&](const Source& source) { return source.name == use.name; };
    if (std::ranges::any_of(from, is_named)) continue;
    const auto has = [&](const Source& source) {
      return (use.qualifier.empty() || use.qualifier == source.name) &&
             source.table->FindColumn(use.name) != nullptr;
    };
    const auto meant = [&](const Source& source) { return use.qualifier == source.name; };
    if (std::ranges::any_of(from, has)) continue;
    if (!use.qualifier.empty() && std::ranges::none_of(from, meant)) continue;
    draft.Refuse(Refusal::kUnknownObject, use.name,
                 "no table that is read has a column " + use.name);
    return;
  }
}

void RefuseUnknownUses(const ast::CreateView& create, Draft& draft) {
  std::vector<Source> from;
  for (const ast::FromTable& item : create.from)
    from.push_back(
        {draft.schema().FindTable(item.table), item.alias.empty() ? item.table.name : item.alias});
  // ORDER BY and GROUP BY may use the names of the view's own columns.
  std::vector<sql::ColumnUse> uses = create.columns;
  std::erase_if(uses, [&](const sql::ColumnUse& use) {
    return use.qualifier.empty() &&
           std::ranges::find(create.outputs, use.name, &ast::ViewColumn::name) !=
               create.outputs.end() &&
           !IsPlainOutput(create, use);
  });
  RefuseUnknownUses(uses, from, draft);
}

}  // namespace

void Form(const ast::CreateView& create, Draft& draft) {
  if (!create.replace && !create.temporary) RefuseTaken(create.name, draft);
  if (const auto* view = create.replace ? draft.schema().FindTable(create.name) : nullptr) {
    draft.Take(create.name, LockMode::kAccessExclusive);
    RefuseOtherColumns(create, *view, draft);
  }
  RefuseUnknownUses(create, draft);
  for (const QualifiedName& table : create.reads) draft.Take(table, LockMode::kAccessShare);
}

void Form(const ast::CreateTrigger& create, Draft& draft) {
  if (create.replace) draft.Needs(14, "CREATE OR REPLACE TRIGGER");
  if (create.when_has_subquery)
    draft.Refuse(Refusal::kOther, create.name,
                 "a subquery cannot stand in the condition of a trigger");
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
  // A subquery has columns of its own.
  if (policy.reads.empty()) RefuseUnknownUses(policy.columns, {{known, policy.table.name}}, draft);
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

namespace {

// The relation, and the column, trigger or whatever of it that the comment is about.
void RequireCommented(const ast::CommentOn& comment, Draft& draft) {
  const catalog::Table* table = draft.schema().FindTable(comment.name);
  if (table == nullptr) {
    const ast::TypeName type{comment.name.schema.value_or(""), comment.name.name, {}, 0};
    if (draft.schema().complete() && draft.schema().FindType(type) == nullptr)
      draft.Refuse(Refusal::kUnknownObject, Show(comment.name),
                   "there is no relation " + Show(comment.name));
    return;
  }
  if (comment.kind == ast::ObjectKind::kColumn) RefuseUnknownColumn(*table, comment.part, draft);
  // Of NOT NULL constraints the names are not followed.
  if (comment.kind == ast::ObjectKind::kConstraint && table->complete && draft.version() < 18 &&
      table->FindConstraint(comment.part) == nullptr)
    draft.Refuse(Refusal::kUnknownObject, comment.part,
                 Show(table->name) + " has no constraint " + comment.part);
}

}  // namespace

void Form(const ast::CommentOn& comment, Draft& draft) {
  switch (comment.kind) {
    case ast::ObjectKind::kTable:
    case ast::ObjectKind::kColumn:
    case ast::ObjectKind::kView:
    case ast::ObjectKind::kMaterializedView:
    case ast::ObjectKind::kForeignTable:
      RequireCommented(comment, draft);
      return draft.Take(comment.name, LockMode::kShareUpdateExclusive);
    case ast::ObjectKind::kIndex:
      return draft.TakeIndex(comment.name, LockMode::kShareUpdateExclusive);
    case ast::ObjectKind::kConstraint:
      RequireCommented(comment, draft);
      return draft.Take(comment.name, LockMode::kAccessShare);
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
  if (sequence.create && !sequence.if_not_exists) RefuseTaken(sequence.name, draft);
  if (sequence.owner_table) draft.Take(*sequence.owner_table, LockMode::kAccessShare);
}

}  // namespace pgalter::locks
