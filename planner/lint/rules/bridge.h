#pragma once

// Renaming that running code does not notice, since in the same transaction something else takes
// the old name.

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

// Another relation takes the name in this transaction, or it takes one that was in use until then.
[[nodiscard]] bool KeepsName(const Context& context, const sql::ast::Rename& rename);

// The table is renamed and a view put in its old place.
[[nodiscard]] bool HasViewBridge(const Context& context, const catalog::QualifiedName& table);

}  // namespace pgalter::lint
