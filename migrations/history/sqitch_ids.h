#pragma once

// The names by which sqitch knows changes and tags: hashes of a text about each, which holds the
// name of the one before it. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "migrations/formats/sqitch_plan.h"

namespace pgalter::history {

struct SqitchIds {
  std::string change;
  std::vector<std::string> tags;  // of the change, in their order
};

// In the order of the plan. Every change has to have its time and its planner.
[[nodiscard]] std::vector<SqitchIds> IdsOf(const formats::SqitchPlan& plan);

// A URI as sqitch writes it: scheme and host in lower case, no default port, escapes in one form.
[[nodiscard]] std::string CanonicalUri(std::string_view uri);

}  // namespace pgalter::history
