#pragma once

// What a server does when a statement runs: the locks, the files, the scans. For ddl_facts_test.cc.

#include <map>
#include <set>
#include <string>

#include "planner/locks/lock_mode.h"
#include "tests/support/postgres.h"

namespace pgalter::test {

struct Observed {
  std::map<std::string, locks::LockMode> table_locks;  // the strongest on each
  std::map<std::string, locks::LockMode> index_locks;
  std::map<std::string, std::string> table_of_index;
  std::set<std::string> rewritten;  // tables that have another file
  std::set<std::string> scanned;    // tables of which rows were read one after the other
  std::string sqlstate;             // of its error; empty: it went through
  std::string message;
};

// Runs the statement in a transaction of its own, which is rolled back. Relations that it makes do
// not count.
[[nodiscard]] Observed ObserveInTransaction(const FreshDatabase& database,
                                            const std::string& statement);

// Runs it outside of transactions while another session holds SHARE UPDATE EXCLUSIVE on `table`:
// the lock it then waits for is what it takes first. Of rewritten tables, but not of scans.
[[nodiscard]] Observed ObserveAlone(const FreshDatabase& database, const std::string& statement,
                                    const std::string& table);

// The SQLSTATE of the statement inside a transaction; empty: it went through. Rolled back.
[[nodiscard]] std::string ErrorInTransaction(const FreshDatabase& database,
                                             const std::string& statement);

}  // namespace pgalter::test
