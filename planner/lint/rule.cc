#include "planner/lint/rule.h"

namespace pgalter::lint {

bool Context::Small(const catalog::QualifiedName& table) const {
  const catalog::Table* known = schema.FindTable(table);
  return known != nullptr && known->rows && *known->rows < options.small_rows;
}

std::string Context::Show(const catalog::QualifiedName& name) {
  if (name.name == "__computed") return "a table with a computed name";
  if (!name.schema || *name.schema == "public") return name.name;
  return *name.schema + "." + name.name;
}

}  // namespace pgalter::lint
