// What the full screen of `pgalter watch` shows: a pure function of what was seen and of the size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/screen/terminal.h"
#include "engine/lock/locks_view.h"
#include "engine/state/events.h"
#include "engine/state/runs.h"
#include "engine/state/steps.h"

namespace pgalter::cli::screen {

struct Picture {
  state::Run run;
  std::optional<state::Runner> runner;
  std::vector<state::Step> steps;
  std::vector<lock::LockNode> locks;
  std::vector<state::Event> events;  // oldest first
  std::string as_of;                 // UTC; empty: nothing was seen yet
  std::string problem;               // why the picture is old
  std::string question;              // what a key is about to do, and what to press
  std::string said;                  // what the last key did
};

// At most size.rows lines, none wider than size.columns as a terminal counts; the keys are the
// last.
std::vector<std::string> Render(const Picture& picture, const Size& size, Color color);

}  // namespace pgalter::cli::screen
