#include "planner/plan/recipes/constraint.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::ConstraintKind;

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(sql::ast::TableChange::kAddConstraint);
  if (command == nullptr || !command->constraint) return std::nullopt;
  const ConstraintKind kind = command->constraint->kind;
  if (kind != ConstraintKind::kCheck && kind != ConstraintKind::kNotNull) return std::nullopt;
  if (situation.effects.works.empty() || situation.schema.IsNew(situation.TableName()))
    return std::nullopt;
  const catalog::Schema after = situation.After();
  const auto* added = NewConstraint(situation.schema, after, situation.TableName(), kind);
  if (added == nullptr) return std::nullopt;
  Proposal proposal;
  AddInTwoSteps(
      situation.TableName(), situation.head, added->name, DefinitionOf(situation.command_text),
      "Rows that are written from here on are checked; nothing is read yet.", proposal.steps);
  return proposal;
}

}  // namespace

const Recipe kAddCheck{.name = "add-check",
                       .forms = "ADD CONSTRAINT … CHECK, and NOT NULL of PostgreSQL 18",
                       .steps = "NOT VALID, then VALIDATE in a transaction of its own",
                       .propose = &Propose};

}  // namespace pgalter::plan
