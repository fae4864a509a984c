#include <algorithm>
#include <optional>

#include "planner/locks/allowed.h"
#include "planner/locks/alter.h"

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;
using ast::TableCommand;

std::string SubjectOf(const ast::Constraint& constraint) {
  if (!constraint.name.empty()) return constraint.name;
  std::string columns;
  for (const std::string& column : constraint.columns)
    columns += (columns.empty() ? "" : ", ") + column;
  return columns;
}

// The version since which what is below is locked like the table, needed or not.
constexpr int kLocksBelow = 18;

bool ReadsRows(const ast::Constraint& constraint) {
  return !constraint.not_valid && !constraint.not_enforced;
}

// The columns must be a key there.
void RequireTargetKey(const ast::Constraint& constraint, Draft& draft) {
  const ast::ForeignKey& key = *constraint.foreign_key;
  const catalog::Table* target = draft.schema().FindTable(key.target);
  if (target == nullptr) {
    if (draft.schema().complete())
      draft.Refuse(Refusal::kUnknownObject, Show(key.target),
                   "there is no table " + Show(key.target));
    return;
  }
  if (!target->complete) return;
  if (key.target_columns.empty()) {
    if (target->PrimaryKey() == nullptr)
      draft.Refuse(Refusal::kOther, Show(key.target),
                   Show(key.target) + " has no primary key to point at");
    return;
  }
  const std::set<std::string> wanted(key.target_columns.begin(), key.target_columns.end());
  const auto fits = [&](const catalog::Index& index) {
    if (!index.unique || index.where) return false;
    std::set<std::string> columns;
    for (const ast::IndexColumn& column : index.columns) columns.insert(column.column);
    return columns == wanted;
  };
  if (constraint.without_overlaps || std::ranges::any_of(target->indexes, fits)) return;
  draft.Refuse(Refusal::kOther, Show(key.target),
               "no unique key of " + Show(key.target) + " has just these columns");
}

// Temporary tables and others cannot point at one another; what is logged needs what is logged.
void RequireLastingTarget(ast::Persistence persistence, const catalog::Table& target,
                          Draft& draft) {
  using ast::Persistence;
  const bool fits = persistence == Persistence::kUnlogged
                        ? target.persistence != Persistence::kTemporary
                        : target.persistence == persistence;
  if (fits || !target.complete) return;
  const auto word = [](Persistence one) {
    if (one == Persistence::kTemporary) return "temporary";
    return one == Persistence::kUnlogged ? "unlogged" : "permanent";
  };
  draft.Refuse(Refusal::kOther, Show(target.name),
               std::string("a ") + word(persistence) + " table cannot point at " +
                   Show(target.name) + ", which is " + word(target.persistence));
}

// Every partition has the same foreign key, checked: the parent takes it over without a scan.
bool PartitionsHaveIt(const ast::Constraint& constraint, const Altered& altered,
                      const catalog::Schema& schema) {
  const auto same = [&](const catalog::Constraint& other) {
    const auto& key = other.definition;
    return other.valid && key.foreign_key && key.columns == constraint.columns &&
           schema.Resolve(key.foreign_key->target) ==
               schema.Resolve(constraint.foreign_key->target);
  };
  const auto parts = Descendants(schema, altered.name);
  return !parts.empty() && std::ranges::all_of(parts, [&](const catalog::Table* part) {
    return part->kind == catalog::TableKind::kPartitioned ||
           std::ranges::any_of(part->constraints, same);
  });
}

