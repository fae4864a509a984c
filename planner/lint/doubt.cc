#include "planner/lint/doubt.h"

#include <algorithm>

namespace pgalter::lint {

using sql::ast::Statement;

bool IsOfNothingKnown(const Statement& statement, const catalog::Schema& schema) {
  const auto unknown = [&](const catalog::QualifiedName& name) {
    const sql::ast::TypeName type{name.schema.value_or(""), name.name, {}, 0};
    return schema.FindTable(name) == nullptr && schema.FindIndex(name) == nullptr &&
           schema.FindType(type) == nullptr && schema.FindDomain(type) == nullptr &&
           !schema.functions().contains(name.name);
  };
  using sql::ast::ObjectKind;
  if (const auto* drop = statement.As<sql::ast::Drop>()) {
    const bool followed = drop->kind != ObjectKind::kSchema &&
                          drop->kind != ObjectKind::kDatabase &&
                          drop->kind != ObjectKind::kExtension && drop->kind != ObjectKind::kOther;
    return drop->if_exists && followed && !drop->on_table &&
           std::ranges::all_of(drop->names, unknown);
  }
  const auto* alter = statement.As<sql::ast::AlterTable>();
  return alter != nullptr && alter->if_exists && unknown(alter->name);
}

bool HasComputedName(std::string_view text) {
  return text.find("__computed") != std::string_view::npos;
}

bool HasGuards(std::string_view body) {
  std::string word;
  for (const char c : body) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter) {
      word += static_cast<char>(c | 0x20);
      continue;
    }
    if (word == "if" || word == "case" || word == "exception" || word == "elsif") return true;
    word.clear();
  }
  return false;
}

bool IsKeptBack(const locks::Effects& effects) {
  return std::ranges::any_of(effects.failures, [](const locks::Failure& failure) {
    return failure.refusal == locks::Refusal::kExists ||
           failure.refusal == locks::Refusal::kUnknownObject;
  });
}

bool IsOnlyUnknown(const locks::Effects& effects) {
  return std::ranges::all_of(effects.failures, [](const locks::Failure& failure) {
    return failure.refusal == locks::Refusal::kUnknownObject;
  });
}

}  // namespace pgalter::lint
