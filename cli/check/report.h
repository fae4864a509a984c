// The answers of `check`, for people and for programs. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/check/run_checks.h"

namespace pgalter::cli {

struct CheckReport {
  std::string server;  // its version
  std::string database;
  std::string role;
  check::Target target;
  std::vector<std::string> remarks;  // on the statements of --for
  std::vector<check::Entry> entries;
};

std::string CheckText(const CheckReport& report, Color color);
boost::json::object CheckJson(const CheckReport& report);

// The worst blocker decides: a right or server that is missing, else a refusal. Without one, 3
// where something is at or above `fail_on`.
ExitCode CheckExit(const CheckReport& report, check::Severity fail_on);

}  // namespace pgalter::cli
