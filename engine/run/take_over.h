// Taking a run up: the next epoch of its lease, from a holder that lives no more. Of several who
// begin at once one gets it; the others find that one alive.
#pragma once

#include <stdexcept>
#include <string>

#include "engine/guard/lease.h"
#include "engine/state/runs.h"

namespace pgalter::run {

// From whom the lease may be taken. What is the caller's own already it may always take again.
enum class Claim {
  kFromTheDead,  // the session that stands for the holder has gone
  kFromAnybody,  // people have said so (--take-over)
  kOnlyOwn,      // a runner that lost its connection
};

// Somebody else works on the run.
class Beside : public std::runtime_error {
 public:
  Beside(const state::Runner& runner, const std::string& run);
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  std::string hint_;
};

// It was aborted, reverted or finished meanwhile.
class HasEnded : public std::runtime_error {
 public:
  HasEnded(const std::string& run, state::RunState state, bool finished);
  [[nodiscard]] state::RunState state() const { return state_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  state::RunState state_;
  std::string hint_;
};

// The session stands for the holder until its first beat. A holder that does not beat is waited for
// as long as a killed one's session may still be there. Throws Beside, HasEnded, guard::LeaseLost
// (kOnlyOwn), Failure, PgError: 55P03 when an older transaction keeps the lease's row.
async::Task<guard::Lease> TakeOver(guard::Session& session, std::string run, std::string owner,
                                   Claim claim);

}  // namespace pgalter::run
