// `watch RUN --for TIME`: what happens once the run has come to rest. Every look is kept with the
// run, so that its report has it.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli {

class WatchAfter {
 public:
  WatchAfter(const Context& context, std::chrono::milliseconds time)
      : context_(context), time_(time) {}

  // Of --for; nullopt: it is not there. Throws Rejected (usage).
  static std::optional<std::chrono::milliseconds> TimeOf(const Context& context);
  // Throws Rejected: what is seen cannot be kept here.
  static Task<> RefuseWithoutTable(guard::Session& session);

  // Until the time is over, counted from the first call: a call after a lost connection goes on.
  // Throws what the connection throws.
  Task<> Watch(guard::Session& session, std::string run);
  // What was seen in all. Findings: an index that cannot be used.
  ExitCode Conclude() const;

 private:
  Task<> Look(guard::Session& session, std::string run);

  const Context& context_;
  std::chrono::milliseconds time_;
  std::optional<std::chrono::steady_clock::time_point> end_;
  int looks_ = 0;
  std::int64_t most_waiting_ = 0;
  double longest_wait_s_ = 0;
  std::optional<double> most_lag_s_;
  boost::json::object first_;
  boost::json::object last_;
};

}  // namespace pgalter::cli