void AddForeignKey(const ast::Constraint& constraint, Written written, const Altered& altered,
                   Draft& draft) {
  if (!constraint.foreign_key) return;
  const QualifiedName& target = constraint.foreign_key->target;
  std::optional<ast::Persistence> persistence;
  if (altered.table != nullptr && altered.table->complete) persistence = altered.table->persistence;
  RequireTarget(constraint, persistence, draft);
  if (altered.IsPartitioned()) {
    if (constraint.not_valid && written == Written::kByItself && draft.version() < 18)
      draft.Refuse(Refusal::kNotValidOnPartitioned, SubjectOf(constraint),
                   "a foreign key of a partitioned table cannot be NOT VALID before PostgreSQL 18");
    TakeOn(altered, draft, LockMode::kShareRowExclusive);
    if (PartitionsHaveIt(constraint, altered, draft.schema())) {
      TakeTarget(target, draft, LockMode::kAccessExclusive);
      return;
    }
  }
  TakeTarget(target, draft, LockMode::kShareRowExclusive);
  if (!ReadsRows(constraint)) return;
  WorkOn(altered, draft, Work::Kind::kScan, Reason::kForeignKey, SubjectOf(constraint));
  // For no rows nothing is looked up.
  if (draft.schema().Resolve(target) != altered.name && !draft.schema().IsNew(altered.name))
    draft.DoTree(Work::Kind::kScan, target, Reason::kForeignKey, SubjectOf(constraint));
}

std::string_view Unfit(const catalog::Index& index) {
  if (!index.unique) return "it is not unique";
  if (!index.valid) return "it is not valid";
  if (index.constraint) return "a constraint has it already";
  if (index.where) return "it is partial";
  for (const ast::IndexColumn& column : index.columns) {
    if (column.column.empty()) return "it has an expression";
    if (column.descending || column.nulls_first) return "it is not in the default order";
  }
  return {};
}

void UseIndex(const ast::Constraint& constraint, const Altered& altered, Draft& draft) {
  const QualifiedName name{altered.name.schema, constraint.using_index};
  if (altered.IsPartitioned()) {
    draft.Refuse(Refusal::kUsingIndexOnPartitioned, constraint.using_index,
                 "USING INDEX is refused on a partitioned table");
    return;
  }
  draft.TakeIndex(name, LockMode::kShareUpdateExclusive);
  const catalog::Index* index =
      altered.table == nullptr ? nullptr : altered.table->FindIndex(constraint.using_index);
  if (index == nullptr) {
    if (altered.table != nullptr && altered.table->complete)
      draft.Refuse(Refusal::kUnknownObject, constraint.using_index,
                   Show(altered.name) + " has no index " + constraint.using_index);
    if (constraint.kind != ConstraintKind::kPrimaryKey) return;
    Work* work =
        WorkOn(altered, draft, Work::Kind::kScan, Reason::kNotNull, constraint.using_index);
    if (work != nullptr)
      Doubt(*work,
            "whether the columns of " + constraint.using_index + " are NOT NULL is not known");
    return;
  }
  if (const std::string_view why = Unfit(*index); !why.empty()) {
    draft.Refuse(Refusal::kUsingIndexUnfit, constraint.using_index,
                 constraint.using_index + " cannot become a constraint: " + std::string(why));
    return;
  }
  if (constraint.kind != ConstraintKind::kPrimaryKey) return;
  for (const ast::IndexColumn& column : index->columns)
    ScanForNotNull(altered, draft, column.column);
}

// A unique index over partitions must be able to tell from the key which one to look in.
void RequirePartitionKey(const ast::Constraint& constraint, const Altered& altered, Draft& draft) {
  if (!altered.IsPartitioned() || !altered.table->partition_by) return;
  for (const std::string& column : altered.table->partition_by->columns) {
    if (!column.empty() &&
        std::ranges::find(constraint.columns, column) != constraint.columns.end())
      continue;
    draft.Refuse(Refusal::kOther, SubjectOf(constraint),
                 "a unique key of a partitioned table must have every column of its partition key");
    return;
  }
}

