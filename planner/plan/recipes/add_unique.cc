#include "planner/plan/recipes/constraint.h"

namespace pgalter::plan {

namespace {

using sql::ast::ConstraintKind;

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* key = KeyToAdd(situation, ConstraintKind::kUnique);
  if (key == nullptr || !key->using_index.empty()) return std::nullopt;
  Proposal proposal;
  if (!AddKeyOf(situation, ConstraintKind::kUnique, proposal.steps)) return std::nullopt;
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
