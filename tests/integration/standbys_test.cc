// One primary, its physical standbys and a logical subscriber: every way in which they fall behind
// is seen, by the rates at which a run looks, and soon enough.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "batcher/throttle/throttle.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"
#include "tests/support/scene.h"
#include "tests/support/until_stopped.h"

namespace pgalter::throttle {
namespace {

using sandbox::Sandbox;
using sandbox::StandbyOptions;
using test::FreshDatabase;
using test::PlayUntilRight;
using test::RunTask;
using test::SharedServer;
using test::Until;
using test::UntilStoppedBy;
using namespace std::chrono_literals;
using async::Clock;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr const char* kRun = "5b0a1f5e-3c1b-4a77-9a0d-0a4f1f9a7c21";
// What a limit has to say within, once it is crossed.
constexpr auto kReaction = 1s;

// The runner's part: a heartbeat a second, so that an idle system has something to replay.
class Heart {
 public:
  explicit Heart(const FreshDatabase& db) : session_(db.conninfo()) {
    session_.Exec(
        fmt::format("CREATE SCHEMA pgalter; CREATE TABLE pgalter.heartbeat"
                    " (run uuid PRIMARY KEY, at timestamptz NOT NULL);"
                    "INSERT INTO pgalter.heartbeat VALUES ('{}', clock_timestamp())",
                    kRun));
    thread_ = std::thread([this] {
      while (!ended_) {
        session_.Exec("UPDATE pgalter.heartbeat SET at = clock_timestamp()");
        for (int i = 0; i < 10 && !ended_; ++i) std::this_thread::sleep_for(100ms);
      }
    });
  }
  ~Heart() {
    ended_ = true;
    thread_.join();
  }

