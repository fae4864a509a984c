#include <algorithm>
#include <array>

#include "planner/locks/alter.h"
#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

using ast::TableChange;
using ast::TableCommand;

enum class Reach { kNone, kChildren };

struct ChangeFacts {
  LockMode mode = LockMode::kAccessExclusive;
  Reach reach = Reach::kNone;
  int since = 13;
};

constexpr std::size_t kChanges = static_cast<std::size_t>(TableChange::kOther) + 1;

constexpr std::array<ChangeFacts, kChanges> kFacts = [] {
  std::array<ChangeFacts, kChanges> facts{};
#define PGALTER_TABLE_CHANGE(change, lock, reach, since) \
  facts[static_cast<std::size_t>(TableChange::change)] = {LockMode::lock, Reach::reach, since};
#include "planner/locks/facts/table_changes.def"
#undef PGALTER_TABLE_CHANGE
  return facts;
}();

const ChangeFacts& FactsOf(TableChange change) { return kFacts[static_cast<std::size_t>(change)]; }

// A new file for the table where it is not the one that it has.
void Move(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (altered.IsPartitioned() || !altered.HasStorage()) return;
  const bool tablespace = command.change == TableChange::kSetTablespace;
  const std::string standard = tablespace ? "pg_default" : "heap";
  std::string now;
  if (altered.table != nullptr)
    now = tablespace ? altered.table->tablespace : altered.table->access_method;
  if (!now.empty() && now == command.name) return;
  const bool default_known = altered.table != nullptr && altered.table->complete;
  if (now.empty() && command.name == standard && default_known) return;
  Work& work = draft.Do(Work::Kind::kRewrite, altered.name,
                        tablespace ? Reason::kTablespace : Reason::kAccessMethod, command.name);
  if (now.empty() && command.name == standard)
    Doubt(work, "whether " + Show(altered.name) + " is in " + standard + " already is not known");
}

// A logged table cannot point at one that is not.
void RefuseLostReference(ast::Persistence wanted, const Altered& altered, Draft& draft) {
  const auto refuse = [&](const catalog::Table& other, const catalog::Constraint& key,
                          const char* what) {
    if (!other.complete || other.persistence == wanted || other.name == altered.name) return;
    draft.Refuse(Refusal::kOther, Show(altered.name),
                 std::string(what) + Show(other.name) + ", by foreign key " + key.name);
  };
  if (wanted == ast::Persistence::kUnlogged) {
    for (const auto& [other, key] : draft.schema().References(altered.name))
      refuse(*other, *key, "it cannot be unlogged while it is referred to by the logged table ");
    return;
  }
  for (const catalog::Constraint& key : altered.table->constraints)
    if (key.definition.foreign_key)
      if (const auto* other = draft.schema().FindTable(key.definition.foreign_key->target))
        refuse(*other, key, "it cannot be logged while it refers to the unlogged table ");
}

void SetPersistence(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (altered.IsPartitioned()) {
    if (draft.version() >= 18)
      draft.Refuse(Refusal::kOther, Show(altered.name),
                   "SET LOGGED and SET UNLOGGED are refused on a partitioned table");
    return;
  }
  const auto wanted = command.change == TableChange::kSetLogged ? ast::Persistence::kPermanent
                                                                : ast::Persistence::kUnlogged;
  const bool known = altered.table != nullptr && altered.table->complete;
  if (known && altered.table->persistence == wanted) return;
  if (known) RefuseLostReference(wanted, altered, draft);
  draft.Do(Work::Kind::kRewrite, altered.name, Reason::kPersistence);
}

void Inherit(const TableCommand& command, Draft& draft) {
  if (!command.other) return;
  draft.Take(*command.other, command.change == TableChange::kInherit
                                 ? LockMode::kShareUpdateExclusive
                                 : LockMode::kAccessShare);
}

// The triggers of a partitioned table have their like on each partition.
void SwitchTrigger(const Altered& altered, Draft& draft) {
  if (altered.IsPartitioned() && !altered.table->triggers.empty())
    TakeOn(altered, draft, LockMode::kShareRowExclusive);
}

void DropNotNull(const TableCommand& command, const Altered& altered, Draft& draft) {
  const catalog::Constraint* key = altered.table == nullptr ? nullptr : altered.table->PrimaryKey();
  if (key == nullptr || altered.dropped_constraints.contains(key->name)) return;
  if (std::ranges::find(key->definition.columns, command.name) != key->definition.columns.end())
    draft.Refuse(Refusal::kOther, command.name,
                 command.name + " is part of the primary key of " + Show(altered.name));
}

void Apply(const TableCommand& command, const Altered& altered, Draft& draft) {
  switch (command.change) {
    case TableChange::kAddColumn:
      return AddColumn(command, altered, draft);
    case TableChange::kDropColumn:
      return DropColumn(command, altered, draft);
    case TableChange::kSetType:
      return SetType(command, altered, draft);
    case TableChange::kSetNotNull:
      return SetNotNull(command, altered, draft);
    case TableChange::kDropNotNull:
      return DropNotNull(command, altered, draft);
    case TableChange::kSetDefault:
      return SetDefault(command, altered, draft);
    case TableChange::kAddIdentity:
      return AddIdentity(command, altered, draft);
    case TableChange::kSetExpression:
      return SetExpression(command, altered, draft);
    case TableChange::kAddConstraint:
      if (command.constraint) AddConstraint(*command.constraint, altered, draft);
      return;
    case TableChange::kAlterConstraint:
      return AlterConstraint(command, altered, draft);
    case TableChange::kValidateConstraint:
      return ValidateConstraint(command, altered, draft);
    case TableChange::kDropConstraint:
      return DropConstraint(command, altered, draft);
    case TableChange::kSetLogged:
    case TableChange::kSetUnlogged:
      return SetPersistence(command, altered, draft);
    case TableChange::kSetTablespace:
    case TableChange::kSetAccessMethod:
      return Move(command, altered, draft);
    case TableChange::kInherit:
    case TableChange::kNoInherit:
      return Inherit(command, draft);
    case TableChange::kEnableTrigger:
    case TableChange::kDisableTrigger:
      return SwitchTrigger(altered, draft);
    case TableChange::kAttachPartition:
      return AttachPartition(command, altered, draft);
    case TableChange::kDetachPartition:
    case TableChange::kDetachPartitionConcurrently:
    case TableChange::kDetachPartitionFinalize:
      return DetachPartition(command, altered, draft);
    default:
      return;
  }
}

