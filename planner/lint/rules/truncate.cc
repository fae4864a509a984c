#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* truncate = context.statement.As<sql::ast::Truncate>();
  if (truncate == nullptr || truncate->cascade) return;
  for (const catalog::QualifiedName& name : truncate->tables) {
    if (!InUse(context, name)) continue;
    Remark remark;
    remark.lock = LockOn(context, name);
    remark.message = fmt::format("all rows of {} are lost", Context::Show(name));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kTruncate{.id = "truncate",
                               .title = "Table emptied",
                               .category = Category::kData,
                               .severity = Severity::kError,
                               .effect =
                                   "All rows are gone. ACCESS EXCLUSIVE until the transaction "
                                   "ends; readers with an older snapshot then see an empty table.",
                               .remedy =
                                   "Delete in batches what is not needed; or truncate tables of "
                                   "which nobody needs the rows, on purpose and with a backup.",
                               .check = &Check};

}  // namespace pgalter::lint
