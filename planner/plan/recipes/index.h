#pragma once

// Building indexes concurrently, on a table or on all partitions of one: shared by recipes.
// Private to planner/plan.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// How a table's columns are written: as they are, or one of them by another name.
class ColumnNames {
 public:
  ColumnNames() = default;
  ColumnNames(std::string table, std::string from, std::string to)
      : table_(std::move(table)), from_(std::move(from)), to_(std::move(to)) {}

  [[nodiscard]] std::vector<std::string> In(std::vector<std::string> columns) const;
  // None: it is not understood.
  [[nodiscard]] std::optional<std::string> In(const std::string& expression) const;

 private:
  std::string table_;
  std::string from_;  // empty: no other name
  std::string to_;
};

// "(fillfactor = '70')"; empty: there are none.
[[nodiscard]] std::string OptionsText(const std::map<std::string, std::string>& options);

// CREATE INDEX CONCURRENTLY for one that says the same. None: an expression in it is not
// understood.
[[nodiscard]] std::optional<std::string> LikeIndex(const catalog::Index& index,
                                                   const IndexPlace& place,
                                                   const ColumnNames& columns);

// Leaf by leaf, then the parents' from below. `after` has the names that the server would give.
void IndexPartitions(const IndexText& text, const IndexPlace& root, const catalog::Schema& before,
                     const catalog::Schema& after, Proposal& proposal);

}  // namespace pgalter::plan
