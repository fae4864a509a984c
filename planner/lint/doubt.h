#pragma once

// What makes a finding less certain than its rule has it: the linter makes a note of it then.

#include <string_view>

#include "planner/catalog/schema.h"
#include "planner/locks/effects.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::lint {

// IF EXISTS, of what nobody has made: where a history shows tables, a leftover of other databases.
[[nodiscard]] bool IsOfNothingKnown(const sql::ast::Statement& statement,
                                    const catalog::Schema& schema);

// As the reader of PL/pgSQL writes what EXECUTE puts together.
[[nodiscard]] bool HasComputedName(std::string_view text);

// Whether a body asks before it acts, or catches what fails.
[[nodiscard]] bool HasGuards(std::string_view body);

// It would fail for what is there, or for what is not: behind a guard that is what keeps it back.
[[nodiscard]] bool IsKeptBack(const locks::Effects& effects);
[[nodiscard]] bool IsOnlyUnknown(const locks::Effects& effects);

}  // namespace pgalter::lint
