#pragma once

// The names of NOT NULL constraints. Pure.

#include <string>

#include "planner/sql/identifier.h"

namespace pgalter::plan {

// From PostgreSQL 18 on NOT NULL has a name, which was made from the one that the table or a column
// of it had for a time: after that is over, as the server would name it. A DO block.
[[nodiscard]] std::string NameNotNulls(const sql::QualifiedName& table);

}  // namespace pgalter::plan
