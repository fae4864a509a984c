#include <fmt/format.h>

#include "planner/plan/recipes/bridge.h"
#include "planner/plan/recipes/column_guard.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;

struct Move {
  sql::QualifiedName from;
  sql::QualifiedName to;
  std::string there;  // the statement
  std::string back;
};

// What a view can stand in for. ALTER TABLE takes a view, too.
bool MayBeBridged(const Situation& situation, ast::ObjectKind kind,
                  const sql::QualifiedName& name) {
  if (kind != ast::ObjectKind::kTable && kind != ast::ObjectKind::kView) return false;
  const catalog::Table* table = situation.schema.FindTable(name);
  return table == nullptr || table->kind == catalog::TableKind::kTable ||
         table->kind == catalog::TableKind::kView ||
         table->kind == catalog::TableKind::kPartitioned;
}

std::optional<Move> Read(const Situation& situation) {
  if (const auto* rename = situation.statement.As<ast::Rename>()) {
    if (!MayBeBridged(situation, rename->kind, rename->name)) return std::nullopt;
    Move move{rename->name, Beside(rename->name, rename->new_name), situation.text, ""};
    move.back = fmt::format("ALTER TABLE {} RENAME TO {}", sql::ToString(move.to),
                            sql::QuoteIdentifier(move.from.name));
    return move;
  }
  const auto* move = situation.statement.As<ast::SetSchema>();
  if (move == nullptr || !MayBeBridged(situation, move->kind, move->name)) return std::nullopt;
  const sql::QualifiedName from = situation.schema.Placed(situation.schema.Resolve(move->name));
  Move read{from, {move->new_schema, move->name.name}, situation.text, ""};
  read.back = fmt::format("ALTER TABLE {} SET SCHEMA {}", sql::ToString(read.to),
                          sql::QuoteIdentifier(from.schema.value_or("public")));
  return read;
}

// It moves with the table that owns it.
std::string AboutSequence(const catalog::Table& sequence, const sql::QualifiedName& table) {
  return fmt::format(
      "sequence {0} goes along to schema {1} in the first step, and no view stands in for it: "
      "nextval, currval and setval by its old name fail from then on, and pg_get_serial_sequence "
      "by "
      "the table's old name finds none. Have programs use the new names before; or leave that of "
      "a serial column where it is: ALTER SEQUENCE {0} OWNED BY NONE",
      sql::ToString(sequence.name), sql::QuoteIdentifier(table.schema.value_or("public")));
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto move = Read(situation);
  if (!move || situation.schema.IsNew(move->from)) return std::nullopt;
  const std::string view = sql::ToString(move->from);
  Proposal proposal;
  Texts sql = BridgeRefusals(move->from, RowsInFunctions::kTaken, situation.version);
  sql.push_back(move->there);
  for (std::string& text : BridgeView(move->from, move->to, std::nullopt, situation.version))
    sql.push_back(std::move(text));
  proposal.steps.push_back(Ddl(Phase::kExpand, std::move(sql),
                               {fmt::format("DROP VIEW {}", view), move->back},
                               "From here on both names work."));
  proposal.steps.push_back(
      MakeGate(fmt::format("renamed-{}", move->from.name),
               fmt::format("no program uses the name {} any more", Show(move->from))));
  proposal.steps.push_back(Ddl(Phase::kContract, {fmt::format("DROP VIEW {}", view)},
                               BridgeView(move->from, move->to, std::nullopt, situation.version),
                               "The old name goes."));
  proposal.steps.back().backward_compatible = false;
  proposal.remarks = BridgeRemarks(situation.version);
  if (move->from.schema != move->to.schema)
    for (const catalog::Table* sequence : situation.schema.OwnedSequences(move->from))
      proposal.remarks.push_back(AboutSequence(*sequence, move->to));
  return proposal;
}

}  // namespace

const Recipe kRenameTable{
    .name = "rename-table",
    .forms = "ALTER TABLE and ALTER VIEW … RENAME TO, and SET SCHEMA",
    .steps =
        "in one transaction the rename and a view under the old name with the same rights; a "
        "gate; the view is dropped",
    .propose = &Propose};

}  // namespace pgalter::plan
