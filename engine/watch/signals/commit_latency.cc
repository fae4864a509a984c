#include <algorithm>
#include <vector>

#include "engine/watch/signals.h"

namespace pgalter::watch {

namespace {

// One flush of a busy disk may take a hundred times the usual: one sample says nothing.
constexpr std::size_t kSamples = 5;

constexpr const char* kLogicalSlot =
    "SELECT EXISTS (SELECT FROM pg_replication_slots"
    " WHERE slot_type = 'logical' AND database = current_database())";

// A transaction with a WAL record and nothing else: no table, no right, allowed in a read-only
// session, and its commit waits for disk and synchronous standbys as everybody's does.
constexpr const char* kCanary = "SELECT pg_logical_emit_message(true, 'pgalter', '')";

double Median(std::deque<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Task<Observation> Read(SignalContext& context) {
  pg::Connection& db = context.session.db();
  const auto asked = async::Clock::now();
  const pg::Result slot = co_await db.Query(kLogicalSlot);
  if (slot.Get<bool>(0, 0))
    co_return Observation::Absent("a logical slot of this database would receive the canary");
  const auto begin = async::Clock::now();
  co_await db.Query(kCanary);
  // Users have a way of their own to the server: ours, as the question before it shows it, is not
  // the commit's time.
  const auto way = begin - asked;
  const std::chrono::duration<double, std::milli> took =
      std::max(async::Clock::now() - begin - way, async::Clock::duration::zero());
  auto& times = context.memory.commit_times;
  times.push_back(took.count());
  if (times.size() > kSamples) times.pop_front();
  co_return Observation::Measured(Median(times), "median of the last commits");
}

}  // namespace

constinit const Signal kCommitLatency{.id = "commit-latency",
                                      .summary = "how long a small commit takes",
                                      .unit = Unit::kMilliseconds,
                                      .default_limit = 100,
                                      .every = 20,
                                      .read = &Read};

}  // namespace pgalter::watch
