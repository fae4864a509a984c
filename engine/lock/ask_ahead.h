// AskAhead: questions to the catalog that an attempt asks again under its locks. A question is
// mostly planning: the plans of all that is asked here are kept by the session, so that the body,
// with pg::KeptPlans, holds its locks for the answers alone.
#pragma once

#include <functional>

#include "engine/guard/session.h"

namespace pgalter::lock {

using async::Task;

// In the transaction of an attempt, before its locks (Work::before). `ask` changes nothing; what
// the server cannot answer (somebody drops what is being read) is thrown as a lock that is not to
// be had (55P03), which makes another attempt, and all else that it throws as it is.
Task<> AskAhead(guard::Session& session, std::function<Task<>()> ask);

}  // namespace pgalter::lock
