#include "planner/lint/rules.h"

#include <array>

namespace pgalter::lint {

namespace {

constexpr auto kRules = std::to_array<const Rule*>({
#define PGALTER_LINT_RULE(name) &k##name,
#include "planner/lint/rules.def"
#undef PGALTER_LINT_RULE
});

}  // namespace

std::span<const Rule* const> AllRules() { return kRules; }

const Rule* FindRule(std::string_view id) {
  for (const Rule* rule : kRules)
    if (rule->id == id) return rule;
  return nullptr;
}

}  // namespace pgalter::lint
