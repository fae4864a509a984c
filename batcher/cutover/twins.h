// Twins: the materialized views over the tables that change places, made anew over those that come,
// filled before the swap and put in their place within it.
//
// Made after a cut-over may begin, so that what a user's REFRESH has brought until then is in them,
// and made again where one came later: what is put in place is never older than what was there.
// Nothing of them is kept from one runner to the next but what the ledger names: that goes, and
// they are made again.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "batcher/cutover/swap.h"
#include "batcher/rebuild/matviews.h"
#include "engine/run/step_handler.h"

namespace pgalter::cutover {

// Under the lock something has come, gone or been refreshed since.
struct TwinsOutdated : std::exception {
  explicit TwinsOutdated(std::string name) : matview(std::move(name)) {}
  std::string matview;
};

// How often that may be. Throws run::Failure (refused) then.
class Patience {
 public:
  Patience(std::string run, Way way) : run_(std::move(run)), way_(way) {}
  void Wear(const TwinsOutdated& outdated);

 private:
  std::string run_;
  Way way_;
  int times_ = 0;
};

// None where the run was not asked for them, or there are no such views. Throws run::Failure for
// one that cannot be made over the table that comes.
//
// Lock: ACCESS SHARE on what they read, for as long as that takes. Blocks: nobody. On crash: the
// ledger names them.
Task<std::vector<rebuild::Twin>> MakeTwins(run::Environment& env, async::Stopper& stopper, Way way);

// In the swap's transaction, first; it holds the materialized views that leave. Throws
// TwinsOutdated.
Task<> CheckTwins(run::Environment& env, const std::vector<Swap>& swaps,
                  std::vector<rebuild::Twin> twins);

// Then, together with those of the tables. `aside`: a schema that has room for those that leave;
// they are dropped at the end, which the server does only where nothing hangs on them any more.
// `views_anew`: views that the swap sees to.
struct TwinStatements {
  std::vector<std::string> before;
  std::vector<std::string> moves;
  std::vector<std::string> after;
  std::vector<std::string> validate;
};
Task<TwinStatements> WriteTwins(Session& session, std::vector<rebuild::Twin> twins,
                                std::string aside, std::vector<std::int64_t> views_anew);

}  // namespace pgalter::cutover
