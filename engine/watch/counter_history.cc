#include "engine/watch/counter_history.h"

#include <algorithm>

namespace pgalter::watch {

void CounterHistory::Record(std::uint64_t value, Time now) {
  if (!samples_.empty() && value < samples_.back().value) samples_.clear();
  if (!samples_.empty() && value == samples_.back().value) {
    samples_.back().last = now;
    return;
  }
  samples_.push_back({value, now, now});
  if (samples_.size() > most_) Thin();
}

CounterHistory::Age CounterHistory::AgeOf(std::uint64_t value, Time now) const {
  const auto beyond =
      std::upper_bound(samples_.begin(), samples_.end(), value,
                       [](std::uint64_t v, const Sample& sample) { return v < sample.value; });
  Age age;
  if (beyond == samples_.end()) {
    age.at_most = Seconds(0);
    return age;
  }
  age.at_least = now - beyond->first;
  if (beyond != samples_.begin()) age.at_most = now - std::prev(beyond)->last;
  return age;
}

CounterHistory::Growth CounterHistory::GrowthSince(Time since) const {
  const auto from = std::lower_bound(samples_.begin(), samples_.end(), since,
                                     [](const Sample& s, Time time) { return s.last < time; });
  if (from == samples_.end()) return {};
  const Sample& to = samples_.back();
  return {to.value - from->value, to.last - std::max(since, from->first)};
}

// Every second sample of the older half goes: ages far back become coarser, never wrong.
void CounterHistory::Thin() {
  std::deque<Sample> kept;
  for (std::size_t i = 0; i < samples_.size(); ++i)
    if (i >= samples_.size() / 2 || i % 2 == 0) kept.push_back(samples_[i]);
  samples_.swap(kept);
}

}  // namespace pgalter::watch
