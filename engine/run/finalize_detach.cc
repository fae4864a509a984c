#include "engine/run/finalize_detach.h"

#include "engine/lock/younger_snapshots.h"
#include "engine/run/transact.h"

namespace pgalter::run {

Task<> FinalizeDetach(Environment& env, const state::Step& step, std::string detach,
                      std::string pending, state::StepState becomes, async::Stopper& stopper) {
  lock::YoungerSnapshots snapshots(env.main, env.observer);
  Transacted what;
  what.sql = {detach + " FINALIZE"};
  what.becomes = becomes;
  what.so_far = std::move(pending);
  what.isolation = guard::Isolation::kRepeatableRead;
  what.before = [&snapshots] { return snapshots.Demand(); };
  co_await Transact(env, step, std::move(what), stopper);
}

}  // namespace pgalter::run
