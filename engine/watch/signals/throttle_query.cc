#include "engine/watch/signals.h"
#include "engine/watch/user_query.h"

namespace pgalter::watch {

namespace {

Task<Observation> Read(SignalContext& context) {
  if (context.options.throttle_query.empty()) co_return Observation::Absent("no query was given");
  co_return co_await ReadUserQuery(context.session, context.options.throttle_query);
}

}  // namespace

constinit const Signal kThrottleQuery{.id = "throttle-query",
                                      .summary = "the number that the user's own query returns",
                                      .unit = Unit::kNumber,
                                      .default_limit = 1,
                                      .every = 4,
                                      .read = &Read};

}  // namespace pgalter::watch
