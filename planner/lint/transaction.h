#pragma once

// What the transaction holds at a statement, and what has happened in it. Pure state: the linter
// asks it before a statement and tells it afterwards.

#include <optional>
#include <string>
#include <vector>

#include "planner/locks/effects.h"
#include "planner/sql/script.h"

namespace pgalter::lint {

enum class TransactionKind {
  kNone,      // the statement commits by itself
  kExplicit,  // BEGIN stands in the file
  kImplied,   // the tool, or several statements sent as one, make it
};

// A lock on a relation that others use.
struct Held {
  catalog::QualifiedName relation;
  locks::LockMode mode = locks::LockMode::kAccessShare;
  sql::Span taken_by;  // the statement
};

class Transaction {
 public:
  // What a COMMIT in the file leaves of an implied transaction.
  enum class AfterCommit { kNothing, kAgain };

  explicit Transaction(TransactionKind at_start, AfterCommit again = AfterCommit::kNothing)
      : implied_(at_start == TransactionKind::kImplied), again_(again) {}

  [[nodiscard]] TransactionKind kind() const;
  [[nodiscard]] bool open() const { return kind() != TransactionKind::kNone; }
  // Several statements sent as one: there BEGIN and COMMIT in the file do what they say.
  [[nodiscard]] bool one_query() const { return implied_ && again_ == AfterCommit::kAgain; }
  [[nodiscard]] const std::vector<Held>& held() const { return held_; }
  // The strongest that keeps somebody from reading or writing; nullptr: none does.
  [[nodiscard]] const Held* StrongestBlocking() const;
  [[nodiscard]] const Held* On(const catalog::QualifiedName& relation) const;

  struct EnumValue {
    std::string type;
    std::string value;
    bool type_is_new = false;  // made in the same transaction
  };
  [[nodiscard]] const std::vector<EnumValue>& enum_values() const { return enum_values_; }
  // Added NOT VALID since the transaction began: table and constraint.
  [[nodiscard]] bool AddedNotValid(const catalog::QualifiedName& table,
                                   const std::string& constraint) const;
  // Rows of it were changed since then.
  [[nodiscard]] bool Modified(const catalog::QualifiedName& table) const;
  [[nodiscard]] bool HasPolicy(const catalog::QualifiedName& table) const;
  [[nodiscard]] int statements() const { return statements_; }
  [[nodiscard]] const std::optional<sql::Span>& begun_at() const { return begun_at_; }

  // After a statement. `schema` is as it was before it.
  void Step(const sql::ast::Statement& statement, const locks::Effects& effects,
            const catalog::Schema& schema, sql::Span span);

 private:
  void Forget();
  void Take(const locks::Lock& lock, const catalog::Schema& schema, sql::Span span);
  void Rename(const sql::ast::Statement& statement, const catalog::Schema& schema);
  void Remember(const sql::ast::Statement& statement, const catalog::Schema& schema);

  bool implied_ = false;
  AfterCommit again_ = AfterCommit::kNothing;
  bool explicit_ = false;
  int statements_ = 0;
  std::optional<sql::Span> begun_at_;
  std::vector<Held> held_;
  std::vector<EnumValue> enum_values_;
  std::vector<std::string> new_types_;
  std::vector<std::pair<catalog::QualifiedName, std::string>> not_valid_;
  std::vector<catalog::QualifiedName> modified_;
  std::vector<catalog::QualifiedName> policies_;
};

}  // namespace pgalter::lint
