#include "planner/plan/inverse.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using ast::ObjectKind;
using ast::TableChange;
using sql::QuoteIdentifier;
using sql::ToString;

using Way = std::optional<Inverse>;

Way Run(std::string sql) { return Inverse{{std::move(sql)}, Transaction::kOwn, ""}; }
Way Nothing() { return Inverse{}; }
Way Stays(std::string what) { return Inverse{{}, Transaction::kOwn, std::move(what)}; }
Way NoWay() { return std::nullopt; }

// The words of ALTER and DROP.
std::string_view KindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kTable:
      return "TABLE";
    case ObjectKind::kIndex:
      return "INDEX";
    case ObjectKind::kView:
      return "VIEW";
    case ObjectKind::kMaterializedView:
      return "MATERIALIZED VIEW";
    case ObjectKind::kSequence:
      return "SEQUENCE";
    case ObjectKind::kForeignTable:
      return "FOREIGN TABLE";
    case ObjectKind::kType:
      return "TYPE";
    case ObjectKind::kDomain:
      return "DOMAIN";
    case ObjectKind::kSchema:
      return "SCHEMA";
    case ObjectKind::kStatistics:
      return "STATISTICS";
    default:
      return "";
  }
}

std::string_view KindName(ast::RelationKind kind) {
  switch (kind) {
    case ast::RelationKind::kTable:
      return "TABLE";
    case ast::RelationKind::kIndex:
      return "INDEX";
    case ast::RelationKind::kView:
      return "VIEW";
    case ast::RelationKind::kMaterializedView:
      return "MATERIALIZED VIEW";
    case ast::RelationKind::kSequence:
      return "SEQUENCE";
    case ast::RelationKind::kForeignTable:
      return "FOREIGN TABLE";
  }
  return "";
}

std::string Quoted(ObjectKind kind, const sql::QualifiedName& name) {
  return kind == ObjectKind::kSchema ? QuoteIdentifier(name.name) : ToString(name);
}

// One ALTER TABLE action.
class OfAction {
 public:
  OfAction(const Situation& situation, const ast::TableCommand& command)
      : situation_(situation), command_(command), table_(situation.Table()) {
    if (table_ != nullptr) column_ = table_->FindColumn(command.name);
  }
  Way Get() const;

 private:
  [[nodiscard]] Way Alter(const std::string& action) const {
    return Run(fmt::format("{} {}", situation_.head, action));
  }
  [[nodiscard]] Way AlterColumn(const std::string& action) const {
    return Alter(fmt::format("ALTER COLUMN {} {}", QuoteIdentifier(command_.name), action));
  }
  [[nodiscard]] Way OfAddedColumn() const;
  [[nodiscard]] Way OfAddedConstraint() const;
  [[nodiscard]] Way OfDroppedConstraint() const;
  [[nodiscard]] Way OfDefault() const;
  [[nodiscard]] Way OfRowSecurity(bool before) const;

  const Situation& situation_;
  const ast::TableCommand& command_;
  const catalog::Table* table_;
  const catalog::Column* column_ = nullptr;
};

Way OfAction::OfAddedColumn() const {
  const bool known = table_ != nullptr && table_->complete;
  if (command_.if_exists && !known) return NoWay();
  if (command_.if_exists && table_->FindColumn(command_.column->name) != nullptr) return Nothing();
  return Alter("DROP COLUMN IF EXISTS " + QuoteIdentifier(command_.column->name));
}

Way OfAction::OfAddedConstraint() const {
  // With the constraint an index would go that was there before.
  if (!command_.constraint || !command_.constraint->using_index.empty()) return NoWay();
  const catalog::Schema after = situation_.After();
  const auto added = NewConstraints(situation_.schema, after, situation_.TableName());
  if (added.size() != 1) return NoWay();
  return Alter("DROP CONSTRAINT IF EXISTS " + QuoteIdentifier(added.front()->name));
}

