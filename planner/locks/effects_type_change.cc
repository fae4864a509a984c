#include <algorithm>
#include <optional>
#include <string_view>

#include "planner/locks/alter.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

using ast::ConstraintKind;
using ast::TableCommand;
using catalog::Truth;

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// col::type, or the column alone: what the server would write itself.
bool Restates(const ast::Expression& expression, const std::string& column,
              const ast::TypeName& type) {
  const auto& facts = expression.facts;
  if (facts.columns.size() != 1 || facts.columns[0].name != column || facts.columns[0].whole_row)
    return false;
  if (!facts.functions.empty() || !expression.literals.empty() || facts.has_subquery) return false;
  const std::string_view text = Trim(expression.text);
  if (expression.casts.empty()) return text == column || text == '"' + column + '"';
  if (expression.casts.size() != 1 || expression.casts[0] != type) return false;
  const auto cast = text.find("::");
  if (cast == std::string_view::npos) return text.starts_with("CAST") || text.starts_with("cast");
  const std::string_view before = Trim(text.substr(0, cast));
  if (before != column && before != '"' + column + '"') return false;
  return text.find_first_of("+-*/|&<>=%^~!", cast) == std::string_view::npos;
}

bool Mentions(const std::vector<std::string>& columns, const std::string& column) {
  return std::ranges::find(columns, column) != columns.end();
}

bool Mentions(const sql::ColumnUse& use, const std::string& column, const QualifiedName& table) {
  if (!use.whole_row && use.name != column) return false;
  return use.qualifier.empty() || use.qualifier == table.name;
}

bool Reads(const ast::Expression& expression, const std::string& column) {
  return std::ranges::any_of(expression.facts.columns, [&](const sql::ColumnUse& use) {
    return use.whole_row || use.name == column;
  });
}

// Between these two the rows stay in a session whose TimeZone is UTC, and nowhere else.
bool DependsOnTimeZone(const ast::TypeName& from, const ast::TypeName& to) {
  const bool pair = (from.name == "timestamp" && to.name == "timestamptz") ||
                    (from.name == "timestamptz" && to.name == "timestamp");
  if (!pair || from.array_dimensions != 0 || to.array_dimensions != 0) return false;
  ast::TypeName same = to;
  same.name = from.name;
  return JudgeTypeChange(from, same, 18) == TypeChange::kNothing;
}

// Of enums and other types that the schema has: all have a text form, and nothing else in common.
TypeChange JudgeOwnTypes(const ast::TypeName& from, const ast::TypeName& to,
                         const catalog::Schema& schema) {
  if (from.array_dimensions != 0 || to.array_dimensions != 0) return TypeChange::kUnknown;
  const auto is_text = [](const ast::TypeName& type) {
    return type.name == "text" || type.name == "varchar" || type.name == "bpchar";
  };
  if (schema.FindType(from) != nullptr && is_text(to)) return TypeChange::kRewrite;
  if (schema.FindType(to) != nullptr && is_text(from)) return TypeChange::kNeedsUsing;
  return TypeChange::kUnknown;
}

class Change {
 public:
  Change(const TableCommand& command, const Altered& altered, Draft& draft)
      : command_(command),
        altered_(altered),
        draft_(draft),
        column_(altered.FindColumn(command.name)) {}

  void Find() {
    if (!command_.type) return;
    RefuseUsed();
    LockForeignKeys();
    Judge();
    switch (verdict_) {
      case TypeChange::kRewrite:
      case TypeChange::kUnknown:
        Rewrite();
        break;
      case TypeChange::kNothing:
      case TypeChange::kIndexRebuild:
        Keep();
        break;
      case TypeChange::kNeedsUsing:
        draft_.Refuse(Refusal::kOther, command_.name,
                      "the server does not cast " + ToString(column_->type) + " to " +
                          ToString(*command_.type) + " by itself: it needs USING");
        break;
      case TypeChange::kImpossible:
        draft_.Refuse(
            Refusal::kOther, command_.name,
            "there is no cast from " + ToString(column_->type) + " to " + ToString(*command_.type));
        break;
    }
  }

 private:
  void Judge();
  void RefuseUsed();
  void RefuseRowTypeInUse();
  void RefuseView(const catalog::Table& view, const QualifiedName& read);
  void RefuseKeyOf(const catalog::Table& table, const std::string& detail);
  void LockForeignKeys();
  void Rewrite();
  void Keep();
  void KeepIndexes();
  void CheckForeignKeys();
  [[nodiscard]] bool CollationChanges() const;
  [[nodiscard]] bool Known() const { return column_ != nullptr && column_->known; }

