// Unsettled: statements that a swap leaves to be run while users work on: foreign keys are
// validated, then adopted by partitioned tables. It may take hours, and users may rename or drop
// what they name meanwhile: each is said anew when its turn has come, and what is gone is left out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "batcher/cutover/validating.h"
#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// By statement: of one that validates the constraint, else the table. A run of an older program
// has none; its statements are taken by the names in them.
using SettledOn = std::map<std::string, pg::Oid>;

// In the transaction of the swap, once the tables have their names.
Task<SettledOn> ReadSettledOn(Session& session, std::vector<std::string> validate,
                              std::vector<std::string> adopt);

struct AsOfNow {
  std::string sql;   // empty: there is nothing left to be done
  std::string gone;  // then, what is to be said of it; empty: nothing
};

Task<AsOfNow> ReadAsOfNow(Session& session, std::string sql, const SettledOn& on);
// Of those that are still to be done.
Task<std::vector<std::string>> AllAsOfNow(Session& session, std::vector<std::string> statements,
                                          const SettledOn& on);

// Runs a statement that needs no more than its own transaction, as Validate does. What is to be
// said: what it names is gone, or nothing.
Task<std::string> RunAsOfNow(Session& session, std::string sql, const SettledOn& on,
                             Validating how);

// One that a partitioned table adopts is given to `adopt`, which also takes it off the list, as
// `leave_out` does alone, in a transaction on `session`. What is to be said.
Task<std::string> AdoptAsOfNow(Session& session, std::string sql, const SettledOn& on,
                               std::function<Task<>(std::string)> adopt,
                               std::function<Task<>()> leave_out);

// Adds to what is to be said of a run.
void Say(std::string& said, const std::string& more);

}  // namespace pgalter::cutover
