#include "planner/plan/recipes/shadow_column.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "planner/plan/not_null_names.h"
#include "planner/plan/recipes/carry.h"
#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"
#include "planner/plan/recipes/index.h"
#include "planner/plan/recipes/rebuild.h"
#include "planner/plan/split.h"
#include "planner/plan/steps.h"
#include "planner/sql/requalify.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using sql::QuoteIdentifier;
using sql::ToString;

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

class Replacement {
 public:
  Replacement(const Situation& situation, const ShadowColumn& shadow)
      : situation_(situation),
        shadow_(shadow),
        table_(*situation.Table()),
        name_(situation.TableName()),
        head_("ALTER TABLE " + ToString(name_)),
        old_(QuoteIdentifier(shadow.column)),
        new_name_(MadeName("new", {{}, shadow.column}, "")),
        new_(QuoteIdentifier(new_name_)),
        moved_(table_.name.name, shadow.column, new_name_) {}

  Proposal Propose();

 private:
  [[nodiscard]] std::string WhyNot() const;
  [[nodiscard]] Proposal Rebuilt(const std::string& why) const;
  // A foreign key over the new column instead of the old one.
  [[nodiscard]] ast::Constraint Moved(ast::Constraint key) const {
    key.columns = moved_.In(std::move(key.columns));
    key.foreign_key->set_columns = moved_.In(std::move(key.foreign_key->set_columns));
    return key;
  }
  [[nodiscard]] std::string Temporary(const std::string& name) const {
    return MadeName("new", {{}, name}, "");
  }
  void KeepUp();
  void Fill();
  void MakeIndexes();
  void MakeChecks();
  void MakeForeignKeys();
  void MakeReferences();
  void Swap();
  void RenameConstraint(const std::string& from, const std::string& to) {
    finish_.push_back(fmt::format("{} RENAME CONSTRAINT {} TO {}", head_, QuoteIdentifier(from),
                                  QuoteIdentifier(to)));
  }

  const Situation& situation_;
  const ShadowColumn& shadow_;
  const catalog::Table& table_;
  const sql::QualifiedName& name_;
  std::string head_;
  std::string old_;
  std::string new_name_;
  std::string new_;
  ColumnNames moved_;  // to the new column
  std::string problem_;
  std::vector<std::string> locked_;  // other tables of the swap, as SQL
  Texts prepare_;                    // of the swap, before the old column goes
  Texts finish_;                     // after the new one has its name
  Proposal proposal_;
};

std::string Replacement::WhyNot() const {
  if (table_.kind == catalog::TableKind::kPartitioned || table_.parent)
    return "it is partitioned, or a partition";
  if (!table_.inherits.empty() || !situation_.schema.Children(table_.name).empty())
    return "other tables inherit from it, or it from them";
  if (!table_.of_type.empty()) return "it is a table of a type";
  if (table_.kind != catalog::TableKind::kTable) return "it is no table";
  return problem_;
}

void Replacement::KeepUp() {
  const std::string function = ToString(Beside(name_, MadeName("sync", name_, shadow_.column)));
  const auto value = sql::RequalifyColumns(shadow_.expression.empty() ? old_ : shadow_.expression,
                                           table_.name.name, "new");
  if (!value) {
    problem_ = "its USING expression cannot stand in a trigger";
    return;
  }
  // "zz": after the triggers that change the row.
  const std::string last = QuoteIdentifier("zz_" + MadeName("sync", {{}, shadow_.column}, ""));
  proposal_.steps.push_back(Ddl(
      Phase::kExpand,
      {fmt::format("{} ADD COLUMN {} {}", head_, new_, shadow_.type),
       fmt::format("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS $pgalter$ BEGIN "
                   "new.{} := {}; RETURN new; END $pgalter$",
                   function, new_, *value),
       fmt::format("CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION "
                   "{}()",
                   last, ToString(name_), function),
       fmt::format("{} ENABLE ALWAYS TRIGGER {}", head_, last)},
      {fmt::format("DROP TRIGGER IF EXISTS {} ON {}", last, ToString(name_)),
       fmt::format("DROP FUNCTION IF EXISTS {}()", function),
       fmt::format("{} DROP COLUMN IF EXISTS {}", head_, new_)},
      "Rows that are written from here on have both values."));
  prepare_.push_back(fmt::format("DROP TRIGGER {} ON {}", last, ToString(name_)));
  prepare_.push_back(fmt::format("DROP FUNCTION {}()", function));
}

void Replacement::Fill() {
  const std::string value = shadow_.expression.empty() ? old_ : shadow_.expression;
  proposal_.steps.push_back(
      MakeBackfill(name_, fmt::format("{} = {}", new_, value),
                   fmt::format("{} IS NULL AND ({}) IS NOT NULL", new_, value),
                   "Rows that were there before get the new value in chunks."));
}

