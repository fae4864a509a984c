// What the network between pgalter and the server does to a backfill. Users are on another one.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"
#include "tests/support/tcp_proxy.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Network : public BackfillWorld {
 protected:
  [[nodiscard]] Program StartFar(Words arguments, Words environment = {}) const {
    arguments.insert(arguments.end(),
                     {"--dsn", fmt::format("host=127.0.0.1 port={} user=postgres dbname={}",
                                           proxy_.port(), database_.name())});
    return Program(PGALTER_BINARY, arguments, environment);
  }
  static Words Two(const Words& more = {}) {
    Words words = Backfill({"--workers", "2"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void AwaitEpoch(int epoch) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.lease') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(fmt::format("SELECT max(epoch) >= {} FROM pgalter.lease", epoch), "t",
                         kLimit);
  }
  void AwaitHappened() {
    ASSERT_TRUE(Within(kLimit, [&] { return proxy_.happened(); }));
  }
  static void ExpectEnd(Program& program, int code) {
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, code) << ran.err;
  }

  TcpProxy proxy_{database_.server().port()};
};

TEST_F(Network, CutConnectionsAreMadeAgain) {
  MakeItems();
  Writers writers(database_.conninfo(), 21);
  Program program = StartFar(Two(Slowly()));
  for (int epoch = 1; epoch <= 3; ++epoch) {
    AwaitEpoch(epoch);
    // Its workers and its pulse: it is at work again.
    database_.AwaitValue(
        "SELECT count(*) >= 4 FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%'", "t",
        kLimit);
    proxy_.Cut();
  }
  LetGo();
  ExpectEnd(program, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  EXPECT_GE(Number("SELECT epoch FROM pgalter.lease"), 4);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

// The server has committed, and nobody heard it: every row counts once all the same.
TEST_F(Network, ACommitWithoutAnAnswerCountsOnce) {
  MakeItems();
  Program program = StartFar(Two(Slowly()));
  AwaitWindows(1);
  for (int epoch = 2; epoch <= 3; ++epoch) {
    proxy_.CutAtAnswerTo("COMMIT");
    AwaitHappened();
    AwaitEpoch(epoch);
    const long rows = Number("SELECT count(b) FROM items");
    database_.AwaitValue(fmt::format("SELECT count(b) > {} FROM items", rows), "t", kLimit);
  }
  LetGo();
  ExpectEnd(program, 0);
  EXPECT_EQ(Number("SELECT sum(updated_rows) FROM pgalter.backfill_window"), kRows);
  EXPECT_EQ(Number("SELECT done_rows FROM pgalter.run"), kRows);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

// What the way takes is not taken for work: neither the pace nor the size of chunks suffers.
TEST_F(Network, AFarServerIsWorkedOnAndObeys) {
  constexpr int kFew = 12'000;
  MakeItems(kFew);
  Writers writers(database_.conninfo(), 22);
  Words arguments = Two(Slowly());
  arguments.insert(arguments.end(), {"--stripes", "1"});
  Program program = StartFar(arguments);
  Hold();
  proxy_.Delay(50ms);
  EXPECT_EQ(Run({"pause", RunId()}).code, 0);
  ExpectEnd(program, 6);
  EXPECT_EQ(StateOfRun(), "paused");
  LetGo();
  Program again = StartFar({"resume", RunId()});
  ExpectEnd(again, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  EXPECT_LT(Number("SELECT progress->>'chunks' FROM pgalter.run"), 100);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

// A worker's transaction is open on the server, with its rows locked and the lease shared, when
// nothing passes any more.
TEST_F(Network, SilenceIsNoticedAndItsBackendsAreEnded) {
  MakeItems();
  Writers writers(database_.conninfo(), 23);
  Program program = StartFar(Two(Slowly()), {"PGALTER_LIMITS=beat-deadline=300,cancel-pause=200"});
  AwaitWindows(1);
  proxy_.SilenceAfter("UPDATE ONLY");
  AwaitHappened();
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity"
      " WHERE application_name LIKE 'pgalter/%' AND state = 'idle in transaction'",
      "t", kLimit);
  const std::string old_ones = database_.Value(
      "SELECT string_agg(pid::text, ',') FROM pg_stat_activity"
      " WHERE application_name LIKE 'pgalter/%'");
  const int connections = proxy_.connections();
  ASSERT_TRUE(Within(kLimit, [&] { return proxy_.connections() > connections; }));
  AwaitEpoch(1);
  proxy_.Restore();
  AwaitEpoch(2);
  database_.AwaitValue(
      fmt::format("SELECT count(*) FROM pg_stat_activity WHERE pid IN ({})", old_ones), "0",
      kLimit);
  LetGo();
  ExpectEnd(program, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

// A reader keeps it at the trigger's table while its connections break.
class NetworkOfFinish : public Network {
 protected:
  void MakeDone() {
    MakeItems(500);
    ASSERT_EQ(Run(Backfill()).code, 0);
    ASSERT_EQ(Number(kTriggers), 1);
  }
  // A backend of its that was not seen before, so all its connections are new ones.
  void AwaitWaiting() {
    database_.AwaitValue(
        fmt::format("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'items'::regclass AND mode "
                    "= 'AccessExclusiveLock' AND NOT granted AND pid NOT IN ({})",
                    seen_),
        "t", kLimit);
    seen_ = database_.Value(
        "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE datname = "
        "current_database()");
  }
  void ExpectFinished() const {
    EXPECT_EQ(Number(kTriggers), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run WHERE finished_at IS NOT NULL"), 1);
    ExpectFinishLeavesNothing();
  }

  static constexpr const char* kTriggers =
      "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'items'::regclass";
  std::string seen_ = "0";
};

TEST_F(NetworkOfFinish, ItGoesOnWithNewConnections) {
  MakeDone();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT FROM items LIMIT 1");
  Program program = StartFar({"finish", RunId(), "--yes"});
  for (int i = 0; i < 2; ++i) {
    AwaitWaiting();
    proxy_.Cut();
  }
  AwaitWaiting();
  database_.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'pgalter%' AND datname = current_database()");
  AwaitWaiting();
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("connection lost, trying again"));
  ExpectFinished();
}

TEST_F(NetworkOfFinish, ACommitWithoutAnAnswerCounts) {
  MakeDone();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT FROM items LIMIT 1");
  Program program = StartFar({"finish", RunId(), "--yes"});
  AwaitWaiting();
  proxy_.CutAtAnswerTo("COMMIT");
  reader.Exec("COMMIT");
  AwaitHappened();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("connection lost, trying again"));
  ExpectFinished();
}

TEST_F(NetworkOfFinish, GoneForTooLongItSaysHowToGoOn) {
  MakeDone();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT FROM items LIMIT 1");
  Program program =
      StartFar({"finish", RunId(), "--yes"}, {"PGALTER_LIMITS=reconnect-budget=1000"});
  AwaitWaiting();
  proxy_.Refuse();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 9) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("1 s of trying made no new one"));
  EXPECT_THAT(ran.err, HasSubstr("then: pgalter finish " + RunId()));
  EXPECT_EQ(Number(kTriggers), 1);
  reader.Exec("COMMIT");
  proxy_.Restore();
  Program again = StartFar({"finish", RunId(), "--yes"});
  ExpectEnd(again, 0);
  ExpectFinished();
}

TEST_F(Network, GoneForTooLongLeavesTheRunToResume) {
  MakeItems();
  Writers writers(database_.conninfo(), 24);
  Program program = StartFar(Two(Slowly()), {"PGALTER_LIMITS=reconnect-budget=1000"});
  AwaitWindows(1);
  proxy_.Refuse();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 9);
  EXPECT_THAT(ran.err, HasSubstr("pgalter resume " + RunId()));
  EXPECT_EQ(StateOfRun(), "running");
  EXPECT_GT(Undone(), 0);
  proxy_.Restore();
  Program again = StartFar({"resume", RunId()});
  AwaitEpoch(2);
  LetGo();
  ExpectEnd(again, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

}  // namespace
}  // namespace pgalter::test
