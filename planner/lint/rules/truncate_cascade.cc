#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* truncate = context.statement.As<sql::ast::Truncate>();
  if (truncate == nullptr || !truncate->cascade) return;
  for (const catalog::QualifiedName& name : truncate->tables) {
    if (!InUse(context, name)) continue;
    Remark remark;
    remark.lock = LockOn(context, name);
    const auto references = context.schema.References(name);
    remark.message =
        references.empty()
            ? fmt::format("all rows of {} are lost, and of whatever points at it",
                          Context::Show(name))
            : fmt::format("all rows of {} are lost, and of {}, which points at it",
                          Context::Show(name), Context::Show(references.front().first->name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kTruncateCascade{
    .id = "truncate-cascade",
    .title = "Table emptied with those that point at it",
    .category = Category::kData,
    .severity = Severity::kError,
    .effect =
        "All rows of the table are gone, and all rows of every table with a foreign key to it, and "
        "so on. ACCESS EXCLUSIVE on all of them.",
    .remedy = "Name the tables, without CASCADE: the server then refuses what was not meant.",
    .check = &Check};

}  // namespace pgalter::lint
