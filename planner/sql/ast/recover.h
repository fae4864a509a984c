#pragma once

// What can be read of a piece of a script that the grammar refuses: a semicolon may be missing, and
// the next statement is in it.

#include <string_view>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::sql::ast {

// Parts that are each a statement of its own and begin a line with a statement's first word: in
// their order, disjoint. The first may begin the piece. None where nothing follows what is broken.
[[nodiscard]] std::vector<Span> StatementsWithin(std::string_view broken);

}  // namespace pgalter::sql::ast
