// What the tests of strong locks share: a table in use, and one call of RunUnderLadder.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "engine/lock/ladder.h"
#include "engine/lock/younger_snapshots.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"
#include "tests/support/scene.h"

namespace pgalter::lock {

using namespace std::chrono_literals;
using test::FreshDatabase;
using test::PlayUntilRight;
using test::RunTask;

inline Task<guard::Session> Open(std::string conninfo, std::string run = "0c5e") {
  guard::SessionOptions options;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  options.run = std::move(run);
  co_return co_await guard::Session::Open(std::move(options));
}

// Everything that one call of RunUnderLadder needs.
struct Climber {
  std::string conninfo;
  std::string observer_conninfo = conninfo;
  LadderOptions options = {};
  OnRetry on_retry = {};
  async::Stopper stopper = {};
  // Work that needs the session itself.
  std::function<void(guard::Session&, Work&)> prepare = {};
  // Asks for its lock only once nobody has a snapshot as old as the attempt's.
  bool demands_younger_snapshots = false;
  bool observer_is_gone = false;

  Task<LadderOutcome> Climb(Work work) {
    guard::Session session = co_await Open(conninfo);
    guard::Session observer = co_await Open(observer_conninfo);
    if (observer_is_gone) observer.db().Close();
    if (prepare) prepare(session, work);
    YoungerSnapshots younger(session, observer);
    if (demands_younger_snapshots) {
      work.isolation = guard::Isolation::kRepeatableRead;
      work.before = [&younger] { return younger.Demand(); };
    }
    LadderOutcome outcome =
        co_await RunUnderLadder(session, observer, std::move(work), options, stopper, on_retry);
    EXPECT_FALSE(session.db().in_transaction());
    const pg::Result locks = co_await session.db().Query(
        "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
        " AND relation <> 'pg_locks'::regclass");
    EXPECT_EQ(locks.Get<std::int64_t>(0, 0), 0) << "locks are left";
    co_return outcome;
  }

  LadderOutcome Run(Work work) { return RunTask(Climb(std::move(work)), 60s); }
};

inline Work Statements(std::vector<std::string> statements) {
  Work work;
  for (std::string& sql : statements) work.statements.push_back({std::move(sql), {}});
  return work;
}

inline Work AddColumn() { return Statements({"ALTER TABLE public.t ADD COLUMN b int"}); }

inline Work Locking(std::vector<std::string> tables, Work work) {
  LockRequest request;
  for (std::string& table : tables) request.tables.push_back({"public", std::move(table)});
  work.lock = std::move(request);
  return work;
}

// A machine that stands still for a while does not count as work that held its lock for too long.
inline LadderOptions Impatient(Milliseconds budget = 2s) {
  LadderOptions options;
  options.hold_budget = 60s;
  options.pause_min = 50ms;
  options.pause_max = 100ms;
  options.budget = budget;
  return options;
}

class LockTest : public ::testing::Test {
 protected:
  LockTest() { MakeAnew(); }

  void MakeAnew() const {
    database_.Sql(
        "DROP TABLE IF EXISTS t, u; CREATE TABLE t (a int); INSERT INTO t SELECT"
        " generate_series(1, 10)");
  }

  Climber NewClimber() {
    Climber climber{database_.conninfo()};
    climber.options = Impatient();
    return climber;
  }

  bool HasColumn(const std::string& name) const {
    return database_.Value(fmt::format("SELECT count(*) FROM pg_attribute WHERE attrelid = "
                                       "'public.t'::regclass AND attname = '{}'",
                                       name)) == "1";
  }

  // The session of ours that waits for a lock.
  int AwaitOurWait() const {
    const std::string waiting =
        "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND application_name LIKE 'pgalter%'";
    database_.AwaitValue("SELECT count(*) " + waiting, "1");
    return std::stoi(database_.Value("SELECT coalesce(max(pid), 0) " + waiting));
  }

  static std::string Joined(const LadderOutcome& outcome) {
    return fmt::format("{}", fmt::join(Lines(outcome), "\n"));
  }

  FreshDatabase database_;
};

}  // namespace pgalter::lock
