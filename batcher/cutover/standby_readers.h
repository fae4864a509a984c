// Readers of standbys. The lock of a swap is replayed there, too: replay waits behind a transaction
// that reads the table, for max_standby_streaming_delay at most, and then the standby cancels it
// (PostgreSQL docs, section "Handling Query Conflicts"). So the swap waits for such readers first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "engine/run/step_handler.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

class StandbyReaders {
 public:
  // Why the tables should not be swapped now: a transaction on a standby that the run was given the
  // address of (`replicas` of the throttle) has read one for longer than a second. nullopt: there
  // is none, or they have been waited for long enough. A standby that does not answer is not waited
  // for.
  Task<std::optional<std::string>> WhyNot(run::Environment& env,
                                          const std::vector<capture::Flow>& flows);

  // Whom the standby may cancel now: a remark about it. Empty: nobody.
  [[nodiscard]] const std::string& remark() const { return remark_; }

 private:
  Task<std::string> FindReader(run::Environment& env, std::string conninfo,
                               const std::vector<std::int64_t>& tables);

  std::map<std::string, Session, std::less<>> sessions_;
  std::optional<async::Clock::time_point> since_;  // somebody has been in the way
  std::string remark_;
};

}  // namespace pgalter::cutover
