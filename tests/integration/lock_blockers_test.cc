// Who is in the way, on a live server, and who may be acted on.
#include "engine/lock/locks_view.h"
#include "tests/integration/lock_climber.h"

namespace pgalter::lock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(LockTest, CountsWhoQueuesBehindUs) {
  test::Session holder = database_.Connect();
  test::Session altering = database_.Connect();
  test::Session reader = database_.Connect();
  holder.Exec("BEGIN; SELECT * FROM t");
  altering.Send("ALTER TABLE t ADD COLUMN c int");
  database_.AwaitLockWait(altering.backend_pid());
  reader.Send("SELECT * FROM t");
  database_.AwaitLockWait(reader.backend_pid());

  Blockage ahead_of_alter;
  Blockage ahead_of_reader;
  auto look = [&]() -> Task<> {
    guard::Session observer = co_await Open(database_.conninfo());
    ahead_of_alter = co_await FindBlockers(observer, altering.backend_pid());
    ahead_of_reader = co_await FindBlockers(observer, reader.backend_pid());
  };
  RunTask(look());
  EXPECT_EQ(ahead_of_alter.queued_behind, 1);
  ASSERT_EQ(ahead_of_alter.blockers.size(), 1U);
  EXPECT_EQ(ahead_of_alter.blockers[0].lock.mode, locks::LockMode::kAccessShare);
  // The holder reads as well: the reader waits only for the one that waits.
  ASSERT_EQ(ahead_of_reader.blockers.size(), 1U);
  EXPECT_EQ(ahead_of_reader.blockers[0].session.pid, altering.backend_pid());
  EXPECT_FALSE(ahead_of_reader.blockers[0].lock.granted);
  EXPECT_THAT(Describe(ahead_of_reader.blockers[0]),
              HasSubstr("waits ahead of us for ACCESS EXCLUSIVE on public.t"));
  EXPECT_EQ(ahead_of_reader.queued_behind, 0);
}

TEST_F(LockTest, NamesOnlyThePreparedTransactionInTheWay) {
  database_.Sql("BEGIN; UPDATE t SET a = a; PREPARE TRANSACTION 'order-17'");
  database_.Sql("BEGIN; SELECT * FROM t; PREPARE TRANSACTION 'order-18'");
  Climber climber = NewClimber();
  climber.options.policy = BlockerPolicy::kTerminateIdle;
  climber.options.idle_for = 0s;
  Work work = Locking({"t"}, Work{});
  work.lock->mode = locks::LockMode::kShareRowExclusive;
  const LadderOutcome outcome = climber.Run(std::move(work));
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  ASSERT_EQ(outcome.report.last_blockers.size(), 1U);
  const Blocker& blocker = outcome.report.last_blockers[0];
  EXPECT_EQ(blocker.session.kind, BlockerKind::kPreparedTransaction);
  EXPECT_EQ(blocker.session.prepared_gid, "order-17");
  EXPECT_EQ(blocker.lock.mode, locks::LockMode::kRowExclusive);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_prepared_xacts"
                            " WHERE database = current_database()"),
            "2");
}

TEST_F(LockTest, TerminatesIdleSessionsOnlyPastTheAge) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  Climber patient = NewClimber();
  patient.options.policy = BlockerPolicy::kTerminateIdle;
  patient.options.idle_for = 3600s;
  EXPECT_EQ(patient.Run(AddColumn()).result, LadderResult::kLockNotAvailable);
  EXPECT_EQ(holder.Value("SELECT 1"), "1");

  Climber climber = NewClimber();
  climber.options.budget = 30s;
  climber.options.policy = BlockerPolicy::kTerminateIdle;
  climber.options.idle_for = 1s;
  const LadderOutcome outcome = climber.Run(AddColumn());
  EXPECT_EQ(outcome.result, LadderResult::kDone);
  EXPECT_THAT(outcome.report.actions,
              ElementsAre(HasSubstr(fmt::format("terminated: pid {}", holder.backend_pid()))));
  EXPECT_THROW(holder.Exec("SELECT 1"), test::SqlError);
}

TEST_F(LockTest, NeverTerminatesWhatOnlyLooksIdle) {
  for (const std::string name : {"pgalter/another-run", "pg_dump"}) {
    test::Session holder = database_.Connect();
    holder.Exec(fmt::format("SET application_name = '{}'", name));
    holder.Exec("BEGIN; UPDATE t SET a = a");
    Climber climber = NewClimber();
    climber.options.policy = BlockerPolicy::kTerminateIdle;
    climber.options.idle_for = 0s;
    const LadderOutcome outcome = climber.Run(AddColumn());
    EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable) << name;
    EXPECT_TRUE(outcome.report.actions.empty()) << name;
    EXPECT_EQ(holder.Value("SELECT 1"), "1") << name;
  }
}

