#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "planner/plan/inverse.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

using sql::QuoteIdentifier;

constexpr long kSoak = 24 * 3600;

// Programs that do not know the column any more could not insert a row.
bool StopsInserts(const Situation& situation, const catalog::Column& column) {
  const catalog::Table* table = situation.Table();
  const catalog::Constraint* key = table->PrimaryKey();
  const bool in_key = key != nullptr && std::ranges::find(key->definition.columns, column.name) !=
                                            key->definition.columns.end();
  return column.not_null && !column.has_default && !column.identity && !column.generated && !in_key;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(sql::ast::TableChange::kDropColumn);
  if (command == nullptr || situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const catalog::Table* table = situation.Table();
  const catalog::Column* column = table == nullptr ? nullptr : table->FindColumn(command->name);
  if (column != nullptr && column->origin == catalog::Origin::kInRun) return std::nullopt;
  if (table != nullptr && table->complete && column == nullptr) return std::nullopt;
  const std::string name = sql::ToString(situation.TableName());
  const std::string quoted = QuoteIdentifier(command->name);
  const std::string shown = fmt::format("{}.{}", Show(situation.TableName()), command->name);
  Proposal proposal;
  if (column != nullptr && StopsInserts(situation, *column)) {
    Inverse again = NotNullAgain(situation, command->name);
    Step open = Ddl(
        Phase::kExpand, {fmt::format("{} ALTER COLUMN {} DROP NOT NULL", situation.head, quoted)},
        std::move(again.sql), "Programs that do not know the column any more can insert rows.");
    open.undo_transaction = again.transaction;
    proposal.steps.push_back(std::move(open));
  }
  proposal.steps.push_back(MakeGate(fmt::format("unused-{}", command->name),
                                    fmt::format("no program reads or writes {} any more", shown)));
  if (!command->cascade) {
    const std::string hidden = QuoteIdentifier(MadeName("dropped", {{}, command->name}, ""));
    Step hide = Ddl(Phase::kContract,
                    {fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", name, quoted, hidden)},
                    {fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", name, hidden, quoted)},
                    "Whoever still uses it fails, and its data is still there.");
    hide.backward_compatible = false;
    proposal.steps.push_back(std::move(hide));
    proposal.steps.push_back(MakeGate(fmt::format("missed-{}", command->name),
                                      fmt::format("nobody has missed {}", shown), kSoak));
    proposal.steps.push_back(Ddl(Phase::kContract,
                                 {fmt::format("{} DROP COLUMN {}", situation.head, hidden)}, {},
                                 "The column goes, with the indexes and constraints on it."));
  } else {
    proposal.steps.push_back(Ddl(Phase::kContract, {situation.text}, {},
                                 "The column goes, with everything that depends on it."));
  }
  proposal.steps.back().point_of_no_return = true;
  proposal.steps.back().backward_compatible = false;
  return proposal;
}

}  // namespace

const Recipe kDropColumn{
    .name = "drop-column",
    .forms = "DROP COLUMN",
    .steps =
        "NOT NULL is taken off it, so that new programs can insert; a gate; the column is "
        "renamed out of sight, which can be taken back; a day later it is dropped",
    .propose = &Propose};

}  // namespace pgalter::plan
