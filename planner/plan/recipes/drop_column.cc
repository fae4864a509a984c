#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "planner/plan/inverse.h"
#include "planner/plan/split.h"
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

struct Dropped {
  std::string name;
  const catalog::Column* column = nullptr;  // nullptr: not known
  std::string command;                      // "DROP COLUMN a CASCADE"
  bool used = true;                         // else nobody can have it: it is not there, or new
  bool hides = true;

  [[nodiscard]] std::string Hidden() const {
    return QuoteIdentifier(MadeName("dropped", {{}, name}, ""));
  }
};

// Of an ALTER TABLE that only drops columns; empty: it is another.
std::vector<Dropped> Read(const Situation& situation) {
  const auto* alter = situation.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr) return {};
  const catalog::Table* table = situation.Table();
  std::vector<Dropped> all;
  for (const Action& action : SplitAlterTable(situation.statement, situation.text)) {
    const auto& commands = action.statement.As<sql::ast::AlterTable>()->commands;
    if (commands.size() != 1 || commands.front().change != sql::ast::TableChange::kDropColumn)
      return {};
    const sql::ast::TableCommand& command = commands.front();
    if (std::ranges::find(all, command.name, &Dropped::name) != all.end()) continue;
    Dropped one{command.name, table == nullptr ? nullptr : table->FindColumn(command.name),
                action.command};
    const bool absent = table != nullptr && table->complete && one.column == nullptr;
    const bool fresh = one.column != nullptr && one.column->origin == catalog::Origin::kInRun;
    one.used = !absent && !fresh;
    one.hides = one.used && !command.cascade;
    all.push_back(std::move(one));
  }
  return all;
}

std::string NameOfGate(std::string_view what, const std::vector<Dropped>& used) {
  std::string name = fmt::format("{}-{}", what, used.front().name);
  if (used.size() == 2) name += "-and-" + used.back().name;
  if (used.size() > 2) name += fmt::format("-and-{}-more", used.size() - 1);
  return name;
}

// "t.a, t.b"
std::string ShowAll(const Situation& situation, const std::vector<Dropped>& columns) {
  std::vector<std::string> shown;
  for (const Dropped& one : columns)
    shown.push_back(fmt::format("{}.{}", Show(situation.TableName()), one.name));
  return fmt::format("{}", fmt::join(shown, ", "));
}

std::vector<Dropped> Those(const std::vector<Dropped>& all, bool Dropped::*which) {
  std::vector<Dropped> some;
  for (const Dropped& one : all)
    if (one.*which) some.push_back(one);
  return some;
}

Step Open(const Situation& situation, const std::string& column) {
  Inverse again = NotNullAgain(situation, column);
  Step open = Ddl(
      Phase::kExpand,
      {fmt::format("{} ALTER COLUMN {} DROP NOT NULL", situation.head, QuoteIdentifier(column))},
      std::move(again.sql), "Programs that do not know the column any more can insert rows.");
  open.undo_transaction = again.transaction;
  return open;
}

Step Hide(const Situation& situation, const std::vector<Dropped>& columns) {
  const std::string name = sql::ToString(situation.TableName());
  const auto rename = [&](const std::string& from, const std::string& to) {
    return fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", name, from, to);
  };
  Step hide = Ddl(Phase::kContract, {}, {},
                  columns.size() == 1
                      ? "Whoever still uses it fails, and its data is still there."
                      : "Whoever still uses one of them fails, and their data is still there.");
  for (const Dropped& one : columns) {
    hide.sql.push_back(rename(QuoteIdentifier(one.name), one.Hidden()));
    hide.undo.insert(hide.undo.begin(), rename(one.Hidden(), QuoteIdentifier(one.name)));
  }
  hide.backward_compatible = false;
  return hide;
}

Step DropThem(const Situation& situation, const std::vector<Dropped>& all) {
  std::vector<std::string> commands;
  for (const Dropped& dropped : all)
    commands.push_back(dropped.hides ? "DROP COLUMN " + dropped.Hidden() : dropped.command);
  const bool one = all.size() == 1;
  const bool plainly = one && !all.front().hides;
  const bool cascades =
      std::ranges::any_of(all, [](const Dropped& dropped) { return !dropped.hides; });
  Step drop = Ddl(
      Phase::kContract,
      {plainly ? situation.text : fmt::format("{} {}", situation.head, fmt::join(commands, ", "))},
      {},
      fmt::format("The column{} go{}, with {} on {}.", one ? "" : "s", one ? "es" : "",
                  cascades ? "everything that depends" : "the indexes and constraints",
                  one ? "it" : "them"));
  drop.point_of_no_return = true;
  drop.backward_compatible = false;
  return drop;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const std::vector<Dropped> all = Read(situation);
  const std::vector<Dropped> used = Those(all, &Dropped::used);
  if (used.empty() || situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const std::vector<Dropped> hidden = Those(all, &Dropped::hides);
  Proposal proposal;
  for (const Dropped& one : used)
    if (one.column != nullptr && StopsInserts(situation, *one.column))
      proposal.steps.push_back(Open(situation, one.name));
  proposal.steps.push_back(
      MakeGate(NameOfGate("unused", used),
               fmt::format("no program reads or writes {} any more", ShowAll(situation, used))));
  if (!hidden.empty()) {
    proposal.steps.push_back(Hide(situation, hidden));
    proposal.steps.push_back(
        MakeGate(NameOfGate("missed", hidden),
                 fmt::format("nobody has missed {}", ShowAll(situation, hidden)), kSoak));
  }
  proposal.steps.push_back(DropThem(situation, all));
  return proposal;
}

}  // namespace

const Recipe kDropColumn{
    .name = "drop-column",
    .forms = "DROP COLUMN of one or more columns",
    .steps =
        "NOT NULL is taken off it, so that new programs can insert; a gate; the column is "
        "renamed out of sight, which can be taken back; a day later it is dropped. Several of one "
        "ALTER TABLE go together; its other actions come before the gate",
    .propose = &Propose};

}  // namespace pgalter::plan
