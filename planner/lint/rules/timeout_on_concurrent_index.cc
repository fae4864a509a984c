#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

bool BuildsConcurrently(const Context& context) {
  if (const auto* create = context.statement.As<sql::ast::CreateIndex>())
    return create->concurrently && context.Existing(create->table);
  const auto* reindex = context.statement.As<sql::ast::Reindex>();
  return reindex != nullptr && reindex->concurrently;
}

void Check(const Context& context, const Reporter& report) {
  if (!BuildsConcurrently(context)) return;
  const auto lock = context.session.lock_timeout();
  const auto statement = context.session.statement_timeout();
  if (!lock && !statement) return;
  Remark remark;
  remark.message =
      fmt::format("a {} of {} ms is in force: one that is hit leaves an invalid index behind",
                  lock ? "lock_timeout" : "statement_timeout", (lock ? *lock : *statement).count());
  report(std::move(remark));
}

}  // namespace

constinit const Rule kTimeoutOnConcurrentIndex{
    .id = "timeout-on-concurrent-index",
    .title = "Concurrent build under a timeout",
    .category = Category::kFailure,
    .severity = Severity::kNote,
    .effect =
        "The build waits for every older transaction. Stopped by a timeout, it leaves an index "
        "that every write maintains and no query uses.",
    .remedy = "RESET lock_timeout and statement_timeout before it: it keeps nobody waiting.",
    .check = &Check};

}  // namespace pgalter::lint
