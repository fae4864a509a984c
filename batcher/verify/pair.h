// Pair: two tables to compare that no run joins.
#pragma once

#include <string>
#include <vector>

#include "batcher/capture/flow.h"

namespace pgalter::verify {

using async::Task;
using guard::Session;

struct Pair {
  capture::Flow flow;                 // without a run
  std::vector<std::string> unshared;  // columns that one of the two has alone: "b of public.t"
};

// By names as the user wrote them, under the role's search_path; rows are told apart by a unique
// key of the first that is in both. Throws run::Failure.
Task<Pair> ReadPair(Session& session, std::string from, std::string to);

}  // namespace pgalter::verify