void Replacement::MakeIndexes() {
  for (const catalog::Index& index : table_.indexes) {
    if (!index.Mentions(shadow_.column) && !Contains(index.included, shadow_.column)) continue;
    const std::string name = Temporary(index.name.name);
    const catalog::Constraint* key = table_.FindConstraint(index.name.name);
    if (key == nullptr || !index.constraint) {
      const auto like = LikeIndex(index, {name_, name}, moved_);
      if (!like) problem_ = fmt::format("index {} cannot be moved", index.name.name);
      proposal_.steps.push_back(BuildIndex(like.value_or(""), Beside(name_, name),
                                           "The like of " + index.name.name + "."));
      finish_.push_back(fmt::format("ALTER INDEX {} RENAME TO {}", ToString(Beside(name_, name)),
                                    QuoteIdentifier(index.name.name)));
      continue;
    }
    if (key->definition.kind == ConstraintKind::kExclude) {
      problem_ = fmt::format("its exclusion constraint {} has no online form", key->name);
      return;
    }
    ast::Constraint moved = key->definition;
    moved.columns = moved_.In(std::move(moved.columns));
    moved.included = moved_.In(std::move(moved.included));
    moved.index_options = index.options;
    moved.index_tablespace = index.tablespace;
    const Key made{name_, key->name, moved.kind, &moved};
    proposal_.steps.push_back(BuildIndex(UniqueIndexText(made, name), Beside(name_, name),
                                         "The like of the index of " + key->name + "."));
    finish_.push_back(fmt::format("{} ADD CONSTRAINT {} {}", head_, QuoteIdentifier(key->name),
                                  UsingIndexText(made, name)));
  }
}

void Replacement::MakeChecks() {
  const catalog::Column* column = table_.FindColumn(shadow_.column);
  if (column != nullptr && column->not_null) {
    const std::string name = MadeName("nn", {{}, shadow_.column}, "");
    AddInTwoSteps(name_, head_, name, fmt::format("CHECK ({} IS NOT NULL)", new_),
                  "The new column has a value where the old one has to.", proposal_.steps);
    prepare_.push_back(fmt::format("{} ALTER COLUMN {} SET NOT NULL", head_, new_));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(name)));
  }
  for (const catalog::Constraint& check : table_.constraints) {
    if (check.definition.kind == ConstraintKind::kNotNull && !check.valid &&
        Contains(check.definition.columns, shadow_.column))
      prepare_.push_back(fmt::format("{} ADD CONSTRAINT {} NOT NULL {} NOT VALID", head_,
                                     QuoteIdentifier(Temporary(check.name)), new_));
    if (check.definition.kind != ConstraintKind::kCheck || !check.definition.expression) continue;
    const auto& uses = check.definition.expression->facts.columns;
    if (std::ranges::none_of(uses, [&](const auto& use) { return use.name == shadow_.column; }))
      continue;
    const auto moved = moved_.In(check.definition.expression->text);
    if (!moved) {
      problem_ = fmt::format("constraint {} cannot be moved", check.name);
      return;
    }
    const std::string name = Temporary(check.name);
    AddInTwoSteps(
        name_, head_, name,
        fmt::format("CHECK ({}){}", *moved, check.definition.no_inherit ? " NO INHERIT" : ""),
        "The like of " + check.name + ".", proposal_.steps);
    if (!check.valid) proposal_.steps.pop_back();
    // The old one need not go with its column: others may be in it.
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(check.name)));
    RenameConstraint(name, check.name);
  }
}

void Replacement::MakeForeignKeys() {
  for (const catalog::Constraint& key : table_.constraints) {
    if (!key.definition.foreign_key || !Contains(key.definition.columns, shadow_.column)) continue;
    const std::string name = Temporary(key.name);
    const auto& target = key.definition.foreign_key->target;
    if (situation_.schema.Resolve(target) == table_.name) {
      problem_ = fmt::format("its foreign key {} points at itself", key.name);
      return;
    }
    AddInTwoSteps(name_, head_, name, ForeignKeyText(Moved(key.definition)),
                  "The like of " + key.name + ".", proposal_.steps);
    if (!key.valid) proposal_.steps.pop_back();
    locked_.push_back(ToString(target));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(key.name)));
    RenameConstraint(name, key.name);
  }
}

void Replacement::MakeReferences() {
  for (const auto& [other, key] : situation_.schema.References(table_.name)) {
    std::vector<std::string> columns = key->definition.foreign_key->target_columns;
    if (columns.empty() && table_.PrimaryKey() != nullptr)
      columns = table_.PrimaryKey()->definition.columns;
    if (!Contains(columns, shadow_.column)) continue;
    if (other->kind != catalog::TableKind::kTable || other->name == table_.name) {
      problem_ = fmt::format("foreign key {} of {} points at it", key->name, Show(other->name));
      return;
    }
    const std::string head = "ALTER TABLE " + ToString(other->name);
    const std::string name = Temporary(key->name);
    ast::Constraint moved = key->definition;
    moved.foreign_key->target = name_;
    moved.foreign_key->target_columns = moved_.In(std::move(columns));
    AddInTwoSteps(other->name, head, name, ForeignKeyText(moved),
                  fmt::format("The like of {}, for the new column.", key->name), proposal_.steps);
    if (!key->valid) proposal_.steps.pop_back();
    locked_.push_back(ToString(other->name));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head, QuoteIdentifier(key->name)));
    finish_.push_back(fmt::format("{} RENAME CONSTRAINT {} TO {}", head, QuoteIdentifier(name),
                                  QuoteIdentifier(key->name)));
  }
}

