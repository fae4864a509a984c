#include "engine/watch/signals.h"
#include "engine/watch/standbys.h"

namespace pgalter::watch {

namespace {
Task<Observation> Read(SignalContext& context) {
  const Standbys standbys = co_await ReadStandbys(context);
  co_return WorstByBytes(standbys, context.options, context.limit);
}
}  // namespace

constinit const Signal kReplayLagBytes{.id = "replay-lag-bytes",
                                       .summary = "WAL that the slowest standby has not replayed",
                                       .unit = Unit::kBytes,
                                       .default_limit = 256.0 * 1024 * 1024,
                                       .every = 2,
                                       .read = &Read};

}  // namespace pgalter::watch
