// A backfill and those whom it could hurt from afar: standbys that fall behind, and transactions
// that hold the xmin horizon.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json/parse.hpp>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

namespace json = boost::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class Lagging : public BackfillWorld {
 protected:
  [[nodiscard]] sandbox::Sandbox MakeStandby(const std::string& name,
                                             std::chrono::milliseconds delay = 0ms) const {
    sandbox::StandbyOptions options;
    options.name = name;
    options.recovery_min_apply_delay = delay;
    options.settings = {"hot_standby_feedback = on"};
    sandbox::Sandbox standby = SharedServer().MakeStandby(options);
    AwaitStreaming();
    return standby;
  }
  void AwaitStreaming() const {
    database_.AwaitValue("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1",
                         kLimit);
  }
  void AwaitProgress(const std::string& condition) const {
    database_.AwaitValue(
        fmt::format("SELECT bool_or({}) FROM pgalter.run, jsonb_to_record(progress) AS p"
                    " (throttle_ratio float8, throttle_reason text, note text, remark text)",
                    condition),
        "t", kLimit);
  }
  // Passes and rows that are committed. The last beat said that nothing goes on, and chunks are
  // shorter than a beat: what was in flight then has ended.
  [[nodiscard]] std::string Committed() const {
    return database_.Value(
        "SELECT count(*) || ' ' || sum(passes) || ' ' || sum(updated_rows)"
        " FROM pgalter.backfill_window");
  }
  void ExpectStandsStill() const {
    AwaitBeats(1);
    const std::string committed = Committed();
    AwaitBeats(2);
    EXPECT_EQ(Committed(), committed);
    EXPECT_GT(Undone(), 0) << "it is done, and stands still for that";
  }
  void ExpectStatusSays(const std::string& reason) const {
    const Ran text = Run({"status", RunId()});
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("pace 0 %"));
    EXPECT_THAT(text.out, HasSubstr(reason));
    const Ran machine = Run({"status", RunId(), "--output", "json"});
    const json::value throttle = json::parse(machine.out).at("runs").at(0).at("throttle");
    EXPECT_EQ(throttle.at("ratio").to_number<double>(), 0) << machine.out;
    EXPECT_THAT(std::string(throttle.at("reason").as_string()), HasSubstr(reason));
  }
  void ExpectGoodEnd(Program& program, Writers& writers) const {
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    writers.Stop();
    EXPECT_EQ(writers.errors(), "");
    ExpectRight();
    ExpectFinishLeavesNothing();
  }
};

TEST_F(Lagging, ADelayedStandbySlowsTheRunDown) {
  MakeItems();
  const sandbox::Sandbox standby = MakeStandby("delayed", 3s);
  Writers writers(database_.conninfo(), 21);
  database_.AwaitValue("SELECT replay_lag > '2.9 s' FROM pg_stat_replication", "t", kLimit);
  // Until all of this is seen, it cannot end.
  Session user = database_.Connect();
  user.Exec("BEGIN; SELECT FROM items WHERE id = 20000 FOR UPDATE");
  // Three seconds of four: from 0.7 on the pace shrinks.
  Program program = Start(Backfill({"--max-lag", "4s"}));
  AwaitWindows(1);
  AwaitProgress(
      "throttle_ratio BETWEEN 0.01 AND 0.5 AND throttle_reason LIKE 'replay-lag-seconds%delayed%'");
  Throttle("ignore-standbys=delayed");
  AwaitProgress("throttle_reason NOT LIKE '%delayed%'");
  user.Exec("COMMIT");
  ExpectGoodEnd(program, writers);
}

TEST_F(Lagging, AStandbyThatDoesNotReplayStopsTheRun) {
  MakeItems();
  const sandbox::Sandbox standby = MakeStandby("follower");
  Writers writers(database_.conninfo(), 22);
  Words words = Backfill({"--max-lag", "1s"});
  words.insert(words.end(), {"--throttle", "ratio=0.005"});
  Program program = Start(words);
  AwaitWindows(1);
  Session on_standby(standby.conninfo());
  on_standby.Exec("SELECT pg_wal_replay_pause()");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason LIKE 'replay-lag-seconds%follower%'");
  LetGo();  // from here on it is the standby alone that stops it
  ExpectStandsStill();
  ExpectStatusSays("standby follower");
  on_standby.Exec("SELECT pg_wal_replay_resume()");
  ExpectGoodEnd(program, writers);
}

