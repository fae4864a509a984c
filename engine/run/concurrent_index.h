// Building, rebuilding and dropping an index without stopping writers.
//
// CONCURRENTLY runs outside a transaction and without lock_timeout, which would leave an invalid
// index behind. It waits for every transaction that is older than its phases; the sessions of a run
// have none open meanwhile, and wait for no lock inside a statement. What is left of a failed build
// (the index itself, or …_ccnew and …_ccold of a REINDEX) is dropped the same way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/run/step_handler.h"
#include "planner/sql/identifier.h"

namespace pgalter::run {

// `sql` is one CREATE INDEX CONCURRENTLY with a name, or one REINDEX … CONCURRENTLY. Can be entered
// again after a crash: a valid index of ours is kept, an invalid one is built anew. It is in the
// ledger until the step is recorded as `becomes`, in one transaction. Throws Failure: an index of
// that name is there already that is not ours.
Task<> BuildIndex(Environment& env, const state::Step& step, std::string sql,
                  state::StepState becomes, async::Stopper& stopper);

enum class Dropping { kAny, kOnlyInvalid };
// The statements that make the index again, with what is attached to it, each by itself. Empty: it
// is not there, or not valid.
Task<std::vector<std::string>> StatementsThatMake(Environment& env, sql::QualifiedName name);
// Nothing happens when it is gone already.
Task<> DropIndex(Environment& env, sql::QualifiedName name, Dropping which,
                 async::Stopper& stopper);

// What builds that were not recorded have left, by the ledger of `run`.
Task<> DropUnfinishedIndexes(guard::Session& session, guard::Session& observer, std::string run,
                             async::Stopper& stopper, Progress& progress);

}  // namespace pgalter::run
