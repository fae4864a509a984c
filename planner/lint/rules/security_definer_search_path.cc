#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateFunction>();
  if (create == nullptr || !create->security_definer || create->sets_search_path) return;
  Remark remark;
  remark.message = fmt::format("{} runs with its owner's rights and its caller's search_path",
                               Context::Show(create->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kSecurityDefinerSearchPath{
    .id = "security-definer-search-path",
    .title = "SECURITY DEFINER without a search_path",
    .category = Category::kData,
    .severity = Severity::kNote,
    .effect =
        "It runs with its owner's rights and the caller's search_path: who can create a temporary "
        "table or a function can make it run his own.",
    .remedy =
        "SET search_path = pg_catalog, pg_temp on the function, and names with their schema in its "
        "body.",
    .check = &Check};

}  // namespace pgalter::lint
