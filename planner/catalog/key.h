#pragma once

// How this room names things in its maps. Private to planner/catalog.

#include <string>

#include "planner/catalog/objects.h"

namespace pgalter::catalog {

// "schema.name". Only of names whose schema is filled in.
inline std::string Key(const std::string& schema, const std::string& name) {
  std::string key;
  key.reserve(schema.size() + 1 + name.size());
  return key.append(schema).append(1, '.').append(name);
}
inline std::string Key(const QualifiedName& name) {
  return Key(name.schema.value_or(""), name.name);
}

inline std::string TypeKey(const sql::ast::TypeName& type) { return Key(type.schema, type.name); }

}  // namespace pgalter::catalog
