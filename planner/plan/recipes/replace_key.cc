#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

// The key that goes. `index`: of the same columns, kept beside the new key until contract.
struct OldKey {
  ast::Constraint definition;
  std::string name;
  std::string index;
};

bool IsKey(const catalog::Constraint& constraint) {
  return constraint.definition.kind == ConstraintKind::kPrimaryKey ||
         constraint.definition.kind == ConstraintKind::kUnique;
}

// ON CONFLICT (a, b) finds any unique index of these columns, in any order, that is not deferrable.
bool SameForConflicts(const ast::Constraint& one, const ast::Constraint& other) {
  std::vector<std::string> columns = one.columns;
  std::vector<std::string> others = other.columns;
  std::ranges::sort(columns);
  std::ranges::sort(others);
  return columns == others && one.deferrable == other.deferrable;
}

// None: programs do not notice that it goes, or it is not known.
std::optional<OldKey> OldKeyOf(const catalog::Table& table, const std::string& name,
                               const ast::Constraint& added) {
  const catalog::Constraint* old = table.FindConstraint(name);
  if (old == nullptr || !IsKey(*old) || old->definition.columns.empty()) return std::nullopt;
  // No program can name a deferrable key in ON CONFLICT, and an index would be stricter than it.
  if (old->definition.deferrable || old->definition.without_overlaps) return std::nullopt;
  if (SameForConflicts(old->definition, added)) return std::nullopt;
  OldKey key{old->definition, old->name, MadeName("old", {{}, old->name}, "")};
  if (const catalog::Index* index = table.FindIndex(old->name)) {
    key.definition.index_options = index->options;
    key.definition.index_tablespace = index->tablespace;
  }
  return key;
}

// The exchange, and back where nothing else went with the old key.
Step Exchange(const Situation& situation, const Pair& pair, const Key& key,
              const std::string& index, const std::optional<OldKey>& old) {
  const std::string name = sql::QuoteIdentifier(key.name);
  Step step = Ddl(Phase::kMigrate,
                  {pair.drop.text, fmt::format("{} ADD CONSTRAINT {} {}", situation.head, name,
                                               UsingIndexText(key, index))},
                  {}, "The old key goes as the new one comes: no row is read.");
  const bool cascade = pair.drop.statement.As<ast::AlterTable>()->commands.front().cascade;
  const bool identifies = old && situation.Table()->identity_index == old->name;
  step.point_of_no_return = !old || cascade || identifies;
  if (!old) return step;
  step.explain += " Both are unique until contract, so that ON CONFLICT finds either.";
  if (step.point_of_no_return) return step;
  const Key back{key.table, old->name, old->definition.kind, &old->definition};
  step.undo = {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", situation.head, name),
               fmt::format("{} ADD CONSTRAINT {} {}", situation.head,
                           sql::QuoteIdentifier(old->name), UsingIndexText(back, old->index))};
  return step;
}

bool Undoable(const Proposal& proposal) {
  return std::ranges::none_of(proposal.steps, &Step::point_of_no_return);
}

void EndOldKey(const Situation& situation, const OldKey& old, const Key& key, Proposal& proposal) {
  const std::string columns = List(old.definition.columns);
  const std::string shown = Show(situation.TableName());
  proposal.steps.push_back(
      MakeGate(fmt::format("unique-{}", old.name),
               fmt::format("no program says ON CONFLICT ({}) for {} any more, or relies on these "
                           "being unique",
                           columns, shown)));
  Step drop = Alone(Phase::kContract, StepKind::kDropIndex,
                    fmt::format("DROP INDEX CONCURRENTLY {}",
                                sql::ToString(Beside(situation.TableName(), old.index))),
                    fmt::format("From here on ON CONFLICT ({}) fails (42P10), and rows may be "
                                "equal in these.",
                                columns));
  drop.index = Beside(situation.TableName(), old.index);
  drop.backward_compatible = false;
  proposal.steps.push_back(std::move(drop));
  proposal.remarks.push_back(
      fmt::format("until the gate unique-{} is opened no two rows may be equal in ({}): the new "
                  "program may write such rows only behind it",
                  old.name, columns));
  if (Undoable(proposal))
    proposal.remarks.push_back(fmt::format(
        "to take the plan back makes {} anew: without a comment, and not what CLUSTER goes by",
        sql::QuoteIdentifier(old.name)));
  if (key.name == old.name)
    proposal.remarks.push_back(
        fmt::format("ON CONFLICT ON CONSTRAINT {} means the new key as soon as that is there",
                    sql::QuoteIdentifier(old.name)));
}

// Where nobody knows what the old key is of.
void GuardUnknown(const std::string& name, const sql::QualifiedName& table, Proposal& proposal) {
  Step& exchange = proposal.steps.back();
  exchange.phase = Phase::kContract;
  exchange.backward_compatible = false;
  proposal.steps.insert(
      proposal.steps.end() - 1,
      MakeGate(fmt::format("unique-{}", name),
               fmt::format("no program says ON CONFLICT for the columns of {} of {} any more", name,
                           Show(table))));
  proposal.remarks.push_back(fmt::format(
      "what {} is of is not known here: if it is a key, ON CONFLICT for its columns "
      "fails (42P10) behind the gate; with --dsn or --schema its index stays until then",
      name));
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
  const std::string& dropped = pair->drop.statement.As<ast::AlterTable>()->commands.front().name;
  const catalog::Table* known = situation.Table();
  const Key key{table, added->name, kind, &added->definition};
  const std::string index = MadeName("new", {{}, added->name}, "");
  const auto old = known == nullptr ? std::nullopt : OldKeyOf(*known, dropped, added->definition);
  Proposal proposal;
  if (kind == ConstraintKind::kPrimaryKey)
    ForbidNull(situation, table, situation.head, added->definition.columns, proposal.steps);
  proposal.steps.push_back(BuildIndex(UniqueIndexText(key, index), Beside(table, index),
                                      "The new key's index, while the old key holds."));
  if (old) {
    const Key kept{table, old->name, old->definition.kind, &old->definition};
    proposal.steps.push_back(
        BuildIndex(UniqueIndexText(kept, old->index), Beside(table, old->index),
                   "The like of the old key's index, which goes with the key: ON CONFLICT and what "
                   "else relies on it go on until contract."));
  }
  proposal.steps.push_back(Exchange(situation, *pair, key, index, old));
  if (old) EndOldKey(situation, *old, key, proposal);
  const bool hidden = known == nullptr || !known->complete;
  if (hidden && (known == nullptr || known->FindConstraint(dropped) == nullptr))
    GuardUnknown(dropped, table, proposal);
  return proposal;
}

}  // namespace

const Recipe kReplaceKey{
    .name = "replace-key",
    .forms =
        "DROP CONSTRAINT and ADD PRIMARY KEY or UNIQUE in one ALTER TABLE, among further actions "
        "too",
    .steps =
        "NOT NULL as in set-not-null, CREATE UNIQUE INDEX CONCURRENTLY for the new key, and one "
        "more "
        "like the old key's; in one short transaction the old key goes and the new one takes its "
        "index; a gate; the old key's like is dropped, on which ON CONFLICT of old programs relies",
    .propose = &Propose};

}  // namespace pgalter::plan
