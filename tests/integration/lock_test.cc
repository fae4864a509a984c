// Strong locks on tables that are in use, on a live server: attempts, budgets, what is left.
#include <future>

#include "tests/integration/lock_climber.h"
#include "tests/support/tcp_proxy.h"

namespace pgalter::lock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(LockTest, ObtainsAFreeLockAtOnce) {
  PlayUntilRight(3, [this] {
    MakeAnew();
    Climber climber = NewClimber();
    const LadderOutcome outcome = climber.Run(Locking({"t"}, AddColumn()));
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    EXPECT_EQ(outcome.report.attempts, 1);
    EXPECT_TRUE(outcome.report.last_blockers.empty());
    EXPECT_TRUE(HasColumn("b"));
    EXPECT_THAT(Joined(outcome), HasSubstr("lock obtained: 1 attempt in"));
  });
}

TEST_F(LockTest, RetriesUntilTheHolderEnds) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = 4242 WHERE a = 1");
  Climber climber = NewClimber();
  climber.options.budget = 30s;
  climber.on_retry = [&](const LadderReport& report) {
    if (report.attempts == 3) holder.Exec("COMMIT");
  };
  const LadderOutcome outcome = climber.Run(AddColumn());
  EXPECT_EQ(outcome.result, LadderResult::kDone);
  EXPECT_EQ(outcome.report.attempts, 4);
  EXPECT_TRUE(HasColumn("b"));
}

TEST_F(LockTest, GivesUpInItsBudgetAndNamesWhoWasInTheWay) {
  test::Session holder = database_.Connect();
  holder.Exec("SET application_name = 'billing'");
  holder.Exec("BEGIN");
  holder.Exec("UPDATE t SET a = 4242 WHERE a = 1 AND 'card 1234' <> ''");
  Climber climber = NewClimber();
  climber.options.budget = 4s;
  const auto began = async::Clock::now();
  const LadderOutcome outcome = climber.Run(AddColumn());
  EXPECT_LT(async::Clock::now() - began, 20s);
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  EXPECT_GE(outcome.report.attempts, 2);
  EXPECT_LE(outcome.report.elapsed, 2 * climber.options.budget);
  EXPECT_FALSE(HasColumn("b"));

  ASSERT_EQ(outcome.report.last_blockers.size(), 1U);
  const Blocker& blocker = outcome.report.last_blockers[0];
  EXPECT_EQ(blocker.session.pid, holder.backend_pid());
  EXPECT_EQ(blocker.session.kind, BlockerKind::kClient);
  EXPECT_EQ(blocker.session.state, "idle in transaction");
  EXPECT_EQ(blocker.lock.mode, locks::LockMode::kRowExclusive);
  EXPECT_EQ(blocker.lock.relation, "public.t");
  const std::string text = Joined(outcome);
  EXPECT_THAT(text, HasSubstr(fmt::format("pid {} (app «billing», user ", holder.backend_pid())));
  EXPECT_THAT(text, HasSubstr("holds ROW EXCLUSIVE on public.t"));
  EXPECT_THAT(text, HasSubstr("«UPDATE t SET a = $1 WHERE a = $2 AND $3 <> $4»"));
  EXPECT_THAT(text, Not(HasSubstr("4242")));
  EXPECT_THAT(text, Not(HasSubstr("card")));
}

TEST_F(LockTest, ReadersBehindUsGoOnWhileTheHolderStays) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  test::Session reader = database_.Connect();
  Climber climber = NewClimber();
  climber.options = Impatient(60s);
  climber.options.first_attempt = climber.options.top_attempt = 900ms;
  auto climbing = std::async(std::launch::async, [&] { return climber.Run(AddColumn()); });

  // A reader that comes while nobody of ours waits is not behind us: the next one is.
  bool was_behind_us = false;
  for (int i = 0; i < 20 && !was_behind_us; ++i) {
    const int ours = AwaitOurWait();
    reader.Send("SELECT count(*) FROM t");
    was_behind_us = database_.Value(fmt::format("SELECT {} = ANY (pg_blocking_pids({}))", ours,
                                                reader.backend_pid())) == "t";
    EXPECT_EQ(reader.Wait(5s), (test::Rows{{"10"}}));
  }
  EXPECT_TRUE(was_behind_us);
  holder.Exec("COMMIT");
  const LadderOutcome outcome = climbing.get();
  EXPECT_EQ(outcome.result, LadderResult::kDone);
}

