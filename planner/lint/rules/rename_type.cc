#include "planner/lint/rules/types.h"

namespace pgalter::lint {

namespace {

// Another type takes its name in the same transaction, or had the new name until then.
bool MadeAgain(const Context& context, const sql::ast::Rename& mine) {
  if (!mine.part.empty()) return false;
  const auto makes = [&](const sql::ast::Statement& statement) {
    const auto* create = statement.As<sql::ast::CreateType>();
    const auto* domain = statement.As<sql::ast::CreateDomain>();
    const auto* other = statement.As<sql::ast::Rename>();
    return (create != nullptr && create->name.name == mine.name.name) ||
           (domain != nullptr && domain->name.name == mine.name.name) ||
           (other != nullptr && other->kind == mine.kind && other->new_name == mine.name.name);
  };
  const auto freed = [&](const sql::ast::Statement& statement) {
    const auto* other = statement.As<sql::ast::Rename>();
    return other != nullptr && other->kind == mine.kind && other->name.name == mine.new_name;
  };
  return AnyLater(context, makes) || AnyEarlier(context, freed);
}

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr) return;
  using sql::ast::ObjectKind;
  if (rename->kind != ObjectKind::kType && rename->kind != ObjectKind::kDomain &&
      rename->kind != ObjectKind::kAttribute)
    return;
  if (IsNewType(context, rename->name) || MadeAgain(context, *rename)) return;
  Remark remark;
  remark.message =
      rename->kind == ObjectKind::kAttribute
          ? fmt::format("code that names {}.{} fails from here on", Context::Show(rename->name),
                        rename->part)
          : fmt::format("code that names {} fails from here on", Context::Show(rename->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameType{
    .id = "rename-type",
    .title = "Type renamed",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "Running code that casts to the type, or whose driver looks it up by name, fails.",
    .remedy = "Leave the name; or release code that does not name the type first.",
    .check = &Check};

}  // namespace pgalter::lint