void AddKey(const ast::Constraint& constraint, const Altered& altered, Draft& draft,
            Reason reason) {
  if (constraint.not_valid) {
    draft.Refuse(Refusal::kNotValidUnsupported, SubjectOf(constraint),
                 "only CHECK, NOT NULL and foreign keys can be NOT VALID");
    return;
  }
  const bool primary = constraint.kind == ConstraintKind::kPrimaryKey;
  if (primary && altered.table != nullptr && altered.table->PrimaryKey() != nullptr &&
      !altered.dropped_constraints.contains(altered.table->PrimaryKey()->name))
    draft.Refuse(Refusal::kExists, SubjectOf(constraint),
                 Show(altered.name) + " has a primary key already");
  if (constraint.nulls_not_distinct && draft.version() < 15) draft.Needs(15, "NULLS NOT DISTINCT");
  if (!constraint.using_index.empty()) return UseIndex(constraint, altered, draft);
  if (altered.IsPartitioned()) {
    RequirePartitionKey(constraint, altered, draft);
    // NOT NULL takes more of the partitions than the index does.
    const bool strict = primary || draft.version() >= kLocksBelow;
    TakeOn(altered, draft, strict ? LockMode::kAccessExclusive : LockMode::kShare);
  }
  WorkOn(altered, draft, Work::Kind::kBuild, reason, SubjectOf(constraint));
  if (!primary) return;
  for (const std::string& column : constraint.columns)
    if (!altered.added_columns.contains(column)) ScanForNotNull(altered, draft, column);
}

// CHECK, and the referencing columns of a foreign key. A column may be added beside it.
void RequireColumns(const ast::Constraint& constraint, const Altered& altered, Draft& draft) {
  if (altered.table == nullptr) return;
  const auto require = [&](const std::string& column) {
    if (!altered.added_columns.contains(column)) RefuseUnknownColumn(*altered.table, column, draft);
  };
  if (constraint.kind == ConstraintKind::kForeignKey)
    for (const std::string& column : constraint.columns) require(column);
  if (constraint.kind != ConstraintKind::kCheck || !constraint.expression) return;
  // The table's own name there is the whole row.
  for (const sql::ColumnUse& use : constraint.expression->facts.columns)
    if (!use.whole_row && use.qualifier.empty() && use.name != altered.name.name &&
        use.name != "tableoid")
      require(use.name);
}

void RefuseTakenName(const ast::Constraint& constraint, const Altered& altered, Draft& draft) {
  if (constraint.name.empty() || altered.table == nullptr ||
      altered.dropped_constraints.contains(constraint.name))
    return;
  if (altered.table->FindConstraint(constraint.name) != nullptr)
    draft.Refuse(Refusal::kExists, constraint.name,
                 Show(altered.name) + " has a constraint " + constraint.name + " already");
}

}  // namespace

void RequireTarget(const ast::Constraint& constraint, std::optional<ast::Persistence> persistence,
                   Draft& draft) {
  if (!constraint.foreign_key) return;
  const QualifiedName& name = constraint.foreign_key->target;
  const catalog::Table* target = draft.schema().FindTable(name);
  if (target != nullptr && target->kind != catalog::TableKind::kTable &&
      target->kind != catalog::TableKind::kPartitioned) {
    draft.Refuse(Refusal::kOther, Show(name), Show(name) + " is not a table");
    return;
  }
  if (target != nullptr && persistence) RequireLastingTarget(*persistence, *target, draft);
  RequireTargetKey(constraint, draft);
}

void TakeTarget(const QualifiedName& target, Draft& draft, LockMode mode) {
  draft.Take(target, mode);
  const catalog::Table* table = draft.schema().FindTable(target);
  if (table != nullptr && table->kind == catalog::TableKind::kPartitioned)
    draft.TakeTree(target, mode);
}

void AddConstraint(const ast::Constraint& constraint, const Altered& altered, Draft& draft,
                   Written written) {
  RefuseTakenName(constraint, altered, draft);
  RefuseInConstraint(constraint, SubjectOf(constraint), draft);
  RequireColumns(constraint, altered, draft);
  if (constraint.not_enforced) draft.Needs(18, "NOT ENFORCED");
  if (constraint.without_overlaps) draft.Needs(18, "WITHOUT OVERLAPS");
  switch (constraint.kind) {
    case ConstraintKind::kCheck: {
      if (!constraint.no_inherit || draft.version() >= kLocksBelow)
        TakeOn(altered, draft, LockMode::kAccessExclusive);
      if (!ReadsRows(constraint)) return;
      Altered own = altered;
      own.only = altered.only || constraint.no_inherit;
      WorkOn(own, draft, Work::Kind::kScan, Reason::kCheck, SubjectOf(constraint));
      return;
    }
    case ConstraintKind::kNotNull:
      draft.Needs(18, "a NOT NULL constraint of the table");
      if (!constraint.no_inherit) TakeOn(altered, draft, LockMode::kAccessExclusive);
      if (!ReadsRows(constraint)) return;
      for (const std::string& column : constraint.columns) ScanForNotNull(altered, draft, column);
      return;
    case ConstraintKind::kForeignKey:
      return AddForeignKey(constraint, written, altered, draft);
    case ConstraintKind::kPrimaryKey:
      return AddKey(constraint, altered, draft, Reason::kPrimaryKey);
    case ConstraintKind::kUnique:
      return AddKey(constraint, altered, draft, Reason::kUnique);
    case ConstraintKind::kExclude:
      return AddKey(constraint, altered, draft, Reason::kExclusion);
    default:
      return;
  }
}

