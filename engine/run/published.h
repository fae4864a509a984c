// Publications of tables to which a plan adds columns, or whose names it changes: a subscriber is
// sent every column, by the names that are here when the row is written, and no DDL; one that
// writes into such a table looks for the names that it is sent.
#pragma once

#include "engine/guard/session.h"
#include "planner/catalog/schema.h"
#include "planner/plan/plan.h"

namespace pgalter::run {

using async::Task;

// Adds to the remarks of the plan's statements what subscribers need before them. `schema`: that
// the plan was made on. Reads the catalog alone; a session without settings of users.
Task<> SayPublished(guard::Session& session, plan::Plan& plan, const catalog::Schema& schema);

}  // namespace pgalter::run
