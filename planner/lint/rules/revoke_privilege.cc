#include <algorithm>

#include "planner/lint/rules/functions.h"

namespace pgalter::lint {

namespace {

using sql::ast::Grant;
using sql::ast::ObjectKind;

// Whether code that is running may have had the right. PUBLIC has none on tables unless somebody
// granted it, and losing CREATE on a schema stops no reader or writer.
bool MayHaveHad(const Context& context, const Grant& grant, const catalog::QualifiedName& object) {
  switch (grant.kind) {
    case ObjectKind::kFunction:
      return MayBeCalled(context, object);
    case ObjectKind::kSchema:
    case ObjectKind::kDatabase:
      return grant.all_privileges;
    default:
      return InUse(context, object) && !grant.to_public;
  }
}

// A right that comes back in the same transaction was never gone for others.
bool GrantedAgain(const Context& context, const Grant& revoke,
                  const catalog::QualifiedName& object) {
  return AnyLater(context, [&](const sql::ast::Statement& statement) {
    const auto* grant = statement.As<Grant>();
    return grant != nullptr && grant->grant && grant->kind == revoke.kind &&
           grant->grantees == revoke.grantees &&
           std::ranges::any_of(grant->objects,
                               [&](const auto& other) { return Same(context, other, object); });
  });
}

std::string Roles(const Grant& grant) {
  std::string roles;
  for (const std::string& role : grant.grantees)
    roles += (roles.empty() ? "" : ", ") + (role.empty() ? "PUBLIC" : role);
  return roles;
}

void Check(const Context& context, const Reporter& report) {
  const auto* revoke = context.statement.As<Grant>();
  if (revoke == nullptr || revoke->grant || revoke->default_privileges) return;
  Remark remark;
  if (revoke->role_membership) {
    remark.message = fmt::format("{} loses at once what it may do as a member", Roles(*revoke));
    report(std::move(remark));
    return;
  }
  if (revoke->all_in_schema) {
    remark.message = fmt::format("{} loses the right on everything in the schema", Roles(*revoke));
    report(std::move(remark));
    return;
  }
  for (const catalog::QualifiedName& object : revoke->objects) {
    if (!MayHaveHad(context, *revoke, object) || GrantedAgain(context, *revoke, object)) continue;
    Remark each;
    each.message = fmt::format("what {} does with {} fails from here on, if it needs this right",
                               Roles(*revoke), Context::Show(object));
    report(std::move(each));
  }
}

}  // namespace

constinit const Rule kRevokePrivilege{
    .id = "revoke-privilege",
    .title = "Right taken away",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect = "The next statement of running code that needs the right fails with 42501.",
    .remedy =
        "Revoke after the release that no longer needs it; pg_stat_statements shows by role what "
        "still runs. A new set of rights goes into one transaction: REVOKE, then GRANT.",
    .check = &Check};

}  // namespace pgalter::lint
