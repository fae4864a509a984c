#pragma once

// A column replaced by another one that takes its name. Private to planner/plan.

#include <optional>
#include <string>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

struct ShadowColumn {
  std::string column;      // that is replaced
  std::string type;        // of the new one, as SQL
  std::string expression;  // of its value, over the table's columns; empty: the column itself
  // Instead of the old one's: empty: none.
  std::optional<std::string> default_value = std::nullopt;
};

// Least bad where it cannot be: partitions, inheritance, several columns in one index expression
// that is not understood.
[[nodiscard]] Proposal ReplaceColumn(const Situation& situation, const ShadowColumn& shadow);
// The whole table instead, behind the same gate. Callers ask WhyNotRebuilt first.
[[nodiscard]] Proposal CopyTable(const Situation& situation, const ShadowColumn& shadow);

}  // namespace pgalter::plan
