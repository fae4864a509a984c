// Control of a run from any machine that reaches the database: a row, and NOTIFY pgalter_control
// with the run's id as the wake-up. The row decides; a lost notification only costs a poll.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

inline constexpr const char* kControlChannel = "pgalter_control";

enum class Wanted { kRun, kPause, kAbort, kRevert };
// How far a run may go.
enum class Phase { kExpand, kMigrate, kContract };

struct Control {
  Wanted wanted = Wanted::kRun;
  boost::json::object throttle;  // key -> value, as given to `throttle --set`
  std::string changed_by;
  Phase through = Phase::kContract;
  std::vector<std::string> passed;  // gates, by their steps' ids
};

std::string_view Name(Phase phase);
std::optional<Phase> ParsePhase(std::string_view name);

Task<Control> ReadControl(Session& session, std::string run);
Task<> Ask(Session& session, std::string run, Wanted wanted);
Task<> GoThrough(Session& session, std::string run, Phase through);
Task<> PassGate(Session& session, std::string run, std::string gate);
Task<> ForgetGate(Session& session, std::string run, std::string gate);
Task<> SetThrottle(Session& session, std::string run, std::string key, std::string value);

}  // namespace pgalter::state
