// The dual-write trigger: what users insert or change carries the new value from the first second.
//
// BEFORE ROW, its name sorting last, so that it sees what the users' own triggers made of the row;
// ENABLE ALWAYS, since restores and replication run with session_replication_role = replica. It is
// SECURITY DEFINER: a user's write must not fail for want of a right on a function of the
// expression. It stays after the run, until `finish`.
//
// Lock: SHARE ROW EXCLUSIVE, whose wait for older writers is the proof that every later write
// passes the trigger; dropping takes ACCESS EXCLUSIVE. Both under the ladder.
// On crash: rolled back; the ledger names it. Undo: dropped.
#pragma once

#include <functional>
#include <string>

#include "batcher/backfill/target.h"
#include "engine/lock/ladder.h"
#include "engine/run/step_handler.h"
#include "engine/state/artefacts.h"

namespace pgalter::backfill {

// Why the trigger cannot be made for these expressions; empty: it can.
std::string TriggerRefusal(const Table& table, const Resolved& resolved, const Spec& spec);

class SyncTriggerStep : public run::StepHandler {
 public:
  Task<bool> Done(run::Environment& env, const state::Step& step) override;
  Task<> Do(run::Environment& env, const state::Step& step) override;
  Task<> Undo(run::Environment& env, const state::Step& step) override;
};

// Only those of `step`, which is a backfill of the run's plan: others are other steps'.
Task<> DropSyncTrigger(run::Environment& env, const state::Step& step, lock::LadderOptions options,
                       async::Stopper& stopper);

// Drops what the ledger of `run` still names, or of that what `which` says (if it does), in one
// transaction.
// Throws run::Failure (lock not obtained) when the table was too busy: nothing was changed then.
using Which = std::function<bool(const state::Artefact&)>;
Task<> DropArtefacts(guard::Session& session, guard::Session& observer, std::string run,
                     lock::LadderOptions options, async::Stopper& stopper, Which which);

}  // namespace pgalter::backfill
