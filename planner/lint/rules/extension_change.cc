#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  using sql::ast::ObjectKind;
  const auto* extension = context.statement.As<sql::ast::Extension>();
  const auto* drop = context.statement.As<sql::ast::Drop>();
  Remark remark;
  if (drop != nullptr && drop->kind == ObjectKind::kExtension) {
    remark.severity = drop->cascade ? Severity::kError : Severity::kWarning;
    remark.message = drop->cascade ? "columns, indexes and views that use the extension are lost"
                                   : "code that uses the extension fails from here on";
  } else if (extension != nullptr && !extension->create) {
    remark.severity = Severity::kWarning;
    remark.message = fmt::format("what the update of {} does cannot be seen here", extension->name);
  } else if (extension != nullptr) {
    remark.message =
        fmt::format("{} must be there on every server, standbys' included", extension->name);
  } else {
    return;
  }
  report(std::move(remark));
}

}  // namespace

constinit const Rule kExtensionChange{
    .id = "extension-change",
    .title = "Extension changed",
    .category = Category::kClient,
    .severity = Severity::kNote,
    .effect =
        "The extension's own script runs: what it locks, changes or drops cannot be seen here. It "
        "often needs a superuser.",
    .remedy = "Run it by itself, on a copy first, and read what the new version changes.",
    .check = &Check};

}  // namespace pgalter::lint
