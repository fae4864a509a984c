#include <algorithm>

#include "planner/locks/allowed.h"
#include "planner/locks/alter.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;
using ast::TableCommand;
using catalog::Truth;

constexpr int kNotNullIsConstraint = 18;  // the version since which it has a name and is inherited

bool IsNull(const ast::Constraint* by_default) {
  return by_default == nullptr || (by_default->expression && by_default->expression->is_null);
}

const ast::Expression* DomainDefault(const ast::TypeName& type, const catalog::Schema& schema) {
  const catalog::Domain* domain = schema.FindDomain(type);
  const bool known = domain != nullptr && domain->has_default && domain->default_value;
  return known ? &*domain->default_value : nullptr;
}

bool DomainHasDefault(const ast::TypeName& type, const catalog::Schema& schema) {
  const catalog::Domain* domain = schema.FindDomain(type);
  return domain != nullptr && domain->has_default;
}

// A value of its own for every row there is, or a check of each: the table is written anew.
class Rewrites {
 public:
  Rewrites(const ast::ColumnDefinition& column, const Altered& altered, Draft& draft)
      : column_(column), altered_(altered), draft_(draft) {}

  void Find() {
    if (IsSerial(column_.type)) Add(Reason::kSerialColumn);
    if (column_.Find(ConstraintKind::kIdentity) != nullptr) Add(Reason::kIdentityColumn);
    if (column_.Find(ConstraintKind::kGeneratedStored) != nullptr) Add(Reason::kGeneratedColumn);
    FindDefault();
    const Truth domain = IsConstrainedDomain(column_.type, draft_.schema());
    if (domain == Truth::kNo) return;
    Work* work = Add(Reason::kConstrainedDomain);
    if (work != nullptr && domain == Truth::kUnknown)
      Doubt(*work, "whether " + ToString(column_.type) + " is a domain with a CHECK is not known");
  }

 private:
  void FindDefault() {
    const ast::Constraint* given = column_.Find(ConstraintKind::kDefault);
    const ast::Expression* value = nullptr;
    if (given != nullptr) {
      if (given->expression) value = &*given->expression;
    } else {
      value = DomainDefault(column_.type, draft_.schema());
    }
    if (value == nullptr) return;
    const VolatilityVerdict verdict = JudgeVolatility(*value, draft_.schema());
    if (verdict.is_volatile == Truth::kNo) return;
    Work* work = Add(Reason::kVolatileDefault);
    if (work != nullptr && verdict.is_volatile == Truth::kUnknown)
      Doubt(*work, "whether " + verdict.function + "() is volatile is not known");
  }

  Work* Add(Reason reason) {
    return WorkOn(altered_, draft_, Work::Kind::kRewrite, reason, column_.name);
  }

  const ast::ColumnDefinition& column_;
  const Altered& altered_;
  Draft& draft_;
};

bool HasValue(const ast::ColumnDefinition& column, const catalog::Schema& schema) {
  if (IsSerial(column.type)) return true;
  if (column.Find(ConstraintKind::kIdentity) != nullptr) return true;
  if (column.Find(ConstraintKind::kGeneratedStored) != nullptr) return true;
  if (column.Find(ConstraintKind::kGeneratedVirtual) != nullptr) return true;
  if (const ast::Constraint* given = column.Find(ConstraintKind::kDefault)) return !IsNull(given);
  return DomainHasDefault(column.type, schema);
}

bool IsRequired(const ast::ColumnDefinition& column) {
  return column.Find(ConstraintKind::kNotNull) != nullptr ||
         column.Find(ConstraintKind::kPrimaryKey) != nullptr;
}

// A table without rows takes it.
void RequireValue(const ast::ColumnDefinition& column, const Altered& altered, Draft& draft) {
  if (!IsRequired(column) || HasValue(column, draft.schema()) || !altered.HasStorage()) return;
  if (altered.table != nullptr && altered.table->rows == 0) return;
  if (draft.schema().IsNew(altered.name)) return;
  const catalog::Domain* domain = draft.schema().FindDomain(column.type);
  const bool unknown =
      domain == nullptr && IsConstrainedDomain(column.type, draft.schema()) == Truth::kUnknown;
  draft.Refuse(Refusal::kRequiredColumn, column.name,
               "the rows that " + Show(altered.name) + " has would hold NULL in " + column.name,
               unknown ? Certainty::kPossible : Certainty::kCertain);
}

