// Every signal rises on a real server for the reason that it is there for, and says so when it
// cannot see.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "engine/watch/read_all.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"
#include "tests/support/scene.h"

namespace pgalter::watch {
namespace {

using sandbox::Sandbox;
using sandbox::StandbyOptions;
using test::FreshDatabase;
using test::RunTask;
using test::SharedServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRun = "7d4e1c52-6f0e-4f3a-9b57-2f6f0f6f3c11";

std::string OursOn(const FreshDatabase& db) {
  return db.conninfo() + " application_name=pgalter/" + kRun;
}

// One watching session over several rounds, driven from plain test code.
class Watcher {
 public:
  explicit Watcher(const std::string& conninfo) {
    options.run = kRun;
    guard::SessionOptions open;
    open.connect.conninfo = pg::Conninfo::Parse(conninfo);
    open.run = kRun;
    auto opening = guard::Session::Open(WatchingSession(std::move(open)));
    boost::asio::co_spawn(context_, Open(std::move(opening)), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    Drive();
  }
  ~Watcher() { session_.db().Close(); }

  std::vector<Reading> Round() {
    std::vector<Reading> readings;
    boost::asio::co_spawn(context_, Read(readings), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    Drive();
    return readings;
  }

  // Once more, where the machine stood still until the watch's own statement_timeout.
  Reading Read(std::string_view signal) {
    Reading reading = ReadOnce(signal);
    for (int i = 0; i < 5 && reading.text.find("57014") != std::string::npos; ++i)
      reading = ReadOnce(signal);
    return reading;
  }

  // Rounds until the reading is as wanted.
  Reading Await(std::string_view signal, const std::function<bool(const Reading&)>& wanted,
                std::chrono::seconds limit = std::chrono::seconds(60)) {
    const auto until = async::Clock::now() + limit;
    for (;;) {
      Reading reading = Read(signal);
      if (wanted(reading)) return reading;
      if (async::Clock::now() > until)
        throw std::runtime_error("not in time: " + Describe(reading));
    }
  }

  WatchOptions options;

 private:
  Reading ReadOnce(std::string_view signal) {
    for (Reading& reading : Round())
      if (reading.signal == signal) return reading;
    throw std::runtime_error("no such reading");
  }
  Task<> Open(Task<guard::Session> opening) { session_ = co_await std::move(opening); }
  Task<> Read(std::vector<Reading>& readings) {
    readings = co_await ReadAll(session_, options, memory_);
  }
  void Drive() {
    context_.restart();
    context_.run_for(std::chrono::seconds(30));
    if (!context_.stopped()) throw std::runtime_error("the round did not end");
  }

  boost::asio::io_context context_;
  guard::Session session_;
  Memory memory_;
};

bool IsMeasured(const Reading& reading) { return reading.seen == Seen::kMeasured; }
auto Above(double value) {
  return [value](const Reading& reading) { return IsMeasured(reading) && reading.value > value; };
}
bool IsZero(const Reading& reading) { return IsMeasured(reading) && reading.value == 0; }

// A role that may log in and nothing more.
std::string WeakConninfo(const FreshDatabase& db) {
  db.Sql("DO $$ BEGIN CREATE ROLE weak LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  return db.conninfo() + " user=weak";
}

TEST(Signals, AreAllReadableForARoleWithoutRightsOnAQuietServer) {
  FreshDatabase db;
  Watcher watcher(WeakConninfo(db));
  for (const Reading& reading : watcher.Round())
    EXPECT_TRUE(reading.readable()) << Describe(reading);
}

TEST(ReplayLag, GrowsWhileReplayIsPausedAndEndsWithIt) {
  FreshDatabase db;
  StandbyOptions standby_options;
  standby_options.name = "follower";
  const Sandbox standby = SharedServer().MakeStandby(standby_options);
  test::Session on_standby(standby.conninfo());
  Watcher watcher(db.conninfo());
  watcher.options.without = {"commit-latency"};  // it writes
  watcher.Await("replay-lag-bytes", IsZero);

  on_standby.Exec("SELECT pg_wal_replay_pause()");
  db.Sql("CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i");
  const Reading bytes = watcher.Await("replay-lag-bytes", Above(2'000'000));
  EXPECT_THAT(bytes.text, HasSubstr("standby follower"));
  // Nothing is written any more: the lag in seconds grows all the same.
  const Reading first = watcher.Await("replay-lag-seconds", Above(0.3));
  const Reading later = watcher.Await("replay-lag-seconds", Above(first.value + 0.7));
  EXPECT_THAT(later.text, HasSubstr("standby follower"));

  on_standby.Exec("SELECT pg_wal_replay_resume()");
  watcher.Await("replay-lag-bytes", IsZero);
  EXPECT_EQ(watcher.Read("replay-lag-seconds").value, 0);
}

TEST(ReplayLag, OfADelayedStandbyIsItsDelay) {
  test::PlayUntilRight(4, [] {
    FreshDatabase db;
    StandbyOptions standby_options;
    standby_options.name = "delayed";
    standby_options.recovery_min_apply_delay = std::chrono::milliseconds(2500);
    const Sandbox standby = SharedServer().MakeStandby(standby_options);
    Watcher watcher(db.conninfo());
    watcher.options.without = {"commit-latency"};  // it writes
    watcher.Await("replay-lag-bytes", IsZero);
    db.Sql("CREATE TABLE t (a int)");
    watcher.Await("replay-lag-seconds", Above(1.5));
    double longest = 0;
    const auto caught_up = [&longest](const Reading& reading) {
      longest = std::max(longest, reading.value);
      return IsZero(reading);
    };
    watcher.Await("replay-lag-seconds", caught_up);
    EXPECT_GE(longest, 2);
    EXPECT_LE(longest, 6);
  });
}

TEST(ReplayLag, OfAStandbyThatIsGoneCannotBeRead) {
  FreshDatabase db;
  StandbyOptions standby_options;
  standby_options.name = "leaving";
  Sandbox standby = SharedServer().MakeStandby(standby_options);
  Watcher watcher(db.conninfo());
  watcher.Await("replay-lag-bytes", IsMeasured);
  standby.Stop();
  const auto unreadable = [](const Reading& reading) { return reading.seen == Seen::kUnreadable; };
  const Reading gone = watcher.Await("replay-lag-bytes", unreadable);
  EXPECT_THAT(gone.text, HasSubstr("standby leaving was connected and is not any more"));
  watcher.options.ignore_standbys.insert("leaving");
  EXPECT_EQ(watcher.Read("replay-lag-bytes").seen, Seen::kAbsent);
}

TEST(ReplayLag, CountsTheStandbysThatAreExpected) {
  FreshDatabase db;
  Watcher watcher(db.conninfo());
  watcher.options.expect_standbys = 1;
  const Reading none = watcher.Read("replay-lag-seconds");
  EXPECT_EQ(none.seen, Seen::kUnreadable);
  EXPECT_THAT(none.text, HasSubstr("0 of 1 expected standbys"));

  StandbyOptions standby_options;
  standby_options.name = "counted";
  const Sandbox standby = SharedServer().MakeStandby(standby_options);
  watcher.Await("replay-lag-seconds", IsMeasured);
  watcher.options.expect_standbys = 2;
  EXPECT_THAT(watcher.Read("replay-lag-seconds").text, HasSubstr("1 of 2 expected standbys"));
  watcher.options.expect_standbys = 1;
  watcher.options.ignore_standbys.insert("counted");
  EXPECT_THAT(watcher.Read("replay-lag-seconds").text, HasSubstr("0 of 1 expected standbys"));
}

TEST(ReplayLag, HiddenFromARoleNamesTheRight) {
  FreshDatabase db;
  StandbyOptions standby_options;
  standby_options.name = "hidden";
  const Sandbox standby = SharedServer().MakeStandby(standby_options);
  db.AwaitValue("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
  Watcher watcher(WeakConninfo(db));
  const Reading reading = watcher.Read("replay-lag-seconds");
  EXPECT_EQ(reading.seen, Seen::kMissingRight);
  EXPECT_THAT(reading.text, HasSubstr("hidden from weak; GRANT pg_monitor"));
}

TEST(SlotRetention, IsMeasuredAgainstTheServersOwnLimit) {
  FreshDatabase db;
  db.Sql("SELECT pg_create_physical_replication_slot('keeper', true)");
  Watcher watcher(db.conninfo());
  db.Sql("CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i");
  const Reading reading = watcher.Read("slot-retention-bytes");
  EXPECT_GT(reading.value, 2'000'000);
  EXPECT_EQ(reading.text, "inactive slot keeper");
  EXPECT_EQ(reading.limit, 8.0 * 1024 * 1024 * 1024);

  db.Sql("ALTER SYSTEM SET max_slot_wal_keep_size = '640MB'");
  db.Sql("SELECT pg_reload_conf()");
  const auto limited = [](const Reading& seen) { return seen.limit == 640.0 * 1024 * 1024; };
  watcher.Await("slot-retention-bytes", limited);
  watcher.options.limits["slot-retention-bytes"] = 1e6;
  EXPECT_EQ(watcher.Read("slot-retention-bytes").limit, 1e6);
  EXPECT_GT(watcher.Read("slot-retention-bytes").utilisation(), 1);
  db.Sql("ALTER SYSTEM RESET max_slot_wal_keep_size");
  db.Sql("SELECT pg_reload_conf(), pg_drop_replication_slot('keeper')");
  EXPECT_EQ(watcher.Read("slot-retention-bytes").seen, Seen::kAbsent);
}

TEST(ArchiveBacklog, CountsSegmentsWithAndWithoutTheRightToListThem) {
  sandbox::Options options = test::TestServerOptions();
  options.settings.push_back("archive_mode = on");
  options.settings.push_back("archive_command = 'false'");
  Sandbox server = Sandbox::Start(options);
  FreshDatabase db(server);
  for (int segment = 0; segment < 5; ++segment) {
    db.Sql("SELECT pg_logical_emit_message(true, 'test', 'x')");
    db.Sql("SELECT pg_switch_wal()");
  }
  db.AwaitValue("SELECT failed_count > 0 FROM pg_stat_archiver", "t");
  Watcher strong(db.conninfo());
  const Reading listed = strong.Read("archive-backlog");
  EXPECT_EQ(listed.value, 5);
  EXPECT_THAT(listed.text, HasSubstr("archiving fails on 0000000100000000"));
  Watcher weak(WeakConninfo(db));
  EXPECT_EQ(weak.Read("archive-backlog").value, 5);

  db.Sql("ALTER SYSTEM SET archive_command = 'true'");
  db.Sql("SELECT pg_reload_conf()");
  strong.Await("archive-backlog", IsZero, std::chrono::seconds(90));
  // From the statistics, which before 15 come a moment later.
  weak.Await("archive-backlog", IsZero);
}

TEST(WaitingForUs, CountsWhoWaitsForThisRunAndNobodyElse) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t AS SELECT 1 AS a");
  Watcher watcher(db.conninfo());
  test::Session user = db.Connect();
  {
    test::Session stranger = db.Connect();
    stranger.Exec("BEGIN; UPDATE t SET a = 2");
    user.Send("UPDATE t SET a = 3");
    db.AwaitLockWait(user.backend_pid());
    EXPECT_TRUE(IsZero(watcher.Read("waiting-for-us")));
    EXPECT_EQ(watcher.Read("blocked-sessions").value, 1);
    stranger.Exec("ROLLBACK");
    user.Wait();
  }
  test::Session ours(OursOn(db));
  ours.Exec("BEGIN; UPDATE t SET a = 4");
  user.Send("UPDATE t SET a = 5");
  db.AwaitLockWait(user.backend_pid());
  const Reading waiting = watcher.Await("waiting-for-us", Above(100));
  EXPECT_EQ(waiting.text, "1 session waits for a lock of this run");
  Watcher weak(WeakConninfo(db));
  EXPECT_GT(weak.Read("waiting-for-us").value, 100);
  ours.Exec("ROLLBACK");
  user.Wait();
  EXPECT_TRUE(IsZero(watcher.Read("waiting-for-us")));
  EXPECT_TRUE(IsZero(watcher.Read("blocked-sessions")));
}

TEST(WaitingForUs, IgnoresSessionsOfOursThatWaitForEachOther) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t AS SELECT 1 AS a");
  Watcher watcher(db.conninfo());
  test::Session first(OursOn(db));
  test::Session second(OursOn(db));
  first.Exec("BEGIN; UPDATE t SET a = 2");
  second.Send("UPDATE t SET a = 3");
  db.AwaitLockWait(second.backend_pid());
  EXPECT_TRUE(IsZero(watcher.Read("waiting-for-us")));
  EXPECT_TRUE(IsZero(watcher.Read("blocked-sessions")));
}

TEST(ActiveSessions, CountsUsersAtWorkAndNotOurs) {
  FreshDatabase db;
  Watcher watcher(db.conninfo());
  EXPECT_TRUE(IsZero(watcher.Read("active-sessions")));
  test::Session ours(OursOn(db));
  ours.Send("SELECT pg_sleep(60)");
  test::Session user = db.Connect();
  user.Send("SELECT pg_sleep(60)");
  const Reading busy = watcher.Await("active-sessions", Above(0));
  EXPECT_EQ(busy.value, 1);
  // Two hidden sessions of fifty do not matter; of two they do.
  Watcher weak(WeakConninfo(db));
  EXPECT_THAT(weak.Read("active-sessions").text, HasSubstr("hidden, counted as active"));
  weak.options.limits["active-sessions"] = 2;
  EXPECT_EQ(weak.Read("active-sessions").seen, Seen::kMissingRight);
  user.Cancel();
  ours.Cancel();
}

TEST(XminAge, NamesTheOldestTransactionAndLeavesOursOut) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a int)");
  Watcher watcher(db.conninfo());
  const char* const kSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t";
  test::Session ours(OursOn(db));
  ours.Exec(kSnapshot);
  EXPECT_LT(watcher.Read("xmin-age").value, 0.5);
  ours.Exec("ROLLBACK");

