#include "planner/plan/recipes/constraint.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::ConstraintKind;

// The columns of the index that becomes the key.
std::vector<std::string> ColumnsOf(const catalog::Index& index) {
  std::vector<std::string> columns;
  for (const auto& column : index.columns)
    if (!column.column.empty()) columns.push_back(column.column);
  return columns;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* key = KeyToAdd(situation, ConstraintKind::kPrimaryKey);
  if (key == nullptr) return std::nullopt;
  Proposal proposal;
  if (key->using_index.empty()) {
    if (!AddKeyOf(situation, ConstraintKind::kPrimaryKey, proposal.steps)) return std::nullopt;
    return proposal;
  }
  const sql::QualifiedName& table = situation.TableName();
  const catalog::Index* index = situation.schema.FindIndex(Beside(table, key->using_index));
  if (index == nullptr || situation.effects.works.empty()) return std::nullopt;
  ForbidNull(situation, table, situation.head, ColumnsOf(*index), proposal.steps);
  proposal.steps.push_back(
      Ddl(Phase::kMigrate, {situation.text}, {}, "Takes the index: no row is read."));
  // To drop the key is to drop the index that was there before.
  proposal.steps.back().point_of_no_return = true;
  return proposal;
}

}  // namespace

const Recipe kAddPrimaryKey{
    .name = "add-primary-key",
    .forms = "ADD PRIMARY KEY, also USING INDEX over columns that may be NULL",
    .steps =
        "NOT NULL as in set-not-null, CREATE UNIQUE INDEX CONCURRENTLY, then the key USING "
        "INDEX",
    .propose = &Propose};

}  // namespace pgalter::plan
