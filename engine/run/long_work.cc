#include "engine/run/long_work.h"

#include <fmt/format.h>

#include "engine/async/task_group.h"
#include "engine/lock/blockers.h"

namespace pgalter::run {

namespace {

constexpr async::Milliseconds kLookForAbort{100};
constexpr async::Milliseconds kLookAtBuild{1000};

Task<> AwaitAbort(async::Stopper& stopper) {
  for (;;) {
    if (stopper.stopping() && stopper.reason() != async::StopReason::kPause)
      stopper.ThrowIfStopping();
    co_await async::SleepFor(kLookForAbort);
  }
}

// Ends the group with the work, whatever the others are doing.
Task<> WorkThenEnd(Task<> work, async::TaskGroup& group, std::exception_ptr& failure) {
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  group.Cancel();
}

Task<> LookAtBuild(guard::Session& observer, Progress& progress, int pid) {
  const pg::Result build = co_await observer.db().Query(
      "SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done::float8 / blocks_total"
      " WHEN tuples_total > 0 THEN tuples_done::float8 / tuples_total ELSE 0 END"
      " FROM pg_stat_progress_create_index WHERE pid = $1",
      pid);
  if (!build.empty()) {
    progress.remark = build.Get<std::string>(0, 0);
    progress.fraction = build.Get<double>(0, 1);
  }
  const lock::Blockage seen = co_await lock::FindBlockers(observer, pid);
  progress.note = seen.blockers.empty()
                      ? ""
                      : "waiting for others to end: " + lock::Describe(seen.blockers.front());
}

Task<> KeepLooking(guard::Session& observer, Progress& progress, int pid) {
  while (observer.open()) {
    co_await async::SleepFor(kLookAtBuild);
    try {
      co_await LookAtBuild(observer, progress, pid);
    } catch (const pg::PgError&) {
      progress.note.clear();  // not seeing it is no reason to give hours of work up
    }
  }
}

Task<> Together(Task<> work, Task<> beside, async::Stopper& stopper) {
  // Spawned into a group that is cancelled already, the work would not be.
  if (stopper.stopping() && stopper.reason() != async::StopReason::kPause)
    stopper.ThrowIfStopping();
  std::exception_ptr failure;
  auto all = [&](async::TaskGroup& group) -> Task<> {
    group.Spawn(AwaitAbort(stopper));
    group.Spawn(std::move(beside));
    group.Spawn(WorkThenEnd(std::move(work), group, failure));
    co_return;
  };
  std::exception_ptr others;
  try {
    co_await async::WithTaskGroup(all);
  } catch (...) {
    others = std::current_exception();
  }
  // Whichever ended first cancelled the others: a cancellation is never the reason.
  if (others && !async::IsCancellation(others) && async::IsCancellation(failure)) failure = others;
  if (failure) std::rethrow_exception(failure);
}

Task<> Nothing() { co_return; }

}  // namespace

PatientSession::PatientSession(guard::Session& session)
    : session_(session), before_(session.db().query_deadline()) {
  session_.db().set_query_deadline(kLongestStatement);
}

PatientSession::~PatientSession() {
  if (session_.open()) session_.db().set_query_deadline(before_);
}

Task<> UntilAborted(async::Stopper& stopper, Task<> work) {
  co_await Together(std::move(work), Nothing(), stopper);
}

Task<> UntilAbortedWatching(async::Stopper& stopper, guard::Session& observer, Progress& progress,
                            int pid, Task<> work) {
  std::exception_ptr failure;
  try {
    co_await Together(std::move(work), KeepLooking(observer, progress, pid), stopper);
  } catch (...) {
    failure = std::current_exception();
  }
  progress.note.clear();
  progress.remark.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace pgalter::run
