#include "engine/watch/signals.h"
#include "engine/watch/standbys.h"

namespace pgalter::watch {

namespace {
Task<Observation> Read(SignalContext& context) {
  const Standbys standbys = co_await ReadStandbys(context);
  co_return WorstBySeconds(standbys, context.options, context.limit);
}
}  // namespace

constinit const Signal kReplayLagSeconds{.id = "replay-lag-seconds",
                                         .summary = "age of what the slowest standby has replayed",
                                         .unit = Unit::kSeconds,
                                         .default_limit = 10,
                                         .every = 2,
                                         .read = &Read};

}  // namespace pgalter::watch
