// RunUnderLadder: work under a strong lock, on a table in use. Attempts are short and rolled back,
// the observer names who is in the way, and the lock is given back when it is held for too long.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/async/stopper.h"
#include "engine/lock/attempt.h"
#include "engine/lock/ladder_policy.h"
#include "engine/lock/work.h"

namespace pgalter::lock {

enum class LadderResult : std::uint8_t {
  kDone,
  kLockNotAvailable,  // nothing was changed
  kHoldOverrun,       // the lock came, the work took too long: rolled back each time
};

struct LadderReport {
  int attempts = 0;
  int deadlocks = 0;
  int hold_overruns = 0;
  Milliseconds elapsed{0};
  Milliseconds waited{0};  // in the lock queue, all attempts together
  Milliseconds held{0};    // the lock, in the last attempt that got it
  Milliseconds longest_blocked{
      0};  // the longest that one attempt queued and held: what a user felt
  int most_queued_behind = 0;
  std::vector<Blocker> last_blockers;
  std::vector<std::string> actions;  // what was done about blockers, in words
  std::string observer_error;        // why the last attempt's blockers are not known
  std::string refusal;               // why the last attempt did not even ask for the lock
};

struct LadderOutcome {
  LadderResult result = LadderResult::kLockNotAvailable;
  LadderReport report;
};

// Whom the last attempt waited for. Empty: it is not known.
[[nodiscard]] std::string WhoIsInTheWay(const LadderReport& report);

// For people, the summary first.
[[nodiscard]] std::vector<std::string> Lines(const LadderOutcome& outcome);

using OnRetry = std::function<void(const LadderReport&)>;  // before each pause

// Commits at most once. Both sessions are this call's alone while it runs. Errors that are not
// about locks are thrown, among them guard::AmbiguousCommit; so is async::Stopped, between
// attempts.
Task<LadderOutcome> RunUnderLadder(guard::Session& session, guard::Session& observer, Work work,
                                   LadderOptions options, async::Stopper& stopper,
                                   OnRetry on_retry = {});

}  // namespace pgalter::lock