void InlineConstraint(const ast::ColumnDefinition& column, ast::Constraint constraint,
                      const Altered& altered, Draft& draft) {
  if (constraint.columns.empty()) constraint.columns = {column.name};
  switch (constraint.kind) {
    case ConstraintKind::kForeignKey:
      // The server checks no rows where each of them holds NULL, and knows it from there being no
      // DEFAULT at all; DEFAULT NULL is one.
      if (column.Find(ConstraintKind::kDefault) == nullptr && !IsSerial(column.type) &&
          column.Find(ConstraintKind::kIdentity) == nullptr &&
          column.Find(ConstraintKind::kGeneratedStored) == nullptr)
        constraint.not_valid = true;
      return AddConstraint(constraint, altered, draft, Written::kWithColumn);
    case ConstraintKind::kCheck:
    case ConstraintKind::kUnique:
    case ConstraintKind::kExclude:
    case ConstraintKind::kPrimaryKey:
      return AddConstraint(constraint, altered, draft);
    case ConstraintKind::kNotNull:
      if (column.Find(ConstraintKind::kGeneratedVirtual) != nullptr)
        WorkOn(altered, draft, Work::Kind::kScan, Reason::kNotNull, column.name);
      return;
    case ConstraintKind::kGeneratedVirtual:
      return draft.Needs(18, "a VIRTUAL generated column");
    default:
      return;
  }
}

void RefuseChanging(const ast::ColumnDefinition& column, const Altered& altered, Draft& draft) {
  const ast::Constraint* made = column.Find(ConstraintKind::kGeneratedStored);
  if (made == nullptr) made = column.Find(ConstraintKind::kGeneratedVirtual);
  if (made == nullptr || !made->expression || altered.table == nullptr) return;
  if (const auto why = WhyNotImmutable(*made->expression, altered.table->columns, draft.schema()))
    draft.Refuse(Refusal::kOther, column.name, *why + ", so no column can be generated with it");
}

}  // namespace

void AddColumn(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!command.column) return;
  const ast::ColumnDefinition& column = *command.column;
  const catalog::Column* there = altered.FindColumn(column.name);
  if (there != nullptr) {
    if (!command.if_exists)
      draft.Refuse(Refusal::kExists, column.name,
                   Show(altered.name) + " has a column " + column.name + " already");
    return;
  }
  if (altered.only && !draft.schema().Children(altered.name).empty())
    draft.Refuse(Refusal::kOther, column.name,
                 "the tables below " + Show(altered.name) + " must get the column as well");
  Rewrites(column, altered, draft).Find();
  RequireValue(column, altered, draft);
  RefuseChanging(column, altered, draft);
  // A CHECK is looked at with the constraints.
  RefuseAtColumn(column, draft);
  for (const ast::Constraint& constraint : column.constraints)
    InlineConstraint(column, constraint, altered, draft);
}

void SetNotNull(const TableCommand& command, const Altered& altered, Draft& draft) {
  // ONLY: the partitions are asked whether they have it already.
  const catalog::Column* column = altered.FindColumn(command.name);
  const bool done = column != nullptr && column->not_null;
  if (altered.only && !done && draft.version() >= kNotNullIsConstraint &&
      !draft.schema().Children(altered.name).empty())
    draft.Refuse(Refusal::kOther, command.name,
                 "the tables below " + Show(altered.name) + " must get the constraint as well");
  if (altered.only && altered.IsPartitioned() && !done)
    draft.TakeTree(altered.name, LockMode::kAccessExclusive);
  ScanForNotNull(altered, draft, command.name);
}

void SetDefault(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!command.expression) return;
  RefuseForbidden(*command.expression, Place::kDefault, command.name, draft);
  const catalog::Column* column = altered.FindColumn(command.name);
  if (column != nullptr && column->known && !altered.retyped_columns.contains(command.name))
    RefuseUnfitDefault(*command.expression, column->type, command.name, draft);
}

void AddIdentity(const TableCommand& command, const Altered& altered, Draft& draft) {
  const catalog::Column* column = altered.FindColumn(command.name);
  if (column == nullptr || !column->known) return;
  if (!column->not_null)
    draft.Refuse(Refusal::kOther, command.name,
                 command.name + " must be NOT NULL before it becomes an identity column");
  if (column->has_default)
    draft.Refuse(Refusal::kOther, command.name, command.name + " has a default");
}

void SetExpression(const TableCommand& command, const Altered& altered, Draft& draft) {
  const catalog::Column* column = altered.FindColumn(command.name);
  const bool known = column != nullptr && column->known;
  if (known && column->generated_virtual) return;
  Work* work =
      WorkOn(altered, draft, Work::Kind::kRewrite, Reason::kGenerationExpression, command.name);
  // Before 18 there are only stored ones.
  if (work != nullptr && !known && draft.version() >= 18)
    Doubt(*work, "whether " + command.name + " is STORED or VIRTUAL is not known");
}

}  // namespace pgalter::locks
