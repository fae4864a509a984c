#include <algorithm>
#include <array>
#include <string_view>

#include "planner/locks/forms.h"

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

}  // namespace

void Form(const ast::Modify& modify, Draft& draft) {
  using Verb = ast::Modify::Verb;
  if (modify.verb == Verb::kMerge) draft.Needs(15, "MERGE");
  draft.TakeTree(modify.table, LockMode::kRowExclusive);
  if (const catalog::Table* table = draft.schema().FindTable(modify.table))
    for (const std::string& column : modify.set_columns) RefuseUnknownColumn(*table, column, draft);
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
