// A backfill that changes each row exactly once, as the UPDATE of a plan does: its trigger, and
// what must stay as it was for it to tell the rows that are left.
//
// BEFORE UPDATE ROW, its name sorting last, ENABLE ALWAYS, SECURITY DEFINER: who changes a row that
// no chunk has reached gets the UPDATE right behind his own change, in the same version. It goes
// once the last scan has found none.
//
// Lock: SHARE ROW EXCLUSIVE, under the ladder; dropping takes ACCESS EXCLUSIVE.
// On crash: rolled back with the record of when it was made. Undo: dropped.
#pragma once

#include <optional>
#include <string>

#include "batcher/backfill/target.h"
#include "engine/pg/connection.h"
#include "engine/run/step_handler.h"

namespace pgalter::backfill {

// Before anything is written. Throws run::Failure: no trigger can stand for the UPDATE.
void RefuseOnce(const Table& table, const Resolved& resolved, const Spec& spec);

// Made once in a run: `step` has its beginning then, and the run's spec in the environment as
// `settled` has it. Throws run::Failure.
Task<Beginning> MakeOnceTrigger(run::Environment& env, const state::Step& step);

// Throws run::Failure where it is another cluster than that of the beginning.
Task<> ExpectSameCluster(Session& session, const Beginning& beginning, std::string run);

// Of a chunk, under its lock: answers whether the leaf is the table's still, whether the trigger on
// it is as it was made, and whether old xids can still be told from new ones.
pg::Statement IsIntact(const Beginning& beginning, pg::Oid table, pg::Oid leaf);
bool IsLeafStill(const pg::Result& answer);
// What to say of that answer; empty: it is.
std::string WhyNotIntact(const pg::Result& answer, const Leaf& leaf, const std::string& run);

// Of a leaf that has another file than it had: throws run::Failure unless its versions are the old
// ones, as after VACUUM FULL.
Task<> ExpectOldVersions(Session& session, const Beginning& beginning, const Leaf& leaf,
                         std::string run);

}  // namespace pgalter::backfill
