#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// What a session of this role begins with, not what pgalter set for itself.
constexpr const char* kSql = R"sql(
SELECT (SELECT reset_val FROM pg_settings WHERE name = 'lock_timeout') = '0',
       quote_ident(current_user)
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (row.Get<bool>(0, 0))
    answers.push_back(
        Note("lock_timeout is 0 for this role",
             "a statement that is run by hand waits in the lock queue without limit, and everybody "
             "behind it; pgalter sets its own",
             fmt::format("ALTER ROLE {} SET lock_timeout = '2s'", row.Get<std::string>(0, 1))));
  co_return answers;
}

}  // namespace

constinit const Check kLockTimeout{.id = "lock-timeout",
                                   .fine = "statements by hand do not wait for locks without limit",
                                   .run = &Run};

}  // namespace pgalter::check
