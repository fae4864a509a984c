#include <fmt/format.h>

#include "planner/plan/recipes/bridge.h"
#include "planner/plan/recipes/column_guard.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using sql::QuoteIdentifier;

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* rename = situation.statement.As<ast::Rename>();
  if (rename == nullptr || rename->kind != ast::ObjectKind::kColumn ||
      rename->relation != ast::RelationKind::kTable || situation.schema.IsNew(rename->name))
    return std::nullopt;
  const catalog::Table* table = situation.schema.FindTable(rename->name);
  if (table != nullptr && table->kind != catalog::TableKind::kTable &&
      table->kind != catalog::TableKind::kPartitioned)
    return std::nullopt;
  const sql::QualifiedName& name = rename->name;
  const sql::QualifiedName base = Beside(name, MadeName("base", {{}, name.name}, ""));
  const std::string away =
      fmt::format("ALTER TABLE {} RENAME TO {}", sql::ToString(name), QuoteIdentifier(base.name));
  const std::string home =
      fmt::format("ALTER TABLE {} RENAME TO {}", sql::ToString(base), QuoteIdentifier(name.name));
  const std::string from = QuoteIdentifier(rename->part);
  const std::string to = QuoteIdentifier(rename->new_name);
  const std::string drop = fmt::format("DROP VIEW {}", sql::ToString(name));
  const RenamedColumn renamed{rename->part, rename->new_name};
  const Texts view = BridgeView(name, base, renamed, situation.version);
  Texts there = BridgeRefusals(name, RowsInFunctions::kTakenOrGiven, situation.version);
  there.push_back(away);
  there.push_back(
      fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", sql::ToString(base), from, to));
  there.insert(there.end(), view.begin(), view.end());
  Proposal proposal;
  proposal.steps.push_back(Ddl(
      Phase::kExpand, std::move(there),
      {drop, fmt::format("ALTER TABLE {} RENAME COLUMN {} TO {}", sql::ToString(base), to, from),
       home},
      "A view has the table's name, with the column under both of its names."));
  proposal.steps.push_back(
      MakeGate(fmt::format("renamed-{}", rename->part),
               fmt::format("no program uses {}.{} any more", Show(name), rename->part)));
  Texts again = {away};
  again.insert(again.end(), view.begin(), view.end());
  proposal.steps.push_back(Ddl(Phase::kContract, {drop, home}, std::move(again),
                               "The table has its name again, the column its new one."));
  proposal.steps.back().backward_compatible = false;
  proposal.remarks = BridgeRemarks(situation.version);
  proposal.remarks.emplace_back(
      "meanwhile SELECT * shows the column twice, and an INSERT that names both fails");
  return proposal;
}

}  // namespace

const Recipe kRenameColumn{
    .name = "rename-column",
    .forms = "ALTER TABLE … RENAME COLUMN",
    .steps =
        "in one transaction the table is renamed, the column as well, and a view takes the "
        "table's name, with the column under both names; a gate; the view goes and the table "
        "has its name again",
    .propose = &Propose};

}  // namespace pgalter::plan