  test::Session user = db.Connect();
  user.Exec(kSnapshot);
  for (int row = 0; row < 3; ++row) db.Sql("INSERT INTO t VALUES (1)");
  const Reading age = watcher.Await("xmin-age", Above(1));
  EXPECT_THAT(age.text, HasSubstr(fmt::format("session {}, ", user.backend_pid())));
  EXPECT_THAT(age.text, Not(HasSubstr(" 0 transactions")));
  Watcher weak(WeakConninfo(db));
  EXPECT_THAT(weak.Read("xmin-age").text, HasSubstr("hidden without pg_monitor"));
}

TEST(XminAge, SeesPreparedTransactionsWithoutAnyRight) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a int)");
  db.Connect().Exec("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left behind'");
  Watcher weak(WeakConninfo(db));
  const Reading age = weak.Await("xmin-age", Above(0.2));
  EXPECT_THAT(age.text, HasSubstr("prepared transaction 'left behind'"));
}

TEST(AutovacuumOnTable, HoldsThePaceAndIsSeenWithoutAnyRight) {
  FreshDatabase db;
  db.Sql("ALTER SYSTEM SET autovacuum_naptime = '1s'");
  db.Sql("SELECT pg_reload_conf()");
  db.Sql(
      "CREATE TABLE \"Odd t\" (a int) WITH (autovacuum_vacuum_threshold = 0,"
      " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100,"
      " autovacuum_vacuum_cost_limit = 1)");
  db.Sql("INSERT INTO \"Odd t\" SELECT generate_series(1, 50000)");
  db.Sql("DELETE FROM \"Odd t\" WHERE a % 2 = 0");
  Watcher weak(WeakConninfo(db));
  weak.options.table = "public.\"Odd t\"";
  const Reading seen = weak.Await("autovacuum-on-table", Above(0), std::chrono::seconds(60));
  EXPECT_DOUBLE_EQ(seen.utilisation(), 0.5);
  db.Sql("ALTER SYSTEM RESET autovacuum_naptime");
  db.Sql("SELECT pg_reload_conf()");
}

