// The end of DETACH PARTITION … CONCURRENTLY among users: the server waits for old snapshots under
// the lock on the partition, and who queues behind that lock has one.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

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

// Asked for is not changed: where the server still has the partition, all goes back.
TEST_F(PendingDetach, CanBeGivenUpWhileNothingWasChanged) {
  MakePartition();
  Session owner = database_.Connect();
  owner.Exec("BEGIN; LOCK TABLE all_orders IN SHARE UPDATE EXCLUSIVE MODE");
  const Words detach{"run",      "--sql", kDetach,         "--through",
                     "contract", "--yes", "--lock-budget", "1s"};
  const Ran failed = Run(detach);
  EXPECT_EQ(failed.code, 5) << failed.err;
  const std::string status = Run({"status", RunId()}).out;
  EXPECT_THAT(status, HasSubstr(fmt::format("pgalter revert {} --yes", RunId())));
  EXPECT_THAT(status, Not(HasSubstr("no more")));
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");

  // Nobody was there to look any more.
  Words died = detach;
  EXPECT_EQ(Run(died, {"PGALTER_FAIL_POINT=step-started"}).code, kKilled);
  AwaitNoRunner();
  EXPECT_THAT(Run({"status", RunId()}).out, HasSubstr("which was begun, has changed something"));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  owner.Exec("COMMIT");
  EXPECT_TRUE(IsAttached());
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), 0);

  const Ran again = Run(detach);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 4);
}

// Users do not find its rows any more: that is told, by the run and by the list.
TEST_F(PendingDetach, CannotBeGivenUpAndSaysSo) {
  MakePartition();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM all_orders");
  const Ran failed =
      Run({"run", "--sql", kDetach, "--through", "contract", "--yes", "--lock-budget", "1s"});
  EXPECT_EQ(failed.code, 5) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("orders is half detached: its rows are not found through "));
  EXPECT_THAT(failed.err, Not(HasSubstr("nothing was changed by it")));
  EXPECT_THAT(Run({"partition", "list", "all_orders"}).out, HasSubstr("orders is half detached"));
  const std::string status = Run({"status", RunId()}).out;
  EXPECT_THAT(status, HasSubstr("no more: step 1.1-detach was the point of no return"));
  EXPECT_THAT(status, HasSubstr("; in the way: "));
  EXPECT_THAT(status, Not(HasSubstr("\\x0A")));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 4);
  reader.Exec("COMMIT");
  ResumeToTheEnd();
  EXPECT_FALSE(IsAttached());
}

// No row is changed before its trigger is there, and that is where the way back ends.
TEST_F(PendingDetach, AnUpdateIsGivenUpWhileItHasNoTrigger) {
  constexpr int kMany = 60'000;
  MakeOrders(kMany);
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE");
  const Ran failed = Run({"run", "--sql", "UPDATE orders SET amount = amount + 1", "--through",
                          "contract", "--yes", "--lock-budget", "1s"});
  EXPECT_EQ(failed.code, 5) << failed.err;
  EXPECT_THAT(Run({"status", RunId()}).out, Not(HasSubstr("no more")));
  user.Exec("COMMIT");
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'orders'::regclass"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
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
               "'waiting for a lock, % so far%'") == "1";
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
