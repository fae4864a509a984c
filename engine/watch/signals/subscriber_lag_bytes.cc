#include "engine/watch/signals.h"
#include "engine/watch/subscribers.h"

namespace pgalter::watch {

namespace {
Task<Observation> Read(SignalContext& context) {
  co_return co_await ReadSubscribers(context, LagMeasure::kBytes);
}
}  // namespace

constinit const Signal kSubscriberLagBytes{
    .id = "subscriber-lag-bytes",
    .summary = "WAL that the slowest logical subscriber has not confirmed",
    .unit = Unit::kBytes,
    .default_limit = 1024.0 * 1024 * 1024,
    .every = 16,
    .read = &Read};

}  // namespace pgalter::watch