 private:
  test::Session session_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

Sandbox MakeStandby(const std::string& name, std::vector<std::string> settings = {},
                    std::chrono::milliseconds delay = 0ms) {
  StandbyOptions options;
  options.name = name;
  options.recovery_min_apply_delay = delay;
  options.settings = std::move(settings);
  options.settings.push_back("cluster_name = '" + name + "'");
  return SharedServer().MakeStandby(options);
}

ThrottleOptions Options(std::set<std::string, std::less<>> replicas = {}) {
  ThrottleOptions options;  // at the default rates
  options.settings.watch.run = kRun;
  options.settings.watch.without = {"active-sessions", "archive-backlog", "commit-latency"};
  options.settings.watch.replicas = std::move(replicas);
  options.settings.watch.limits["replay-lag-seconds"] = 2;
  options.policy.grace = 2s;
  return options;
}

using Body = std::function<Task<>(Throttle&)>;

Task<> StartRunStop(guard::SessionOptions session, ThrottleOptions options, const Body& body) {
  Throttle throttle(co_await boost::asio::this_coro::executor, std::move(session),
                    std::move(options));
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

void WithThrottle(const FreshDatabase& db, const ThrottleOptions& options, const Body& body) {
  guard::SessionOptions session;
  session.connect.conninfo = pg::Conninfo::Parse(db.conninfo());
  session.run = kRun;
  RunTask(StartRunStop(std::move(session), options, body), 120s);
}

watch::Reading ReadingOf(const Throttle& throttle, std::string_view signal) {
  const Snapshot snapshot = throttle.snapshot();
  for (const watch::Reading& reading : snapshot.readings)
    if (reading.signal == signal) return reading;
  throw std::runtime_error("no such reading");
}

Task<> UntilFullSpeed(Throttle& throttle) {
  co_await Until([&] { return throttle.ratio() == 1; });
}

Task<> UntilStopped(Throttle& throttle) {
  co_await Until([&] { return throttle.ratio() == 0; });
}

// The primary writes nothing but the heartbeat: what crosses the limit is the standby's fault
// alone. What was written since the look before is late from then on, so it stops that much sooner:
// exactly when is for the unit tests of the gate.
Task<> ExpectStopsInTime(Throttle& throttle, Clock::time_point fault) {
  co_await UntilStopped(throttle);
  const auto took = Clock::now() - fault;
  EXPECT_LE(took, 2s + kReaction) << throttle.reason();
}

TEST(NamedStandby, ThatPausesItsReplayIsSeenByItsHeartbeatOnAnIdleServer) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby = MakeStandby("named");
    test::Session on_standby(standby.conninfo());
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      on_standby.Exec("SELECT pg_wal_replay_pause()");
      co_await ExpectStopsInTime(throttle, Clock::now());
      EXPECT_THAT(throttle.reason(), HasSubstr("replay-lag-seconds"));
      EXPECT_THAT(throttle.reason(), HasSubstr("standby named"));
      on_standby.Exec("SELECT pg_wal_replay_resume()");
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

// However late the next look comes: nobody is admitted once the lag may be past its limit.
TEST(NamedStandby, NeedsNoLookToStop) {
  FreshDatabase db;
  Heart heart(db);
  const Sandbox standby = MakeStandby("unseen");
  test::Session on_standby(standby.conninfo());
  ThrottleOptions options = Options({standby.conninfo(db.name())});
  options.interval = 10min;
  options.policy.grace = 1min;
  auto body = [&](Throttle& throttle) -> Task<> {
    co_await UntilStoppedBy(throttle, "standby unseen: nothing newer has been seen");
  };
  WithThrottle(db, options, body);
}

// The server shows it: without heartbeats and without a look.
TEST(ShownStandby, NeedsNoLookToStop) {
  FreshDatabase db;
  const Sandbox standby = MakeStandby("shown");
  db.AwaitValue("SELECT count(replay_lsn) FROM pg_stat_replication", "1", 20s);
  ThrottleOptions options = Options();
  options.interval = 10min;
  options.policy.grace = 1min;
  auto body = [&](Throttle& throttle) -> Task<> {
    co_await UntilStoppedBy(throttle, "standby shown: nothing newer has been seen");
  };
  WithThrottle(db, options, body);
}

TEST(NamedStandby, ThatReceivesNothingIsSeen) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby = MakeStandby("deaf");
    test::Session on_standby(standby.conninfo());
    on_standby.Exec("SELECT 1");
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      const int receiver = std::stoi(on_standby.Value("SELECT pid FROM pg_stat_wal_receiver"));
      EXPECT_EQ(::kill(receiver, SIGSTOP), 0);
      co_await ExpectStopsInTime(throttle, Clock::now());
      EXPECT_THAT(throttle.reason(), HasSubstr("standby deaf"));
      ::kill(receiver, SIGCONT);
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

TEST(NamedStandby, WhoseUsersHoldItsReplayBackIsSeen) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby =
        MakeStandby("conflict", {"max_standby_streaming_delay = -1", "hot_standby_feedback = off"});
    db.Sql(
        "CREATE TABLE t WITH (autovacuum_enabled = off) AS SELECT i FROM generate_series(1, 9) i");
    test::Session reader(standby.conninfo(db.name()));
    const auto there = Clock::now() + 60s;
    while (reader.Value("SELECT to_regclass('t') IS NOT NULL") != "t" && Clock::now() < there)
      std::this_thread::sleep_for(20ms);
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
      db.Sql("DELETE FROM t");
      db.Sql("VACUUM t");
      co_await ExpectStopsInTime(throttle, Clock::now());
      EXPECT_THAT(throttle.reason(), HasSubstr("standby conflict"));
      reader.Exec("COMMIT");
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

TEST(NamedStandby, ThatIsToldToLagOwesOnlyWhatIsMoreThanThat) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby = MakeStandby("delayed", {}, 4s);
    // Less than the delay of 4 s: the replay waits at the beat's commit record, and walsender.c
    // (LagTrackerRead) tells a position between two flushes by interpolation, here 3.34 s for good.
    db.AwaitValue(
        "SELECT replay_lag > '3 s' FROM pg_stat_replication WHERE application_name = 'delayed'",
        "t", 30s);
    ThrottleOptions unnamed = Options();
    auto stopped = [&](Throttle& throttle) -> Task<> {
      co_await UntilStoppedBy(throttle, "standby delayed");
      EXPECT_EQ(throttle.Set("standby-limits", "delayed=1min"), std::nullopt);
      co_await Until([&] { return throttle.ratio() > 0; });
      EXPECT_EQ(ReadingOf(throttle, "replay-lag-seconds").limit, 60);
    };
    WithThrottle(db, unnamed, stopped);

    test::Session on_standby(standby.conninfo());
    ThrottleOptions named = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      for (int i = 0; i < 20; ++i) {
        EXPECT_GT(throttle.ratio(), 0) << throttle.reason();
        co_await async::SleepFor(250ms);
      }
      EXPECT_THAT(ReadingOf(throttle, "replay-lag-seconds").text, HasSubstr("delay of 4.0 s"));
      on_standby.Exec("SELECT pg_wal_replay_pause()");
      co_await UntilStopped(throttle);
      on_standby.Exec("SELECT pg_wal_replay_resume()");
    };
    WithThrottle(db, named, body);
  });
}

