#include <fmt/format.h>

#include "planner/plan/recipes/rebuild.h"

namespace pgalter::plan {

namespace {

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(sql::ast::TableChange::kAddConstraint);
  if (command == nullptr || !command->constraint || situation.schema.IsNew(situation.TableName()))
    return std::nullopt;
  const bool exclusion = command->constraint->kind == sql::ast::ConstraintKind::kExclude;
  if (!exclusion && !command->constraint->without_overlaps) return std::nullopt;
  Proposal proposal;
  const sql::QualifiedName table = situation.schema.Resolve(situation.TableName());
  const std::string why = exclusion ? WhyNotRebuilt(situation, table) : "";
  if (exclusion && why.empty()) {
    proposal.remarks.emplace_back(
        "no lock short of a copy of the table checks it: rows that users write meanwhile, and that "
        "break it, end the run");
    proposal.steps.push_back(MakeRebuild(situation, table, situation.command_text));
    return proposal;
  }
  proposal.answer = Answer::kLeastBad;
  if (!why.empty())
    proposal.remarks.push_back(fmt::format("{} is not copied beside itself: {}", Show(table), why));
  proposal.remarks.emplace_back(
      "no version has an online form of it: it takes neither NOT VALID nor USING INDEX. Run it in "
      "a quiet hour, on a table that is small, or before the table is filled");
  proposal.steps.push_back(Ddl(Phase::kExpand, {situation.text},
                               {situation.head + " DROP CONSTRAINT IF EXISTS " +
                                sql::QuoteIdentifier(command->constraint->name)},
                               "The index is built under the lock."));
  if (command->constraint->name.empty()) proposal.steps.back().undo.clear();
  return proposal;
}

}  // namespace

const Recipe kExclude{
    .name = "exclude",
    .forms = "ADD CONSTRAINT … EXCLUDE, and keys WITHOUT OVERLAPS",
    .steps = "EXCLUDE: a rebuild, see there. What no copy can do: as it is, and the plan says so",
    .propose = &Propose};

}  // namespace pgalter::plan
