#pragma once

// Foreign keys as text, and adding one without a scan under a lock: shared by recipes. Private to
// planner/plan.

#include <string>
#include <vector>

#include "planner/plan/recipe.h"

namespace pgalter::plan {

// "FOREIGN KEY (a) REFERENCES p (b) ON DELETE CASCADE", with everything the definition says but its
// name and whether it is valid.
[[nodiscard]] std::string ForeignKeyText(const sql::ast::Constraint& key);

// Whether the server takes it only without NOT VALID: of a partitioned table, before 18.
[[nodiscard]] bool ForeignKeyByLeaf(const Situation& situation);

// `definition`: "FOREIGN KEY (a) REFERENCES p", without NOT VALID.
void AddForeignKey(const Situation& situation, const std::string& name,
                   const std::string& definition, const sql::QualifiedName& target,
                   Proposal& proposal);

}  // namespace pgalter::plan
