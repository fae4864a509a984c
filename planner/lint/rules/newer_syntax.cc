#include "planner/lint/rule.h"

namespace pgalter::lint {

// Reported by the linter itself.
constinit const Rule kNewerSyntax{
    .id = "newer-syntax",
    .title = "Syntax newer than the grammar",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "The statement was recognised by its form, not by the grammar",
    .remedy =
        " parts of it are not judged.:Nothing has to be done where the server is of that version."};

}  // namespace pgalter::lint