void Replacement::Swap() {
  std::ranges::sort(locked_);
  locked_.erase(std::unique(locked_.begin(), locked_.end()), locked_.end());
  std::string lock = "LOCK TABLE " + ToString(name_);
  for (const std::string& other : locked_) lock += ", " + other;
  const Carried carried = CarryOver(name_, shadow_.column);
  Texts sql = {lock + " IN ACCESS EXCLUSIVE MODE"};
  if (shadow_.default_value)
    sql.push_back(fmt::format("{} ALTER COLUMN {} DROP DEFAULT", head_, old_));
  sql.push_back(carried.note);
  const InTheWay in_the_way = FindInTheWay(situation_).value_or(InTheWay());
  const Carried carried_views = CarryViews(name_, shadow_.column);
  const CarriedAway readers = CarryReaders(name_, shadow_.column);
  if (in_the_way.readers) {
    sql.push_back(readers.note);
    sql.push_back(readers.drop);
  }
  if (!in_the_way.views.empty()) {
    sql.push_back(carried_views.note);
    sql.push_back(DropViews(in_the_way.views));
  }
  for (const catalog::Table* sequence : situation_.schema.OwnedSequences(table_.name)) {
    const catalog::Column* column = table_.FindColumn(shadow_.column);
    if (sequence->owned_by_column == shadow_.column && column != nullptr && !column->identity)
      sql.push_back(fmt::format("ALTER SEQUENCE {} OWNED BY NONE", ToString(sequence->name)));
  }
  sql.insert(sql.end(), prepare_.begin(), prepare_.end());
  sql.push_back(fmt::format("{} DROP COLUMN {}", head_, old_));
  sql.push_back(fmt::format("{} RENAME COLUMN {} TO {}", head_, new_, old_));
  sql.insert(sql.end(), finish_.begin(), finish_.end());
  constexpr int kNamesNotNull = 18;
  if (situation_.version >= kNamesNotNull) sql.push_back(NameNotNulls(name_));
  sql.push_back(carried.apply);
  if (!in_the_way.views.empty()) sql.push_back(carried_views.apply);
  if (in_the_way.readers) sql.push_back(readers.apply);
  if (shadow_.default_value && !shadow_.default_value->empty())
    sql.push_back(
        fmt::format("{} ALTER COLUMN {} SET DEFAULT {}", head_, old_, *shadow_.default_value));
  proposal_.steps.push_back(MakeGate(
      fmt::format("swap-{}", shadow_.column),
      fmt::format("programs take {} for {}.{}", shadow_.type, Show(name_), shadow_.column)));
  Step swap =
      Ddl(Phase::kContract, std::move(sql), {},
          "The old column goes, the new one has its name and all that hung on it; no row is "
          "read or written.");
  swap.point_of_no_return = true;
  proposal_.steps.push_back(std::move(swap));
}

// Another table, where no other column does it.
Proposal Replacement::Rebuilt(const std::string& why) const {
  Proposal proposal = CopyTable(situation_, shadow_);
  proposal.remarks.push_back(fmt::format(
      "{}: {}, so no second column can take its place, and the table is copied", Show(name_), why));
  return proposal;
}

Proposal Replacement::Propose() {
  KeepUp();
  Fill();
  MakeIndexes();
  MakeChecks();
  MakeForeignKeys();
  MakeReferences();
  Swap();
  const std::string why = WhyNot();
  if (why.empty()) {
    proposal_.remarks.emplace_back("the column moves to the end of the table");
    return std::move(proposal_);
  }
  if (WhyNotRebuilt(situation_, table_.name).empty()) return Rebuilt(why);
  Proposal least;
  least.answer = Answer::kLeastBad;
  least.remarks.push_back(
      fmt::format("{}: {}, so no second column can take its place", Show(name_), why));
  Step step = Ddl(Phase::kMigrate, {situation_.text}, {},
                  "The whole table is written anew, or read, under the lock.");
  step.point_of_no_return = true;
  least.steps.push_back(std::move(step));
  return least;
}

}  // namespace

Proposal CopyTable(const Situation& situation, const ShadowColumn& shadow) {
  const sql::QualifiedName name = situation.schema.Resolve(situation.TableName());
  Texts actions;
  for (const Action& action : SplitAlterTable(situation.statement, situation.text))
    actions.push_back(action.command);
  Proposal proposal;
  proposal.steps.push_back(
      MakeGate(fmt::format("swap-{}", shadow.column),
               fmt::format("programs take {} for {}.{}", shadow.type, Show(name), shadow.column)));
  Step rebuild = MakeRebuild(situation, name, fmt::format("{}", fmt::join(actions, ", ")));
  rebuild.phase = Phase::kContract;
  proposal.steps.push_back(std::move(rebuild));
  return proposal;
}

Proposal ReplaceColumn(const Situation& situation, const ShadowColumn& shadow) {
  return Replacement(situation, shadow).Propose();
}

}  // namespace pgalter::plan
