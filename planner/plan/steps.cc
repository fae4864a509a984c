#include "planner/plan/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace pgalter::plan {

using sql::QuoteIdentifier;

sql::QualifiedName Beside(const sql::QualifiedName& table, const std::string& name) {
  return {table.schema, name};
}

std::string MadeName(std::string_view what, const sql::QualifiedName& table,
                     std::string_view column) {
  constexpr std::size_t kLongest = 63;
  std::string name = fmt::format("pgalter_{}_{}", what, table.name);
  if (!column.empty()) name += fmt::format("_{}", column);
  if (name.size() <= kLongest) return name;
  std::uint32_t hash = 0x811c9dc5;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193;
  std::size_t cut = kLongest - 9;
  // Not through the middle of a character.
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;
  return fmt::format("{}_{:08x}", name.substr(0, cut), hash);
}

std::string List(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) {
    if (!list.empty()) list += ", ";
    list += QuoteIdentifier(column);
  }
  return list;
}

std::string Show(const sql::QualifiedName& name) {
  return name.schema == "public" ? name.name : sql::ToString(name);
}

Step Ddl(Phase phase, Texts sql, Texts undo, std::string explain) {
  Step step;
  step.phase = phase;
  step.kind = StepKind::kDdl;
  step.sql = std::move(sql);
  step.undo = std::move(undo);
  step.explain = std::move(explain);
  return step;
}

Step Alone(Phase phase, StepKind kind, std::string sql, std::string explain) {
  Step step;
  step.phase = phase;
  step.kind = kind;
  step.sql = {std::move(sql)};
  step.transaction = Transaction::kNone;
  step.undo_transaction = Transaction::kNone;
  step.explain = std::move(explain);
  return step;
}

Step BuildIndex(std::string sql, const sql::QualifiedName& index, std::string explain) {
  Step step = Alone(Phase::kExpand, StepKind::kConcurrentIndex, std::move(sql), std::move(explain));
  step.index = index;
  step.undo = {fmt::format("DROP INDEX CONCURRENTLY IF EXISTS {}", sql::ToString(index))};
  return step;
}

Step Validate(const sql::QualifiedName& table, const std::string& constraint) {
  Step step;
  step.phase = Phase::kMigrate;
  step.kind = StepKind::kValidate;
  step.sql = {fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", sql::ToString(table),
                          QuoteIdentifier(constraint))};
  step.explain = "Reads the rows under a lock that stops neither readers nor writers.";
  return step;
}

Step MakeBackfill(const sql::QualifiedName& table, std::string set, std::string where,
                  std::string explain) {
  Step step;
  step.phase = Phase::kMigrate;
  step.kind = StepKind::kBackfill;
  step.transaction = Transaction::kNone;
  step.sql = {fmt::format("UPDATE {} SET {}{}{}", sql::ToString(table), set,
                          where.empty() ? "" : " WHERE ", where)};
  step.backfill =
      Backfill{sql::ToString(table), std::move(set), std::move(where), Backfill::Sync::kNone};
  step.explain = std::move(explain);
  return step;
}

Step MakeGate(std::string name, std::string reason, long soak_s) {
  // People type it: a column's name may have blanks and signs that a shell takes for its own.
  constexpr std::string_view kUnfit = " \t\n\r\"'`$&|;<>()[]{}*?!#~\\";
  for (char& c : name)
    if (kUnfit.find(c) != std::string_view::npos) c = '_';
  Step step;
  step.phase = Phase::kContract;
  step.kind = StepKind::kGate;
  step.transaction = Transaction::kNone;
  step.explain = reason;
  step.gate = Gate{std::move(name), std::move(reason), soak_s, ""};
  return step;
}

void AddInTwoSteps(const sql::QualifiedName& table, const std::string& head,
                   const std::string& name, const std::string& definition, std::string explain,
                   std::vector<Step>& steps) {
  steps.push_back(Ddl(
      Phase::kExpand,
      {fmt::format("{} ADD CONSTRAINT {} {} NOT VALID", head, QuoteIdentifier(name), definition)},
      {fmt::format("{} DROP CONSTRAINT IF EXISTS {}", head, QuoteIdentifier(name))},
      std::move(explain)));
  steps.push_back(Validate(table, name));
}

namespace {

// That holds for what is written from then on, and nobody has read the rows of before.
const catalog::Constraint* UnprovenNotNull(const Situation& situation,
                                           const sql::QualifiedName& name,
                                           const std::string& column) {
  const catalog::Table* table = situation.schema.FindTable(name);
  if (table == nullptr) return nullptr;
  const auto found = std::ranges::find_if(table->constraints, [&](const auto& constraint) {
    return constraint.definition.kind == sql::ast::ConstraintKind::kNotNull && !constraint.valid &&
           constraint.definition.columns == std::vector{column};
  });
  return found == table->constraints.end() ? nullptr : &*found;
}

// A partition's own key has made its NOT NULL its own, which does not go with the parent's.
void FreePartitions(const Situation& situation, const sql::QualifiedName& table,
                    const std::string& column, Texts& undo) {
  for (const catalog::Table* partition : situation.schema.Partitions(table)) {
    const catalog::Column* before = partition->FindColumn(column);
    if (before != nullptr && before->known && !before->not_null)
      undo.push_back(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
                                 sql::ToString(partition->name), QuoteIdentifier(column)));
    FreePartitions(situation, partition->name, column, undo);
  }
}

}  // namespace

void ForbidNull(const Situation& situation, const sql::QualifiedName& table,
                const std::string& head, const std::vector<std::string>& columns,
                std::vector<Step>& steps) {
  constexpr int kNotNullNotValid = 18;
  for (const std::string& column : columns) {
    if (situation.schema.NotNullProven(table, column) == catalog::Truth::kYes) continue;
    const std::string quoted = QuoteIdentifier(column);
    const std::string undo = fmt::format("{} ALTER COLUMN {} DROP NOT NULL", head, quoted);
    if (const catalog::Constraint* there = UnprovenNotNull(situation, table, column)) {
      Step validate = Validate(table, there->name);
      validate.undo = {undo, fmt::format("{} ADD CONSTRAINT {} NOT NULL {} NOT VALID", head,
                                         QuoteIdentifier(there->name), quoted)};
      steps.push_back(std::move(validate));
      continue;
    }
    if (situation.version >= kNotNullNotValid) {
      const std::string name = fmt::format("{}_{}_not_null", table.name, column);
      AddInTwoSteps(table, head, name, fmt::format("NOT NULL {}", quoted),
                    "Rows that are written from here on have a value; nothing is read yet.", steps);
      Texts& all = steps[steps.size() - 2].undo = {undo};
      FreePartitions(situation, table, column, all);
      continue;
    }
    const std::string name = MadeName("nn", table, column);
    AddInTwoSteps(table, head, name, fmt::format("CHECK ({} IS NOT NULL)", quoted),
                  "Rows that are written from here on have a value; nothing is read yet.", steps);
    // Apart: in one ALTER TABLE the CHECK would be gone before it can prove anything.
    Step set = Ddl(Phase::kMigrate,
                   {fmt::format("{} ALTER COLUMN {} SET NOT NULL", head, quoted),
                    fmt::format("{} DROP CONSTRAINT {}", head, QuoteIdentifier(name))},
                   {undo}, "The CHECK proves it, so no row is read; then the CHECK is not needed.");
    steps.push_back(std::move(set));
  }
}

}  // namespace pgalter::plan
