#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr int kEnough = 600;

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(
      "SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'");
  const int milliseconds = row.Get<std::int32_t>(0, 0);
  if (milliseconds < kEnough)
    answers.push_back(Note(fmt::format("deadlock_timeout is {} ms", milliseconds),
                           "attempts at a strong lock stay shorter than that, so that no user gets "
                           "a deadlock error: they may all be too short on a busy table",
                           "the default of 1s serves better"));
  co_return answers;
}

}  // namespace

constinit const Check kDeadlockTimeout{
    .id = "deadlock-timeout",
    .fine = "deadlock_timeout leaves room for attempts at a lock",
    .run = &Run};

}  // namespace pgalter::check
