#include "planner/plan/recipes/constraint.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::ConstraintKind;

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(sql::ast::TableChange::kAddConstraint);
  if (command == nullptr || !command->constraint ||
      command->constraint->kind != ConstraintKind::kUnique)
    return std::nullopt;
  // Overlaps are told by a GiST index, which no constraint can be made from.
  if (!command->constraint->using_index.empty() || command->constraint->without_overlaps)
    return std::nullopt;
  if (situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const catalog::Schema after = situation.After();
  const auto* added =
      NewConstraint(situation.schema, after, situation.TableName(), ConstraintKind::kUnique);
  if (added == nullptr) return std::nullopt;
  Proposal proposal;
  AddKey({situation.TableName(), added->name, ConstraintKind::kUnique, &added->definition,
          StorageOf(situation.command_text)},
         situation.schema, after, proposal.steps);
  return proposal;
}

}  // namespace

const Recipe kAddUnique{
    .name = "add-unique",
    .forms = "ADD CONSTRAINT … UNIQUE, also of a partitioned table",
    .steps =
        "CREATE UNIQUE INDEX CONCURRENTLY, then the constraint USING INDEX; of a partitioned "
        "table so with each leaf, then the parent's with ONLY, to which they are attached",
    .propose = &Propose};

}  // namespace pgalter::plan
