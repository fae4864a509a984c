// Pair: two tables to compare that no run joins.
#pragma once

#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/verify/compare.h"

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

// Of tables whose rows are the same: the second may have some of them more than once where it has
// no unique key. Reads it once, then.
Task<std::vector<Difference>> FindTwice(Session& session, const capture::Flow& flow);

}  // namespace pgalter::verify
