#pragma once

// Constraints as text and by name: shared by recipes. Private to planner/plan.

#include <optional>
#include <string>
#include <vector>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

// "CHECK (a > 0)" of "ADD CONSTRAINT c CHECK (a > 0)", or of a column's "CONSTRAINT c CHECK (…)".
[[nodiscard]] std::string DefinitionOf(const std::string& text);

// The constraints that `after` has and `before` has not, in their order.
[[nodiscard]] std::vector<const catalog::Constraint*> NewConstraints(
    const catalog::Schema& before, const catalog::Schema& after, const sql::QualifiedName& table);
// Of those, the one of this kind.
[[nodiscard]] const catalog::Constraint* NewConstraint(const catalog::Schema& before,
                                                       const catalog::Schema& after,
                                                       const sql::QualifiedName& table,
                                                       sql::ast::ConstraintKind kind);

// A key to be added: on a table that has its columns.
struct Key {
  sql::QualifiedName table;
  std::string name;
  sql::ast::ConstraintKind kind = sql::ast::ConstraintKind::kUnique;
  const sql::ast::Constraint* written = nullptr;  // its columns are listed
};

// CREATE UNIQUE INDEX CONCURRENTLY and ADD CONSTRAINT … USING INDEX; on a partitioned table leaf by
// leaf. `after` has the names that the server would give.
void AddKey(const Key& key, const catalog::Schema& before, const catalog::Schema& after,
            std::vector<Step>& steps);
// The key that an ALTER TABLE … ADD of this kind adds to a table in use; nullptr: it is another
// statement, or no index that is there before can become the key.
[[nodiscard]] const sql::ast::Constraint* KeyToAdd(const Situation& situation,
                                                   sql::ast::ConstraintKind kind);
// Its steps; NOT NULL first where it is a primary key. False: its name is not known.
[[nodiscard]] bool AddKeyOf(const Situation& situation, sql::ast::ConstraintKind kind,
                            std::vector<Step>& steps);
[[nodiscard]] std::string UniqueIndexText(const Key& key, const std::string& index);
// "PRIMARY KEY USING INDEX i DEFERRABLE"
[[nodiscard]] std::string UsingIndexText(const Key& key, const std::string& index);

// The partitions of a table that hold rows, of any depth.
[[nodiscard]] std::vector<const catalog::Table*> Leaves(const catalog::Schema& schema,
                                                        const sql::QualifiedName& table);

}  // namespace pgalter::plan
