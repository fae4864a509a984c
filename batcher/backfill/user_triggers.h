// Users' triggers, where a backfill stands for a statement that fires none (a step of a plan): its
// chunks run under session_replication_role = replica where some would fire, and are refused where
// that cannot be.
//
// Under it our own triggers fire, which are ENABLE ALWAYS; of users those that are ENABLE ALWAYS or
// ENABLE REPLICA; and no foreign key is checked. So it is never taken where a proven foreign key,
// or a key whose check is deferred, is over a column that is set, nor where a function of users
// makes the value that may write elsewhere. It does not change what subscribers get.
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "engine/pg/connection.h"
#include "planner/plan/plan.h"

namespace pgalter::backfill {

// What each chunk of a run has to mind.
struct Firing {
  bool silent = false;   // it runs under session_replication_role = replica
  bool may_fire = true;  // false: it does nothing where a trigger of users would fire all the same
};

// As things are now: asked by each runner. Throws run::Failure (refused): some would fire, and
// nobody has agreed to it.
Task<Firing> SettleFiring(Session& session, plan::Backfill::Triggers triggers, const Table& table,
                          const Resolved& resolved);

// Names the triggers of one relation that would fire, in one text; empty: none.
pg::Statement FindFiring(pg::Oid relation, const std::vector<Column>& columns, Firing firing);
// The same of keys that would not be checked.
pg::Statement FindUnchecked(pg::Oid relation, const std::vector<Column>& columns);
// Until the end of the transaction.
pg::Statement KeepSilent();

}  // namespace pgalter::backfill
