#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* grant = context.statement.As<sql::ast::Grant>();
  if (grant == nullptr || !grant->grant || grant->role_membership) return;
  Remark remark;
  if (grant->to_public) {
    remark.message = "this is granted to every role there is and will be";
  } else if (grant->with_grant_option) {
    remark.message = "who gets this can hand it on";
  } else if (grant->all_privileges) {
    remark.message = "all privileges are more than reading and writing rows";
  } else if (grant->all_in_schema) {
    remark.message = "this is granted on everything in the schema";
  } else {
    return;
  }
  report(std::move(remark));
}

}  // namespace

constinit const Rule kGrantWidening{
    .id = "grant-widening",
    .title = "Rights for many",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "PUBLIC is every role there is and will be; ALL PRIVILEGES include TRUNCATE, REFERENCES "
        "and TRIGGER; WITH GRANT OPTION lets others hand them on.",
    .remedy = "Grant single privileges on single objects to a role made for the purpose.",
    .check = &Check};

}  // namespace pgalter::lint