// As a lock_timeout does that comes a moment too late.
TEST_F(LockTest, ACancelWhenATimeoutMayHaveEndedIsAnotherAttempt) {
  PlayUntilRight(3, [this] {
    MakeAnew();
    Climber climber = NewClimber();
    climber.options.first_attempt = climber.options.top_attempt = 100ms;
    int calls = 0;
    climber.prepare = [&calls](guard::Session& session, Work& work) {
      work.body = [&calls, &session]() -> Task<> {
        if (++calls > 1) co_return;
        co_await session.db().Query("SELECT pg_sleep(0.2)");
        co_await session.db().Query("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)");
      };
    };
    const LadderOutcome outcome = climber.Run(Locking({"t"}, AddColumn()));
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    EXPECT_EQ(outcome.report.attempts, 2);
    EXPECT_TRUE(HasColumn("b"));
  });
}
TEST_F(LockTest, ACancelOfWorkThatMayLastEndsIt) {
  Climber climber = NewClimber();
  climber.prepare = [](guard::Session& session, Work& work) {
    work.ending = Ending::kWhenInTheWay;
    work.body = [&session]() -> Task<> {
      co_await session.db().Query("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)");
    };
  };
  EXPECT_THROW(climber.Run(Locking({"t"}, AddColumn())), pg::PgError);
  EXPECT_FALSE(HasColumn("b"));
}

// A server's lock_timeout is for each lock of a statement, users feel the sum.
TEST_F(LockTest, SeveralLocksOneAfterTheOtherAreWaitedForAsLongAsOne) {
  PlayUntilRight(5, [this] {
    MakeAnew();
    database_.Sql("CREATE TABLE u (a int)");
    test::Session first = database_.Connect();
    test::Session second = database_.Connect();
    first.Exec("BEGIN; SELECT FROM t");
    second.Exec("BEGIN; SELECT FROM u");
    test::Session user = database_.Connect();
    Climber climber = NewClimber();
    climber.options = Impatient(10ms);  // one attempt
    climber.options.first_attempt = climber.options.top_attempt = 900ms;
    const Work both = Statements(
        {"ALTER TABLE public.t ADD COLUMN b int", "ALTER TABLE public.u ADD COLUMN b int"});
    auto climbing = std::async(std::launch::async, [&] { return climber.Run(both); });
    AwaitOurWait();
    user.Send("SELECT count(*) FROM t");
    std::this_thread::sleep_for(600ms);
    first.Exec("COMMIT");  // from here on ours holds one and waits for the other
    const LadderOutcome outcome = climbing.get();
    EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
    EXPECT_GE(outcome.report.longest_blocked, 900ms);
    EXPECT_LT(outcome.report.longest_blocked, 1300ms);
    EXPECT_EQ(user.Wait(5s), (test::Rows{{"10"}}));
    second.Exec("COMMIT");
    EXPECT_FALSE(HasColumn("b"));
  });
}

TEST_F(LockTest, LocksBehindWhichNobodyWaitsAreWaitedForEachByItself) {
  PlayUntilRight(5, [this] {
    MakeAnew();
    database_.Sql("CREATE TABLE u (a int)");
    test::Session first = database_.Connect();
    test::Session second = database_.Connect();
    first.Exec("BEGIN; SELECT FROM t");
    second.Exec("BEGIN; SELECT FROM u");
    Climber climber = NewClimber();
    climber.options = Impatient(10ms);
    climber.options.first_attempt = climber.options.top_attempt = 800ms;
    const Work both = Statements(
        {"ALTER TABLE public.t ADD COLUMN b int", "ALTER TABLE public.u ADD COLUMN b int"});
    auto climbing = std::async(std::launch::async, [&] { return climber.Run(both); });
    AwaitOurWait();
    std::this_thread::sleep_for(500ms);
    first.Exec("COMMIT");
    std::this_thread::sleep_for(600ms);
    second.Exec("COMMIT");
    EXPECT_EQ(climbing.get().result, LadderResult::kDone);
    EXPECT_TRUE(HasColumn("b"));
  });
}

