// FindTarget: names of tables into what the server has under them, with their partitions and
// children.
#pragma once

#include <string>
#include <vector>

#include "engine/async/task.h"
#include "engine/check/target.h"
#include "engine/pg/connection.h"

namespace pgalter::check {

struct WantedTable {
  std::string name;  // as SQL; without a schema it is found under the session's search_path
  Wanted wanted;
};

struct Lookup {
  Target target;
  std::vector<std::string> missing;  // names that lead to nothing
};

// Indexes count as their table. Throws pg::PgError for a name that is none.
async::Task<Lookup> FindTarget(pg::Connection& db, const std::vector<WantedTable>& wanted);

}  // namespace pgalter::check
