#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* alter = situation.statement.As<sql::ast::AlterEnum>();
  if (alter == nullptr) return std::nullopt;
  Proposal proposal;
  proposal.answer = Answer::kAsIs;
  if (alter->old_value.empty()) {
    // A transaction of its own: what it adds cannot be used before it is committed.
    proposal.steps.push_back(Ddl(Phase::kExpand, {situation.text}, {},
                                 "No table is locked. An enum's value cannot be taken out."));
    proposal.steps.back().point_of_no_return = true;
    return proposal;
  }
  proposal.steps.push_back(
      MakeGate("renamed-" + alter->old_value, "programs know both the old and the new value"));
  proposal.steps.push_back(
      Ddl(Phase::kContract, {situation.text},
          {"ALTER TYPE " + sql::ToString(alter->name) + " RENAME VALUE " +
           sql::QuoteLiteral(alter->new_value) + " TO " + sql::QuoteLiteral(alter->old_value)},
          "No table is locked; every row shows the new value at once."));
  proposal.steps.back().backward_compatible = false;
  return proposal;
}

}  // namespace

const Recipe kEnumValue{.name = "enum-value",
                        .forms = "ALTER TYPE … ADD VALUE, RENAME VALUE",
                        .steps =
                            "ADD VALUE as it is, in a transaction of its own; before RENAME "
                            "VALUE a gate",
                        .propose = &Propose};

}  // namespace pgalter::plan
