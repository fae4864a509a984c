#pragma once

// The functions and procedures that the files have made, so that what a call runs can be judged
// where it is called: migrations make a function, call it once, and drop it.

#include <map>
#include <string>
#include <vector>

#include "planner/sql/ast/statement.h"

namespace pgalter::lint {

class Routines {
 public:
  // In the order of the files.
  // A body whose EXECUTE puts its text together has run: what it has made is not known.
  void RanDynamic() { ran_dynamic_ = true; }
  [[nodiscard]] bool ran_dynamic() const { return ran_dynamic_; }

  void Learn(const sql::ast::Statement& statement);

  // Of a DO block, and of the routines that a SELECT or CALL runs: what is in their bodies. Nothing
  // of those that nobody has shown.
  [[nodiscard]] std::vector<sql::ast::Embedded> Inside(const sql::ast::Statement& statement) const;

 private:
  void AddBodies(const std::string& name, int arguments,
                 std::vector<sql::ast::Embedded>& bodies) const;

  std::map<std::string, std::vector<sql::ast::CreateFunction>, std::less<>> made_;  // by plain name
  bool ran_dynamic_ = false;
};

}  // namespace pgalter::lint
