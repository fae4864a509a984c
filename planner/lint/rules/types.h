#pragma once

// What rules about types ask.

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

// Made in this run: no column or code of others has it.
[[nodiscard]] inline bool IsNewType(const Context& context, const catalog::QualifiedName& name) {
  sql::ast::TypeName type;
  type.schema = name.schema.value_or("");
  type.name = name.name;
  if (const catalog::Type* known = context.schema.FindType(type))
    return known->origin == catalog::Origin::kInRun;
  const catalog::Domain* domain = context.schema.FindDomain(type);
  return domain != nullptr && domain->origin == catalog::Origin::kInRun;
}

}  // namespace pgalter::lint
