#include <fmt/format.h>

#include <algorithm>

#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

constexpr long kSoak = 24 * 3600;

bool MayBeHidden(const catalog::Table* table) {
  // A partition's rows would still be seen through its parent.
  return table == nullptr || (!table->parent && table->inherits.empty());
}

// DROP TABLE of a partition stops all users of the whole; DETACH CONCURRENTLY stops none.
bool MayBeDetached(const Situation& situation, const catalog::Table* table) {
  constexpr int kConcurrently = 14;
  return table != nullptr && table->parent && situation.version >= kConcurrently &&
         situation.schema.complete() &&
         situation.schema.DefaultPartition(*table->parent) == nullptr;
}

std::string Names(const std::vector<sql::QualifiedName>& tables) {
  std::string names;
  for (const auto& table : tables) {
    if (!names.empty()) names += ", ";
    names += sql::ToString(table);
  }
  return names;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* drop = situation.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kTable || drop->names.empty())
    return std::nullopt;
  std::vector<sql::QualifiedName> tables;
  for (const auto& name : drop->names) {
    if (situation.schema.IsNew(name)) return std::nullopt;
    // IF EXISTS of what does not.
    if (situation.schema.complete() && situation.schema.FindTable(name) == nullptr) continue;
    tables.push_back(name);
  }
  if (tables.empty()) return std::nullopt;
  const std::string& first = tables.front().name;
  Proposal proposal;
  proposal.steps.push_back(MakeGate(fmt::format("unused-{}", first),
                                    fmt::format("no program uses {} any more", Names(tables))));
  const bool hide = !drop->cascade && std::ranges::all_of(tables, [&](const auto& table) {
    return MayBeHidden(situation.schema.FindTable(table));
  });
  std::vector<sql::QualifiedName> last = tables;
  const catalog::Table* only = tables.size() == 1 ? situation.schema.FindTable(tables[0]) : nullptr;
  if (!drop->cascade && MayBeDetached(situation, only)) {
    proposal.steps.push_back(
        Alone(Phase::kContract, StepKind::kDetach,
              fmt::format("ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY",
                          sql::ToString(*only->parent), sql::ToString(tables[0])),
              "Its rows are no longer seen through the whole, which nobody waits for."));
    proposal.steps.back().backward_compatible = false;
    proposal.steps.back().point_of_no_return = true;
    proposal.steps.push_back(MakeGate(fmt::format("missed-{}", first),
                                      fmt::format("nobody has missed {}", Names(tables)), kSoak));
  }
  if (hide) {
    Texts sql;
    Texts undo;
    for (auto& table : last) {
      const std::string before = sql::ToString(table);
      const std::string plain = sql::QuoteIdentifier(table.name);
      const std::string hidden = MadeName("dropped", {{}, table.name}, "");
      table.name = hidden;
      sql.push_back(
          fmt::format("ALTER TABLE {} RENAME TO {}", before, sql::QuoteIdentifier(hidden)));
      undo.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", sql::ToString(table), plain));
    }
    proposal.steps.push_back(Ddl(Phase::kContract, std::move(sql), std::move(undo),
                                 "Whoever still uses it fails, and its rows are still there."));
    proposal.steps.back().backward_compatible = false;
    proposal.steps.push_back(MakeGate(fmt::format("missed-{}", first),
                                      fmt::format("nobody has missed {}", Names(tables)), kSoak));
  }
  proposal.steps.push_back(
      Ddl(Phase::kContract,
          {fmt::format("DROP TABLE {}{}", Names(last), drop->cascade ? " CASCADE" : "")}, {},
          "The rows go. Tables that it has foreign keys to are locked for a moment, too."));
  proposal.steps.back().point_of_no_return = true;
  proposal.steps.back().backward_compatible = false;
  return proposal;
}

}  // namespace

const Recipe kDropTable{
    .name = "drop-table",
    .forms = "DROP TABLE of one or more tables",
    .steps =
        "a gate; the table is renamed out of sight, which can be taken back, a partition is "
        "detached concurrently; a day later it is dropped. What CASCADE takes along, and a "
        "partition beside a DEFAULT one, is dropped at once",
    .propose = &Propose};

}  // namespace pgalter::plan
