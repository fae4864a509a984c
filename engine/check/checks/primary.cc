#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql =
    "SELECT pg_is_in_recovery(), (SELECT reset_val FROM pg_settings"
    " WHERE name = 'default_transaction_read_only') = 'on'";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (row.Get<bool>(0, 0)) {
    answers.push_back(Blocker("the server is a standby", "nothing can be changed here",
                              "connect to the primary: target_session_attrs=read-write",
                              Cause::kRightOrServer));
  } else if (row.Get<bool>(0, 1)) {
    answers.push_back(Note("default_transaction_read_only is on for this role or database",
                           "somebody wants no writes here; pgalter sets it off for itself",
                           "make sure that this is the server you mean"));
  }
  co_return answers;
}

}  // namespace

constinit const Check kPrimary{.id = "primary", .fine = "the server takes writes", .run = &Run};

}  // namespace pgalter::check
