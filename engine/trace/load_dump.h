// LoadDump: runs pg_dump's text, or any script, on an empty database, statement by statement, and
// goes on where one fails. Roles that it names and that are missing are made, without login.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/async/task.h"
#include "engine/pg/connection.h"

namespace pgalter::trace {

struct Loaded {
  int statements = 0;                 // that went through
  std::vector<std::string> failures;  // of the others: what the server said, and of which
  std::vector<std::string> roles;     // that were made
};

// `text` has to outlive the call. The session's search_path is the dump's afterwards.
async::Task<Loaded> LoadDump(pg::Connection& db, std::string_view text);

}  // namespace pgalter::trace
