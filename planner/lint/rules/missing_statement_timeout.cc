#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// CONCURRENTLY leaves an invalid index behind when it is stopped, and VALIDATE disturbs nobody.
void Check(const Context& context, const Reporter& report) {
  if (context.session.statement_timeout() || context.effects.outside_transaction) return;
  for (const locks::Work& work : context.effects.works) {
    const auto lock = LockOn(context, work.relation);
    if (!context.Existing(work.relation) || !lock || !locks::BlocksWrites(lock->mode)) continue;
    Remark remark;
    remark.message = fmt::format("this may hold {} on {} for as long as it likes",
                                 locks::Name(lock->mode), lock->relation);
    remark.lock = lock;
    report(std::move(remark));
    return;
  }
}

}  // namespace

constinit const Rule kMissingStatementTimeout{
    .id = "missing-statement-timeout",
    .title = "Long work under a strong lock without a statement_timeout",
    .category = Category::kLock,
    .severity = Severity::kNote,
    .effect = "Nothing ends the statement when it takes longer than the application can bear.",
    .remedy =
        "SET statement_timeout before it, and SET it to 0 before what runs CONCURRENTLY or "
        "VALIDATEs; or let the runner set it, and say so in pgalter.toml.",
    .check = &Check};

}  // namespace pgalter::lint
