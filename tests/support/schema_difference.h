// Two schemas side by side: what a virtual one knows against what the live catalog says. Only what
// both know is compared: texts of expressions, and columns of tables made from a query, are not.
#pragma once

#include <string>
#include <vector>

#include "planner/catalog/schema.h"

namespace pgalter::test {

// One line a difference, "-" what only the virtual one has, "+" what only the live one has.
std::vector<std::string> Differences(const catalog::Schema& known, const catalog::Schema& live);

}  // namespace pgalter::test
