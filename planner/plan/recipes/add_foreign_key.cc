#include <fmt/format.h>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"
#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

constexpr int kNotValidOnPartitioned = 18;

using sql::ast::ConstraintKind;

// Without its NOT VALID.
std::string Valid(const std::string& definition) {
  const auto words = sql::Words::Read(definition);
  if (!words) return definition;
  const std::size_t valid = words->Find("valid");
  return valid < words->size() ? words->Replace(valid - 1, valid + 1, "") : definition;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(sql::ast::TableChange::kAddConstraint);
  if (command == nullptr || !command->constraint ||
      command->constraint->kind != ConstraintKind::kForeignKey)
    return std::nullopt;
  if (situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const bool by_leaf = ForeignKeyByLeaf(situation);
  if (situation.effects.works.empty() && !by_leaf) return std::nullopt;
  const catalog::Schema after = situation.After();
  const auto* added =
      NewConstraint(situation.schema, after, situation.TableName(), ConstraintKind::kForeignKey);
  if (added == nullptr) return std::nullopt;
  Proposal proposal;
  if (by_leaf && command->constraint->not_valid)
    proposal.remarks.push_back(fmt::format(
        "before PostgreSQL {} a foreign key of a partitioned table cannot be NOT VALID: it is "
        "validated as well",
        kNotValidOnPartitioned));
  AddForeignKey(situation, added->name, Valid(DefinitionOf(situation.command_text)),
                command->constraint->foreign_key->target, proposal);
  return proposal;
}

}  // namespace

std::string ForeignKeyText(const sql::ast::Constraint& key) {
  static constexpr const char* kActions[] = {"NO ACTION", "RESTRICT", "CASCADE", "SET NULL",
                                             "SET DEFAULT"};
  using sql::ast::ReferentialAction;
  const sql::ast::ForeignKey& target = *key.foreign_key;
  std::string text = fmt::format("FOREIGN KEY ({}) REFERENCES {}", List(key.columns),
                                 sql::ToString(target.target));
  if (!target.target_columns.empty()) text += fmt::format(" ({})", List(target.target_columns));
  if (target.match_full) text += " MATCH FULL";
  const auto add = [&](const char* event, ReferentialAction action) {
    if (action != ReferentialAction::kNoAction)
      text += fmt::format(" ON {} {}", event, kActions[static_cast<std::size_t>(action)]);
  };
  add("DELETE", target.on_delete);
  if (!target.set_columns.empty()) text += fmt::format(" ({})", List(target.set_columns));
  add("UPDATE", target.on_update);
  if (key.deferrable) text += " DEFERRABLE";
  if (key.initially_deferred) text += " INITIALLY DEFERRED";
  return text;
}

bool ForeignKeyByLeaf(const Situation& situation) {
  return situation.IsPartitioned() && situation.version < kNotValidOnPartitioned;
}

void AddForeignKey(const Situation& situation, const std::string& name,
                   const std::string& definition, const sql::QualifiedName& target,
                   Proposal& proposal) {
  const std::string other = Show(situation.schema.Resolve(target));
  const std::string explain = fmt::format(
      "Writers of {} and of {} wait for a moment; nothing is "
      "read yet.",
      Show(situation.TableName()), other);
  if (!ForeignKeyByLeaf(situation))
    return AddInTwoSteps(situation.TableName(), situation.head, name, definition, explain,
                         proposal.steps);
  for (const catalog::Table* leaf : Leaves(situation.schema, situation.TableName()))
    AddInTwoSteps(leaf->name, "ALTER TABLE " + sql::ToString(leaf->name), name, definition, explain,
                  proposal.steps);
  const std::string quoted = sql::QuoteIdentifier(name);
  proposal.steps.push_back(Ddl(
      Phase::kMigrate, {fmt::format("{} ADD CONSTRAINT {} {}", situation.head, quoted, definition)},
      {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", situation.head, quoted)},
      fmt::format("Takes the keys of its partitions: no row is read. Readers of {} wait for a "
                  "moment, too.",
                  other)));
}

const Recipe kAddForeignKey{
    .name = "add-foreign-key",
    .forms = "ADD CONSTRAINT … FOREIGN KEY, also of a partitioned table",
    .steps =
        "NOT VALID, then VALIDATE in a transaction of its own; of a partitioned table before "
        "PostgreSQL 18 so with each leaf, then the parent's, which takes theirs",
    .propose = &Propose};

}  // namespace pgalter::plan
