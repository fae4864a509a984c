#include <fmt/format.h>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::ast::TableChange;

constexpr int kConcurrently = 14;

// DETACH CONCURRENTLY leaves the bound behind as a CHECK, which plain DETACH does not.
std::string LeftBehind(const Situation& situation, const sql::QualifiedName& partition) {
  const catalog::Table* parent = situation.Table();
  const catalog::Table* table = situation.schema.FindTable(partition);
  if (parent == nullptr || table == nullptr || !parent->partition_by) return "";
  const auto& columns = parent->partition_by->columns;
  std::string name = columns.size() == 1 && !columns.front().empty()
                         ? fmt::format("{}_{}_check", table->name.name, columns.front())
                         : fmt::format("{}_check", table->name.name);
  const std::string stem = name;
  for (int i = 1; table->FindConstraint(name) != nullptr; ++i) name = fmt::format("{}{}", stem, i);
  return name;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* plain = situation.Command(TableChange::kDetachPartition);
  const auto* concurrent = situation.Command(TableChange::kDetachPartitionConcurrently);
  const auto* command = plain != nullptr ? plain : concurrent;
  if (command == nullptr || !command->other || situation.schema.IsNew(situation.TableName()))
    return std::nullopt;
  const std::string detach =
      fmt::format("{} DETACH PARTITION {}", situation.head, sql::ToString(*command->other));
  Proposal proposal;
  if (situation.version < kConcurrently ||
      situation.schema.DefaultPartition(situation.schema.Resolve(situation.TableName())) !=
          nullptr) {
    proposal.answer = plain != nullptr ? Answer::kAsIs : Answer::kRewritten;
    proposal.steps.push_back(
        Ddl(Phase::kContract, {detach}, {},
            "The server takes no CONCURRENTLY here: a short lock on the parent."));
  } else {
    proposal.answer = plain != nullptr ? Answer::kRewritten : Answer::kAsIs;
    proposal.steps.push_back(Alone(Phase::kContract, StepKind::kDetach, detach + " CONCURRENTLY",
                                   "Waits for transactions that use the parent; only the partition "
                                   "itself is locked, for a moment."));
    const std::string left = LeftBehind(situation, *command->other);
    if (plain != nullptr && !left.empty()) {
      proposal.steps.back().backward_compatible = false;
      proposal.steps.back().point_of_no_return = true;
      proposal.steps.push_back(
          Ddl(Phase::kContract,
              {fmt::format("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}",
                           sql::ToString(*command->other), sql::QuoteIdentifier(left))},
              {}, "The bound, which the server leaves behind as a CHECK."));
    }
  }
  proposal.steps.back().backward_compatible = false;
  proposal.steps.back().point_of_no_return = true;
  return proposal;
}

}  // namespace

const Recipe kDetachPartition{
    .name = "detach-partition",
    .forms = "DETACH PARTITION",
    .steps =
        "DETACH … CONCURRENTLY; beside a DEFAULT partition, where the server refuses that, "
        "plainly under a short lock",
    .propose = &Propose};

}  // namespace pgalter::plan
