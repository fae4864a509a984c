#pragma once

// What SQL says of each kind of object. Private to migrations/emit. Pure.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/emit/objects.h"

namespace pgalter::emit {

using Statements = std::vector<std::string>;

// The attributes of a type, the columns of a table that can be there from the start.
using Parts = std::multimap<std::string, const Object*>;

struct Kind {
  std::string_view name;
  Statements (*make)(const Object& object, const Parts& parts);  // null: there is no statement
  Statements (*drop)(const Object& object);
  // From what the first is to what the second is. Null, or nothing said: dropped and made anew
  // where `cheap`, else there is no statement.
  Statements (*alter)(const Object& from, const Object& to) = nullptr;
  bool cheap = false;  // holds no rows, and nothing has to hang on it
};

// In the order in which they are made.
[[nodiscard]] const std::vector<Kind>& Kinds();

// Columns are made with their table unless an expression is in them.
[[nodiscard]] bool ComesWithItsTable(const Object& column);

}  // namespace pgalter::emit