TEST_F(LockTest, NeverTerminatesASessionAtWork) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  holder.Send("SELECT pg_sleep(60)");
  database_.AwaitValue(
      fmt::format("SELECT state FROM pg_stat_activity WHERE pid = {}", holder.backend_pid()),
      "active");
  Climber climber = NewClimber();
  climber.options.policy = BlockerPolicy::kTerminateIdle;
  climber.options.idle_for = 0s;
  EXPECT_EQ(climber.Run(AddColumn()).result, LadderResult::kLockNotAvailable);
  EXPECT_TRUE(holder.busy());
  holder.Cancel();
}

TEST_F(LockTest, SessionThatWokeUpIsLeftAlone) {
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = a");
  SessionInfo seen;
  Termination done = Termination::kTerminated;
  Termination of_another_start = Termination::kTerminated;
  auto terminate = [&]() -> Task<> {
    guard::Session observer = co_await Open(database_.conninfo());
    const pg::Result start = co_await observer.db().Query(
        "SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = $1",
        holder.backend_pid());
    seen.pid = holder.backend_pid();
    seen.backend_start = start.Get<std::string>(0, 0);
    done = co_await TerminateIdle(observer, seen, 3600s);
    seen.backend_start = "0";
    of_another_start = co_await TerminateIdle(observer, seen, 0s);
  };
  RunTask(terminate());
  EXPECT_EQ(done, Termination::kNotIdleAnyMore);
  EXPECT_EQ(of_another_start, Termination::kNotIdleAnyMore);
  EXPECT_EQ(holder.Value("SELECT 1"), "1");
}

