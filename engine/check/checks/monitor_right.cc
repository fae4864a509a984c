#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

constexpr const char* kSql =
    "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), quote_ident(current_user)";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result row = co_await context.db.Query(kSql);
  if (!row.Get<bool>(0, 0))
    answers.push_back(
        Warning("the role has no pg_monitor",
                "lag of standbys, old transactions of other roles and what a blocker does are "
                "hidden: the checks below see less, and a run refuses to start beside a standby "
                "whose lag it cannot see",
                fmt::format("GRANT pg_monitor TO {}", row.Get<std::string>(0, 1))));
  co_return answers;
}

}  // namespace

constinit const Check kMonitorRight{
    .id = "monitor-right", .fine = "the role sees other roles' sessions and standbys", .run = &Run};

}  // namespace pgalter::check