TEST(NamedStandby, ThatIsGoneStopsAfterTheGraceAndIsSaid) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    Sandbox standby = MakeStandby("leaver");
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      const auto fault = Clock::now();
      std::thread stopping([&standby] { standby.Stop(); });
      co_await UntilStopped(throttle);
      EXPECT_LE(Clock::now() - fault, options.policy.grace + 2 * kReaction);
      EXPECT_THAT(throttle.reason(), HasSubstr("standby leaver cannot be read"));
      stopping.join();
      EXPECT_EQ(throttle.Set("replicas", ""), std::nullopt);
      co_await Until([&] { return throttle.reason().find("was connected") != std::string::npos; });
      EXPECT_EQ(throttle.Set("ignore-standbys", "leaver"), std::nullopt);
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

TEST(NamedStandby, ThatHangsStopsAndKeepsNobodyElseWaiting) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby = MakeStandby("hanging");
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      test::Session observer(standby.conninfo(db.name()));
      const std::string find = fmt::format(
          "SELECT coalesce(min(pid), 0) FROM pg_stat_activity WHERE application_name = 'pgalter/{}'"
          " AND query LIKE '%pg_stat_replication%'",
          kRun);
      std::string session = "0";
      while (session == "0") {
        co_await async::SleepFor(20ms);
        session = observer.Value(find);
      }
      EXPECT_EQ(::kill(std::stoi(session), SIGSTOP), 0);
      co_await Until([&] { return throttle.reason().find("hanging") != std::string::npos; });
      co_await UntilStopped(throttle);
      ::kill(std::stoi(session), SIGCONT);
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

TEST(NamedStandby, ThatIsNoneIsRefusedAtTheStart) {
  FreshDatabase db;
  const auto nothing = [](Throttle&) -> Task<> { co_return; };
  for (const auto& [dsn, why] :
       {std::pair{db.conninfo(), "it is not in recovery"},
        std::pair{std::string("host=127.0.0.1 port=1 user=nobody"), "cannot be read"}}) {
    try {
      WithThrottle(db, Options({dsn}), nothing);
      FAIL() << "it started";
    } catch (const SignalsUnreadable& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
}

TEST(NamedStandby, ShowsWhatStreamsFromIt) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Heart heart(db);
    const Sandbox standby = MakeStandby("middle");
    StandbyOptions behind;
    std::string from = standby.conninfo() + " application_name=second";
    for (std::size_t at = 0; (at = from.find('\'', at)) != std::string::npos; at += 2)
      from.insert(at, "'");
    behind.settings = {"primary_conninfo = '" + from + "'"};
    const Sandbox cascade = SharedServer().MakeStandby(behind);
    test::Session on_cascade(cascade.conninfo());
    test::Session on_standby(standby.conninfo());
    const auto there = Clock::now() + 60s;
    while (on_standby.Value("SELECT count(*) FROM pg_stat_replication") != "1" &&
           Clock::now() < there)
      std::this_thread::sleep_for(50ms);
    ThrottleOptions options = Options({standby.conninfo(db.name())});
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      on_cascade.Exec("SELECT pg_wal_replay_pause()");
      co_await UntilStoppedBy(throttle, "second behind middle");
      on_cascade.Exec("SELECT pg_wal_replay_resume()");
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

class Subscriber {
 public:
  explicit Subscriber(const FreshDatabase& db)
      : server_(Sandbox::Start(test::TestServerOptions())), session_(server_.conninfo()) {
    db.Sql("CREATE TABLE t (a int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t");
    session_.Exec("CREATE TABLE t (a int PRIMARY KEY)");
    session_.Exec(fmt::format(
        "CREATE SUBSCRIPTION reports CONNECTION '{}' PUBLICATION p WITH (slot_name = '{}')",
        Doubled(db.conninfo()), Slot(db)));
  }
  static std::string Slot(const FreshDatabase& db) { return "reports_" + db.name(); }
  test::Session& session() { return session_; }
  int worker() {
    return std::stoi(session_.Value("SELECT pid FROM pg_stat_subscription WHERE relid IS NULL"));
  }
  ~Subscriber() { session_.Exec("DROP SUBSCRIPTION IF EXISTS reports"); }

 private:
  static std::string Doubled(std::string text) {
    for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2)
      text.insert(at, "'");
    return text;
  }
  Sandbox server_;
  test::Session session_;
};

TEST(Subscriber, ThatFallsBehindOrGoesAwayStops) {
  PlayUntilRight(4, [] {
    FreshDatabase db;
    Subscriber subscriber(db);
    db.AwaitValue(
        "SELECT active FROM pg_replication_slots WHERE slot_name = '" + Subscriber::Slot(db) + "'",
        "t");
    db.AwaitValue("SELECT count(*) FROM pg_replication_slots WHERE slot_name ~ '_sync_'", "0", 30s);
    ThrottleOptions options = Options();
    options.interval = 100ms;
    options.settings.watch.limits["subscriber-lag-bytes"] = 1e6;
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await UntilFullSpeed(throttle);
      const int worker = subscriber.worker();
      EXPECT_EQ(::kill(worker, SIGSTOP), 0);
      db.Sql("INSERT INTO t SELECT generate_series(1, 50000)");
      co_await UntilStoppedBy(throttle, "subscriber reports_");
      EXPECT_THAT(throttle.reason(), ContainsRegex("subscriber-lag-bytes.*subscriber reports_"));
      ::kill(worker, SIGCONT);
      co_await Until([&] { return throttle.ratio() > 0; });

      subscriber.session().Exec("ALTER SUBSCRIPTION reports DISABLE");
      co_await UntilStoppedBy(throttle, "was connected and is not any more");
      EXPECT_EQ(throttle.Set("ignore-standbys", Subscriber::Slot(db)), std::nullopt);
      co_await Until([&] { return throttle.ratio() > 0; });
    };
    WithThrottle(db, options, body);
  });
}

