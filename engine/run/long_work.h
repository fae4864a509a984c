// Statements that last: hours, without harm to anybody. A pause waits for their end, since what
// they did would be lost; an abort or a revert cancels them.
#pragma once

#include "engine/async/stopper.h"
#include "engine/guard/session.h"
#include "engine/run/progress.h"

namespace pgalter::run {

using async::Task;

// No answer for so long means that something is broken.
inline constexpr async::Milliseconds kLongestStatement = std::chrono::hours(24 * 14);

// The session's statements may last, while this lives.
class PatientSession {
 public:
  explicit PatientSession(guard::Session& session);
  PatientSession(const PatientSession&) = delete;
  PatientSession& operator=(const PatientSession&) = delete;
  ~PatientSession();

 private:
  guard::Session& session_;
  async::Milliseconds before_;
};

// Awaits `work`; throws async::Stopped, with the work cancelled, once anything but a pause is asked
// for.
Task<> UntilAborted(async::Stopper& stopper, Task<> work);

// The same, and says meanwhile in `progress` how far backend `pid` is with an index, and for whom
// it waits. Only looks, and never waits for a lock.
Task<> UntilAbortedWatching(async::Stopper& stopper, guard::Session& observer, Progress& progress,
                            int pid, Task<> work);

}  // namespace pgalter::run
