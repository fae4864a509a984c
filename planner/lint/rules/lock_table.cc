#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

void Check(const Context& context, const Reporter& report) {
  const auto* lock = context.statement.As<sql::ast::LockTable>();
  if (lock == nullptr) return;
  if (!context.transaction.open()) {
    Remark remark;
    remark.severity = Severity::kError;
    remark.message = "LOCK TABLE fails outside of a transaction";
    report(std::move(remark));
    return;
  }
  if (!locks::BlocksWrites(lock->mode) || lock->nowait || context.session.lock_timeout()) return;
  for (const auto& table : lock->tables) {
    if (!InUse(context, table)) continue;
    Remark remark;
    remark.lock = LockTaken{lock->mode, Context::Show(table)};
    remark.message = fmt::format("this waits for ever for {} on {}, and everybody else behind it",
                                 locks::Name(lock->mode), Context::Show(table));
    report(std::move(remark));
  }
}

}  // namespace

constinit const Rule kLockTable{.id = "lock-table",
                                .title = "Table locked by hand",
                                .category = Category::kLock,
                                .severity = Severity::kWarning,
                                .effect =
                                    "Whoever uses the table waits until the transaction ends, and "
                                    "already while LOCK TABLE itself waits.",
                                .remedy =
                                    "SET LOCAL lock_timeout before it, or NOWAIT; the weakest mode "
                                    "that does; and only short statements after it.",
                                .check = &Check};

}  // namespace pgalter::lint
