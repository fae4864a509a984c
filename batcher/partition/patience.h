// Patience: what is looked up before a change opens partitions, to measure them or to ask whether
// rows are in the way, and waits for whoever keeps even readers out. Nobody stands behind such a
// wait but those who would stand behind a reader; it ends as every wait of ours does all the same:
// attempts are short, and whoever is in the way is named.
#pragma once

#include <functional>
#include <string>

#include "engine/guard/session.h"
#include "engine/lock/ladder.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// `look` only reads, in transactions of its own, and begins again with each attempt. `tried`: what
// it is for, "make a partition of public.t". The observer is this call's alone meanwhile. Throws
// run::Failure (lock not obtained).
Task<> LookPatiently(Session& session, Session& observer, std::string tried,
                     std::function<Task<>()> look, lock::OnRetry on_retry);

}  // namespace pgalter::partition
