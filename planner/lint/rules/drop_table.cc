#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || (drop->kind != sql::ast::ObjectKind::kTable &&
                          drop->kind != sql::ast::ObjectKind::kForeignTable))
    return;
  for (const catalog::QualifiedName& name : drop->names) {
    if (!InUse(context, name)) continue;
    Remark remark;
    remark.lock = LockOn(context, name);
    remark.message =
        fmt::format("the rows of {} are lost{}", Context::Show(name),
                    drop->cascade ? ", with every view and foreign key that uses them" : "");
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropTable{
    .id = "drop-table",
    .title = "Table dropped",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect =
        "The rows are gone, and running code that uses the table fails. ACCESS EXCLUSIVE is also "
        "taken on the tables that its foreign keys point at.",
    .remedy =
        "Release code that does not use the table, rename it, wait until nobody misses it, keep a "
        "backup, and drop it in a later migration.",
    .check = &Check};

}  // namespace pgalter::lint
