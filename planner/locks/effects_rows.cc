#include <algorithm>
#include <array>
#include <string_view>

#include "planner/locks/forms.h"
#include "planner/locks/types.h"

namespace pgalter::locks {
namespace {

// What a query reads of a table is the planner's choice.
void DoubtPlan(Work* work) {
  if (work != nullptr) Doubt(*work, "how much of the table is read is the planner's choice");
}

void Read(const std::vector<QualifiedName>& tables, LockMode mode, Draft& draft) {
  for (const QualifiedName& table : tables) {
    draft.TakeTree(table, mode);
    DoubtPlan(draft.DoTree(Work::Kind::kScan, table, Reason::kRows));
  }
}

bool HasTriggers(const catalog::Table& table) {
  return !table.triggers.empty() || !table.rules.empty();
}

bool IsRequired(const catalog::Column& column) {
  return column.known && column.not_null && !column.generated;
}

void RefuseNull(const catalog::Table& table, const catalog::Column* column, Certainty certainty,
                Draft& draft) {
  if (column == nullptr || !IsRequired(*column)) return;
  draft.Refuse(Refusal::kOther, column->name,
               Show(table.name) + "." + column->name + " is NOT NULL", certainty);
}

// NULL where the table takes none: written, or for want of a value. A trigger may put one there.
void RefuseNulls(const ast::Modify& modify, const catalog::Table& table, Draft& draft) {
  using Verb = ast::Modify::Verb;
  if (table.kind != catalog::TableKind::kTable && table.kind != catalog::TableKind::kPartitioned)
    return;
  const bool insert = modify.verb == Verb::kInsert;
  const bool every_row = insert || !modify.where || modify.where->is_true;
  const Certainty certainty =
      every_row && !HasTriggers(table) ? Certainty::kCertain : Certainty::kPossible;
  for (const std::string& column : modify.null_columns)
    RefuseNull(table, table.FindColumn(column), certainty, draft);
  if (!insert || !table.complete) return;
  for (const std::size_t place : modify.null_places)
    if (place < table.columns.size()) RefuseNull(table, &table.columns[place], certainty, draft);
  if (modify.set_columns.empty() || HasTriggers(table)) return;
  for (const catalog::Column& column : table.columns) {
    const bool given =
        column.has_default || column.identity ||
        std::ranges::find(modify.set_columns, column.name) != modify.set_columns.end();
    // Whether a type of the user's own brings a default is not always known.
    if (given || !IsRequired(column) || !IsWellKnown(column.type)) continue;
    draft.Refuse(
        Refusal::kOther, column.name,
        Show(table.name) + "." + column.name + " is NOT NULL, has no default and is given no value",
        modify.from_query ? Certainty::kPossible : Certainty::kCertain);
  }
}

}  // namespace

void Form(const ast::Modify& modify, Draft& draft) {
  using Verb = ast::Modify::Verb;
  if (modify.verb == Verb::kMerge) draft.Needs(15, "MERGE");
  draft.TakeTree(modify.table, LockMode::kRowExclusive);
  if (const catalog::Table* table = draft.schema().FindTable(modify.table)) {
    for (const std::string& column : modify.set_columns) RefuseUnknownColumn(*table, column, draft);
    RefuseNulls(modify, *table, draft);
  }
  Read(modify.reads, LockMode::kAccessShare, draft);
  if (modify.verb != Verb::kInsert) {
    Work* work = draft.DoTree(Work::Kind::kScan, modify.table, Reason::kRows);
    const bool all = modify.verb != Verb::kMerge && modify.reads.empty() &&
                     (!modify.where || modify.where->is_true);
    if (!all) DoubtPlan(work);
  }
  for (const ast::Modify& inner : modify.within) Form(inner, draft);
}

void Form(const ast::Select& select, Draft& draft) {
  Read(select.reads, select.locks_rows ? LockMode::kRowShare : LockMode::kAccessShare, draft);
  for (const ast::Modify& inner : select.within) Form(inner, draft);
}

void Form(const ast::Copy& copy, Draft& draft) {
  if (!copy.table) return;
  draft.TakeTree(*copy.table, copy.from ? LockMode::kRowExclusive : LockMode::kAccessShare);
  if (!copy.from) draft.Do(Work::Kind::kScan, *copy.table, Reason::kRows);
}

void Form(const ast::Other& other, Draft& draft) {
  constexpr std::array<std::string_view, 5> kAlone = {
      "ALTER SYSTEM", "CREATE DATABASE", "CREATE TABLESPACE", "DROP DATABASE", "DROP TABLESPACE",
  };
  if (std::ranges::find(kAlone, other.tag) != kAlone.end()) draft.SetOutsideTransaction();
}

}  // namespace pgalter::locks
