#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// Longer, and the queue behind the waiting statement is an outage by itself.
constexpr std::chrono::seconds kTooLong{30};

// Not for what commits by itself: a timeout leaves an invalid index behind.
const locks::Lock* Blocking(const Context& context) {
  if (context.effects.outside_transaction) return nullptr;
  for (const locks::Lock& lock : context.effects.locks)
    if (locks::BlocksWrites(lock.mode) && context.Existing(lock.relation)) return &lock;
  return nullptr;
}

// Another rule has a better form for it, which a timeout could stop half-way.
bool WantsAnotherForm(const Context& context) {
  if (!context.effects.works.empty()) return true;
  if (const auto* drop = context.statement.As<sql::ast::Drop>())
    return drop->kind == sql::ast::ObjectKind::kIndex;
  bool detaches = false;
  ForEachCommand(context, sql::ast::TableChange::kDetachPartition,
                 [&](const auto&, const auto&, int) { detaches = true; });
  return detaches;
}

// For this statement alone: left in force, it would stop a CREATE INDEX CONCURRENTLY behind it.
std::vector<Edit> Fix(const Context& context) {
  if (context.embedded || context.transaction.open() || WantsAnotherForm(context)) return {};
  if (context.text.find("--") != std::string_view::npos) return {};
  return {{{context.span.begin, context.span.begin}, "SET lock_timeout = '2s';\n"},
          {{context.span.end, context.span.end}, ";\nRESET lock_timeout"}};
}

void Check(const Context& context, const Reporter& report) {
  const auto timeout = context.session.lock_timeout();
  if (timeout && *timeout <= kTooLong) return;
  const locks::Lock* lock = Blocking(context);
  if (lock == nullptr) return;
  Remark remark;
  remark.lock = LockTaken{lock->mode, Context::Show(lock->relation)};
  const std::string wait = timeout ? fmt::format("waits up to {} s", timeout->count() / 1000)
                                   : std::string("waits for ever");
  remark.message = fmt::format("this {} for {} on {}, and everybody else queues behind it", wait,
                               locks::Name(lock->mode), Context::Show(lock->relation));
  if (!timeout) remark.fix = Fix(context);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kMissingLockTimeout{
    .id = "missing-lock-timeout",
    .title = "Strong lock without a lock_timeout",
    .category = Category::kLock,
    .severity = Severity::kNote,
    .effect =
        "While the statement waits for one long transaction, every later reader and writer of "
        "the table waits behind it.",
    .remedy =
        "SET lock_timeout = '2s' before it, and try again when it ends by 55P03; or let the "
        "runner set it, and say so in pgalter.toml.",
    .check = &Check};

}  // namespace pgalter::lint
