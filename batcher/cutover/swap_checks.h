// What must be true in the transaction of a swap, under its lock.
#pragma once

#include <string>

#include "batcher/capture/flow.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// The log is whole, and says all. Throws run::Failure (refused): the capture was dropped or
// disabled, or a crash has emptied a table behind its back.
Task<> CheckCapture(Session& session, const capture::Flow& flow, const std::string& run);

}  // namespace pgalter::cutover
