#include "planner/lint/render/format.h"

#include <array>

#include "planner/sql/find_named.h"

namespace pgalter::lint {

namespace {

constexpr auto kFormats = std::to_array<Format>({
#define PGALTER_LINT_FORMAT(symbol, name) {name, &Render##symbol},
#include "planner/lint/render/formats.def"
#undef PGALTER_LINT_FORMAT
});

}  // namespace

std::span<const Format> AllFormats() { return kFormats; }

const Format* FindFormat(std::string_view name) { return sql::FindNamed(AllFormats(), name); }

}  // namespace pgalter::lint