Way OfAction::OfDroppedConstraint() const {
  const catalog::Constraint* dropped =
      table_ == nullptr ? nullptr : table_->FindConstraint(command_.name);
  if (dropped == nullptr || command_.cascade || situation_.IsPartitioned()) return NoWay();
  const ast::Constraint& definition = dropped->definition;
  std::string text;
  if (definition.kind == ConstraintKind::kCheck && definition.expression) {
    text = fmt::format("CHECK ({}){}", definition.expression->text,
                       definition.no_inherit ? " NO INHERIT" : "");
  } else if (definition.foreign_key) {
    text = ForeignKeyText(definition);
  } else {
    return NoWay();
  }
  const std::string name = QuoteIdentifier(dropped->name);
  Inverse inverse;
  inverse.transaction = Transaction::kNone;
  // After a crash between two of these all are run again.
  inverse.sql = {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", situation_.head, name),
                 fmt::format("{} ADD CONSTRAINT {} {} NOT VALID", situation_.head, name, text)};
  if (dropped->valid)
    inverse.sql.push_back(fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}",
                                      ToString(situation_.TableName()), name));
  return inverse;
}

Way OfAction::OfDefault() const {
  if (column_ == nullptr) return NoWay();
  if (!column_->has_default) return AlterColumn("DROP DEFAULT");
  if (column_->default_value.empty()) return NoWay();
  return AlterColumn("SET DEFAULT " + column_->default_value);
}

Way OfAction::OfRowSecurity(bool before) const {
  if (table_ == nullptr || !table_->complete) return NoWay();
  if (table_->row_security != before) return Nothing();
  return Alter(before ? "ENABLE ROW LEVEL SECURITY" : "DISABLE ROW LEVEL SECURITY");
}

Way OfAction::Get() const {
  switch (command_.change) {
    case TableChange::kAddColumn:
      return OfAddedColumn();
    case TableChange::kAddConstraint:
      return OfAddedConstraint();
    case TableChange::kDropConstraint:
      return OfDroppedConstraint();
    case TableChange::kValidateConstraint:
      return Nothing();
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
      return OfDefault();
    case TableChange::kSetNotNull:
      if (column_ == nullptr || !column_->known) return NoWay();
      return column_->not_null ? Nothing() : AlterColumn("DROP NOT NULL");
    case TableChange::kDropNotNull:
      if (column_ == nullptr || !column_->known) return NoWay();
      return column_->not_null ? NotNullAgain(situation_, command_.name) : Nothing();
    case TableChange::kAddIdentity:
      return AlterColumn("DROP IDENTITY IF EXISTS");
    case TableChange::kSetStatistics:
      if (column_ == nullptr || !table_->complete) return Stays("the statistics target");
      return AlterColumn("SET STATISTICS " +
                         (column_->statistics.empty() ? "-1" : column_->statistics));
    case TableChange::kSetStorage:
    case TableChange::kSetCompression:
    case TableChange::kSetColumnOptions:
    case TableChange::kResetColumnOptions:
    case TableChange::kSetOptions:
    case TableChange::kResetOptions:
    case TableChange::kClusterOn:
    case TableChange::kSetWithoutCluster:
      return Stays("the setting");
    case TableChange::kOwner:
      if (table_ == nullptr || table_->owner.empty()) return NoWay();
      return Alter("OWNER TO " + QuoteIdentifier(table_->owner));
    case TableChange::kEnableRowSecurity:
      return OfRowSecurity(false);
    case TableChange::kDisableRowSecurity:
      return OfRowSecurity(true);
    case TableChange::kAttachPartition:
      return Alter("DETACH PARTITION " + ToString(*command_.other));
    case TableChange::kInherit:
      return Alter("NO INHERIT " + ToString(*command_.other));
    default:
      return NoWay();
  }
}

// Everything that is not ALTER TABLE.
class OfStatement {
 public:
  explicit OfStatement(const Situation& situation) : situation_(situation) {}

