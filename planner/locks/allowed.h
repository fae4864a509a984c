#pragma once

// What the server refuses in the expressions of a definition, whatever rows there are. Private to
// planner/locks.

#include <string>

#include "planner/locks/draft.h"

namespace pgalter::locks {

enum class Place { kCheck, kDefault, kGenerated, kIndex, kIndexCondition };

// Subqueries, aggregates, window functions; in a default any column.
void RefuseForbidden(const ast::Expression& expression, Place place, const std::string& subject,
                     Draft& draft);

// A default that is not, and does not become, a value of its column's type.
void RefuseUnfitDefault(const ast::Expression& value, const ast::TypeName& type,
                        const std::string& column, Draft& draft);

// Both, of everything that is written at a column; and of a constraint of a table or domain.
void RefuseAtColumn(const ast::ColumnDefinition& column, Draft& draft);
void RefuseInConstraint(const ast::Constraint& constraint, const std::string& subject,
                        Draft& draft);

}  // namespace pgalter::locks
