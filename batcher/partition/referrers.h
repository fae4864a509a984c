// Referrers: rows of other tables that refer to those of a partition where triggers stand for the
// foreign key (checked.h). Nothing fires when the partition is detached or dropped, so it is asked
// before, and again under the lock. Reads only.
#pragma once

#include <string>

#include "engine/run/referrers.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Why `partition` (quoted, with its schema) of `whole` should not go, with the way out. Empty: no
// row refers to it, or no conversion of pgalter's has made such triggers.
Task<std::string> FindReferrers(Session& session, pg::Oid whole, std::string partition);

// For the steps that detach.
class TriggerReferrers : public run::Referrers {
 public:
  Task<bool> Possible(Session& session, pg::Oid parent) const override;
  Task<std::string> Find(Session& session, pg::Oid parent, std::string partition) const override;
};

}  // namespace pgalter::partition