void AlterConstraint(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!command.constraint || !command.constraint->enforced) return;
  draft.Needs(18, "ALTER CONSTRAINT … ENFORCED");
  const catalog::Constraint* found =
      altered.table == nullptr ? nullptr : altered.table->FindConstraint(command.name);
  if (found != nullptr && !found->definition.not_enforced) return;
  WorkOn(altered, draft, Work::Kind::kScan, Reason::kForeignKey, command.name);
  if (found == nullptr || !found->definition.foreign_key) return;
  const QualifiedName& target = found->definition.foreign_key->target;
  TakeTarget(target, draft, LockMode::kShareRowExclusive);
  if (draft.schema().Resolve(target) != altered.name)
    draft.DoTree(Work::Kind::kScan, target, Reason::kForeignKey, command.name);
}

void ValidateConstraint(const TableCommand& command, const Altered& altered, Draft& draft) {
  const catalog::Constraint* found =
      altered.table == nullptr ? nullptr : altered.table->FindConstraint(command.name);
  if (found == nullptr) {
    if (altered.table != nullptr && altered.table->complete) {
      draft.Refuse(Refusal::kUnknownObject, command.name,
                   Show(altered.name) + " has no constraint " + command.name);
      return;
    }
    draft.Do(Work::Kind::kScan, altered.name, Reason::kValidate, command.name);
    return;
  }
  if (found->valid) return;
  const bool foreign_key = found->definition.foreign_key.has_value();
  if (!foreign_key || altered.IsPartitioned())
    TakeOn(altered, draft, LockMode::kShareUpdateExclusive);
  WorkOn(altered, draft, Work::Kind::kScan, Reason::kValidate, command.name);
  if (!foreign_key) return;
  const QualifiedName& target = found->definition.foreign_key->target;
  draft.Take(target, LockMode::kRowShare);
  if (draft.schema().Resolve(target) != altered.name)
    draft.DoTree(Work::Kind::kScan, target, Reason::kValidate, command.name);
}

void DropConstraint(const TableCommand& command, const Altered& altered, Draft& draft) {
  const catalog::Constraint* found =
      altered.table == nullptr ? nullptr : altered.table->FindConstraint(command.name);
  if (found == nullptr) {
    if (altered.table != nullptr && altered.table->complete && !command.if_exists)
      draft.Refuse(Refusal::kUnknownObject, command.name,
                   Show(altered.name) + " has no constraint " + command.name);
    return;
  }
  if (!altered.only) TakeOn(altered, draft, LockMode::kAccessExclusive);
  if (found->definition.foreign_key)
    TakeTarget(found->definition.foreign_key->target, draft, LockMode::kAccessExclusive);
  const bool key = found->definition.kind == ConstraintKind::kPrimaryKey ||
                   found->definition.kind == ConstraintKind::kUnique;
  if (!key) return;
  for (const auto& [table, reference] : draft.schema().References(altered.name)) {
    const auto& columns = reference->definition.foreign_key->target_columns;
    const bool uses = columns.empty() ? found->definition.kind == ConstraintKind::kPrimaryKey
                                      : columns == found->definition.columns;
    if (!uses) continue;
    if (command.cascade) {
      draft.Take(table->name, LockMode::kAccessExclusive);
    } else {
      draft.Refuse(Refusal::kDependants, command.name,
                   "foreign key " + reference->name + " of " + Show(table->name) + " needs it");
    }
  }
}

}  // namespace pgalter::locks
