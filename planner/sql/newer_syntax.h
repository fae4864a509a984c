#pragma once

// Statements that need a newer PostgreSQL than the installed grammar is of: recognised by their
// form. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "planner/sql/ast/statement.h"

namespace pgalter::sql {

struct Newer {
  int major = 16;    // the first version that takes it
  std::string what;  // "NOT ENFORCED"; of several forms the newest
  // As far as it can be read; none: it is known to be valid, and no more.
  std::optional<ast::Statement> statement;
};

// For text that ReadStatement refuses. None: it is no SQL of any version that is known here.
[[nodiscard]] std::optional<Newer> RecogniseNewer(std::string_view sql);

}  // namespace pgalter::sql
