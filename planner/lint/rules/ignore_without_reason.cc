#include "planner/lint/rule.h"

namespace pgalter::lint {

// Reported by the linter itself.
constinit const Rule kIgnoreWithoutReason{
    .id = "ignore-without-reason",
    .title = "Ignore comment without a reason",
    .category = Category::kStyle,
    .severity = Severity::kWarning,
    .effect = "Whoever reads it later cannot tell whether it still holds.",
    .remedy = "Write reason=\"…\" behind the rule."};

}  // namespace pgalter::lint