  Way operator()(const ast::CreateTable& made) const {
    return Drop(made.foreign ? "FOREIGN TABLE" : "TABLE", made.name, made.if_not_exists);
  }
  Way operator()(const ast::CreateTableAs& made) const {
    return Drop(made.materialized_view ? "MATERIALIZED VIEW" : "TABLE", made.name,
                made.if_not_exists);
  }
  Way operator()(const ast::CreateIndex& made) const {
    if (made.name.empty()) return NoWay();
    return Drop("INDEX", Beside(made.table, made.name), made.if_not_exists);
  }
  Way operator()(const ast::CreateView& made) const {
    if (made.temporary) return Nothing();
    const bool there = Known(made.name) || !situation_.schema.complete();
    return made.replace && there ? NoWay() : Run("DROP VIEW IF EXISTS " + ToString(made.name));
  }
  Way operator()(const ast::CreateTrigger& made) const {
    const catalog::Table* table = situation_.schema.FindTable(made.table);
    const bool there = table == nullptr || !table->complete ||
                       std::ranges::find(table->triggers, made.name, &catalog::Trigger::name) !=
                           table->triggers.end();
    if (made.replace && there) return NoWay();
    return Run(DropOn("TRIGGER", made.name, made.table));
  }
  Way operator()(const ast::CreateFunction& made) const {
    // By its name alone, so only where no other has it.
    const auto& functions = situation_.schema.functions();
    if (!situation_.schema.complete() || functions.contains(made.name.name)) return NoWay();
    return Run(fmt::format("DROP {} IF EXISTS {}", made.procedure ? "PROCEDURE" : "FUNCTION",
                           ToString(made.name)));
  }
  Way operator()(const ast::CreateRule& made) const {
    return made.replace ? NoWay() : Run(DropOn("RULE", made.name, made.table));
  }
  Way operator()(const ast::Policy& policy) const {
    return policy.create ? Run(DropOn("POLICY", policy.name, policy.table)) : NoWay();
  }
  Way operator()(const ast::CreateType& made) const {
    return Run("DROP TYPE IF EXISTS " + ToString(made.name));
  }
  Way operator()(const ast::CreateDomain& made) const {
    return Run("DROP DOMAIN IF EXISTS " + ToString(made.name));
  }
  Way operator()(const ast::AlterDomain& alter) const {
    if (alter.change == ast::AlterDomain::Change::kValidateConstraint) return Nothing();
    if (alter.change != ast::AlterDomain::Change::kAddConstraint || !alter.constraint ||
        alter.constraint->name.empty())
      return NoWay();
    return Run(fmt::format("ALTER DOMAIN {} DROP CONSTRAINT IF EXISTS {}", ToString(alter.name),
                           QuoteIdentifier(alter.constraint->name)));
  }
  Way operator()(const ast::Sequence& sequence) const {
    return sequence.create ? Drop("SEQUENCE", sequence.name, sequence.if_not_exists) : NoWay();
  }
  Way operator()(const ast::CreateSchema& made) const {
    const auto there = situation_.schema.HasSchema(made.name);
    if (made.if_not_exists && there == catalog::Truth::kYes) return Nothing();
    if (made.if_not_exists && there == catalog::Truth::kUnknown) return NoWay();
    return Run("DROP SCHEMA IF EXISTS " + QuoteIdentifier(made.name));
  }
  Way operator()(const ast::Publication& made) const {
    if (!made.create || made.subscription) return NoWay();
    return Run("DROP PUBLICATION IF EXISTS " + QuoteIdentifier(made.name));
  }
  Way operator()(const ast::Extension& extension) const {
    // Another one may have made it long ago.
    if (!extension.create || extension.if_not_exists) return NoWay();
    return Run("DROP EXTENSION IF EXISTS " + QuoteIdentifier(extension.name));
  }
  Way operator()(const ast::Rename& rename) const;
  Way operator()(const ast::SetSchema& move) const;
  Way operator()(const ast::CommentOn& /*comment*/) const { return Stays("the comment"); }
  Way operator()(const ast::Vacuum& /*vacuum*/) const { return Nothing(); }
  Way operator()(const ast::Reindex& /*reindex*/) const { return Nothing(); }
  Way operator()(const ast::RefreshMaterializedView& /*refresh*/) const { return Nothing(); }
  Way operator()(const ast::LockTable& /*lock*/) const { return Nothing(); }
  template <class Other>
  Way operator()(const Other& /*other*/) const {
    return NoWay();
  }

 private:
  [[nodiscard]] bool Known(const sql::QualifiedName& name) const {
    return situation_.schema.FindTable(name) != nullptr ||
           situation_.schema.FindIndex(name) != nullptr;
  }
  [[nodiscard]] Way Drop(std::string_view kind, const sql::QualifiedName& name,
                         bool if_not_exists) const {
    if (if_not_exists && Known(name)) return Nothing();
    if (if_not_exists && !situation_.schema.complete()) return NoWay();
    return Run(fmt::format("DROP {} IF EXISTS {}", kind, ToString(name)));
  }
  [[nodiscard]] static std::string DropOn(std::string_view kind, const std::string& name,
                                          const sql::QualifiedName& table) {
    return fmt::format("DROP {} IF EXISTS {} ON {}", kind, QuoteIdentifier(name), ToString(table));
  }

  const Situation& situation_;
};

