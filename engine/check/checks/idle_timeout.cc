#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql =
    "SELECT (SELECT reset_val FROM pg_settings"
    " WHERE name = 'idle_in_transaction_session_timeout') = '0'";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (row.Get<bool>(0, 0))
    answers.push_back(
        Note("idle_in_transaction_session_timeout is 0",
             "a client that forgets to commit keeps its locks for as long as it is connected, and "
             "a change waits for it",
             "ALTER DATABASE or ALTER ROLE of the application SET "
             "idle_in_transaction_session_timeout = '60s'"));
  co_return answers;
}

}  // namespace

constinit const Check kIdleTimeout{.id = "idle-timeout",
                                   .fine = "the server ends transactions in which nothing happens",
                                   .run = &Run};

}  // namespace pgalter::check
