// Attachment: the sessions and the lease with which one runner works on a run, for as long as its
// connections hold.
#pragma once

#include "engine/run/runner.h"

namespace pgalter::run {

struct Attachment {
  guard::SessionOptions sessions;
  guard::Session main;
  guard::Session observer;
  guard::Session pulse;  // heartbeat and control
  guard::Lease lease;
  state::Run run;
  std::vector<state::Step> steps;
  state::Control control;
  Outside* outside = nullptr;
  bool is_over = false;  // the work: the pulse ends, also where a cancel does not reach it
};

// `owner` names this runner for the lease. Throws Failure (the run is unknown), what TakeOver
// throws, PgError; a server in recovery counts as a lost connection, since it may be promoted.
Task<Attachment> Attach(const RunnerOptions& options, const std::string& owner, Claim claim);

// Beats, and turns what pgalter.control asks for into stops, until cancelled
// or until the work is over.
Task<> KeepPulse(Attachment& attachment, async::Stopper& stopper, Progress& progress);

// One beat with the figures as they are now.
Task<> BeatOnce(Attachment& attachment, const Progress& progress, state::Sampling sampling);

}  // namespace pgalter::run
