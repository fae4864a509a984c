#pragma once

// A list of a partition as a condition, as the server takes it for proof of the bound. Pure.

#include <string>
#include <vector>

namespace pgalter::locks {

struct ListCondition {
  std::string inside;   // what rows of the partition fulfil
  std::string outside;  // what rows of the default partition do then
};

// `column` and `values` as SQL; NULL may be among them, which no comparison finds.
[[nodiscard]] ListCondition ListConditionOf(const std::string& column,
                                            const std::vector<std::string>& values);

// Whether NULL is among them.
[[nodiscard]] bool HasNull(const std::vector<std::string>& values);

}  // namespace pgalter::locks
