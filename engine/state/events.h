// Events of a run: hooks and webhooks with their answers, and rules that were broken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

struct Event {
  std::string at;     // UTC, ISO 8601; the server's, when it is recorded
  std::string event;  // "failed", "before-cutover"
  std::string kind;   // hook, webhook, rule
  std::string name;
  std::optional<std::int32_t> code;  // exit code or HTTP status
  std::string said;                  // its last words
};

Task<> RecordEvent(Session& session, std::string run, Event event);
// What an abort rule measured during the canary of a run, as it was last kept; nullopt: it was not.
Task<std::optional<double>> CanaryOf(Session& session, std::string run, std::string rule);
// The newest ones, oldest first. Empty in a schema that an older program has made.
Task<std::vector<Event>> LastEvents(Session& session, std::string run, int most);

}  // namespace pgalter::state
