#pragma once

// The formats in which a plan is shown, as made from formats.def. Pure.

#include <span>
#include <string>
#include <string_view>

#include "planner/plan/plan.h"

namespace pgalter::plan {

struct Format {
  std::string_view name;
  std::string (*render)(const Plan& plan);  // UTF-8, ends with a line break
};

[[nodiscard]] std::span<const Format> AllFormats();
[[nodiscard]] const Format* FindFormat(std::string_view name);  // nullptr: none

#define PGALTER_PLAN_FORMAT(symbol, name) [[nodiscard]] std::string Render##symbol(const Plan&);
#include "planner/plan/render/formats.def"
#undef PGALTER_PLAN_FORMAT

}  // namespace pgalter::plan
