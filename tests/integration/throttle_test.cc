// Workers stop and go on as the server says: with a real standby, a lost connection, an operator.
#include "batcher/throttle/throttle.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/run/failure.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"
#include "tests/support/until_stopped.h"

namespace pgalter::throttle {
namespace {

using async::StopReason;
using sandbox::Sandbox;
using test::FreshDatabase;
using test::RunTask;
using test::SharedServer;
using test::Until;
using test::UntilStoppedBy;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr const char* kRun = "2c1f84d0-90e4-4a0c-8c66-bd7a3cf2a9c4";

guard::SessionOptions SessionFor(const std::string& conninfo) {
  guard::SessionOptions options;
  options.connect.conninfo = pg::Conninfo::Parse(conninfo);
  options.run = kRun;
  return options;
}

// Quick rounds; without the signals that other work on this machine may raise.
ThrottleOptions Quick() {
  ThrottleOptions options;
  options.settings.watch.run = kRun;
  options.settings.watch.without = {"commit-latency", "active-sessions"};
  options.interval = 50ms;
  options.policy.grace = 1s;
  options.policy.cool_down = 100ms;
  return options;
}

using Body = std::function<Task<>(Throttle&)>;

Task<> StartRunStop(guard::SessionOptions session, ThrottleOptions options, const Body& body) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Throttle throttle(executor, std::move(session), std::move(options));
  async::Stopper stopper;
  std::string note;
  co_await throttle.Start(stopper, note);
  std::exception_ptr failure;
  try {
    co_await body(throttle);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await throttle.Stop();
  if (failure) std::rethrow_exception(failure);
}

// Runs the body with a started throttle, and stops it whatever becomes of the body.
void WithThrottle(const std::string& conninfo, const ThrottleOptions& options, const Body& body) {
  RunTask(StartRunStop(SessionFor(conninfo), options, body), 90s);
}

// Of the last round.
double ValueOf(const Throttle& throttle, std::string_view signal) {
  const Snapshot snapshot = throttle.snapshot();
  for (const watch::Reading& reading : snapshot.readings)
    if (reading.signal == signal) return reading.value;
  return -1;
}

struct Worker {
  bool admitted = false;
  Task<> Run(Throttle& throttle, Stopper& stopper) {
    co_await throttle.Admit(stopper);
    admitted = true;
  }
};

TEST(Throttle, StopsWorkersWhileTheStandbyDoesNotReplayAndLetsThemGoOn) {
  FreshDatabase db;
  sandbox::StandbyOptions standby_options;
  standby_options.name = "follower";
  const Sandbox standby = SharedServer().MakeStandby(standby_options);
  test::Session on_standby(standby.conninfo());
  ThrottleOptions options = Quick();
  options.settings.watch.limits["replay-lag-seconds"] = 0.5;
  options.settings.watch.expect_standbys = 1;
  db.AwaitValue("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");

  auto body = [&](Throttle& throttle) -> Task<> {
    Stopper stopper;
    co_await Until([&] { return throttle.ratio() == 1; });
    co_await throttle.Admit(stopper);

    on_standby.Exec("SELECT pg_wal_replay_pause()");
    db.Sql("CREATE TABLE t AS SELECT i FROM generate_series(1, 20000) i");
    co_await UntilStoppedBy(throttle, "replay-lag-seconds");
    EXPECT_THAT(throttle.reason(), HasSubstr("standby follower"));
    EXPECT_EQ(throttle.verdict().action, Action::kStop);

    Worker worker;
    const auto running = co_await test::Start(worker.Run(throttle, stopper));
    const double seen = throttle.verdict().utilisation;
    co_await Until([&] { return throttle.verdict().utilisation > seen; });
    EXPECT_FALSE(worker.admitted);

    on_standby.Exec("SELECT pg_wal_replay_resume()");
    co_await Until([&] { return worker.admitted; });
    EXPECT_GT(throttle.ratio(), 0);
    co_await Until([&] { return throttle.ratio() == 1; });
    EXPECT_EQ(throttle.reason(), "");
  };
  WithThrottle(db.conninfo(), options, body);
}

struct Starting {
  std::string note;
  std::string error;
  bool started = false;