// Of the table itself. A foreign key is the one constraint that is added with less.
LockMode ModeOf(const TableCommand& command, const Altered& altered) {
  const bool foreign_key = command.change == TableChange::kAddConstraint && command.constraint &&
                           command.constraint->kind == ast::ConstraintKind::kForeignKey;
  if (foreign_key) return LockMode::kShareRowExclusive;
  const bool options =
      command.change == TableChange::kSetOptions || command.change == TableChange::kResetOptions;
  // Whether it counts as a catalog decides how every writer logs its rows.
  if (options && command.options.contains("user_catalog_table")) return LockMode::kAccessExclusive;
  const bool view = altered.table != nullptr && altered.table->kind == catalog::TableKind::kView;
  if (options && view) return LockMode::kAccessExclusive;
  return FactsOf(command.change).mode;
}

void TakeFor(const TableCommand& command, const Altered& altered, Draft& draft) {
  const LockMode mode = ModeOf(command, altered);
  const Reach reach = FactsOf(command.change).reach;
  if (reach == Reach::kChildren) {
    TakeOn(altered, draft, mode);
  } else {
    draft.Take(altered.name, mode);
  }
}

// Later versions parse this; before them it is a syntax error.
void CheckVersion(const TableCommand& command, Draft& draft) {
  const int since = FactsOf(command.change).since;
  if (draft.version() < since)
    draft.Refuse(Refusal::kVersion, command.name,
                 "this form of ALTER TABLE needs PostgreSQL " + std::to_string(since));
}

bool IsAboutColumn(TableChange change) {
  switch (change) {
    case TableChange::kSetType:
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
    case TableChange::kSetNotNull:
    case TableChange::kDropNotNull:
    case TableChange::kAddIdentity:
    case TableChange::kSetIdentity:
    case TableChange::kDropIdentity:
    case TableChange::kSetExpression:
    case TableChange::kDropExpression:
    case TableChange::kSetStatistics:
    case TableChange::kSetStorage:
    case TableChange::kSetCompression:
    case TableChange::kSetColumnOptions:
    case TableChange::kResetColumnOptions:
      return true;
    default:
      return false;
  }
}

// Whether there is a column to work on, as far as anybody knows.
bool FindColumn(const TableCommand& command, const Altered& altered, Draft& draft) {
  if (!IsAboutColumn(command.change) || altered.table == nullptr || !altered.table->complete)
    return true;
  if (altered.FindColumn(command.name) != nullptr || altered.added_columns.contains(command.name))
    return true;
  draft.Refuse(Refusal::kUnknownObject, command.name,
               Show(altered.name) + " has no column " + command.name);
  return false;
}

bool IsIndex(const ast::AlterTable& alter, const catalog::Schema& schema) {
  if (alter.kind == ast::RelationKind::kIndex) return true;
  return alter.kind == ast::RelationKind::kTable && schema.FindTable(alter.name) == nullptr &&
         schema.FindIndex(alter.name) != nullptr;
}

}  // namespace

void Form(const ast::AlterTable& alter, Draft& draft) {
  if (IsIndex(alter, draft.schema())) return AlterIndex(alter, draft);
  Altered altered;
  altered.name = draft.schema().Resolve(alter.name);
  altered.table = draft.schema().FindTable(alter.name);
  altered.only = alter.only;
  if (altered.table == nullptr && draft.schema().complete()) {
    if (!alter.if_exists)
      draft.Refuse(Refusal::kUnknownObject, Show(altered.name),
                   "there is no relation " + Show(altered.name));
    return;
  }
  for (const TableCommand& command : alter.commands) {
    if (command.change == TableChange::kDropConstraint)
      altered.dropped_constraints.insert(command.name);
    if (command.change == TableChange::kSetType) altered.retyped_columns.insert(command.name);
    if (command.column && altered.FindColumn(command.column->name) == nullptr)
      altered.added_columns.insert(command.column->name);
  }
  for (std::size_t i = 0; i < alter.commands.size(); ++i) {
    draft.SetCommand(static_cast<int>(i));
    CheckVersion(alter.commands[i], draft);
    TakeFor(alter.commands[i], altered, draft);
    if (FindColumn(alter.commands[i], altered, draft)) Apply(alter.commands[i], altered, draft);
  }
}

Work* WorkOn(const Altered& altered, Draft& draft, Work::Kind kind, Reason reason,
             std::string subject) {
  if (!altered.HasStorage()) return nullptr;
  if (!altered.only) return draft.DoTree(kind, altered.name, reason, std::move(subject));
  if (altered.IsPartitioned()) return nullptr;
  return &draft.Do(kind, altered.name, reason, std::move(subject));
}

void TakeOn(const Altered& altered, Draft& draft, LockMode mode) {
  if (altered.only) {
    draft.Take(altered.name, mode);
  } else {
    draft.TakeTree(altered.name, mode);
  }
}

}  // namespace pgalter::locks