TEST(ExtraBytes, AddUpWalAndTheTablesGrowth) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a text)");
  Watcher watcher(db.conninfo());
  watcher.options.table = "public.t";
  watcher.options.limits["extra-bytes"] = 100e6;
  EXPECT_LT(watcher.Read("extra-bytes").value, 1e6);
  db.Sql("INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20000)");
  const Reading spent = watcher.Read("extra-bytes");
  EXPECT_GT(spent.value, 4e6);
  EXPECT_EQ(spent.utilisation(), 0);
  watcher.options.limits["extra-bytes"] = 4e6;
  EXPECT_GE(watcher.Read("extra-bytes").utilisation(), 1);
}

TEST(ExtraBytes, CountTheGrowthOfPartitionsFromTheStartOfTheRun) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a text) PARTITION BY LIST (a); CREATE TABLE t_x PARTITION OF t DEFAULT");
  db.Sql("INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20000)");
  Watcher watcher(db.conninfo());
  watcher.options.table = "public.t";
  watcher.options.limits["extra-bytes"] = 100e6;
  EXPECT_LT(watcher.Read("extra-bytes").value, 1e6);
  watcher.options.table_bytes_at_start = 0;
  EXPECT_GT(watcher.Read("extra-bytes").value, 2e6);
}

