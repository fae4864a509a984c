#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* vacuum = context.statement.As<sql::ast::Vacuum>();
  if (vacuum == nullptr || !vacuum->full) return;
  Remark remark;
  remark.table_rewrite = true;
  if (vacuum->tables.empty()) {
    remark.message = "VACUUM FULL rewrites every table of the database, one after the other";
    report(std::move(remark));
    return;
  }
  for (const catalog::QualifiedName& table : vacuum->tables) {
    if (!context.Existing(table)) continue;
    remark.message = fmt::format("VACUUM FULL rewrites {}", Context::Show(table));
    remark.lock = LockTaken{locks::LockMode::kAccessExclusive, Context::Show(table)};
    remark.severity = context.Small(table) ? Severity::kNote : Severity::kError;
    report(remark);
  }
}

}  // namespace

constinit const Rule kVacuumFull{
    .id = "vacuum-full",
    .title = "VACUUM FULL",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table and all its indexes are written anew under ACCESS EXCLUSIVE: nobody reads or "
        "writes it meanwhile.",
    .remedy =
        "Plain VACUUM where room for new rows is enough; `pgalter rebuild`, pg_repack or "
        "pg_squeeze where the disk has to shrink.",
    .check = &Check};

}  // namespace pgalter::lint
