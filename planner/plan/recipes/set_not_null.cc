#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::TableChange;

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(TableChange::kSetNotNull);
  if (command == nullptr || situation.effects.works.empty()) return std::nullopt;
  if (situation.schema.IsNew(situation.TableName())) return std::nullopt;
  Proposal proposal;
  ForbidNull(situation, situation.TableName(), situation.head, {command->name}, proposal.steps);
  return proposal;
}

}  // namespace

const Recipe kSetNotNull{
    .name = "set-not-null",
    .forms = "ALTER COLUMN … SET NOT NULL where nothing proves it yet",
    .steps =
        "a CHECK (c IS NOT NULL) NOT VALID, VALIDATE, SET NOT NULL, which the CHECK proves, "
        "and the CHECK is dropped; from PostgreSQL 18 on NOT NULL … NOT VALID and VALIDATE",
    .propose = &Propose};

}  // namespace pgalter::plan
