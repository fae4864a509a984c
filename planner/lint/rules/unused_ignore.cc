#include "planner/lint/rule.h"

namespace pgalter::lint {

// Reported by the linter itself.
constinit const Rule kUnusedIgnore{.id = "unused-ignore",
                                   .title = "Ignore comment that silences nothing",
                                   .category = Category::kStyle,
                                   .severity = Severity::kWarning,
                                   .effect = "It may hide the next finding at that place.",
                                   .remedy = "Remove the comment."};

}  // namespace pgalter::lint
