#include <algorithm>
#include <array>
#include <string_view>

#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

void Read(const std::vector<QualifiedName>& tables, Draft& draft) {
  for (const QualifiedName& table : tables) draft.TakeTree(table, LockMode::kAccessShare);
}

}  // namespace

void Form(const ast::Modify& modify, Draft& draft) {
  using Verb = ast::Modify::Verb;
  if (modify.verb == Verb::kMerge) draft.Needs(15, "MERGE");
  draft.TakeTree(modify.table, LockMode::kRowExclusive);
  Read(modify.reads, draft);
  if (modify.verb != Verb::kInsert) {
    draft.DoTree(Work::Kind::kScan, modify.table, Reason::kRows);
  } else if (modify.from_query) {
    for (const QualifiedName& table : modify.reads)
      draft.DoTree(Work::Kind::kScan, table, Reason::kRows);
  }
  for (const ast::Modify& inner : modify.within) Form(inner, draft);
}

void Form(const ast::Select& select, Draft& draft) {
  for (const QualifiedName& table : select.reads) {
    draft.TakeTree(table, select.locks_rows ? LockMode::kRowShare : LockMode::kAccessShare);
    draft.DoTree(Work::Kind::kScan, table, Reason::kRows);
  }
  for (const ast::Modify& inner : select.within) Form(inner, draft);
}

void Form(const ast::Copy& copy, Draft& draft) {
  if (!copy.table) return;
  draft.TakeTree(*copy.table, copy.from ? LockMode::kRowExclusive : LockMode::kAccessShare);
  if (!copy.from) draft.Do(Work::Kind::kScan, *copy.table, Reason::kRows);
}

void Form(const ast::Other& other, Draft& draft) {
  constexpr std::array<std::string_view, 9> kAlone = {
      "ALTER SYSTEM",      "CREATE DATABASE", "CREATE SUBSCRIPTION",
      "CREATE TABLESPACE", "DISCARD ALL",     "DROP DATABASE",
      "DROP SUBSCRIPTION", "DROP TABLESPACE", "ROLLBACK PREPARED",
  };
  if (std::ranges::find(kAlone, other.tag) != kAlone.end()) draft.SetOutsideTransaction();
}

}  // namespace pgalter::locks
