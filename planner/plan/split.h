#pragma once

// An ALTER TABLE action by action. Private to planner/plan.

#include <string>
#include <vector>

#include "planner/sql/ast/statement.h"

namespace pgalter::plan {

struct Action {
  sql::ast::Statement statement;  // an ALTER TABLE with this one action
  std::string text;
  std::string head;     // "ALTER TABLE ONLY app.orders"
  std::string command;  // "ADD COLUMN c int"
};

// In the order in which the server carries them out, which is not the one they are written in.
// What cannot be taken apart is one action.
[[nodiscard]] std::vector<Action> SplitAlterTable(const sql::ast::Statement& statement,
                                                  const std::string& text);

}  // namespace pgalter::plan
