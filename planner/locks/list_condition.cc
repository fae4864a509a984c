#include "planner/locks/list_condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgalter::locks {

bool HasNull(const std::vector<std::string>& values) {
  return std::ranges::find(values, "NULL") != values.end();
}

ListCondition ListConditionOf(const std::string& column, const std::vector<std::string>& values) {
  std::vector<std::string> others;
  for (const std::string& value : values)
    if (value != "NULL") others.push_back(value);
  const bool null = HasNull(values);
  ListCondition condition{column + (null ? " IS NULL" : " IS NOT NULL"),
                          column + (null ? " IS NOT NULL" : " IS NULL")};
  if (others.empty()) return condition;
  const bool one = others.size() == 1;
  const std::string all = one ? others.front() : fmt::format("({})", fmt::join(others, ", "));
  condition.inside +=
      fmt::format(" {} {} {} {}", null ? "OR" : "AND", column, one ? "=" : "IN", all);
  condition.outside +=
      fmt::format(" {} {} {} {}", null ? "AND" : "OR", column, one ? "<>" : "NOT IN", all);
  return condition;
}

}  // namespace pgalter::locks
