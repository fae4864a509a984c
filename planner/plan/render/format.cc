#include "planner/plan/render/format.h"

#include <array>

namespace pgalter::plan {

namespace {

constexpr auto kFormats = std::to_array<Format>({
#define PGALTER_PLAN_FORMAT(symbol, name) {name, &Render##symbol},
#include "planner/plan/render/formats.def"
#undef PGALTER_PLAN_FORMAT
});

}  // namespace

std::span<const Format> AllFormats() { return kFormats; }

const Format* FindFormat(std::string_view name) {
  for (const Format& format : kFormats)
    if (format.name == name) return &format;
  return nullptr;
}

}  // namespace pgalter::plan
