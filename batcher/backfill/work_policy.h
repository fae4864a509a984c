// Which rows still need work, and what must be refused: pure, from what the server said about the
// expressions.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgalter::backfill {

struct Column {
  std::string name;        // not quoted
  std::string type;        // as format_type gives it
  std::string expression;  // resolved; reads columns by bare name
  // IS DISTINCT FROM of this type tells images apart. Where it does not (numeric 1.0 and 1.00,
  // json, point), rows are compared as record images.
  bool equality_is_identity = false;
  bool nullable = true;
};

struct ExpressionNature {
  bool reads_target = false;   // some expression reads a column that is set
  bool reads_columns = false;  // the value derives from other columns of the row
  bool moving = false;         // volatile, or of the clock: another value each time
};

struct Work {
  std::string needs;  // SQL condition over one row
  // Whether applying the expression made `needs` false cannot be told beforehand: every chunk asks
  // the rows it wrote, and takes itself back where some would be worked on again.
  bool must_become_false = false;
};

struct WorkOrRefusal {
  std::optional<Work> work;
  std::string refusal;  // why there is none, and what to do
};

WorkOrRefusal DecideWork(const std::vector<Column>& columns, const ExpressionNature& nature,
                         const std::string& where);

}  // namespace pgalter::backfill