  void RefuseUse(const std::string& detail) {
    draft_.Refuse(Refusal::kColumnInUse, command_.name, detail);
  }

  const TableCommand& command_;
  const Altered& altered_;
  Draft& draft_;
  const catalog::Column* column_;
  TypeChange verdict_ = TypeChange::kUnknown;
  std::string unknown_;
};

void Change::Judge() {
  const catalog::Schema& schema = draft_.schema();
  if (command_.expression && !Restates(*command_.expression, command_.name, *command_.type)) {
    verdict_ = TypeChange::kRewrite;
    return;
  }
  if (!Known()) {
    unknown_ = "the type of " + Show(altered_.name) + "." + command_.name + " is not known";
    return;
  }
  const catalog::Domain* to_domain = schema.FindDomain(*command_.type);
  const catalog::Domain* from_domain = schema.FindDomain(column_->type);
  if (to_domain != nullptr && to_domain != from_domain &&
      IsConstrainedDomain(*command_.type, schema) != Truth::kNo) {
    verdict_ = TypeChange::kRewrite;
    return;
  }
  const ast::TypeName from = BaseOf(column_->type, schema);
  const ast::TypeName to = BaseOf(*command_.type, schema);
  if (DependsOnTimeZone(from, to)) {
    unknown_ = "the rows stay only where TimeZone is UTC";
    return;
  }
  verdict_ = JudgeTypeChange(from, to, draft_.version());
  if (verdict_ == TypeChange::kUnknown) verdict_ = JudgeOwnTypes(from, to, schema);
  // USING writes the cast that the server would not make by itself.
  if (verdict_ == TypeChange::kNeedsUsing && command_.expression) verdict_ = TypeChange::kRewrite;
  if (verdict_ == TypeChange::kUnknown)
    unknown_ =
        "whether " + ToString(from) + " and " + ToString(to) + " are stored alike is not known";
}

void Change::RefuseView(const catalog::Table& view, const QualifiedName& read) {
  for (const sql::ColumnUse& use : view.view_columns) {
    if (!Mentions(use, command_.name, read)) continue;
    const bool kept = view.kind == catalog::TableKind::kMaterializedView;
    RefuseUse((kept ? "materialized view " : "view ") + Show(view.name) + " reads the column");
    return;
  }
}

void Change::RefuseKeyOf(const catalog::Table& table, const std::string& detail) {
  if (!table.partition_by) return;
  const bool plain = Mentions(table.partition_by->columns, command_.name);
  const bool inside = std::ranges::any_of(
      table.partition_by->expressions,
      [&](const ast::Expression& expression) { return Reads(expression, command_.name); });
  if (plain || inside) RefuseUse(detail);
}

// Of types that are made of it the server alone knows.
void Change::RefuseRowTypeInUse() {
  const QualifiedName& rows = altered_.table->name;
  for (const auto& [key, table] : draft_.schema().tables()) {
    if (table.kind == catalog::TableKind::kView) continue;
    for (const catalog::Column& column : table.columns) {
      if (!column.known || column.type.name != rows.name) continue;
      QualifiedName type{std::nullopt, column.type.name};
      if (!column.type.schema.empty()) type.schema = column.type.schema;
      if (draft_.schema().Resolve(type) == rows)
        draft_.Refuse(Refusal::kOther, command_.name,
                      "column " + column.name + " of " + Show(table.name) + " holds its rows");
    }
  }
}

void Change::RefuseUsed() {
  for (const catalog::Table* view : draft_.schema().Views(altered_.name))
    RefuseView(*view, altered_.name);
  if (altered_.table == nullptr) return;
  RefuseRowTypeInUse();
  const catalog::Table& table = *altered_.table;
  if (Mentions(table.policy_columns, command_.name)) RefuseUse("a policy reads the column");
  for (const catalog::Column& other : table.columns)
    if (Mentions(other.generated_from, command_.name))
      RefuseUse("generated column " + other.name + " is made from it");
  for (const catalog::Trigger& trigger : table.triggers)
    if (Mentions(trigger.columns, command_.name) || Mentions(trigger.columns_read, command_.name))
      RefuseUse("trigger " + trigger.name + " names the column");
  RefuseKeyOf(table, "it is part of the partition key");
  for (const catalog::Table* partition : Descendants(draft_.schema(), table.name)) {
    RefuseKeyOf(*partition, "it is part of the partition key of " + Show(partition->name));
    for (const catalog::Table* view : draft_.schema().Views(partition->name))
      RefuseView(*view, partition->name);
  }
  if (table.parent && !altered_.only)
    draft_.Refuse(Refusal::kOther, command_.name,
                  "the column comes from " + Show(*table.parent) + " and is altered there");
}

