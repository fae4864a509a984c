#include <algorithm>

#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// CONCURRENTLY tells old rows from new ones by such an index.
bool HasKey(const catalog::Table& view) {
  return std::ranges::any_of(view.indexes, [](const catalog::Index& index) {
    return index.unique && index.valid && !index.where &&
           std::ranges::none_of(index.columns,
                                [](const auto& column) { return column.column.empty(); });
  });
}

void Check(const Context& context, const Reporter& report) {
  const auto* refresh = context.statement.As<sql::ast::RefreshMaterializedView>();
  if (refresh == nullptr || refresh->concurrently || !context.Existing(refresh->name)) return;
  const std::string name = Context::Show(refresh->name);
  Remark remark;
  remark.lock = LockTaken{locks::LockMode::kAccessExclusive, name};
  if (context.Small(refresh->name)) remark.severity = Severity::kNote;
  if (!refresh->with_data) {
    remark.message = fmt::format("WITH NO DATA empties {}: whoever reads it gets an error", name);
    remark.remedy = "REFRESH MATERIALIZED VIEW CONCURRENTLY, which keeps the rows until then.";
    report(std::move(remark));
    return;
  }
  remark.message = fmt::format("nobody reads {} while it is filled", name);
  remark.table_rewrite = true;
  const catalog::Table* view = context.schema.FindTable(refresh->name);
  if (view != nullptr && HasKey(*view)) remark.fix = AddConcurrently(context, "VIEW");
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRefreshMatviewBlocking{
    .id = "refresh-matview-blocking",
    .title = "Materialized view refreshed without CONCURRENTLY",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect =
        "ACCESS EXCLUSIVE on the view for as long as its query runs: nobody reads it meanwhile.",
    .remedy =
        "REFRESH MATERIALIZED VIEW CONCURRENTLY. It needs a unique index on plain columns, "
        "without WHERE, and a view that has been filled before.",
    .check = &Check};

}  // namespace pgalter::lint
