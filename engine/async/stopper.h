// Stopper: stopping as a level. Anybody may ask for a stop, once, with a reason; every loop calls
// ThrowIfStopping at its head and sleeps through SleepFor, which a stop ends at once.
// One thread; must outlive the coroutines that sleep on it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "engine/async/task.h"

namespace pgalter::async {

enum class StopReason { kPause, kAbort, kRevert, kLeaseLost, kFailure };

class Stopped : public std::runtime_error {
 public:
  Stopped(StopReason reason, const std::string& text) : std::runtime_error(text), reason_(reason) {}
  StopReason reason() const { return reason_; }

 private:
  StopReason reason_;
};

class Stopper {
 public:
  // The first reason stays, except that every other one overrides a pause.
  void Stop(StopReason reason, std::string text);
  bool stopping() const { return reason_.has_value(); }
  std::optional<StopReason> reason() const { return reason_; }
  void ThrowIfStopping() const;

  // Sleeps for `pause`, or until a stop, which it throws.
  Task<> SleepFor(Clock::duration pause);

 private:
  std::optional<StopReason> reason_;
  std::string text_;
  std::set<boost::asio::steady_timer*> sleepers_;
};

}  // namespace pgalter::async
