#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateIndex>();
  if (create == nullptr || create->concurrently) return;
  ForEachWork(context, locks::Reason::kIndexBuild, [&](const locks::Work& work) {
    Remark remark = About(context, work,
                          fmt::format("building this index keeps everybody from writing {} until "
                                      "it is built",
                                      Context::Show(work.relation)));
    if (IsPartitioned(context, create->table))
      remark.remedy =
          "CREATE INDEX ON ONLY the parent, CREATE INDEX CONCURRENTLY on every partition, and "
          "ALTER "
          "INDEX … ATTACH PARTITION for each.";
    else
      remark.fix = AddConcurrently(context, "INDEX");
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kCreateIndexNonConcurrent{
    .id = "create-index-non-concurrent",
    .title = "Index built without CONCURRENTLY",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect = "SHARE on the table for the whole build: reads go on, every write waits.",
    .remedy =
        "CREATE INDEX CONCURRENTLY, outside of a transaction and without a lock_timeout; look "
        "at pg_index.indisvalid afterwards.",
    .check = &Check};

}  // namespace pgalter::lint
