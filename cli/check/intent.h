// What the statements of `check --for` would do, table by table, as far as the planner knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/check/find_target.h"
#include "planner/catalog/schema.h"

namespace pgalter::cli {

struct Intent {
  std::vector<check::WantedTable> tables;  // that were there before
  std::vector<std::string> remarks;        // what was not understood, or is refused by the server
};

// Pure. `server_version`: the major.
Intent ReadIntent(std::string_view sql, catalog::Schema schema, int server_version);

}  // namespace pgalter::cli
