#include "planner/locks/forms.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using Change = ast::AlterDomain::Change;
using ast::ConstraintKind;

struct Use {
  const catalog::Table* table = nullptr;
  const catalog::Column* column = nullptr;
};

// Columns of the domain, and of domains over it.
std::vector<Use> Uses(const catalog::Schema& schema, const QualifiedName& name) {
  const catalog::Domain* wanted = schema.FindDomain({name.schema.value_or(""), name.name, {}, 0});
  std::vector<Use> uses;
  if (wanted == nullptr) {
    for (const auto& [table, column] : schema.ColumnsOfType(name)) uses.push_back({table, column});
    return uses;
  }
  const auto rests_on = [&](ast::TypeName at) {
    at.array_dimensions = 0;
    for (int depth = 0; depth < kDeepestDomain; ++depth) {
      const catalog::Domain* domain = schema.FindDomain(at);
      if (domain == nullptr) return false;
      if (domain == wanted) return true;
      at = domain->base;
    }
    return false;
  };
  for (const auto& [key, table] : schema.tables())
    for (const catalog::Column& column : table.columns)
      if (rests_on(column.type)) uses.push_back({&table, &column});
  return uses;
}

// Each table that uses it is read under a lock that stops its writers. That holds for VALIDATE,
// too: domains have no way around it.
void ScanUsers(const QualifiedName& domain, Reason reason, const std::string& subject,
               Draft& draft) {
  for (const Use& use : Uses(draft.schema(), domain)) {
    if (use.column->type.array_dimensions != 0) {
      draft.Refuse(Refusal::kOther, Show(domain),
                   "column " + use.column->name + " of " + Show(use.table->name) +
                       " is an array of it, whose values the server cannot check");
      continue;
    }
    if (use.table->kind != catalog::TableKind::kTable &&
        use.table->kind != catalog::TableKind::kMaterializedView)
      continue;
    draft.Take(use.table->name, LockMode::kShare);
    draft.Do(Work::Kind::kScan, use.table->name, reason, subject);
  }
}

bool IsNotNull(const QualifiedName& name, const catalog::Schema& schema) {
  const catalog::Domain* domain = schema.FindDomain({name.schema.value_or(""), name.name, {}, 0});
  return domain != nullptr && domain->not_null;
}

void RefuseUnknown(const ast::AlterDomain& alter, Draft& draft) {
  if (!draft.schema().complete()) return;
  if (draft.schema().FindDomain({alter.name.schema.value_or(""), alter.name.name, {}, 0}) ==
      nullptr)
    draft.Refuse(Refusal::kUnknownObject, Show(alter.name),
                 "there is no domain " + Show(alter.name));
}

// The attribute is a column of every table that is made of the type.
void RewriteTyped(const QualifiedName& name, const ast::TableCommand& command, Draft& draft) {
  for (const catalog::Table* table : draft.schema().TypedTables(name)) {
    const catalog::Column* column = table->FindColumn(command.name);
    TypeChange change = TypeChange::kUnknown;
    if (column != nullptr && command.type)
      change = JudgeTypeChange(BaseOf(column->type, draft.schema()),
                               BaseOf(*command.type, draft.schema()), draft.version());
    if (change == TypeChange::kNothing || change == TypeChange::kIndexRebuild) continue;
    Work* work = draft.DoTree(Work::Kind::kRewrite, table->name, Reason::kTypeChange, command.name);
    if (work != nullptr && change == TypeChange::kUnknown)
      Doubt(*work, "the types of " + Show(table->name) + "." + command.name + " are not known");
  }
}

}  // namespace

void Form(const ast::AlterDomain& alter, Draft& draft) {
  RefuseUnknown(alter, draft);
  switch (alter.change) {
    case Change::kAddConstraint: {
      if (!alter.constraint) return;
      const bool not_null = alter.constraint->kind == ConstraintKind::kNotNull;
      if (not_null) draft.Needs(17, "ADD CONSTRAINT … NOT NULL of a domain");
      if (!alter.constraint->not_valid)
        ScanUsers(alter.name, Reason::kDomainConstraint, alter.constraint->name, draft);
      return;
    }
    case Change::kSetNotNull:
      if (IsNotNull(alter.name, draft.schema())) return;
      return ScanUsers(alter.name, Reason::kDomainConstraint, "NOT NULL", draft);
    case Change::kValidateConstraint:
      return ScanUsers(alter.name, Reason::kDomainConstraint, alter.constraint_name, draft);
    case Change::kSetDefault:
    case Change::kDropDefault:
    case Change::kDropNotNull:
    case Change::kDropConstraint:
      return;
  }
}

void Form(const ast::AlterComposite& alter, Draft& draft) {
  for (const catalog::Table* table : draft.schema().TypedTables(alter.name)) {
    if (alter.cascade) {
      draft.TakeTree(table->name, LockMode::kAccessExclusive);
    } else {
      draft.Refuse(Refusal::kDependants, Show(alter.name),
                   Show(table->name) + " is made of it: CASCADE alters it as well");
    }
  }
  for (const ast::TableCommand& command : alter.commands) {
    if (command.change != ast::TableChange::kSetType) continue;
    if (alter.cascade) RewriteTyped(alter.name, command, draft);
    for (const auto& [table, column] : draft.schema().ColumnsOfType(alter.name))
      draft.Refuse(Refusal::kDependants, Show(alter.name),
                   "column " + column->name + " of " + Show(table->name) + " has that type");
  }
}

}  // namespace pgalter::locks
