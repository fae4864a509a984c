// Which request means what. Pure.
#pragma once

#include <string>
#include <variant>

#include "cli/serve/message.h"

namespace pgalter::cli::serve {

enum class Place {
  kFile,   // a part of the page
  kLogin,  // a token for a cookie
  kRuns,
  kRun,
  kLocks,
  kMaintenance,
  kEvents,
  kControl,  // changes what a run does
  kMetrics,
  kHealth,
};

struct Route {
  Place place = Place::kFile;
  std::string run;     // kRun, kControl
  std::string action;  // kControl
  std::string file;    // kFile: its name
};

// The route, or what is wrong: 404, or 405 with what the place takes.
std::variant<Route, Response> FindRoute(const Request& request);

}  // namespace pgalter::cli::serve