// The server takes the keys away and adds them again, in both tables, whatever becomes of the rows.
void Change::LockForeignKeys() {
  if (altered_.table != nullptr)
    for (const catalog::Constraint& constraint : altered_.table->constraints)
      if (constraint.definition.foreign_key &&
          Mentions(constraint.definition.columns, command_.name))
        TakeTarget(constraint.definition.foreign_key->target, draft_, LockMode::kAccessExclusive);
  for (const auto& [table, reference] : draft_.schema().References(altered_.name))
    if (Mentions(reference->definition.foreign_key->target_columns, command_.name))
      draft_.Take(table->name, LockMode::kAccessExclusive);
}

bool Change::CollationChanges() const {
  const auto effective = [](const std::string& collation) {
    return collation == "default" || collation == "pg_catalog.default" ? std::string() : collation;
  };
  return Known() && effective(command_.collation) != effective(column_->collation);
}

void Change::Rewrite() {
  Work* work = WorkOn(altered_, draft_, Work::Kind::kRewrite, Reason::kTypeChange, command_.name);
  if (work == nullptr) return;
  if (!unknown_.empty()) Doubt(*work, unknown_);
  if (verdict_ == TypeChange::kRewrite) CheckForeignKeys();
}

// New rows in an index mean that the comparison changed, and with it what the keys rest on.
void Change::Keep() {
  KeepIndexes();
  if (verdict_ == TypeChange::kIndexRebuild) CheckForeignKeys();
  if (altered_.table == nullptr) return;
  for (const catalog::Constraint& constraint : altered_.table->constraints) {
    if (constraint.definition.kind != ConstraintKind::kCheck || !constraint.valid) continue;
    if (!constraint.definition.expression ||
        !Reads(*constraint.definition.expression, command_.name))
      continue;
    WorkOn(altered_, draft_, Work::Kind::kScan, Reason::kTypeChangeCheck, constraint.name);
  }
}

void Change::KeepIndexes() {
  if (altered_.table == nullptr) return;
  const bool all = verdict_ == TypeChange::kIndexRebuild || CollationChanges();
  for (const catalog::Index& index : altered_.table->indexes) {
    if (!index.Mentions(command_.name)) continue;
    const bool expression = std::ranges::any_of(
        index.columns, [](const ast::IndexColumn& part) { return part.column.empty(); });
    if (all || index.where || expression)
      WorkOn(altered_, draft_, Work::Kind::kBuild, Reason::kTypeChangeIndex, index.name.name);
  }
  if (!all || altered_.table->complete) return;
  Work* work =
      WorkOn(altered_, draft_, Work::Kind::kBuild, Reason::kTypeChangeIndex, command_.name);
  if (work != nullptr) Doubt(*work, "whether " + command_.name + " has more indexes is not known");
}

void Change::CheckForeignKeys() {
  const auto check = [&](const QualifiedName& other, const std::string& name) {
    WorkOn(altered_, draft_, Work::Kind::kScan, Reason::kTypeChangeForeignKey, name);
    if (draft_.schema().Resolve(other) != altered_.name)
      draft_.DoTree(Work::Kind::kScan, other, Reason::kTypeChangeForeignKey, name);
  };
  if (altered_.table != nullptr)
    for (const catalog::Constraint& constraint : altered_.table->constraints)
      if (constraint.valid && constraint.definition.foreign_key &&
          Mentions(constraint.definition.columns, command_.name))
        check(constraint.definition.foreign_key->target, constraint.name);
  for (const auto& [table, reference] : draft_.schema().References(altered_.name))
    if (reference->valid &&
        Mentions(reference->definition.foreign_key->target_columns, command_.name))
      check(table->name, reference->name);
}

}  // namespace

void SetType(const TableCommand& command, const Altered& altered, Draft& draft) {
  Change(command, altered, draft).Find();
}

}  // namespace pgalter::locks