  Task<> Run(Throttle& throttle, Stopper& stopper) {
    try {
      co_await throttle.Start(stopper, note);
      started = true;
    } catch (const run::Failure& failure) {
      EXPECT_EQ(failure.code(), run::ExitCode::kLockNotObtained);
      error = failure.what();
    }
  }
};

// `body` while a throttle starts whose table somebody else keeps everybody out of.
void WhileLockedOut(const ThrottleOptions& options, const FreshDatabase& db,
                    const std::function<Task<>(Starting&)>& body) {
  auto all = [&]() -> Task<> {
    Stopper stopper;
    Starting starting;
    Throttle throttle(co_await boost::asio::this_coro::executor, SessionFor(db.conninfo()),
                      options);
    const auto running = co_await test::Start(starting.Run(throttle, stopper));
    co_await body(starting);
    co_await throttle.Stop();
  };
  RunTask(all(), 60s);
}

ThrottleOptions QuickFor(const std::string& table) {
  ThrottleOptions options = Quick();
  options.settings.watch.table = table;
  return options;
}

TEST(Throttle, WaitsAtTheStartForATableThatNobodyMayRead) {
  FreshDatabase db;
  db.Sql(
      "CREATE TABLE \"a b\" (i int PRIMARY KEY) PARTITION BY RANGE (i);"
      "CREATE TABLE a_1 PARTITION OF \"a b\" FOR VALUES FROM (0) TO (10)");
  test::Session holder = db.Connect();
  for (const char* lock :
       {"BEGIN; LOCK \"a b\"", "BEGIN; LOCK ONLY a_1", "BEGIN; REINDEX INDEX a_1_pkey"}) {
    SCOPED_TRACE(lock);
    holder.Exec(lock);
    WhileLockedOut(QuickFor("public.\"a b\""), db, [&](Starting& starting) -> Task<> {
      co_await Until([&] { return !starting.note.empty(); });
      EXPECT_THAT(starting.note, HasSubstr(std::to_string(holder.backend_pid())));
      EXPECT_THAT(starting.note, HasSubstr("holds ACCESS EXCLUSIVE on"));
      EXPECT_FALSE(starting.started);
      holder.Exec("COMMIT");
      co_await Until([&] { return starting.started; });
      EXPECT_EQ(starting.note, "");
    });
  }
}

TEST(Throttle, SaysWhoKeptItOutOfTheTableForTooLong) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (i int)");
  test::Session holder = db.Connect();
  holder.Exec("BEGIN; LOCK t");
  ThrottleOptions options = QuickFor("public.t");
  options.patience = 300ms;
  WhileLockedOut(options, db, [&](Starting& starting) -> Task<> {
    co_await Until([&] { return !starting.error.empty(); });
    EXPECT_THAT(starting.error, HasSubstr(std::to_string(holder.backend_pid())));
  });
}

TEST(Throttle, RefusesToStartBlindAndNamesTheWayOut) {
  FreshDatabase db;
  const Sandbox standby = SharedServer().MakeStandby();
  db.AwaitValue("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
  db.Sql("DO $$ BEGIN CREATE ROLE weak LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  const std::string weak = db.conninfo() + " user=weak";
  const auto nothing = [](Throttle&) -> Task<> { co_return; };
  try {
    WithThrottle(weak, Quick(), nothing);
    FAIL() << "it started";
  } catch (const SignalsUnreadable& error) {
    EXPECT_TRUE(error.missing_right());
    EXPECT_THAT(error.what(), HasSubstr("hidden from weak; GRANT pg_monitor"));
    EXPECT_THAT(error.what(),
                HasSubstr("--without-signal replay-lag-seconds --without-signal replay-lag-bytes"));
  }
  ThrottleOptions waived = Quick();
  waived.settings.watch.without.insert("replay-lag-seconds");
  waived.settings.watch.without.insert("replay-lag-bytes");
  WithThrottle(weak, waived, nothing);
}

TEST(Throttle, TheOperatorsRatioWorksAtOnce) {
  FreshDatabase db;
  auto body = [&](Throttle& throttle) -> Task<> {
    Stopper stopper;
    EXPECT_EQ(throttle.Set("ratio", "0"), std::nullopt);
    EXPECT_EQ(throttle.ratio(), 0);
    Worker worker;
    const auto running = co_await test::Start(worker.Run(throttle, stopper));
    const double seen = ValueOf(throttle, "extra-bytes");
    db.Sql("CREATE TABLE t (a int)");
    co_await Until([&] { return ValueOf(throttle, "extra-bytes") > seen; });
    EXPECT_FALSE(worker.admitted);
    EXPECT_EQ(throttle.Set("ratio", "0.25"), std::nullopt);
    co_await Until([&] { return worker.admitted; });
    EXPECT_EQ(throttle.ratio(), 0.25);
    EXPECT_THAT(throttle.Set("pace", "1").value(), HasSubstr("blocked-sessions"));

    const auto begin = async::Clock::now();
    co_await throttle.After(100ms, stopper);
    EXPECT_GE(async::Clock::now() - begin, 300ms);
  };
  WithThrottle(db.conninfo(), Quick(), body);
}

TEST(Throttle, AStopEndsTheWaitAtOnce) {
  FreshDatabase db;
  auto body = [&](Throttle& throttle) -> Task<> {
    Stopper stopper;
    EXPECT_EQ(throttle.Set("ratio", "0"), std::nullopt);
    Worker worker;
    const auto running = co_await test::Start(worker.Run(throttle, stopper));
    stopper.Stop(StopReason::kPause, "paused by the test");
    co_await Until([&] { return running->ended; });
    EXPECT_FALSE(worker.admitted);
    EXPECT_THROW(std::rethrow_exception(running->error), async::Stopped);

    Stopper other;
    const auto cancelled = co_await test::Start(worker.Run(throttle, other));
    cancelled->Cancel();
    co_await Until([&] { return cancelled->ended; });
    EXPECT_TRUE(test::IsAborted(cancelled->error));
    EXPECT_FALSE(worker.admitted);
  };
  WithThrottle(db.conninfo(), Quick(), body);
}

TEST(Throttle, ASpentBudgetStopsUntilItIsRaised) {
  FreshDatabase db;
  ThrottleOptions options = Quick();
  options.settings.watch.limits["extra-bytes"] = 2e6;
  auto body = [&](Throttle& throttle) -> Task<> {
    db.Sql("CREATE TABLE t AS SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i");
    co_await UntilStoppedBy(throttle, "extra-bytes");
    EXPECT_EQ(throttle.Set("extra-bytes", "1GB"), std::nullopt);
    co_await Until([&] { return throttle.ratio() > 0; });
  };
  WithThrottle(db.conninfo(), options, body);
}

TEST(Throttle, OpensALostConnectionAgain) {
  FreshDatabase db;
  auto body = [&](Throttle& throttle) -> Task<> {
    const std::string ours = fmt::format(
        "SELECT coalesce(min(pid), 0) FROM pg_stat_activity WHERE application_name = 'pgalter/{}'",
        kRun);
    const std::string before = db.Value(ours);
    EXPECT_NE(before, "0");
    db.Sql("SELECT pg_terminate_backend(" + before + ")");
    co_await Until([&] {
      const std::string now = db.Value(ours);
      return now != "0" && now != before;
    });
    co_await Until([&] {
      const auto readings = throttle.snapshot().readings;
      return std::all_of(readings.begin(), readings.end(),
                         [](const watch::Reading& reading) { return reading.readable(); });
    });
    EXPECT_EQ(throttle.snapshot().trouble, "");
  };
  WithThrottle(db.conninfo(), Quick(), body);
}

TEST(Throttle, StopsWhenTheServerIsGoneForLongerThanTheGrace) {
  Sandbox server = Sandbox::Start(test::TestServerOptions());
  auto body = [&](Throttle& throttle) -> Task<> {
    server.Crash();
    co_await UntilStoppedBy(throttle, "the watching connection");
    server.Restart();
    co_await Until([&] { return throttle.ratio() > 0; });
  };
  WithThrottle(server.conninfo(), Quick(), body);
}

}  // namespace
}  // namespace pgalter::throttle
