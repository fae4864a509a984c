#pragma once

// What may not be while one column takes another's place: blocks that ask the server and raise an
// error which says what is in the way and what to do, run in the transaction of the step that they
// stand in. They change nothing. Private to planner/plan.

#include <string>
#include <utility>
#include <vector>

#include "planner/sql/identifier.h"

namespace pgalter::plan {

// Columns of other tables hold rows of this one, directly or in arrays, domains, ranges and
// composite types: their values would lose what the old column had. The server refuses a plain
// ALTER … TYPE then, too.
[[nodiscard]] std::string RefuseRowTypeInUse(const sql::QualifiedName& table);

// Functions that take rows of the table or, with kTakenOrGiven, give them back: rows of a view that
// has the table's name are of another type, and with one more column of another shape.
enum class RowsInFunctions { kTaken, kTakenOrGiven };
[[nodiscard]] std::string RefuseFunctionsOfRows(const sql::QualifiedName& table,
                                                RowsInFunctions which);

// A view that reads with its owner's rights, as before PostgreSQL 15, shows everybody all rows.
[[nodiscard]] std::string RefuseRowSecurity(const sql::QualifiedName& table);

// Before anything is made, or when it is: the way out is another one.
enum class Asked { kBefore, kMeanwhile };

// A trigger that fires behind `trigger` may change the row after it.
[[nodiscard]] std::string RefuseTriggersBehind(const sql::QualifiedName& table,
                                               const std::string& trigger, Asked asked);

// Views, each after what it reads, on which something hangs that goes with them and is not made
// again.
[[nodiscard]] std::string RefuseViewsInUse(const std::vector<sql::QualifiedName>& views);

// The trigger and its function are as one transaction made them: one that was switched off, and on
// again, is of another than what it depends on, and changes that it did not see may be missing.
[[nodiscard]] std::string RefuseTouched(const sql::QualifiedName& table,
                                        const std::string& trigger);

// What hangs on the column and is known to come along.
struct Hangers {
  std::vector<std::string> indexes;                              // as SQL
  std::vector<std::pair<std::string, std::string>> constraints;  // table as SQL, name
  std::vector<std::string> views;                                // as SQL
  std::vector<std::string> sequences;                            // as SQL, owned by it
  bool readers = false;   // policies and triggers of the table
  bool not_null = false;  // the column is
  bool identity = false;  // the column is
};
// Anything else that hangs on it: DROP COLUMN would take it along, or be refused.
[[nodiscard]] std::string RefuseOtherHangers(const sql::QualifiedName& table,
                                             const std::string& column, const Hangers& known,
                                             Asked asked);

}  // namespace pgalter::plan
