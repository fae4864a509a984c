#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* cluster = context.statement.As<sql::ast::Cluster>();
  if (cluster == nullptr) return;
  Remark remark;
  remark.table_rewrite = true;
  if (!cluster->table) {
    remark.message = "CLUSTER rewrites every table that was clustered before";
    report(std::move(remark));
    return;
  }
  const catalog::QualifiedName& table = *cluster->table;
  if (!context.Existing(table)) return;
  remark.message = fmt::format("CLUSTER rewrites {}", Context::Show(table));
  remark.lock = LockTaken{locks::LockMode::kAccessExclusive, Context::Show(table)};
  if (context.Small(table)) remark.severity = Severity::kNote;
  report(std::move(remark));
}

}  // namespace

constinit const Rule kCluster{
    .id = "cluster",
    .title = "CLUSTER",
    .category = Category::kRewrite,
    .severity = Severity::kError,
    .effect =
        "The table is written anew in the order of an index under ACCESS EXCLUSIVE: nobody reads "
        "or writes it meanwhile.",
    .remedy = "`pgalter rebuild`, or pg_repack with --order-by, which keep the table in use.",
    .check = &Check};

}  // namespace pgalter::lint
