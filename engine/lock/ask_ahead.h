// AskAhead: questions to the catalog that an attempt asks again under its locks. A question is
// mostly planning: the plans of all that is asked here are kept by the session, so that the body,
// with pg::KeptPlans, holds its locks for the answers alone.
#pragma once

#include <functional>

#include "engine/guard/session.h"

namespace pgalter::lock {

using async::Task;

// In the transaction of an attempt, before its locks (Work::before). What `ask` changes is taken
// back, and the locks that it takes (on views, to read them) are given back. What others' DDL keeps
// it from reading is left to the attempt; all else that it throws is thrown.
Task<> AskAhead(guard::Session& session, std::function<Task<>()> ask);

}  // namespace pgalter::lock
