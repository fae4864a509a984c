#pragma once

// What rules about functions ask.

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

[[nodiscard]] bool MakesFunction(const sql::ast::Statement& statement,
                                 const catalog::QualifiedName& name);
// By code that is running: it was there before, and is no trigger's function, which the server
// calls alone.
[[nodiscard]] bool MayBeCalled(const Context& context, const catalog::QualifiedName& name);

}  // namespace pgalter::lint
