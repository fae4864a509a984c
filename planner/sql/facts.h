#pragma once

// What a tree mentions, found in one walk: of an expression, or of any part of a statement. Private
// to planner/sql. Pointers lead into the tree.

#include <string>
#include <vector>

#include "planner/sql/expression.h"
#include "planner/sql/grammar.h"
#include "planner/sql/tree.h"

namespace pgalter::sql {

struct TreeFacts {
  ExpressionFacts expression;
  // In the order of the text. Names of a WITH query and what a statement writes to are not among
  // them.
  std::vector<const pg_query::RangeVar*> tables;
  std::vector<const pg_query::TypeCast*> casts;
  std::vector<std::string> literals;  // strings
  // Statements that write rows, INSERT, UPDATE, DELETE and MERGE; the root itself may be one.
  std::vector<tree::AnyMessage> writes;
  bool has_limit = false;
  bool locks_rows = false;  // FOR UPDATE and its kin
};

[[nodiscard]] TreeFacts Collect(tree::AnyMessage root);

[[nodiscard]] ColumnUse ReadColumn(const pg_query::ColumnRef& ref);

template <class T>
void AddOnce(std::vector<T>& list, T item) {
  for (const T& known : list) {
    if (known == item) return;
  }
  list.push_back(std::move(item));
}

}  // namespace pgalter::sql
