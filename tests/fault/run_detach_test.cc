// The end of DETACH PARTITION … CONCURRENTLY among users: the server waits for old snapshots under
// the lock on the partition, and who queues behind that lock has one.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;

class PendingDetach : public RunWorld {
 protected:
  static constexpr const char* kDetach = "ALTER TABLE all_orders DETACH PARTITION orders";

  void MakePartition() const {
    MakeOrders();
    database_.Sql(
        "CREATE TABLE all_orders (LIKE orders INCLUDING ALL) PARTITION BY RANGE (id);"
        "ALTER TABLE all_orders ATTACH PARTITION orders FOR VALUES FROM (0) TO (2000000000)");
  }
  // As somebody's DETACH … CONCURRENTLY leaves it that was cancelled.
  void LeavePending(Session& reader) const {
    reader.Exec("BEGIN; SELECT count(*) FROM orders");
    Session session = database_.Connect();
    session.Send(fmt::format("{} CONCURRENTLY", kDetach));
    database_.AwaitValue("SELECT count(*) FROM pg_inherits WHERE inhdetachpending", "1", kLimit);
    session.Cancel();
    EXPECT_THROW(session.Wait(kLimit), SqlError);
  }
  [[nodiscard]] bool IsAttached() const {
    return Number("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'orders'::regclass") == 1;
  }
  // The session of ours that waits for the partition.
  [[nodiscard]] std::string AwaitOurs() const {
    const char* const ours =
        "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted"
        " AND l.relation = 'orders'::regclass AND l.mode = 'AccessExclusiveLock'"
        " AND a.application_name LIKE 'pgalter/%'";
    std::string pid;
    EXPECT_TRUE(Within(kLimit, [&] {
      const auto rows = database_.Sql(ours);
      if (!rows.empty()) pid = rows[0][0];
      return !pid.empty();
    }));
    return pid;
  }
};

// Each user who queues behind the lock holds it up next, if the attempt ends without having it.
// Where the server waits for that user under the lock no attempt succeeds.
TEST_F(PendingDetach, EndsThoughUsersQueueBehindIt) {
  MakePartition();
  Session users[2] = {database_.Connect(), database_.Connect()};
  LeavePending(users[0]);
  Program run = Start({"run", "--sql", kDetach, "--through", "contract", "--yes"});
  bool ended = false;
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds && !ended; ++round) {
    Session& holder = users[round % 2];
    Session& next = users[(round + 1) % 2];
    next.Exec("BEGIN");
    const std::string ours = AwaitOurs();
    ASSERT_NE(ours, "");
    next.Send("SELECT count(*) FROM orders");
    Within(1s, [&] {
      return database_.Value(fmt::format("SELECT {} = ANY (pg_blocking_pids({}))", ours,
                                         next.backend_pid())) == "t";
    });
    holder.Exec("COMMIT");
    next.Wait(kLimit);
    ended = !IsAttached();
  }
  EXPECT_TRUE(ended);
  for (Session& user : users) user.Exec("ROLLBACK");
  const Ran ran = run.Wait();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(IsAttached());
}

// An older snapshot is waited for before the lock is asked for.
TEST_F(PendingDetach, KeepsNobodyWaitingForAnOlderSnapshot) {
  MakePartition();
  Session reader = database_.Connect();
  LeavePending(reader);
  Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  reader.Exec("COMMIT");
  Program run = Start({"run", "--sql", kDetach, "--through", "contract", "--yes"});
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  // Attempts are made, and none of them takes the lock.
  EXPECT_TRUE(Within(kLimit, [&] {
    return database_.Value(
               "SELECT count(*) FROM pgalter.run WHERE progress->>'note' LIKE "
               "'waiting for a lock, % attempts so far%'") == "1";
  }));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass AND mode = "
                     "'AccessExclusiveLock'"),
              0);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(IsAttached());
  old.Exec("COMMIT");
  const Ran ran = run.Wait();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_FALSE(IsAttached());
}

}  // namespace
}  // namespace pgalter::test
