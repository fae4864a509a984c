#include <fmt/format.h>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::TableChange;

// Locks are no matter here: ENABLE hides from programs what no policy shows them.
std::optional<Proposal> Propose(const Situation& situation) {
  const bool force = situation.Command(TableChange::kForceRowSecurity) != nullptr;
  const bool enable = situation.Command(TableChange::kEnableRowSecurity) != nullptr;
  if ((!force && !enable) || situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const catalog::Table* table = situation.Table();
  if (enable && table != nullptr && table->row_security) return std::nullopt;
  const std::string shown = Show(situation.TableName());
  Proposal proposal;
  proposal.steps.push_back(
      MakeGate(fmt::format("row-security-{}", situation.TableName().name),
               fmt::format("policies let {} see the rows of {} that it needs",
                           force ? "the table's owner" : "every program", shown)));
  Step step = Ddl(Phase::kContract, {situation.text}, {},
                  "From here on only rows that a policy shows are seen. No row is read for it.");
  step.backward_compatible = false;
  if (force || table == nullptr || !table->complete) {
    // Whether it was so before is not known, and to take back more than was done is worse.
    step.point_of_no_return = true;
  } else {
    step.undo = {situation.head + " DISABLE ROW LEVEL SECURITY"};
  }
  proposal.steps.push_back(std::move(step));
  if (table == nullptr || (table->policies.empty() && !table->complete)) {
    proposal.remarks.push_back(fmt::format(
        "it is not known whether {} has policies: without one nobody but its owner sees "
        "a row",
        shown));
  } else if (table->policies.empty()) {
    proposal.remarks.push_back(fmt::format(
        "{} has no policy: nobody but its owner will see a row, and nothing is said of it", shown));
  }
  return proposal;
}

}  // namespace

const Recipe kRowSecurity{
    .name = "row-security",
    .forms = "ALTER TABLE … ENABLE and FORCE ROW LEVEL SECURITY",
    .steps =
        "a gate, because rows that no policy shows are gone for programs without an error; "
        "then the statement, which is taken back by DISABLE",
    .propose = &Propose};

}  // namespace pgalter::plan
