#pragma once

// Changes of many rows by one statement.

#include <string>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

// How much of a table an UPDATE or DELETE goes over, as far as its condition tells.
enum class Extent {
  kAll,     // no condition, or one that always holds
  kNearly,  // col IS NULL, col <> 'x', id > 0, a mere join
  kPart,
};
[[nodiscard]] Extent ExtentOf(const sql::ast::Modify& modify);

// Calls `visit(modify)` for the statement's own change of rows, and for those in its WITH.
void ForEachModify(const sql::ast::Statement& statement,
                   const std::function<void(const sql::ast::Modify&)>& visit);

// A remark on a change of rows of a table in use; none where nobody uses the table.
[[nodiscard]] std::optional<Remark> OnRows(const Context& context, const sql::ast::Modify& modify,
                                           std::string message);

}  // namespace pgalter::lint
