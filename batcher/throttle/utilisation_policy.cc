#include "batcher/throttle/utilisation_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace pgalter::throttle {

namespace {

using Seconds = std::chrono::duration<double>;

// A late round must not make one step of many.
constexpr double kLongestStep = 3;

std::int64_t WholeSeconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

std::string_view Name(Action action) {
  switch (action) {
    case Action::kGrow:
      return "grow";
    case Action::kHold:
      return "hold";
    case Action::kShed:
      return "shed";
    case Action::kStop:
      break;
  }
  return "stop";
}

UtilisationPolicy::UtilisationPolicy(UtilisationOptions options) : options_(options) {
  verdict_.reason = "no signal has been read yet";
}

const Verdict& UtilisationPolicy::Step(std::span<const watch::Reading> readings, Time now) {
  load_ = Highest(readings, now);
  const Action action = ActionFor(load_.utilisation);
  Move(action, now);
  last_step_ = now;
  Publish(action, load_);
  return verdict_;
}

Verdict UtilisationPolicy::At(Time now) const {
  if (!last_step_ || now - *last_step_ <= options_.grace) return verdict_;
  Verdict stale;
  stale.reason = fmt::format("no signal has been read for {} s", WholeSeconds(now - *last_step_));
  return stale;
}

void UtilisationPolicy::SetCeiling(std::optional<double> ratio) {
  ceiling_ = ratio;
  if (last_step_) Publish(ActionFor(load_.utilisation), load_);
}

UtilisationPolicy::Load UtilisationPolicy::Judge(const watch::Reading& reading, Time now) {
  if (reading.readable()) {
    unreadable_since_.erase(reading.signal);
    last_known_[reading.signal] = reading.utilisation();
    return {reading.utilisation(), watch::Describe(reading)};
  }
  const Time since = unreadable_since_.try_emplace(reading.signal, now).first->second;
  if (now - since >= options_.grace)
    return {std::max(1.0, options_.stop_from), watch::Describe(reading)};
  const auto known = last_known_.find(reading.signal);
  const double last = known == last_known_.end() ? 0 : known->second;
  return {std::max(options_.hold_from, last), watch::Describe(reading)};
}

UtilisationPolicy::Load UtilisationPolicy::Highest(std::span<const watch::Reading> readings,
                                                   Time now) {
  Load highest;
  for (const watch::Reading& reading : readings) {
    Load load = Judge(reading, now);
    if (load.utilisation > highest.utilisation) highest = std::move(load);
  }
  return highest;
}

Action UtilisationPolicy::ActionFor(double utilisation) const {
  if (utilisation >= options_.stop_from) return Action::kStop;
  if (utilisation >= options_.shed_from) return Action::kShed;
  if (utilisation >= options_.hold_from) return Action::kHold;
  return Action::kGrow;
}

double UtilisationPolicy::FirstRatio(Action action) const {
  switch (action) {
    case Action::kGrow:
      return 1;
    case Action::kHold:
      return 0.5;
    case Action::kShed:
      return options_.floor;
    case Action::kStop:
      break;
  }
  return 0;
}

void UtilisationPolicy::Move(Action action, Time now) {
  if (!last_step_) {
    ratio_ = FirstRatio(action);
    if (action >= Action::kShed) last_decrease_ = now;
    return;
  }
  const double elapsed = std::clamp(Seconds(now - *last_step_).count(), 0.0, kLongestStep);
  if (action == Action::kStop) {
    if (ratio_ > 0) before_stop_ = ratio_;
    ratio_ = 0;
    last_decrease_ = now;
  } else if (ratio_ == 0) {
    // Back at half of what was too much: the next stop halves it again.
    if (load_.utilisation < options_.resume_below)
      ratio_ = std::max(options_.floor, before_stop_ / 2);
  } else if (action == Action::kShed) {
    ratio_ = std::max(options_.floor, ratio_ * std::pow(options_.decay, elapsed));
    last_decrease_ = now;
  } else if (action == Action::kGrow) {
    const bool cooling = last_decrease_ && now - *last_decrease_ < options_.cool_down;
    if (!cooling) ratio_ = std::min(1.0, ratio_ + options_.growth * elapsed);
  }
}

void UtilisationPolicy::Publish(Action action, const Load& load) {
  const bool capped = ceiling_ && *ceiling_ < ratio_;
  verdict_.action = action;
  verdict_.utilisation = load.utilisation;
  verdict_.ratio = capped ? *ceiling_ : ratio_;
  verdict_.reason.clear();
  if (capped) {
    verdict_.reason = fmt::format("set to at most {:g} by the operator", *ceiling_);
  } else if (ratio_ < 1 || action != Action::kGrow) {
    verdict_.reason = load.text;
  }
}

}  // namespace pgalter::throttle
