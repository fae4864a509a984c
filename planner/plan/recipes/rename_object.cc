#include <fmt/format.h>

#include "planner/plan/inverse.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ObjectKind;

// What programs name, and what no view can stand in for.
bool HasNoBridge(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kMaterializedView:
    case ObjectKind::kSequence:
    case ObjectKind::kForeignTable:
    case ObjectKind::kType:
    case ObjectKind::kDomain:
    case ObjectKind::kAttribute:
    case ObjectKind::kFunction:
    case ObjectKind::kSchema:
      return true;
    default:
      return false;
  }
}

// The name that goes; empty: programs do not see it.
std::string Gone(const Situation& situation) {
  if (const auto* rename = situation.statement.As<ast::Rename>()) {
    const bool column =
        rename->kind == ObjectKind::kColumn && rename->relation != ast::RelationKind::kTable;
    if (!column && !HasNoBridge(rename->kind)) return "";
    if (situation.schema.IsNew(rename->name)) return "";
    return rename->part.empty() ? Show(rename->name)
                                : fmt::format("{}.{}", Show(rename->name), rename->part);
  }
  const auto* move = situation.statement.As<ast::SetSchema>();
  if (move == nullptr || !HasNoBridge(move->kind) || situation.schema.IsNew(move->name)) return "";
  return Show(move->name);
}

std::optional<Proposal> Propose(const Situation& situation) {
  const std::string gone = Gone(situation);
  if (gone.empty()) return std::nullopt;
  Proposal proposal;
  proposal.steps.push_back(MakeGate(fmt::format("renamed-{}", gone),
                                    fmt::format("programs know {} by its new name", gone)));
  Step step = Ddl(Phase::kContract, {situation.text}, {},
                  "There is no form in which both names work: whoever uses the old one fails.");
  step.backward_compatible = false;
  if (auto inverse = InverseOf(situation)) {
    step.undo = std::move(inverse->sql);
    step.undo_transaction = inverse->transaction;
  } else {
    step.point_of_no_return = true;
  }
  proposal.steps.push_back(std::move(step));
  return proposal;
}

}  // namespace

const Recipe kRenameObject{
    .name = "rename-object",
    .forms =
        "RENAME and SET SCHEMA of a materialized view, sequence, type, domain, function or schema, "
        "and RENAME of a view's column",
    .steps = "a gate, then the statement: no two names can be alive",
    .propose = &Propose};

}  // namespace pgalter::plan
