#pragma once

// The lock of a finding as JSON has it. Shared by the formats that are ours to extend.

#include <boost/json/value.hpp>

#include "planner/lint/finding.h"

namespace pgalter::lint {

// {"mode", "relation", "blocks": ["reads", "writes"]}, or null.
[[nodiscard]] boost::json::value LockJson(const Finding& finding);

}  // namespace pgalter::lint
