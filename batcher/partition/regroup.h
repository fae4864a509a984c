// Regroup: partitions become others with the same rows, in one transaction: several one, or one
// several. For small ones: users wait while the rows are moved, and what takes longer than the hold
// budget is rolled back. It merges, and takes a split and a merge back.
//
// Lock: ACCESS EXCLUSIVE on the whole, its partitions, and the tables that its foreign keys refer
// to, in one LOCK TABLE, under the ladder. Blocks: everybody on them. On crash: rolled back; the
// step records itself in its transaction.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <vector>

#include "batcher/partition/repart.h"
#include "engine/run/step_handler.h"

namespace pgalter::partition {

std::int64_t MostRegrouped();  // bytes, whatever users may wait for

// How many bytes are moved in that time, at best: what a slower machine does not get done is rolled
// back.
std::int64_t MovedWithin(async::Milliseconds budget);

struct Regrouping {
  // What comes is its targets; where they are several, `inside` says which rows each gets.
  RepartSpec spec;
  std::vector<std::string> from;  // quoted, with their schema: what goes
};

// How long users were blocked, at most. That it was done is recorded with it. Throws run::Failure:
// the lock was not obtained.
Task<async::Milliseconds> Regroup(run::Environment& env, const state::Step& step,
                                  const Regrouping& regrouping);

// In the run's spec: `from`, and what was there before, which is the way back.
inline constexpr const char* kMerged = "merged";
inline constexpr const char* kBack = "back";

// Of a run that does it: what proves that the default partition has no such rows, the exchange, and
// its release.
std::vector<state::Step> RegroupSteps(const RepartSpec& spec);

// Each with its bound and the server's own condition for it, in the order of their bounds.
Task<boost::json::array> KeepTheOld(Session& session, std::vector<Member> members);

// Before a run is asked to go back: what RegroupBack would refuse, while the run is what it was.
// Throws run::Failure.
Task<> RefuseRegroupBack(Session& session, const state::Run& run);

// The way back of a step that has put partitions in place, if it has, with what guards it. Throws
// run::Failure (refused): they are too large for that, or are not there any more.
Task<> RegroupBack(run::Environment& env, const state::Step& step);
// Its rows are where they were, or it had put nothing in place.
bool IsRegroupedBack(const state::Step& step);

}  // namespace pgalter::partition
