// Readers of standbys. ACCESS EXCLUSIVE is replayed there, too: replay waits behind a transaction
// that reads the table, for max_standby_streaming_delay at most, and then the standby cancels it
// (PostgreSQL docs, section "Handling Query Conflicts"). So what takes that lock on a table in use
// waits for such readers first.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Conninfo of the standbys that the run was given the address of: `replicas` of its throttle, or of
// an operator's wish since. Its form was looked at when it was given.
std::vector<std::string> ReplicasOf(const Environment& env);

using Tables = std::vector<std::int64_t>;  // oids, which are the same there

class StandbyReaders {
 public:
  // Why the tables, with all their partitions, should not be locked now: a transaction on one of
  // those standbys has read one for longer than a second. nullopt: there is none, or they have been
  // waited for long enough. A standby that does not answer is not waited for.
  Task<std::optional<std::string>> WhyNot(Environment& env, Tables tables);

  // Whom the standby may cancel now: a remark about it. Empty: nobody.
  [[nodiscard]] const std::string& remark() const { return remark_; }

 private:
  Task<std::string> FindReader(Environment& env, std::string conninfo, const Tables& tables);

  std::map<std::string, guard::Session, std::less<>> sessions_;
  std::optional<async::Clock::time_point> since_;  // somebody has been in the way
  std::string remark_;
};

// Waits for them, no longer than that, and says so. `meanwhile` is done about every second, if
// given. What is to be said of it afterwards: the remark. Throws async::Stopped.
Task<std::string> AwaitStandbyReaders(Environment& env, async::Stopper& stopper, Tables tables,
                                      std::function<Task<>()> meanwhile = {});

// The same for the tables that `step` locks so, by its plan; of a run that is none of a plan the
// run's own, too, or the whole that it is a part of.
Task<std::string> AwaitStandbyReadersOf(Environment& env, async::Stopper& stopper,
                                        const state::Step& step);

}  // namespace pgalter::run
