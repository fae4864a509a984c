// Ordered copy: the rows of a plain table in the order of some of its columns, as CLUSTER leaves
// them, by one session. What users change meanwhile follows behind, in no order.
//
// From place to place in the order instead of from block to block. A row whose place changes may be
// met twice or not at all; it is in the log then, and is copied anew like all that changed.
#pragma once

#include <cstdint>
#include <string>

#include "batcher/capture/flow.h"
#include "batcher/throttle/throttle.h"
#include "engine/run/step_handler.h"

namespace pgalter::copy {

using run::Task;

// One of the tables of a run, and how many rows those before it had and those behind it have.
struct Ordered {
  std::string by;
  int number = 1;
  std::int64_t rows_before = 0;
  std::int64_t rows_behind = 0;  // about
  double begins = 0;             // its part of the whole copy
  double ends = 1;
};

// Goes on where the step's spec says that it had come to, and notes there how far it comes; the
// references outlive it. False: the table has another name by now. Throws run::Failure for a row
// that does not fit.
Task<bool> CopyInOrder(run::Environment& env, throttle::Throttle& throttle,
                       const capture::Flow& flow, state::Step& step, Ordered table);

}  // namespace pgalter::copy
