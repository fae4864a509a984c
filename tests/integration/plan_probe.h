#pragma once

// What a server does to the tables while a step of a plan runs: locks, files, rows read. For
// plan_equivalence_test.cc.

#include <map>
#include <set>
#include <string>

#include "planner/locks/lock_mode.h"
#include "tests/support/postgres.h"

namespace pgalter::test {

struct Observed {
  std::map<std::string, locks::LockMode> table_locks;  // the strongest on each
  std::set<std::string> rewritten;                     // tables that have another file
  std::set<std::string> scanned;  // tables of which rows were read one after the other
};

// Several statements in one transaction of the caller's, which has begun. Relations that they make
// do not count; of what they rename, the name before does.
class Probe {
 public:
  struct Relation {
    std::string name;
    char kind = 'r';
    std::string file;
    long long rows_read = 0;
  };
  using Relations = std::map<std::string, Relation>;  // by oid

  // `of`: only these relations count, whatever they are called by now, and what has a name of
  // theirs.
  explicit Probe(Session& session, const Relations* of = nullptr);
  // Since then, in that transaction.
  [[nodiscard]] Observed Look() const;
  [[nodiscard]] const Relations& before() const { return before_; }

 private:
  Session& session_;
  Relations before_;
};

// Runs it outside of transactions, and looks at its locks all the while: what it holds for a moment
// only may not be seen. Of rewritten tables, but not of scans. Throws SqlError.
[[nodiscard]] Observed WatchAlone(const FreshDatabase& database, const std::string& statement,
                                  const Probe::Relations& of);

}  // namespace pgalter::test
