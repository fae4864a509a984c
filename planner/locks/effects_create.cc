#include <algorithm>

#include "planner/locks/forms.h"

namespace pgalter::locks {
namespace {

// Nothing is known of it but its size: the statement at hand may be the one that made it.
bool IsOnlyHeardOf(const catalog::Table& table) {
  return table.kind == catalog::TableKind::kTable && !table.complete && table.columns.empty();
}

void RefuseTakenType(const QualifiedName& name, Draft& draft) {
  const QualifiedName placed = draft.schema().Placed(name);
  const ast::TypeName type{placed.schema.value_or(""), placed.name, {}, 0};
  const catalog::Type* known = draft.schema().FindType(type);
  const bool taken = known != nullptr && known->shape != ast::CreateType::Shape::kShell;
  if (taken || draft.schema().FindDomain(type) != nullptr)
    draft.Refuse(Refusal::kExists, Show(name), "there is a type " + Show(name) + " already");
}

bool Contains(const std::vector<std::string>& values, const std::string& value) {
  return std::ranges::find(values, value) != values.end();
}

}  // namespace

void RefuseTaken(const QualifiedName& name, Draft& draft) {
  const catalog::Table* taken = draft.schema().FindTable(draft.schema().Placed(name));
  if (taken == nullptr || IsOnlyHeardOf(*taken)) return;
  draft.Refuse(Refusal::kExists, Show(name), "there is a relation " + Show(name) + " already");
}

void Form(const ast::CreateType& create, Draft& draft) { RefuseTakenType(create.name, draft); }

void Form(const ast::CreateDomain& create, Draft& draft) { RefuseTakenType(create.name, draft); }

void Form(const ast::AlterEnum& alter, Draft& draft) {
  const catalog::Type* type =
      draft.schema().FindType({alter.name.schema.value_or(""), alter.name.name, {}, 0});
  if (type == nullptr || type->values.empty()) return;
  const auto refuse = [&](Refusal refusal, const std::string& value, const std::string& what) {
    draft.Refuse(refusal, value, Show(alter.name) + what + "'" + value + "'");
  };
  const bool there = Contains(type->values, alter.new_value);
  if (there && alter.if_not_exists) return;
  if (there) refuse(Refusal::kExists, alter.new_value, " has already the value ");
  for (const std::string& needed : {alter.old_value, alter.neighbour})
    if (!needed.empty() && !Contains(type->values, needed))
      refuse(Refusal::kUnknownObject, needed, " does not have the value ");
}

void Form(const ast::CreateFunction& create, Draft& draft) {
  const auto overloads = draft.schema().functions().find(create.name.name);
  if (create.replace || overloads == draft.schema().functions().end()) return;
  // Without the types, whether it is the same one cannot be told.
  if (static_cast<int>(create.types.size()) != create.arguments) return;
  const QualifiedName placed = draft.schema().Placed(create.name);
  const auto same = [&](const catalog::Function& other) {
    return other.name == placed && other.arguments == create.arguments &&
           other.types == create.types;
  };
  if (std::ranges::any_of(overloads->second, same))
    draft.Refuse(Refusal::kExists, Show(create.name),
                 "there is a function " + Show(create.name) + " with these arguments already");
}

void Form(const ast::CreateSchema& create, Draft& draft) {
  // Dumps of old versions make "public", which is there from the beginning.
  if (create.if_not_exists || create.name == "public") return;
  if (draft.schema().HasSchema(create.name) == catalog::Truth::kYes)
    draft.Refuse(Refusal::kExists, create.name, "there is a schema " + create.name + " already");
}

void Form(const ast::Extension& extension, Draft& draft) {
  if (extension.create && !extension.if_not_exists && draft.schema().HasExtension(extension.name))
    draft.Refuse(Refusal::kExists, extension.name,
                 "there is an extension " + extension.name + " already");
}

}  // namespace pgalter::locks