TEST_F(Lagging, AStandbyThatDoesNotReplayStopsASplit) {
  MakeItems();
  const sandbox::Sandbox standby = MakeStandby("follower");
  const std::string copied =
      "SELECT coalesce(max((spec->>'copied_rows')::int), 0) FROM pgalter.step";
  Program program = Start({"run", "--split", "items (pad, note) INTO item_note", "--yes",
                           "--chunk-time", "5ms", "--max-lag", "1s", "--throttle", "ratio=0.02"});
  database_.AwaitValue("SELECT to_regclass('pgalter.step') IS NOT NULL", "t", kLimit);
  ASSERT_TRUE(Within(kLimit, [&] { return Number(copied) > 0; })) << program.SoFar().err;
  Throttle("ratio=0");
  AwaitProgress("throttle_ratio = 0");
  ASSERT_LT(Number(copied), kRows) << "it is done: this shows nothing";
  Session on_standby(standby.conninfo());
  on_standby.Exec("SELECT pg_wal_replay_pause()");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason LIKE 'replay-lag-seconds%follower%'");
  LetGo();  // from here on it is the standby alone that stops it
  AwaitBeats(1);
  const long before = Number(copied);
  AwaitBeats(3);
  EXPECT_EQ(Number(copied), before);
  EXPECT_EQ(StateOfRun(), "running");
  ExpectStatusSays("standby follower");
  on_standby.Exec("SELECT pg_wal_replay_resume()");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM item_note"), kRows);
}

class NamedStandby : public Lagging {
 protected:
  static constexpr const char* kWindows =
      "SELECT sum(passes) + sum(updated_rows) FROM pgalter.backfill_window";
  // How long after now the last chunk was seen to commit, of those of the next seconds.
  [[nodiscard]] std::chrono::nanoseconds WentOnFor(std::chrono::seconds watched,
                                                   const std::string& committed) const {
    const auto begin = std::chrono::steady_clock::now();
    auto last = begin;
    std::string seen = database_.Value(committed);
    while (std::chrono::steady_clock::now() < begin + watched) {
      const std::string now = database_.Value(committed);
      if (now != seen) last = std::chrono::steady_clock::now();
      seen = now;
      std::this_thread::sleep_for(5ms);
    }
    return last - begin;
  }

  // The server does not show it: it is a standby of a standby, or a hosted one.
  // `committed`: what each chunk that commits changes.
  // `share` of the time: chunks have to come often enough, and not to be done before.
  void ExpectNoChunkPastItsLimit(Words words, const std::string& committed = kWindows,
                                 double share = 0.005) {
    sandbox::StandbyOptions options;
    options.name = "named";
    options.settings = {"cluster_name = 'named'"};
    const sandbox::Sandbox standby = SharedServer().MakeStandby(options);
    AwaitStreaming();
    words.insert(words.end(), {"--max-lag", "2s", "--replica", standby.conninfo(database_.name()),
                               "--throttle", fmt::format("ratio={}", share)});
    Program program = Start(words);
    const auto count = [&] { return database_.Value(committed); };
    database_.AwaitValue("SELECT to_regclass('pgalter.backfill_window') IS NOT NULL", "t", kLimit);
    ASSERT_TRUE(Within(kLimit, [&] {
      try {
        return count() != "0" && count() != "";
      } catch (const SqlError&) {
        return false;  // the table that rows go to is not made yet
      }
    })) << program.SoFar().err;
    Session on_standby(standby.conninfo());
    // On a busy machine chunks, and the pauses between them, take so long that none comes in time,
    // or the last one, which began in time, ends late.
    constexpr auto kAtLeast = 500ms;
    // No heartbeat has to be missed for that: what is not seen to be there is late after 2.3 s.
    constexpr auto kAtMost = 2s + 1s + 500ms;
    auto went_on = 0ns;
    for (int attempt = 0; attempt < 6 && (went_on <= kAtLeast || went_on > kAtMost); ++attempt) {
      if (attempt > 0) {
        on_standby.Exec("SELECT pg_wal_replay_resume()");
        if (went_on <= kAtLeast) share *= 3;
        Throttle(fmt::format("ratio={}", share));
        const std::string before = count();
        ASSERT_TRUE(Within(kLimit, [&] { return count() != before; }));
      }
      on_standby.Exec("SELECT pg_wal_replay_pause()");
      went_on = WentOnFor(8s, committed);
    }
    EXPECT_GT(went_on, kAtLeast) << "nothing went on before: this shows nothing";
    EXPECT_LE(went_on, kAtMost);
    AwaitProgress("throttle_ratio = 0 AND throttle_reason LIKE 'replay-lag-seconds%named%'");
    EXPECT_EQ(StateOfRun(), "running") << "it is done, and stands still for that";
    on_standby.Exec("SELECT pg_wal_replay_resume()");
    LetGo();
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
};

TEST_F(NamedStandby, PastItsLimitNoChunkOfABackfillBegins) {
  MakeItems();
  ExpectNoChunkPastItsLimit(Backfill());
  EXPECT_EQ(Undone(), 0);
}

TEST_F(NamedStandby, PastItsLimitNoChunkOfACopyBegins) {
  MakeItems();
  ExpectNoChunkPastItsLimit(
      {"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--yes", "--chunk-time", "5ms"});
}

TEST_F(NamedStandby, PastItsLimitNoChunkOfACopyIntoPartitionsBegins) {
  MakeItems();
  ExpectNoChunkPastItsLimit({"partition", "convert", "items", "--by", "hash(id)", "--modulus", "4",
                             "--yes", "--chunk-time", "5ms"});
  EXPECT_EQ(Number("SELECT count(*) FROM items"), kRows);
}

TEST_F(Lagging, AStandbyWithAPasswordInItsConnectionIsRefused) {
  MakeItems(100);
  const Ran ran = Run(Backfill({"--replica", "host=a password=geheim"}));
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr(".pgpass"));
  EXPECT_THAT(ran.err, Not(HasSubstr("geheim")));
}

