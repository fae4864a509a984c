// Probe: measures what a server does when a statement runs: the locks, the files, the scans. For
// traces, and for the tests that hold the planner's facts against servers.
//
// Its own statements need no search_path, since the script that is traced may set any; they take
// no lock on a relation of a user.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/async/task.h"
#include "engine/pg/connection.h"
#include "engine/trace/observed.h"

namespace pgalter::trace {

using async::Task;

struct Relation {
  std::string name;  // as SQL, qualified
  char kind = 'r';   // as in pg_class
  std::int64_t file = 0;
  std::int64_t rows_read = 0;
  bool empty = false;
  std::string table;  // of an index
};

using Relations = std::map<std::int64_t, Relation>;  // by oid

// kTransaction counts the rows read of the session's open transaction; kServer those of all
// sessions, which lag until they are flushed.
enum class Counters { kTransaction, kServer };

// Every relation of users, without temporary ones.
Task<Relations> Look(pg::Connection& db, Counters counters);

// Locks on relations of `known`, by name and mode.
enum class Standing { kGranted, kWaiting };
struct LocksSeen {
  std::map<std::string, Observed::Modes> tables;
  std::map<std::string, Observed::Modes> indexes;
};
Task<LocksSeen> LocksOf(pg::Connection& db, int backend_pid, Standing standing,
                        const Relations& known);

// Files and scans between two looks.
void Compare(const Relations& before, const Relations& after, Observed& observed);

// Runs the statement inside the open transaction. An error is a value; the transaction is then a
// failed one.
Task<Observed> ObserveInside(pg::Connection& db, std::string statement);

// Runs it in a transaction of its own, which is rolled back.
Task<Observed> ObserveRolledBack(pg::Connection& db, std::string statement);

// Runs it outside of transactions. Where `table` (as SQL) is given, `blocker` holds SHARE UPDATE
// EXCLUSIVE on it until the statement waits: what it waits for is the lock that it takes first.
// Later ones are seen as far as `observer` comes by. Both are other sessions than `db`.
struct Watchers {
  pg::Connection& blocker;
  pg::Connection& observer;
};
Task<Observed> ObserveAlone(pg::Connection& db, std::string statement, std::string table,
                            Watchers watchers);

}  // namespace pgalter::trace