// The end of a detach that somebody has cancelled, with a reader in the way of it and a user who
// queues behind it: when the reader is gone the server waits for the user's snapshot, under the
// lock.
class PendingDetach : public LockTest {
 protected:
  void LeavePending() {
    reader_ = database_.Connect();
    user_ = database_.Connect();
    reader_is_gone_ = false;
    in_vain_ = 0;
    database_.Sql(
        "DROP TABLE IF EXISTS part, whole; CREATE TABLE whole (a int) PARTITION BY RANGE (a);"
        "CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9);");
    reader_.Exec("BEGIN; SELECT count(*) FROM part");
    test::Session cancelled = database_.Connect();
    cancelled.Send("ALTER TABLE whole DETACH PARTITION part CONCURRENTLY");
    database_.AwaitValue("SELECT count(*) FROM pg_inherits WHERE inhdetachpending", "1");
    cancelled.Cancel();
    EXPECT_THROW(cancelled.Wait(), test::SqlError);
  }
  // One attempt, which gets its lock with a user behind it.
  LadderOutcome Finalize(bool demanding) {
    Climber climber = NewClimber();
    climber.options = Impatient(demanding ? 30'000ms : 10ms);
    climber.options.first_attempt = climber.options.top_attempt = 800ms;
    climber.demands_younger_snapshots = demanding;
    climber.on_retry = [&](const LadderReport& report) {
      if (reader_is_gone_ && report.refusal.empty()) ++in_vain_;
    };
    auto climbing = std::async(std::launch::async, [&] {
      return climber.Run(
          Statements({"ALTER TABLE public.whole DETACH PARTITION public.part FINALIZE"}));
    });
    const int ours = AwaitOurWait();
    user_.Send("SELECT count(*) FROM part");
    database_.AwaitValue(
        fmt::format("SELECT {} = ANY (pg_blocking_pids({}))", ours, user_.backend_pid()), "t");
    reader_.Exec("COMMIT");
    reader_is_gone_ = true;
    LadderOutcome outcome = climbing.get();
    user_.Wait(5s);
    return outcome;
  }

  std::atomic<bool> reader_is_gone_ = false;
  std::atomic<int> in_vain_ = 0;  // attempts that did not get to their end though he is
  test::Session reader_ = database_.Connect();
  test::Session user_ = database_.Connect();
};

TEST_F(PendingDetach, EndsWithAUserBehindIt) {
  PlayUntilRight(5, [this] {
    LeavePending();
    const LadderOutcome outcome = Finalize(true);
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    EXPECT_EQ(in_vain_, 0);
    EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_inherits"), "0");
  });
}

TEST_F(PendingDetach, WaitsForTheUserWhoWaitsForItWithoutADemand) {
  PlayUntilRight(5, [this] {
    LeavePending();
    const LadderOutcome outcome = Finalize(false);
    EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
    EXPECT_LT(outcome.report.longest_blocked, 1200ms) << "longer than an attempt";
    EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"), "1");
  });
}

TEST_F(PendingDetach, AsksForNoLockWhileAnOlderSnapshotIsHeld) {
  LeavePending();
  test::Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  reader_.Exec("COMMIT");
  Climber climber = NewClimber();
  climber.demands_younger_snapshots = true;
  const LadderOutcome outcome =
      climber.Run(Statements({"ALTER TABLE public.whole DETACH PARTITION public.part FINALIZE"}));
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  EXPECT_THAT(
      Joined(outcome),
      HasSubstr(fmt::format("in the way: pid {} has a snapshot from before", old.backend_pid())));
}

TEST_F(LockTest, RollsBackWhatHoldsTheLockForTooLong) {
  for (const bool explicit_lock : {true, false}) {
    Climber climber = NewClimber();
    climber.options.budget = 30s;
    climber.options.hold_budget = 200ms;
    climber.options.hold_overruns = 2;
    Work work = Statements({"ALTER TABLE public.t ADD COLUMN slow int", "SELECT pg_sleep(30)"});
    if (explicit_lock) work = Locking({"t"}, std::move(work));
    const LadderOutcome outcome = climber.Run(std::move(work));
    EXPECT_EQ(outcome.result, LadderResult::kHoldOverrun);
    EXPECT_EQ(outcome.report.hold_overruns, 2);
    EXPECT_LT(outcome.report.longest_blocked, 10s);
    EXPECT_FALSE(HasColumn("slow"));
    EXPECT_THAT(Joined(outcome), HasSubstr("rolled back 2 times"));
  }
}

TEST_F(LockTest, WorkThatStopsNobodyGoesOnPastItsBudget) {
  PlayUntilRight(5, [this] {
    MakeAnew();
    Climber climber = NewClimber();
    climber.options.hold_budget = 100ms;
    Work work = Statements({"UPDATE public.t SET a = a", "SELECT pg_sleep(1)"});
    work.ending = Ending::kWhenInTheWay;
    const LadderOutcome outcome = climber.Run(std::move(work));
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    EXPECT_EQ(outcome.report.attempts, 1);
    EXPECT_LT(outcome.report.longest_blocked, 100ms);
  });
}

TEST_F(LockTest, WorkThatSomebodyWaitsForIsRolledBack) {
  Climber climber = NewClimber();
  climber.options.budget = 30s;
  climber.options.hold_budget = 200ms;
  climber.options.hold_overruns = 1;
  Work work = Statements({"UPDATE public.t SET a = a", "SELECT pg_sleep(30)"});
  work.ending = Ending::kWhenInTheWay;
  auto climbing = std::async(std::launch::async, [&] { return climber.Run(std::move(work)); });
  database_.AwaitValue("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", "1");
  test::Session user = database_.Connect();
  user.Exec("UPDATE t SET a = a");
  EXPECT_EQ(climbing.get().result, LadderResult::kHoldOverrun);
}

TEST_F(LockTest, ALockThatWouldStopUsersEndsAtItsBudgetThoughNobodyKnewOfIt) {
  Climber climber = NewClimber();
  climber.options.budget = 30s;
  climber.options.hold_budget = 200ms;
  climber.options.hold_overruns = 1;
  Work work = Statements({"DO 'BEGIN LOCK TABLE public.t; PERFORM pg_sleep(30); END'"});
  work.ending = Ending::kWhenInTheWay;
  EXPECT_EQ(climber.Run(std::move(work)).result, LadderResult::kHoldOverrun);
}

TEST_F(LockTest, RollsBackABodyThatIsSlowOnOurSide) {
  Climber climber = NewClimber();
  climber.options.budget = 30s;
  climber.options.hold_budget = 100ms;
  climber.options.hold_overruns = 20;
  int bodies = 0;
  climber.prepare = [&](guard::Session&, Work& work) {
    work.body = [&]() -> Task<> {
      if (++bodies == 1) co_await async::SleepFor(20s);
    };
  };
  const LadderOutcome outcome = climber.Run(Locking({"t"}, AddColumn()));
  EXPECT_EQ(outcome.result, LadderResult::kDone);
  // The first, and none but those that the machine kept standing.
  EXPECT_GE(outcome.report.hold_overruns, 1);
  EXPECT_LE(bodies, outcome.report.hold_overruns + 1);
  EXPECT_LT(outcome.report.elapsed, 20s);
}

TEST_F(LockTest, RecordIsWrittenInTheSameTransaction) {
  database_.Sql("CREATE TABLE done (step text)");
  Climber climber = NewClimber();
  climber.prepare = [](guard::Session& session, Work& work) {
    guard::Session* const db = &session;
    work.record = [db]() -> Task<> {
      co_await db->db().Query(
          "INSERT INTO public.done SELECT xmin::text FROM pg_class"
          " WHERE oid = 'public.t'::regclass");
    };
  };
  EXPECT_EQ(climber.Run(AddColumn()).result, LadderResult::kDone);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM done d WHERE d.xmin::text = d.step"), "1");
}

TEST_F(LockTest, OtherErrorsAreThrownAtOnceAndLeaveNothing) {
  database_.Sql("CREATE TABLE done (step text)");
  Climber climber = NewClimber();
  climber.prepare = [](guard::Session& session, Work& work) {
    guard::Session* const db = &session;
    work.record = [db]() -> Task<> {
      co_await db->db().Query("INSERT INTO public.done VALUES ('x')");
      co_await db->db().Query("SELECT nothing FROM public.done");
    };
  };
  try {
    climber.Run(AddColumn());
    FAIL() << "nothing was thrown";
  } catch (const pg::PgError& error) {
    EXPECT_EQ(error.sqlstate(), pg::sqlstate::kUndefinedColumn);
  }
  EXPECT_FALSE(HasColumn("b"));
  EXPECT_EQ(database_.Value("SELECT count(*) FROM done"), "0");
}

TEST_F(LockTest, CancelByAnAdministratorIsNoOverrun) {
  Climber climber = NewClimber();
  climber.options.hold_budget = 30s;
  climber.options.first_attempt = climber.options.top_attempt = 30s;  // none can have ended
  auto climbing = std::async(std::launch::async, [&] {
    return climber.Run(Statements({"LOCK TABLE public.t", "SELECT pg_sleep(60)"}));
  });
  const std::string ours =
      "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
  database_.AwaitValue("SELECT count(*) " + ours, "1");
  database_.Sql("SELECT pg_cancel_backend(pid) " + ours);
  EXPECT_THROW(climbing.get(), pg::PgError);
}

TEST_F(LockTest, AllTablesOfOneAttemptShareOneTimeout) {
  database_.Sql("CREATE TABLE u (a int); CREATE TABLE v (a int)");
  test::Session first = database_.Connect();
  test::Session second = database_.Connect();
  first.Exec("BEGIN; LOCK TABLE u IN ROW EXCLUSIVE MODE");
  second.Exec("BEGIN; LOCK TABLE v IN ROW EXCLUSIVE MODE");
  Climber climber = NewClimber();
  climber.options.budget = 0ms;
  climber.options.first_attempt = climber.options.top_attempt = 800ms;
  auto climbing = std::async(std::launch::async, [&] {
    return climber.Run(Locking({"u", "v"}, Work{}));
  });
  AwaitOurWait();
  // Neither wait lasts for 800 ms, both together last for longer.
  first.Exec("SELECT pg_sleep(0.4)");
  first.Exec("COMMIT");
  second.Exec("SELECT pg_sleep(0.6)");
  second.Exec("COMMIT");
  EXPECT_EQ(climbing.get().result, LadderResult::kLockNotAvailable);
}

// LOCK TABLE would take u, too.
TEST_F(LockTest, ViewsAreTakenAloneAndBeforeTheTables) {
  database_.Sql(
      "CREATE TABLE u (a int); CREATE VIEW \"It's\" AS SELECT a FROM u; CREATE MATERIALIZED VIEW m "
      "AS SELECT a FROM u");
  Climber climber = NewClimber();
  std::string held;
  climber.prepare = [&](guard::Session& session, Work& work) {
    work.views = []() -> Task<std::vector<View>> {
      const std::vector<View> views{{"public.\"It's\"", "public"}, {"public.m", "public"}};
      co_return views;
    };
    work.body = [&held, db = &session]() -> Task<> {
      const pg::Result row = co_await db->db().Query(
          "SELECT string_agg(relation::regclass::text, ' ' ORDER BY relation)"
          " FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
          " AND locktype = 'relation'");
      held = row.Get<std::string>(0, 0);
    };
  };
  EXPECT_EQ(climber.Run(Locking({"t"}, Work{})).result, LadderResult::kDone);
  EXPECT_EQ(held, "public.t public.\"It's\" public.m");

  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; SELECT FROM m");
  climber.options.budget = 4s;
  const LadderOutcome outcome = climber.Run(Locking({"t"}, Work{}));
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  EXPECT_THAT(Joined(outcome), HasSubstr("holds ACCESS SHARE on public.m"));
}

TEST_F(LockTest, AViewThatWentAtTheLastMomentIsAskedForAgain) {
  database_.Sql("CREATE VIEW v AS SELECT a FROM t");
  Climber climber = NewClimber();
  climber.options.budget = 30s;
  int asked = 0;
  climber.prepare = [&](guard::Session&, Work& work) {
    work.views = [&]() -> Task<std::vector<View>> {
      std::vector<View> views;
      if (asked++ == 0) views.push_back({"public.v", "public"});
      if (asked == 1) database_.Sql("DROP VIEW v");
      co_return views;
    };
  };
  EXPECT_EQ(climber.Run(Locking({"t"}, AddColumn())).result, LadderResult::kDone);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(HasColumn("b"));
}

TEST_F(LockTest, AViewThatIsGivenAwayMeanwhileStaysGivenAway) {
  database_.Sql("CREATE VIEW v AS SELECT a FROM t");
  test::Session giver = database_.Connect();
  giver.Exec("BEGIN; ALTER VIEW v OWNER TO pg_monitor");
  Climber climber = NewClimber();
  climber.options = Impatient(60s);
  climber.options.first_attempt = climber.options.top_attempt = 900ms;
  climber.prepare = [](guard::Session&, Work& work) {
    work.views = []() -> Task<std::vector<View>> {
      const std::vector<View> views{{"public.v", "public"}};
      co_return views;
    };
  };
  auto climbing =
      std::async(std::launch::async, [&] { return climber.Run(Locking({"t"}, AddColumn())); });
  AwaitOurWait();
  giver.Exec("COMMIT");
  EXPECT_EQ(climbing.get().result, LadderResult::kDone);
  EXPECT_EQ(database_.Value("SELECT relowner::regrole FROM pg_class WHERE relname = 'v'"),
            "pg_monitor");
}

TEST_F(LockTest, StopEndsThePause) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  Climber climber = NewClimber();
  climber.options.budget = 3600s;
  climber.options.pause_min = climber.options.pause_max = 1800s;
  climber.on_retry = [&](const LadderReport&) {
    climber.stopper.Stop(async::StopReason::kPause, "paused by the test");
  };
  EXPECT_THROW(climber.Run(AddColumn()), async::Stopped);
}

