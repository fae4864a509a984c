// Wiring: the step handlers of all rooms, by the kind of step. What the runner cannot know by
// itself, since engine stands below the rooms that implement its port.
#pragma once

#include <memory>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::cli {

struct Wiring {
  std::vector<std::unique_ptr<run::StepHandler>> owned;
  run::Handlers handlers;
};

Wiring MakeWiring();

}  // namespace pgalter::cli
