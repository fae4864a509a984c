#pragma once

// What an expression of a user reads and calls, as far as its text alone tells. Names are not
// resolved: no catalog is at hand here. Casts and operators also call functions; they are not
// listed.

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

// A reference as written. `name` alone may still be a whole row (`SELECT t FROM t`) where no column
// has that name: only the catalog can tell.
struct ColumnUse {
  std::string schema;      // empty unless written
  std::string qualifier;   // the table's name or alias; empty unless written
  std::string name;        // empty for a whole row
  bool whole_row = false;  // written as qualifier.*

  bool operator==(const ColumnUse&) const = default;
};

struct FunctionUse {
  std::vector<std::string> name;  // schema-qualified as written: {"lower"}, {"pg_catalog", "lower"}
  int arguments = 0;
  bool over = false;  // with OVER (…): a window function, or an aggregate used as one

  bool operator==(const FunctionUse&) const = default;
};

struct ExpressionFacts {
  std::vector<ColumnUse>
      columns;  // each once, in the order of the text; those inside subqueries too
  // Each once. With the grammar's own: {"current_timestamp"}, {"pg_catalog", "timezone"} for AT
  // TIME ZONE.
  std::vector<FunctionUse> functions;
  std::vector<int> parameters;  // numbers of $1, $2 …, ascending
  bool has_subquery = false;
  // 'text' or NULL and nothing else: it takes the type of the column that it is assigned to.
  bool untyped = false;
};

// A text that passes may be put between brackets into any statement: it is one expression, its
// brackets pair up, and it has neither comment nor semicolon.
[[nodiscard]] Result<ExpressionFacts> ParseExpression(std::string_view text);

}  // namespace pgalter::sql