// By the server's own count, transactions of this database: each statement of a watching session
// is one.
std::int64_t Statements(const FreshDatabase& db) {
  test::Session elsewhere(db.server().conninfo());
  return std::stoll(
      elsewhere.Value("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '" +
                      db.name() + "'"));
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

TEST(Rates, AreFewStatementsASecondWithThreeStandbys) {
  PlayUntilRight(3, [] {
    FreshDatabase db;
    const Sandbox first = MakeStandby("one");
    const Sandbox second = MakeStandby("two");
    const Sandbox third = MakeStandby("three");
    db.AwaitValue("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "3", 20s);
    ThrottleOptions options;
    options.settings.watch.run = kRun;
    auto body = [&](Throttle& throttle) -> Task<> {
      co_await async::SleepFor(12s);  // a session tells the server what it did within ten seconds
      const auto statements = Statements(db);
      const double cpu = CpuSeconds();
      const auto begin = Clock::now();
      co_await async::SleepFor(30s);
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      const double cpu_share = (CpuSeconds() - cpu) / seconds;
      const double rate = static_cast<double>(Statements(db) - statements) / seconds;
      fmt::print("{:.1f} statements/s, {:.2f} % of a core\n", rate, cpu_share * 100);
      EXPECT_LE(rate, 5);
      EXPECT_GT(rate, 2);
      EXPECT_LE(cpu_share, 0.01);
      EXPECT_THAT(ReadingOf(throttle, "replay-lag-seconds").text, HasSubstr("standby"));
    };
    WithThrottle(db, options, body);
  });
}

TEST(Rates, ShowABlockedUserWithinHalfASecond) {
  FreshDatabase db;
  db.Sql("CREATE TABLE t (a int)");
  test::Session holder(db.conninfo() + " application_name=pgalter/" + kRun);
  test::Session user(db.conninfo());
  ThrottleOptions options;
  options.settings.watch.run = kRun;
  auto body = [&](Throttle& throttle) -> Task<> {
    for (int i = 0; i < 6; ++i) {
      constexpr auto kSoon = 500ms + 50ms;  // and what a machine at work takes
      auto took = async::Milliseconds::max();
      // Again, where the machine stood still.
      for (int attempt = 0; attempt < 8 && took > kSoon; ++attempt) {
        co_await async::SleepFor(std::chrono::milliseconds(70 * i));  // anywhere between two looks
        holder.Exec("BEGIN; LOCK TABLE t");
        user.Send("SELECT count(*) FROM t");
        const auto begin = Clock::now();
        co_await Until([&] { return ReadingOf(throttle, "waiting-for-us").value > 0; });
        took = std::chrono::duration_cast<async::Milliseconds>(Clock::now() - begin);
        fmt::print("seen after {} ms\n", took.count());
        co_await Until([&] { return ReadingOf(throttle, "blocked-sessions").value == 1; });
        holder.Exec("ROLLBACK");
        user.Wait();
        co_await Until([&] { return ReadingOf(throttle, "waiting-for-us").value == 0; });
      }
      EXPECT_LE(took, kSoon);
    }
  };
  WithThrottle(db, options, body);
}

}  // namespace
}  // namespace pgalter::throttle
