#include <fmt/format.h>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/split.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using ast::TableChange;

struct Pair {
  Action drop;
  Action add;
};

std::optional<Pair> Read(const Situation& situation) {
  const auto* alter = situation.statement.As<ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 2) return std::nullopt;
  const auto actions = SplitAlterTable(situation.statement, situation.text);
  if (actions.size() != 2) return std::nullopt;
  const auto command = [](const Action& action) -> const ast::TableCommand& {
    return action.statement.As<ast::AlterTable>()->commands.front();
  };
  if (command(actions[0]).change != TableChange::kDropConstraint ||
      command(actions[1]).change != TableChange::kAddConstraint)
    return std::nullopt;
  const auto& added = command(actions[1]).constraint;
  if (!added || !added->using_index.empty() || added->without_overlaps ||
      (added->kind != ConstraintKind::kPrimaryKey && added->kind != ConstraintKind::kUnique))
    return std::nullopt;
  return Pair{actions[0], actions[1]};
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto pair = Read(situation);
  if (!pair || situation.IsPartitioned() || situation.schema.IsNew(situation.TableName()))
    return std::nullopt;
  const sql::QualifiedName& table = situation.TableName();
  catalog::Schema without = situation.schema;
  without.Apply(pair->drop.statement);
  catalog::Schema after = without;
  after.Apply(pair->add.statement);
  const ConstraintKind kind =
      pair->add.statement.As<ast::AlterTable>()->commands.front().constraint->kind;
  const auto* added = NewConstraint(without, after, table, kind);
  if (added == nullptr) return std::nullopt;
  const Key key{table, added->name, kind, &added->definition};
  const std::string index = MadeName("new", {{}, added->name}, "");
  Proposal proposal;
  if (kind == ConstraintKind::kPrimaryKey)
    ForbidNull(situation, table, situation.head, added->definition.columns, proposal.steps);
  proposal.steps.push_back(BuildIndex(UniqueIndexText(key, index), Beside(table, index),
                                      "The new key's index, while the old key holds."));
  proposal.steps.push_back(Ddl(
      Phase::kMigrate,
      {pair->drop.text, fmt::format("{} ADD CONSTRAINT {} {}", situation.head,
                                    sql::QuoteIdentifier(added->name), UsingIndexText(key, index))},
      {}, "The old key goes as the new one comes: no row is read."));
  proposal.steps.back().point_of_no_return = true;
  return proposal;
}

}  // namespace

const Recipe kReplaceKey{
    .name = "replace-key",
    .forms = "DROP CONSTRAINT and ADD PRIMARY KEY or UNIQUE in one ALTER TABLE",
    .steps =
        "NOT NULL as in set-not-null, CREATE UNIQUE INDEX CONCURRENTLY, then in one short "
        "transaction the old key goes and the new one takes the index",
    .propose = &Propose};

}  // namespace pgalter::plan