TEST_F(LockTest, WithoutRightsItSaysWhatIsMissing) {
  database_.Sql(
      "DO $$ BEGIN CREATE ROLE lock_test_plain LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
  test::Session holder = database_.Connect();
  holder.Exec("BEGIN; UPDATE t SET a = 4242");
  Climber climber = NewClimber();
  climber.observer_conninfo += " user=lock_test_plain";
  climber.options.policy = BlockerPolicy::kTerminateIdle;
  climber.options.idle_for = 0s;
  const LadderOutcome outcome = climber.Run(AddColumn());
  EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
  ASSERT_EQ(outcome.report.last_blockers.size(), 1U);
  EXPECT_EQ(outcome.report.last_blockers[0].session.kind, BlockerKind::kNotVisible);
  EXPECT_THAT(Joined(outcome), HasSubstr("GRANT pg_monitor"));
  EXPECT_EQ(holder.Value("SELECT 1"), "1");
}

TEST_F(LockTest, ShowsTheTreeOfWaiters) {
  test::Session holder = database_.Connect();
  test::Session altering = database_.Connect();
  test::Session reader = database_.Connect();
  database_.Sql("CREATE TABLE \"Other One\" (a int)");
  holder.Exec("BEGIN; UPDATE t SET a = 4242");
  altering.Send("ALTER TABLE t ADD COLUMN c int DEFAULT 4243");
  database_.AwaitLockWait(altering.backend_pid());
  reader.Send("SELECT * FROM t");
  database_.AwaitLockWait(reader.backend_pid());

  std::vector<LockNode> all;
  std::vector<LockNode> of_t;
  std::vector<LockNode> of_other;
  std::optional<pg::PgError> unknown;
  auto look = [&]() -> Task<> {
    guard::Session observer = co_await Open(database_.conninfo());
    all = co_await ReadLocks(observer, std::nullopt);
    const sql::QualifiedName t{"public", "t"};
    of_t = co_await ReadLocks(observer, t);
    const sql::QualifiedName other{"public", "Other One"};
    of_other = co_await ReadLocks(observer, other);
    const sql::QualifiedName none{"public", "none"};
    unknown = co_await test::ErrorOf<pg::PgError>(ReadLocks(observer, none));
  };
  RunTask(look());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(of_t.size(), 1U);
  EXPECT_TRUE(of_other.empty());
  EXPECT_TRUE(unknown && unknown->Is(pg::sqlstate::kUndefinedTable));

  const LockNode& root = all[0];
  EXPECT_EQ(root.session.pid, holder.backend_pid());
  EXPECT_FALSE(root.wanted);
  ASSERT_EQ(root.waiters.size(), 1U);
  const LockNode& alter = root.waiters[0];
  EXPECT_EQ(alter.session.pid, altering.backend_pid());
  EXPECT_EQ(alter.wanted->mode, locks::LockMode::kAccessExclusive);
  EXPECT_EQ(alter.in_the_way->mode, locks::LockMode::kRowExclusive);
  EXPECT_THAT(alter.session.query, Not(HasSubstr("4243")));
  EXPECT_TRUE(alter.waiting_for);
  ASSERT_EQ(alter.waiters.size(), 1U);
  EXPECT_EQ(alter.waiters[0].session.pid, reader.backend_pid());
  EXPECT_THAT(alter.waiters[0].blocked_by, ElementsAre(altering.backend_pid()));
}

// A server whose autovacuum starts within a second and then crawls.
class AutovacuumTest : public ::testing::Test {
 protected:
  static sandbox::Options Slow() {
    sandbox::Options options = test::TestServerOptions();
    for (const char* setting : {"autovacuum_naptime = 1", "autovacuum_vacuum_cost_delay = 100",
                                "autovacuum_vacuum_cost_limit = 1", "deadlock_timeout = 1s"}) {
      options.settings.emplace_back(setting);
    }
    return options;
  }

  int AwaitWorker(const FreshDatabase& database) const {
    const std::string worker =
        "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 't'::regclass"
        " AND a.backend_type = 'autovacuum worker' AND l.granted";
    database.AwaitValue("SELECT count(*) > 0 " + worker, "t", 60s);
    return std::stoi(database.Value("SELECT max(l.pid) " + worker));
  }

  sandbox::Sandbox server_ = sandbox::Sandbox::Start(Slow());
};

constexpr const char* kDeadRows =
    "CREATE TABLE t (a int, pad text) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 1,"
    " autovacuum_vacuum_scale_factor = 0, autovacuum_analyze_threshold = 2000000000);"
    "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 5000) i;"
    "DELETE FROM t WHERE a % 2 = 0";

TEST_F(AutovacuumTest, IsCancelledByOneLongerAttemptWhenAskedFor) {
  FreshDatabase database(server_);
  database.Sql("CREATE ROLE plain LOGIN");
  database.Sql(kDeadRows);
  PlayUntilRight(3, [&] {
    database.Sql("ALTER TABLE t DROP COLUMN IF EXISTS b");
    const int worker = AwaitWorker(database);

    Climber waits{database.conninfo()};
    waits.options = Impatient(1500ms);
    const LadderOutcome waited = waits.Run(AddColumn());
    EXPECT_EQ(waited.result, LadderResult::kLockNotAvailable);
    ASSERT_EQ(waited.report.last_blockers.size(), 1U);
    EXPECT_EQ(waited.report.last_blockers[0].session.pid, worker);
    EXPECT_EQ(waited.report.last_blockers[0].session.kind, BlockerKind::kAutovacuum);

    Climber cancels{database.conninfo()};
    cancels.observer_conninfo += " user=plain";  // it needs no rights
    cancels.options = Impatient(10s);
    cancels.options.policy = BlockerPolicy::kCancelAutovacuum;
    const LadderOutcome outcome = cancels.Run(AddColumn());
    EXPECT_EQ(outcome.result, LadderResult::kDone);
    // One that sees who is in the way, and the longer one; on a busy machine the first sees nobody.
    EXPECT_GE(outcome.report.attempts, 2);
    EXPECT_LE(outcome.report.attempts, 4);
    EXPECT_GE(outcome.report.longest_blocked, 1000ms);
    EXPECT_THAT(server_.log_tail(50), HasSubstr("canceling autovacuum task"));
  });
}

TEST_F(AutovacuumTest, AgainstWraparoundIsLeftAlone) {
  FreshDatabase database(server_);
  database.Sql("CREATE ROLE plain LOGIN");
  database.Sql(
      "CREATE TABLE t (a int, pad text)"
      " WITH (autovacuum_enabled = off, autovacuum_freeze_max_age = 100000);"
      "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 5000) i;"
      "CREATE TABLE burned (a int)");
  // A transaction number for each block with an exception clause that writes.
  database.Sql(
      "DO $$ BEGIN FOR i IN 1..110000 LOOP BEGIN INSERT INTO burned VALUES (i);"
      " EXCEPTION WHEN OTHERS THEN RAISE; END; END LOOP; END $$");
  const int worker = AwaitWorker(database);

  for (const std::string observer : {"", " user=plain"}) {
    PlayUntilRight(8, [&] {
      Climber climber{database.conninfo()};
      climber.observer_conninfo += observer;
      climber.options = Impatient(4s);
      climber.options.policy = BlockerPolicy::kCancelAutovacuum;
      const LadderOutcome outcome = climber.Run(AddColumn());
      EXPECT_EQ(outcome.result, LadderResult::kLockNotAvailable);
      EXPECT_LT(outcome.report.longest_blocked, 1000ms) << "it was outwaited";
      ASSERT_EQ(outcome.report.last_blockers.size(), 1U);
      EXPECT_EQ(outcome.report.last_blockers[0].session.kind, BlockerKind::kAutovacuumWraparound);
    });
  }
  EXPECT_EQ(AwaitWorker(database), worker);
}

}  // namespace
}  // namespace pgalter::lock
