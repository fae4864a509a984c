// What the buttons of the dashboard do: the same wishes that the commands write, in a session of
// their own.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace pgalter::cli::serve {

class Controls {
 public:
  explicit Controls(const Context& context) : context_(context) {}

  // What was done, in a sentence. `body`: a JSON object, or empty. Throws Rejected.
  Task<std::string> Do(std::string run, std::string action, std::string body);

 private:
  void ReapRunners();

  const Context& context_;
  std::vector<int> runners_;  // processes that were started here, until they have ended
};

}  // namespace pgalter::cli::serve
