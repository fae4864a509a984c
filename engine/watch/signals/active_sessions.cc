#include <fmt/format.h>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// Without pg_monitor the state of other roles' sessions is NULL; that they exist is visible.
constexpr const char* kActive = R"sql(
SELECT count(*) FILTER (WHERE a.state = 'active')::float8,
       count(*) FILTER (WHERE a.backend_type IS NULL)::float8
FROM pg_stat_activity a
WHERE a.usesysid IS NOT NULL AND a.datid IS NOT NULL AND a.application_name <> $1
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
)sql";

// Up to this share of the limit it does not matter how many of the hidden sessions are idle.
constexpr double kHarmless = 0.4;

Task<Observation> Read(SignalContext& context) {
  const std::string ours = guard::ApplicationName(context.options.run);
  const pg::Result sessions = co_await context.session.db().Query(kActive, ours);
  const double active = sessions.Get<double>(0, 0);
  const double hidden = sessions.Get<double>(0, 1);
  if (hidden == 0) co_return Observation::Measured(active);
  const double at_most = active + hidden;
  if (context.limit <= 0 || at_most < kHarmless * context.limit)
    co_return Observation::Measured(at_most,
                                    fmt::format("{} of them hidden, counted as active", hidden));
  co_return Observation::MissingRight(
      fmt::format("the state of {} sessions is hidden from {}; GRANT pg_monitor TO it", hidden,
                  context.session.db().user()));
}

}  // namespace

constinit const Signal kActiveSessions{.id = "active-sessions",
                                       .summary = "client sessions that run a statement",
                                       .unit = Unit::kSessions,
                                       .default_limit = 50,
                                       .every = 16,
                                       .read = &Read};

}  // namespace pgalter::watch