TEST(ExtraBytes, CountAllThatARunMakesBesideTheTable) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a text); CREATE SCHEMA made; CREATE TABLE made.t (a text PRIMARY KEY)");
  db.Sql("INSERT INTO made.t SELECT repeat('x', 100) || g FROM generate_series(1, 20000) g");
  Watcher watcher(db.conninfo());
  watcher.options.table = "public.t";
  watcher.options.limits["extra-bytes"] = 100e6;
  EXPECT_LT(watcher.Read("extra-bytes").value, 1e6);
  watcher.options.made_in = "made";
  const Reading reading = watcher.Read("extra-bytes");
  EXPECT_GT(reading.value, 4e6);
  EXPECT_THAT(reading.text, HasSubstr("new table and log"));
}

TEST(ExtraBytes, DoNotWaitForALockOnTheTable) {
  test::PlayUntilRight(4, [] {
    FreshDatabase db;
    db.Sql("CREATE TABLE t (a text)");
    Watcher watcher(db.conninfo());
    watcher.options.table = "public.t";
    test::Session user = db.Connect();
    user.Exec("BEGIN; LOCK TABLE t");
    const auto begin = async::Clock::now();
    const Reading locked = watcher.Read("extra-bytes");
    EXPECT_EQ(locked.seen, Seen::kUnreadable);
    EXPECT_THAT(locked.text, HasSubstr("55P03"));
    EXPECT_LT(async::Clock::now() - begin, std::chrono::seconds(2));
  });
}

