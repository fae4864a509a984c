#pragma once

// The formats in which a report is shown, as made from formats.def. Pure.

#include <span>
#include <string>
#include <string_view>

#include "planner/lint/render/report.h"

namespace pgalter::lint {

struct Format {
  std::string_view name;
  std::string (*render)(const Report& report);  // UTF-8, ends with a line break unless empty
};

[[nodiscard]] std::span<const Format> AllFormats();
[[nodiscard]] const Format* FindFormat(std::string_view name);  // nullptr: none

#define PGALTER_LINT_FORMAT(symbol, name) [[nodiscard]] std::string Render##symbol(const Report&);
#include "planner/lint/render/formats.def"
#undef PGALTER_LINT_FORMAT

}  // namespace pgalter::lint
