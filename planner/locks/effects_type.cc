#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using Change = ast::AlterDomain::Change;
using ast::ConstraintKind;

struct Use {
  const catalog::Table* table = nullptr;
  const catalog::Column* column = nullptr;
};

// Columns of the domain, of domains over it, and of tables below those tables.
std::vector<Use> Uses(const catalog::Schema& schema, const QualifiedName& domain) {
  std::vector<Use> uses;
  for (const auto& [table, column] : schema.ColumnsOfType(domain)) uses.push_back({table, column});
  return uses;
}

// Each table that uses it is read under a lock that stops its writers. That holds for VALIDATE,
// too: domains have no way around it.
void ScanUsers(const QualifiedName& domain, Reason reason, const std::string& subject,
               Draft& draft) {
  for (const Use& use : Uses(draft.schema(), domain)) {
    if (use.table->kind != catalog::TableKind::kTable &&
        use.table->kind != catalog::TableKind::kMaterializedView)
      continue;
    draft.Take(use.table->name, LockMode::kShare);
    draft.Do(Work::Kind::kScan, use.table->name, reason, subject);
  }
}

void RefuseUnknown(const ast::AlterDomain& alter, Draft& draft) {
  if (!draft.schema().complete()) return;
  ast::TypeName type;
  type.schema = alter.name.schema.value_or("");
  type.name = alter.name.name;
  if (draft.schema().FindDomain(type) == nullptr)
    draft.Refuse(Refusal::kUnknownObject, Show(alter.name),
                 "there is no domain " + Show(alter.name));
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
    for (const auto& [table, column] : draft.schema().ColumnsOfType(alter.name))
      draft.Refuse(Refusal::kDependants, Show(alter.name),
                   "column " + column->name + " of " + Show(table->name) + " has that type");
  }
}

}  // namespace pgalter::locks