TEST(ThrottleQuery, RunsUnderTheRolesOwnPathAndCannotWrite) {
  FreshDatabase db;
  db.Sql("CREATE TABLE pending (n int); INSERT INTO pending VALUES (7)");
  Watcher watcher(db.conninfo());
  watcher.options.limits["throttle-query"] = 10;
  watcher.options.throttle_query = "SELECT n FROM pending";
  EXPECT_DOUBLE_EQ(watcher.Read("throttle-query").utilisation(), 0.7);
  for (const auto& [sql, why] : std::vector<std::pair<std::string, std::string>>{
           {"DELETE FROM pending RETURNING n", "25006"},
           {"SELECT n FROM nowhere", "42P01"},
           {"SELECT n FROM pending WHERE false", "no value"},
           {"SELECT 'much'", "not a number"},
           {"SELECT 1; SELECT 2", "42601"}}) {
    watcher.options.throttle_query = sql;
    const Reading reading = watcher.Read("throttle-query");
    EXPECT_EQ(reading.seen, Seen::kUnreadable) << sql;
    EXPECT_THAT(reading.text, HasSubstr(why)) << sql;
    EXPECT_TRUE(watcher.Read("commit-latency").readable()) << sql;
  }
  EXPECT_EQ(db.Value("SELECT count(*) FROM pending"), "1");
}

TEST(ThrottleQuery, ThatHangsCostsOnlyItself) {
  FreshDatabase db;
  Watcher watcher(db.conninfo());
  watcher.options.throttle_query = "SELECT 1 FROM pg_sleep(60)";
  for (const Reading& reading : watcher.Round())
    EXPECT_EQ(reading.readable(), reading.signal != "throttle-query") << Describe(reading);
}

TEST(CommitLatency, IsMeasuredWithoutRightsAndSparesLogicalConsumers) {
  FreshDatabase db;
  Watcher weak(WeakConninfo(db));
  const Reading latency = weak.Read("commit-latency");
  EXPECT_TRUE(IsMeasured(latency));
  EXPECT_GE(latency.value, 0);
  db.Sql("SELECT pg_create_logical_replication_slot('consumer', 'pgoutput')");
  EXPECT_EQ(weak.Read("commit-latency").seen, Seen::kAbsent);
  db.Sql("SELECT pg_drop_replication_slot('consumer')");
}

TEST(ReadAll, LeavesWaivedSignalsOutAndNamesALostConnection) {
  FreshDatabase db;
  Watcher watcher(db.conninfo());
  watcher.options.without = {"xmin-age"};
  for (const Reading& reading : watcher.Round()) EXPECT_NE(reading.signal, "xmin-age");
  db.Sql(
      fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE application_name = 'pgalter/{}'",
                  kRun));
  db.AwaitValue(fmt::format("SELECT count(*) FROM pg_stat_activity"
                            " WHERE application_name = 'pgalter/{}'",
                            kRun),
                "0");
  const auto readings = watcher.Round();
  EXPECT_EQ(readings.size(), AllSignals().size() - 1);
  for (const Reading& reading : readings)
    EXPECT_EQ(reading.seen, Seen::kUnreadable) << Describe(reading);
}

}  // namespace
}  // namespace pgalter::watch
