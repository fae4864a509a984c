// Taking a lease where more is to be asked, or written, while its row is held.
#pragma once

#include <functional>
#include <string>

#include "engine/guard/lease.h"

namespace pgalter::guard {

// Whose the lease was before.
enum class Before { kOwn, kOthers };
// In the transaction that takes it: what it throws leaves the lease as it was. Whoever else wants
// the lease waits meanwhile.
using Admit = std::function<Task<>(const Lease& taken, Before before)>;

// As TakeLease, with `admit` in the same transaction.
Task<Lease> TakeLeaseIf(Session& session, std::string run, std::string owner, Milliseconds limit,
                        Takeover takeover, const Admit& admit);

}  // namespace pgalter::guard
