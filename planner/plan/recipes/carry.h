#pragma once

// What does not follow a column that is replaced: noted down while the old one is there, made again
// when the new one has its name. Both are run in one transaction; what is carried is what is there
// then, whatever the plan knew. Private to planner/plan.

#include <string>
#include <vector>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

struct Carried {
  std::string note;
  std::string apply;
};

// Default, comment, rights, statistics, options, identity, owned sequence, extended statistics; and
// of its indexes and constraints comments, options, CLUSTER ON, REPLICA IDENTITY.
[[nodiscard]] Carried CarryOver(const sql::QualifiedName& table, const std::string& column);

// The views that read the column, and the views on these, with their owners, rights and comments.
[[nodiscard]] Carried CarryViews(const sql::QualifiedName& table, const std::string& column);

// Those views, each after what it reads; none where something else than plain views is in the way
// of a change of type.
[[nodiscard]] std::optional<std::vector<sql::QualifiedName>> ViewsInTheWay(
    const Situation& situation);
// DROP VIEW, the last first.
[[nodiscard]] std::string DropViews(std::vector<sql::QualifiedName> views);

}  // namespace pgalter::plan
