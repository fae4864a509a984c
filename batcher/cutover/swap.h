// Swap: tables that change places with those that come for them, all in one transaction: the rest
// of the changes, the change of schemas, what hangs on the tables, and the captures of the way
// back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "batcher/cutover/carry_over.h"
#include "batcher/cutover/coming.h"
#include "batcher/rebuild/going_keys.h"
#include "batcher/rebuild/matviews.h"
#include "batcher/rebuild/store.h"
#include "engine/lock/work.h"
#include "engine/run/step_handler.h"

namespace pgalter::cutover {

// One change of places: the table that leaves, and the one that comes. Back, it is the same the
// other way round.
struct Swap {
  rebuild::Stored stored;
  bool back = false;
  capture::Flow flow;   // from the one that leaves to the one that comes
  std::string schema;   // of the name in question, quoted
  std::string relname;  // quoted
  std::string aside;    // the schema that the leaving table goes to
  Joined joined;
  rebuild::GoingKeys going;

  [[nodiscard]] std::string name_to_be() const { return aside + "." + relname; }
};

enum class Way { kThere, kBack };

// Of all tables of the run, in their order. Throws run::Failure for one that was renamed.
Task<std::vector<Swap>> ReadSwaps(run::Environment& env, Way way);

// ACCESS EXCLUSIVE on all of them and on those that foreign keys join to them, in one statement.
lock::LockRequest LockOf(const std::vector<Swap>& swaps);
// And on the views over them that the swap alters, replaces or makes anew, as they are now.
// `twins`: of the materialized views over the tables, here and below.
Task<std::vector<lock::View>> ViewsOf(run::Environment& env, const std::vector<Swap>& swaps,
                                      std::vector<rebuild::Twin> twins);
// "public.a, public.b": of those that leave.
std::string NamesOf(const std::vector<Swap>& swaps);

// Before the way there: the guards of old snapshots (snapshot_guard.h) and the triggers of the way
// back, asleep, on the tables that come, which nobody uses yet.
Task<> PrepareTriggers(run::Environment& env, const std::vector<Swap>& swaps);

// What is asked and recorded under the locks is asked and recorded once before, and taken back, so
// that the server has its plans by then, and what is refused has kept nobody waiting. Throws as
// CheckUnderLock.
Task<> Rehearse(run::Environment& env, const std::vector<Swap>& swaps,
                std::vector<rebuild::Twin> twins, std::function<Task<>()> record);

// What an attempt has done and read before it asks for users' locks.
struct Ready {
  std::vector<Coming> coming;             // of each swap
  std::vector<capture::Flow> flows_back;  // empty: nothing is captured afterwards
};
// In the transaction of an attempt, before it asks for the locks: rehearses, and does what needs
// none of users': the partitions that come go where they belong, the ledger has what changes.
Task<Ready> MakeReady(run::Environment& env, const std::vector<Swap>& swaps,
                      std::vector<rebuild::Twin> twins, std::function<Task<>()> record);

// In the transaction that holds the locks, first. Throws run::Failure where something came that a
// swap would leave behind, or a log is not whole.
Task<> CheckUnderLock(run::Environment& env, const std::vector<Swap>& swaps);
// Then this. Throws run::Failure as that does, of views that have to be made anew.
Task<> SwapTables(run::Environment& env, const std::vector<Swap>& swaps, Ready ready,
                  std::vector<rebuild::Twin> twins);

}  // namespace pgalter::cutover
