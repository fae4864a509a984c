#pragma once

// ALTER TABLE, one sub-command at a time. Private to planner/locks.

#include <optional>
#include <set>

#include "planner/locks/draft.h"

namespace pgalter::locks {

// The table that is altered, and what of it goes away in the same statement: the server does all
// drops before anything else.
struct Altered {
  QualifiedName name;                     // as the schema knows it
  const catalog::Table* table = nullptr;  // not known
  bool only = false;
  std::set<std::string> dropped_constraints;
  std::set<std::string> added_columns;
  std::set<std::string> retyped_columns;

  [[nodiscard]] const catalog::Column* FindColumn(const std::string& column) const {
    return table == nullptr ? nullptr : table->FindColumn(column);
  }
  [[nodiscard]] bool IsPartitioned() const {
    return table != nullptr && table->kind == catalog::TableKind::kPartitioned;
  }
  // Without rows of its own here: views, foreign tables.
  [[nodiscard]] bool HasStorage() const {
    return table == nullptr || table->kind == catalog::TableKind::kTable ||
           table->kind == catalog::TableKind::kPartitioned ||
           table->kind == catalog::TableKind::kMaterializedView;
  }
};

// Work on the altered table, down to its descendants unless ONLY was written. nullptr: none.
Work* WorkOn(const Altered& altered, Draft& draft, Work::Kind kind, Reason reason,
             std::string subject);
void TakeOn(const Altered& altered, Draft& draft, LockMode mode);

// Whether the column cannot be NULL once the drops of the statement are done. Of a partitioned
// table: in every partition that is known.
[[nodiscard]] catalog::Truth NotNullProven(const Altered& altered, const catalog::Schema& schema,
                                           const std::string& column);
// Reads the table unless that is proven.
void ScanForNotNull(const Altered& altered, Draft& draft, const std::string& column);

void AddColumn(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void DropColumn(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void SetNotNull(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void SetDefault(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void AddIdentity(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void SetExpression(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void SetType(const ast::TableCommand& command, const Altered& altered, Draft& draft);

// Where a constraint stands: with the column that is added with it, it may be NOT VALID to us for
// want of rows to check, where the user could not have written that.
enum class Written { kByItself, kWithColumn };
void AddConstraint(const ast::Constraint& constraint, const Altered& altered, Draft& draft,
                   Written written = Written::kByItself);
void AlterConstraint(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void ValidateConstraint(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void DropConstraint(const ast::TableCommand& command, const Altered& altered, Draft& draft);
// What a foreign key points at must be a table, have such a key, and be as lasting as this one,
// where that is known.
void RequireTarget(const ast::Constraint& constraint, std::optional<ast::Persistence> persistence,
                   Draft& draft);
// The lock that a foreign key takes on the table it points at, and on that one's partitions.
void TakeTarget(const QualifiedName& target, Draft& draft, LockMode mode);

void AttachPartition(const ast::TableCommand& command, const Altered& altered, Draft& draft);
void DetachPartition(const ast::TableCommand& command, const Altered& altered, Draft& draft);

// ALTER INDEX, and ALTER TABLE of an index.
void AlterIndex(const ast::AlterTable& alter, Draft& draft);

}  // namespace pgalter::locks