TEST_F(LockTest, GoesOnWithoutAnObserver) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  Climber climber = NewClimber();
  climber.observer_is_gone = true;
  const LadderOutcome outcome = climber.Run(AddColumn());
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  EXPECT_THAT(Joined(outcome), HasSubstr("who was in the way is not known"));
}

// The answer to its COMMIT alone is late, as where the server has large files to unlink: by more
// than a machine stands still.
TEST_F(LockTest, UsersAreNotBlockedWhenTheirLocksAreGone) {
  PlayUntilRight(3, [this] {
    MakeAnew();
    test::TcpProxy proxy(database_.server().port());
    Climber climber = NewClimber();
    climber.conninfo = fmt::format("{} port={}", database_.tcp_conninfo(), proxy.port());
    climber.prepare = [&](guard::Session&, Work& work) {
      work.record = [&]() -> Task<> {
        proxy.Delay(3s);
        co_return;
      };
    };
    const LadderOutcome outcome = climber.Run(Locking({"t"}, AddColumn()));
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    EXPECT_GE(outcome.report.elapsed, 6s);
    EXPECT_LE(outcome.report.held + 400ms, outcome.report.elapsed);
    EXPECT_GE(outcome.report.held, 3s);
  });
}

TEST_F(LockTest, FrozenClientLosesTheLock) {
  Climber climber = NewClimber();
  climber.options.hold_budget = 100ms;
  std::string read;
  const auto began = async::Clock::now();
  climber.prepare = [&](guard::Session&, Work& work) {
    // Our one thread stands still here until the server has given the lock to a reader.
    work.body = [&]() -> Task<> {
      read = database_.Value("SELECT count(*) FROM t");
      co_return;
    };
  };
  EXPECT_THROW(climber.Run(Locking({"t"}, AddColumn())), pg::PgError);
  EXPECT_EQ(read, "10");
  EXPECT_LT(async::Clock::now() - began, 30s);
  EXPECT_FALSE(HasColumn("b"));
}

}  // namespace
}  // namespace pgalter::lock
