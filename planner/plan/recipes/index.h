#pragma once

// Building indexes concurrently, on a table or on all partitions of one: shared by recipes.
// Private to planner/plan.

#include <optional>
#include <string>

#include "planner/plan/recipe.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

// A CREATE INDEX statement whose table and name can be changed.
class IndexText {
 public:
  [[nodiscard]] static std::optional<IndexText> Read(const std::string& statement);

  [[nodiscard]] std::string Concurrently(const sql::QualifiedName& table,
                                         const std::string& name) const;
  // ON ONLY: of a partitioned table, without its partitions.
  [[nodiscard]] std::string OnOnly(const sql::QualifiedName& table, const std::string& name) const;

 private:
  std::string create_;         // "CREATE UNIQUE INDEX"
  bool unless_there_ = false;  // IF NOT EXISTS
  std::string definition_;     // from USING, or the bracket, on
};

struct IndexPlace {
  sql::QualifiedName table;
  std::string name;
};

// Leaf by leaf, then the parents' from below. `after` has the names that the server would give.
void IndexPartitions(const IndexText& text, const IndexPlace& root, const catalog::Schema& before,
                     const catalog::Schema& after, Proposal& proposal);

}  // namespace pgalter::plan
