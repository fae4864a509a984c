// What the throttle thinks at one moment, for `status`, `watch` and the log.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "batcher/throttle/utilisation_policy.h"

namespace pgalter::throttle {

struct Snapshot {
  Verdict verdict;
  std::vector<watch::Reading> readings;  // of the last round
  std::string trouble;                   // why there was no round; empty while all is well
};

// {"ratio", "reason"}: the stable part of `status`.
boost::json::object ToJson(const Verdict& verdict);
// The same with "action", "utilisation", "signals": [{"signal", "value", "limit", "unit",
// "utilisation", "state", "text"}] and "trouble".
boost::json::object ToJson(const Snapshot& snapshot);

}  // namespace pgalter::throttle
