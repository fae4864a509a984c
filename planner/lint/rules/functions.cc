#include "planner/lint/rules/functions.h"

#include <algorithm>

namespace pgalter::lint {

namespace {

bool Says(std::string_view body, std::string_view words) {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  };
  return std::search(body.begin(), body.end(), words.begin(), words.end(), same) != body.end();
}

bool IsTriggerFunction(const catalog::Function& function) {
  return Says(function.body, "return new") || Says(function.body, "return old") ||
         Says(function.body, "tg_op");
}

}  // namespace

bool MakesFunction(const sql::ast::Statement& statement, const catalog::QualifiedName& name) {
  const auto* create = statement.As<sql::ast::CreateFunction>();
  return create != nullptr && create->name.name == name.name;
}

bool MayBeCalled(const Context& context, const catalog::QualifiedName& name) {
  std::vector<std::string> parts;
  if (name.schema) parts.push_back(*name.schema);
  parts.push_back(name.name);
  // A trigger's function has no arguments; one that is new may have any.
  for (int arguments = 0; arguments < 10; ++arguments) {
    const catalog::Function* function = context.schema.FindFunction(parts, arguments);
    if (function == nullptr) continue;
    if (function->origin == catalog::Origin::kInRun) return false;
    if (arguments == 0 && IsTriggerFunction(*function)) return false;
  }
  return true;
}

}  // namespace pgalter::lint
