#include "engine/run/orphans.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/run/failure.h"

namespace pgalter::run {

namespace {

// Sessions of another role may be out of reach; theirs end by themselves once they find that the
// lease is gone.
constexpr const char* kEndSessions = R"sql(
SELECT a.pid, quote_ident(pg_get_userbyid(a.usesysid)), quote_ident(current_user),
       o.reachable, CASE WHEN o.reachable THEN pg_terminate_backend(a.pid) END,
       COALESCE(r.rolsuper, false)
FROM pg_stat_activity a
LEFT JOIN pg_roles r ON r.oid = a.usesysid
CROSS JOIN LATERAL (
  SELECT (SELECT me.rolsuper FROM pg_roles me WHERE me.rolname = current_user)
         OR NOT COALESCE(r.rolsuper, false)
            AND (COALESCE(pg_has_role(a.usesysid, 'USAGE'), false)
                 OR pg_has_role('pg_signal_backend', 'USAGE'))
         AS reachable) o
WHERE a.application_name = $1 AND a.pid <> pg_backend_pid()
ORDER BY o.reachable
)sql";

Failure StillThere(const pg::Result& orphans, const std::string& run) {
  const auto pid = orphans.Get<std::int32_t>(0, 0);
  if (orphans.Get<bool>(0, 3))
    return {ExitCode::kError,
            fmt::format("backend {} of run {} does not end after pg_terminate_backend; "
                        "nothing was started beside it. See what it waits for in "
                        "pg_stat_activity, then: pgalter resume {}",
                        pid, run, run)};
  const auto role = orphans.Get<std::string>(0, 1);
  const auto me = orphans.Get<std::string>(0, 2);
  const bool superuser = orphans.Get<bool>(0, 5);
  return {
      ExitCode::kUnsupported,
      fmt::format("backend {} of run {} is a session of role {}, which {} may not end (SQLSTATE "
                  "42501); nothing was started beside it. Go on as {}{}, then: pgalter resume "
                  "{}",
                  pid, run, role, me, role,
                  superuser ? "" : fmt::format(", or GRANT {} TO {}", role, me), run)};
}

}  // namespace

Task<> EndOrphans(guard::Session& session, std::string run, async::Milliseconds limit) {
  if (!async::SafeguardOn("orphans")) co_return;
  const auto give_up = async::Clock::now() + limit;
  constexpr async::Milliseconds kPause{50};
  for (;;) {
    const pg::Result orphans =
        co_await session.db().Query(kEndSessions, guard::ApplicationName(run));
    if (orphans.empty()) co_return;
    if (async::Clock::now() > give_up) throw StillThere(orphans, run);
    co_await async::SleepFor(kPause);
  }
}

}  // namespace pgalter::run
