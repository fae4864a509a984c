#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql =
    "SELECT pg_has_role(current_user, 'pg_signal_backend', 'USAGE'), quote_ident(current_user)";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (!row.Get<bool>(0, 0))
    answers.push_back(
        Note("the role has no pg_signal_backend",
             "it cannot end other roles' idle sessions that stand in the way of a "
             "lock; nothing is lost unless you ask for that",
             fmt::format("GRANT pg_signal_backend TO {}", row.Get<std::string>(0, 1))));
  co_return answers;
}

}  // namespace

constinit const Check kSignalRight{
    .id = "signal-right",
    .fine = "sessions in the way can be ended, where the policy says so",
    .run = &Run};

}  // namespace pgalter::check
