#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* drop = context.statement.As<sql::ast::Drop>();
  if (drop == nullptr || drop->kind != sql::ast::ObjectKind::kIndex || drop->concurrently) return;
  for (const catalog::QualifiedName& index : drop->names) {
    const catalog::Table* table = context.schema.TableOfIndex(index);
    if (table != nullptr && !context.Existing(table->name)) continue;
    const std::string of = table == nullptr ? "its table" : Context::Show(table->name);
    Remark remark;
    remark.lock = LockTaken{locks::LockMode::kAccessExclusive, of};
    remark.message = fmt::format(
        "dropping index {} waits until nobody uses {}, and keeps everybody from it "
        "meanwhile",
        Context::Show(index), of);
    if (table != nullptr && table->kind == catalog::TableKind::kPartitioned)
      remark.remedy =
          "A partitioned index has no CONCURRENTLY: drop it under a short lock_timeout, and try "
          "again when that runs out.";
    else if (drop->names.size() == 1 && !drop->cascade)
      remark.fix = AddConcurrently(context, "INDEX");
    if (table != nullptr && context.Small(table->name)) remark.severity = Severity::kNote;
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kDropIndexNonConcurrent{
    .id = "drop-index-non-concurrent",
    .title = "Index dropped without CONCURRENTLY",
    .category = Category::kLock,
    .severity = Severity::kWarning,
    .effect =
        "ACCESS EXCLUSIVE on the table. It is held for an instant, but waiting for it stops every "
        "reader and writer.",
    .remedy = "DROP INDEX CONCURRENTLY, one index a statement, outside of a transaction.",
    .check = &Check};

}  // namespace pgalter::lint
