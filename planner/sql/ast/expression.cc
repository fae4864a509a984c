#include "planner/sql/ast/expression.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgalter::sql::ast {

bool IsSerial(const TypeName& type) {
  static constexpr std::array<std::string_view, 6> kNames = {"smallserial", "serial2",   "serial",
                                                             "serial4",     "bigserial", "serial8"};
  return type.schema.empty() && type.array_dimensions == 0 &&
         std::ranges::find(kNames, type.name) != kNames.end();
}

std::string ToString(const TypeName& type) {
  std::string text = type.schema.empty() ? type.name : type.schema + "." + type.name;
  for (std::size_t i = 0; i < type.modifiers.size(); ++i)
    text += (i == 0 ? "(" : ",") + std::to_string(type.modifiers[i]);
  if (!type.modifiers.empty()) text += ')';
  for (int i = 0; i < type.array_dimensions; ++i) text += "[]";
  return text;
}

}  // namespace pgalter::sql::ast