Way OfStatement::operator()(const ast::Rename& rename) const {
  const std::string from = QuoteIdentifier(rename.part);
  const std::string to = QuoteIdentifier(rename.new_name);
  const std::string table = ToString(rename.name);
  switch (rename.kind) {
    case ObjectKind::kColumn:
    case ObjectKind::kConstraint:
      return Run(fmt::format("ALTER {} {} RENAME {} {} TO {}", KindName(rename.relation), table,
                             rename.kind == ObjectKind::kColumn ? "COLUMN" : "CONSTRAINT", to,
                             from));
    case ObjectKind::kDomainConstraint:
      return Run(fmt::format("ALTER DOMAIN {} RENAME CONSTRAINT {} TO {}", table, to, from));
    case ObjectKind::kTrigger:
      return Run(fmt::format("ALTER TRIGGER {} ON {} RENAME TO {}", to, table, from));
    case ObjectKind::kRule:
      return Run(fmt::format("ALTER RULE {} ON {} RENAME TO {}", to, table, from));
    case ObjectKind::kPolicy:
      return Run(fmt::format("ALTER POLICY {} ON {} RENAME TO {}", to, table, from));
    case ObjectKind::kAttribute:
      return Run(fmt::format("ALTER TYPE {} RENAME ATTRIBUTE {} TO {}", table, to, from));
    default:
      break;
  }
  const std::string_view kind = KindName(rename.kind);
  if (kind.empty()) return NoWay();
  return Run(fmt::format("ALTER {} {} RENAME TO {}", kind,
                         Quoted(rename.kind, Beside(rename.name, rename.new_name)),
                         QuoteIdentifier(rename.name.name)));
}

Way OfStatement::operator()(const ast::SetSchema& move) const {
  const std::string_view kind = KindName(move.kind);
  const auto from = situation_.schema.Resolve(move.name).schema;
  if (kind.empty() || !from) return NoWay();
  const sql::QualifiedName moved{move.new_schema, move.name.name};
  return Run(
      fmt::format("ALTER {} {} SET SCHEMA {}", kind, ToString(moved), QuoteIdentifier(*from)));
}

// The table that a statement is about: what is made in the same script goes with its own step.
const sql::QualifiedName* TableOf(const ast::Statement& statement) {
  if (const auto* alter = statement.As<ast::AlterTable>()) return &alter->name;
  if (const auto* index = statement.As<ast::CreateIndex>()) return &index->table;
  if (const auto* trigger = statement.As<ast::CreateTrigger>()) return &trigger->table;
  if (const auto* policy = statement.As<ast::Policy>()) return &policy->table;
  if (const auto* rule = statement.As<ast::CreateRule>()) return &rule->table;
  if (const auto* rows = statement.As<ast::Modify>())
    return rows->within.empty() ? &rows->table : nullptr;
  if (const auto* comment = statement.As<ast::CommentOn>()) return &comment->name;
  return nullptr;
}

}  // namespace

Inverse NotNullAgain(const Situation& situation, const std::string& column) {
  const sql::QualifiedName& table = situation.TableName();
  const std::string alter =
      fmt::format("{} ALTER COLUMN {}", situation.head, QuoteIdentifier(column));
  catalog::Schema without = situation.schema;
  if (const auto drop = ast::ReadStatement(alter + " DROP NOT NULL")) without.Apply(*drop);
  const Situation then{situation.statement,   situation.text,    without,
                       situation.effects,     situation.version, situation.head,
                       situation.command_text};
  std::vector<Step> steps;
  ForbidNull(then, table, situation.head, {column}, steps);
  Inverse inverse;
  inverse.transaction = Transaction::kNone;
  // After a crash between two of these all are run again.
  if (!steps.empty()) inverse.sql = std::move(steps.front().undo);
  for (Step& step : steps) std::ranges::move(step.sql, std::back_inserter(inverse.sql));
  // A CHECK that is there proves it.
  if (inverse.sql.empty()) inverse.sql = {alter + " SET NOT NULL"};
  return inverse;
}

std::optional<Inverse> InverseOf(const Situation& situation) {
  const sql::QualifiedName* table = TableOf(situation.statement);
  if (table != nullptr && situation.schema.IsNew(*table)) return Nothing();
  const auto* alter = situation.statement.As<ast::AlterTable>();
  if (alter == nullptr) return std::visit(OfStatement(situation), situation.statement.body);
  const bool plain = alter->kind == ast::RelationKind::kTable && !situation.head.empty();
  if (!plain || alter->commands.size() != 1) return NoWay();
  return OfAction(situation, alter->commands.front()).Get();
}

}  // namespace pgalter::plan
