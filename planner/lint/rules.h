#pragma once

#include <span>
#include <string_view>

#include "planner/lint/rule.h"

namespace pgalter::lint {

[[nodiscard]] std::span<const Rule* const> AllRules();
[[nodiscard]] const Rule* FindRule(std::string_view id);  // nullptr: none

}  // namespace pgalter::lint
