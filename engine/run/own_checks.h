// Own checks: where the CHECKs are now that a run has put on users' tables, which may have been
// renamed or moved since, or be gone.
#pragma once

#include <string>
#include <vector>

#include "engine/run/step_handler.h"

namespace pgalter::run {

// Statements that take something back: of those that drop a CHECK of ours, each names the table as
// it is called now, among those of the run and their partitions. Where the CHECK is gone, or its
// table, the statement is left out; of a table that is gone, the run's remark says so.
Task<std::vector<std::string>> WhereTheyAre(Environment& env, std::vector<std::string> undo);

}  // namespace pgalter::run
