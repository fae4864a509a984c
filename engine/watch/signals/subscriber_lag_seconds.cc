#include "engine/watch/signals.h"
#include "engine/watch/subscribers.h"

namespace pgalter::watch {

namespace {
Task<Observation> Read(SignalContext& context) {
  co_return co_await ReadSubscribers(context, LagMeasure::kSeconds);
}
}  // namespace

constinit const Signal kSubscriberLagSeconds{
    .id = "subscriber-lag-seconds",
    .summary = "age of what the slowest logical subscriber has confirmed",
    .unit = Unit::kSeconds,
    .default_limit = 60,
    .every = 16,
    .read = &Read};

}  // namespace pgalter::watch
