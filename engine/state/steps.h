// Steps of a run, in order. What a step is is decided by its kind's handler (engine/run).
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "engine/guard/lease.h"
#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

enum class StepState { kPending, kRunning, kDone, kUndone };

struct Step {
  int ordinal = 0;
  std::string id;                 // unique in its run, e.g. "backfill"
  std::string kind;               // names the handler, e.g. "ddl"
  std::string phase;              // expand, migrate, contract
  std::vector<std::string> sql;   // what a "ddl" step runs, in one transaction
  std::vector<std::string> undo;  // takes it back once it is done
  boost::json::object spec;       // what else its kind needs to know
  StepState state = StepState::kPending;
};

// In the transaction that creates the run.
Task<> CreateSteps(Session& session, std::string run, const std::vector<Step>& steps);
Task<std::vector<Step>> LoadSteps(Session& session, std::string run);

// By the lease's holder; inside the step's own transaction where it has one. Throws LeaseLost.
Task<> RecordStep(Session& session, const guard::Lease& lease, int ordinal, StepState state);

// What the first runner of a step has settled for every later one. Throws LeaseLost.
Task<> RecordSpec(Session& session, const guard::Lease& lease, const Step& step);

}  // namespace pgalter::state