TEST_F(Lagging, AStandbyThatIsGoneStopsTheRunUntilItIsBack) {
  MakeItems();
  const Words words = Backfill({"--throttle", "expect-standbys=1", "--throttle", "ratio=0.005"});
  const Ran blind = Run(words);
  EXPECT_EQ(blind.code, 4) << blind.err;
  EXPECT_THAT(blind.err, HasSubstr("0 of 1 expected standbys are connected"));
  EXPECT_EQ(StateOfRun(), "failed");

  sandbox::Sandbox standby = MakeStandby("follower");
  Writers writers(database_.conninfo(), 23);
  Program program = Start({"resume", RunId()}, {"PGALTER_LIMITS=throttle-grace=2000"});
  AwaitWindows(1);
  standby.Crash();
  AwaitProgress(
      "throttle_ratio = 0 AND throttle_reason LIKE '%follower was connected and is not%'");
  LetGo();
  ExpectStandsStill();
  ExpectStatusSays("standby follower was connected and is not any more");
  standby.Restart();
  ExpectGoodEnd(program, writers);
}

TEST_F(Lagging, AnOldTransactionIsWaitedForThenGoneRoundAndThenForgotten) {
  Session user = database_.Connect();
  user.Exec("SET application_name = 'report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const int holder = user.backend_pid();
  MakeItems(6 * kRows);
  // Its feedback holds a horizon too, one that moves: nothing to wait for.
  const sandbox::Sandbox standby = MakeStandby("reader");
  Writers writers(database_.conninfo(), 24);
  database_.AwaitValue("SELECT now() - backend_start > '1 s' FROM pg_stat_replication", "t",
                       kLimit);
  Program program =
      Start({"backfill", "items", "--set", "b = a * 2", "--yes", "--chunk-time", "20ms",
             "--xmin-wait", "10s", "--throttle", "ratio=0.05", "--workers", "2"},
            {"PGALTER_LIMITS=horizon-held=1000"});
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  AwaitProgress(fmt::format(
      "state = 'waiting' AND note ~ 'xmin horizon, held by pid {} [(]report, .* for \\d+ s'",
      holder));
  AwaitProgress(fmt::format("remark LIKE 'pid {} (report%plain ranges%'", holder));
  EXPECT_EQ(StateOfRun(), "running");
  const std::string plain = "SELECT count(*) > {} FROM pgalter.backfill_window WHERE stripes = 1";
  database_.AwaitValue(fmt::format(fmt::runtime(plain), 0), "t", kLimit);
  user.Exec("COMMIT");
  AwaitProgress("remark LIKE '%in striped passes'");
  database_.AwaitValue("SELECT max(stripes) > 1 FROM pgalter.backfill_window", "t", kLimit);
  LetGo();
  ExpectGoodEnd(program, writers);
}

}  // namespace
}  // namespace pgalter::test
