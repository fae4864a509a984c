#include <algorithm>

#include "planner/locks/allowed.h"
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

void Form(const ast::CreateDomain& create, Draft& draft) {
  RefuseTakenType(create.name, draft);
  for (const ast::Constraint& constraint : create.constraints) {
    RefuseInConstraint(constraint, Show(create.name), draft);
    if (constraint.kind == ast::ConstraintKind::kDefault && constraint.expression)
      RefuseUnfitDefault(*constraint.expression, create.type, Show(create.name), draft);
  }
}

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

namespace {

bool SameType(const ast::TypeName& a, const ast::TypeName& b) {
  const bool schemas_differ = !a.schema.empty() && !b.schema.empty() && a.schema != b.schema;
  return a.name == b.name && (a.array_dimensions > 0) == (b.array_dimensions > 0) &&
         !schemas_differ;
}

bool SameResult(const ast::FunctionResult& a, const ast::FunctionResult& b) {
  return a.set == b.set && SameType(a.type, b.type) &&
         std::ranges::equal(a.fields, b.fields, [](const auto& one, const auto& other) {
           return one.name == other.name && SameType(one.type, other.type);
         });
}

// CREATE OR REPLACE gives a function another body, not another face.
void RefuseOtherFace(const ast::CreateFunction& create, const catalog::Function& known,
                     Draft& draft) {
  if (!known.result) return;
  const auto refuse = [&](const std::string& what) {
    draft.Refuse(
        Refusal::kOther, Show(create.name),
        "CREATE OR REPLACE cannot " + what + " of " + Show(create.name) + ": drop it first");
  };
  if (create.procedure != known.procedure) return refuse("make a procedure of a function, or one");
  if (create.result && !SameResult(*create.result, *known.result))
    return refuse("change what is returned");
  for (std::size_t i = 0; i < std::min(create.names.size(), known.names.size()); ++i)
    if (!known.names[i].empty() && create.names[i] != known.names[i])
      return refuse("change the name of argument " + known.names[i]);
  if (create.optional_arguments < known.optional_arguments)
    refuse("remove the default of an argument");
}

}  // namespace

void Form(const ast::CreateFunction& create, Draft& draft) {
  const auto overloads = draft.schema().functions().find(create.name.name);
  if (overloads == draft.schema().functions().end()) return;
  if (create.replace) {
    for (const catalog::Function& known : overloads->second)
      if (known.name == draft.schema().Placed(create.name) && known.TakesTypes(create.types))
        RefuseOtherFace(create, known, draft);
    return;
  }
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
