#include "planner/lint/rule.h"

namespace pgalter::lint {

// Reported by the linter itself.
constinit const Rule kParseError{
    .id = "parse-error",
    .title = "Statement that is not read as SQL",
    .category = Category::kFailure,
    .severity = Severity::kWarning,
    .effect = "What cannot be read cannot be judged, and may fail when it is run.",
    .remedy =
        "Look at the place that is named. Text that another program replaces first can be kept out "
        "with an ignore comment."};

}  // namespace pgalter::lint
