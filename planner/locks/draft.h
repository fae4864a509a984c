#pragma once

// The effects of one statement while they are put together. Private to planner/locks.
//
// Names may come as written: here they become what the schema knows them by.

#include <string>
#include <utility>
#include <vector>

#include "planner/locks/effects.h"

namespace pgalter::locks {

namespace ast = sql::ast;
using catalog::QualifiedName;
using sql::FunctionUse;

class Draft {
 public:
  Draft(const catalog::Schema& schema, int server_version)
      : schema_(schema), version_(server_version) {}

  [[nodiscard]] const catalog::Schema& schema() const { return schema_; }
  [[nodiscard]] int version() const { return version_; }

  // Of an ALTER TABLE: what follows belongs to it.
  void SetCommand(int command) { command_ = command; }

  void Take(const QualifiedName& relation, LockMode mode);
  void TakeIndex(const QualifiedName& index, LockMode mode);
  // With everything below it that is known.
  void TakeTree(const QualifiedName& relation, LockMode mode);

  // A work on this table alone.
  Work& Do(Work::Kind kind, const QualifiedName& relation, Reason reason, std::string subject = {});
  // On it and its known descendants. nullptr: there is nothing that could have rows.
  Work* DoTree(Work::Kind kind, const QualifiedName& relation, Reason reason,
               std::string subject = {});

  void Refuse(Refusal refusal, std::string subject, std::string detail,
              Certainty certainty = Certainty::kCertain);
  // Refuses what an older server does not know.
  void Needs(int version, const std::string& what);

  void SetOutsideTransaction() { effects_.outside_transaction = true; }

  [[nodiscard]] Effects Finish();

 private:
  const catalog::Schema& schema_;
  int version_;
  int command_ = -1;
  Effects effects_;
};

// Makes a work depend on what is not known.
inline void Doubt(Work& work, std::string unknown) {
  work.certainty = Certainty::kPossible;
  work.unknown = std::move(unknown);
}

// Refuses a column that a table whose columns are all known does not have.
void RefuseUnknownColumn(const catalog::Table& table, const std::string& column, Draft& draft);

// All that is below it, without itself: partitions, their partitions, tables that inherit.
[[nodiscard]] std::vector<const catalog::Table*> Descendants(const catalog::Schema& schema,
                                                             const QualifiedName& relation);

// As a user knows it: without the schema "public".
[[nodiscard]] std::string Show(const QualifiedName& name);

}  // namespace pgalter::locks
