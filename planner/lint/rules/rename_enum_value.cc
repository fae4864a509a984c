#include "planner/lint/rules/types.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* alter = context.statement.As<sql::ast::AlterEnum>();
  if (alter == nullptr || alter->old_value.empty() || IsNewType(context, alter->name)) return;
  Remark remark;
  remark.message = fmt::format("code that uses '{}' of {} fails from here on", alter->old_value,
                               Context::Show(alter->name));
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameEnumValue{
    .id = "rename-enum-value",
    .title = "Enum value renamed",
    .category = Category::kClient,
    .severity = Severity::kWarning,
    .effect =
        "Running code that writes or compares the old value fails with 22P02, and what it reads is "
        "a word that it does not know.",
    .remedy =
        "Add the new value, release code that knows both, change the rows with `pgalter backfill`, "
        "and leave the old value unused.",
    .check = &Check};

}  // namespace pgalter::lint
