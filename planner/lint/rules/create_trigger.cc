#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateTrigger>();
  if (create == nullptr || !context.Existing(create->table)) return;
  const std::string table = Context::Show(create->table);
  Remark remark;
  remark.message = fmt::format("nobody writes {} while this waits for its lock", table);
  remark.lock = LockTaken{locks::LockMode::kShareRowExclusive, table};
  report(std::move(remark));
}

}  // namespace

constinit const Rule kCreateTrigger{
    .id = "create-trigger",
    .title = "Trigger created on a table in use",
    .category = Category::kLock,
    .severity = Severity::kNote,
    .effect =
        "SHARE ROW EXCLUSIVE for an instant: reads go on, writes wait until the lock is had. "
        "Afterwards every write runs the function.",
    .remedy = "Nothing where a lock_timeout is set and the function is known to be fast.",
    .check = &Check};

}  // namespace pgalter::lint
