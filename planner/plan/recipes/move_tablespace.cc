#include <fmt/format.h>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;

constexpr int kReindexTablespace = 14;

// ALTER INDEX … SET TABLESPACE: while it is copied nobody can use the table.
std::optional<Proposal> MoveIndex(const Situation& situation) {
  const auto* command = situation.Command(ast::TableChange::kSetTablespace);
  if (command == nullptr || situation.version < kReindexTablespace) return std::nullopt;
  const sql::QualifiedName& name = situation.TableName();
  const catalog::Table* table = situation.schema.TableOfIndex(name);
  const bool is_index = table != nullptr || situation.statement.As<ast::AlterTable>()->kind ==
                                                ast::RelationKind::kIndex;
  // Of a partitioned table it has no file.
  if (!is_index || (table != nullptr && (table->kind == catalog::TableKind::kPartitioned ||
                                         situation.schema.IsNew(table->name))))
    return std::nullopt;
  const auto reindex = [&](const std::string& tablespace) {
    return fmt::format("REINDEX (TABLESPACE {}) INDEX CONCURRENTLY {}",
                       sql::QuoteIdentifier(tablespace), sql::ToString(name));
  };
  Proposal proposal;
  Step step = Alone(Phase::kExpand, StepKind::kConcurrentIndex, reindex(command->name),
                    "Built anew in its new place beside the old one, which serves until then.");
  step.index = name;
  const catalog::Index* index = situation.schema.FindIndex(name);
  std::string before;
  if (index != nullptr)
    before = index->tablespace.empty() ? situation.schema.tablespace() : index->tablespace;
  if (before.empty()) {
    step.point_of_no_return = true;
  } else {
    step.undo = {reindex(before)};
  }
  proposal.steps.push_back(std::move(step));
  return proposal;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* all = situation.statement.As<ast::MoveTablespace>();
  if (all == nullptr) return MoveIndex(situation);
  Proposal proposal;
  proposal.answer = Answer::kLeastBad;
  proposal.remarks.push_back(fmt::format(
      "everything in tablespace {} is copied in one transaction, each table and index under a lock "
      "that stops its readers and writers until the end of all: move them one by one",
      all->from));
  Step step = Ddl(Phase::kMigrate, {situation.text}, {}, "");
  step.point_of_no_return = true;
  proposal.steps.push_back(std::move(step));
  return proposal;
}

}  // namespace

const Recipe kMoveTablespace{
    .name = "move-tablespace",
    .forms = "ALTER INDEX … SET TABLESPACE, and ALTER … ALL IN TABLESPACE",
    .steps =
        "REINDEX (TABLESPACE …) INDEX CONCURRENTLY from PostgreSQL 14 on; of everything in a "
        "tablespace at once there is no online form, and the plan says so",
    .propose = &Propose};

}  // namespace pgalter::plan
