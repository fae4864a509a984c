#include "planner/plan/render/format.h"

#include <array>

#include "planner/sql/find_named.h"

namespace pgalter::plan {

namespace {

constexpr auto kFormats = std::to_array<Format>({
#define PGALTER_PLAN_FORMAT(symbol, name) {name, &Render##symbol},
#include "planner/plan/render/formats.def"
#undef PGALTER_PLAN_FORMAT
});

}  // namespace

std::span<const Format> AllFormats() { return kFormats; }

const Format* FindFormat(std::string_view name) { return sql::FindNamed(AllFormats(), name); }

}  // namespace pgalter::plan
