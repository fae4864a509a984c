// What pgalter.toml says of the surroundings of a run:
//
//   [hooks]
//   directory = "hooks"        # executables by the names of events; beside the file
//   timeout = "30s"
//
//   [[webhook]]
//   url = "env:SLACK_URL"      # or the address itself, where it is no secret
//   template = "slack"         # or "generic": the event as it is
//   secret = "env:HOOK_SECRET" # signs the body
//   events = ["failed", "waiting"]
//
//   [[signal]]                 # at its limit the run stops; below it slows down
//   name = "queue"
//   sql = "SELECT count(*) FROM jobs"    # or http = "https://…", or command = ["./depth"]
//   limit = 1000
//
//   [[abort]]
//   name = "p95"
//   http = "http://127.0.0.1:9090/p95"
//   json = "/data/value"       # where the number is, if the answer is JSON
//   above = "baseline + 50 %"  # or a number, or "canary + 50 %": of what was so during the canary
//   baseline = "30s"           # measured before the start
//   for = "10s"
//   action = "pause"           # or abort, or revert
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/outside/rule_policy.h"

namespace pgalter::cli::outside {

using async::Milliseconds;

struct Probe {
  std::string name;
  std::string sql;  // one of the three
  std::string http;
  std::vector<std::string> command;
  std::string json;  // pointer
  Milliseconds every{5'000};
  Milliseconds timeout{5'000};
};

struct UserSignal {
  Probe probe;
  double limit = 0;
};

enum class Reaction { kPause, kAbort, kRevert };

struct AbortRule {
  Probe probe;
  Threshold above;
  Milliseconds baseline{0};
  Milliseconds hold{0};
  Reaction action = Reaction::kPause;
};

struct Hooks {
  std::string directory;  // empty: none
  Milliseconds timeout{30'000};
};

struct Webhook {
  std::string url;  // never shown
  std::string secret;
  bool slack = false;
  std::set<std::string> events;  // empty: all
  Milliseconds timeout{5'000};
};

struct Config {
  Hooks hooks;
  std::vector<Webhook> webhooks;
  std::vector<UserSignal> signals;
  std::vector<AbortRule> rules;
};

// Of --config, or of pgalter.toml where there is one. Throws Rejected (usage) with the key that is
// wrong.
Config LoadConfig(const Context& context);

// It carries runs, and so reads this.
bool IsReadBy(const Command& command);

}  // namespace pgalter::cli::outside
