// Observed: what a server was seen doing while one statement ran. A value.
#pragma once

#include <map>
#include <set>
#include <string>

#include "planner/locks/lock_mode.h"

namespace pgalter::trace {

// Names are as SQL, qualified. Relations that the statement made do not count.
struct Observed {
  using Modes = std::set<locks::LockMode>;

  std::map<std::string, Modes> table_locks;  // those that the statement added
  std::map<std::string, Modes> index_locks;
  // Held when it was done, those from before in the same transaction among them.
  std::map<std::string, Modes> held;
  std::map<std::string, locks::LockMode> waited;  // the tables' locks that it first waited for
  std::map<std::string, std::string> table_of_index;
  std::set<std::string> rewritten;  // tables that have another file
  std::set<std::string> scanned;    // tables of which rows were read one after the other
  std::set<std::string> empty;      // tables that have no rows, by the server's count
  bool scans_seen = true;           // false: this server does not tell them of such a statement
  bool all_locks_seen = true;       // false: only the first that it waited for, and samples
  double seconds = 0;               // that the statement took
  std::string sqlstate;             // of its error; empty: it went through
  std::string message;
};

}  // namespace pgalter::trace
