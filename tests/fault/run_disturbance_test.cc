// What happens to a server, or to the sessions of a run, while a plan is carried out.
#include <fmt/format.h>

#include <csignal>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

// A run in the middle of its index: an old snapshot keeps the build waiting.
class DisturbedRun : public RunWorld {
 protected:
  using RunWorld::RunWorld;

  Session HoldTheBuild() const {
    Session reader = database_.Connect();
    reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    return reader;
  }
  void AwaitTheBuild() const {
    database_.AwaitValue(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'"
        " AND state = 'active' AND application_name LIKE 'pgalter/%'",
        "1", kLimit);
  }
  void ExpectTheGateThenTheEnd(Program& program) const {
    const Ran ran = program.Wait(kLimit);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(StateOfRun(), "waiting");
    ASSERT_EQ(Run({"resume", RunId(), "--through", "contract"}).code, 0);
    EXPECT_EQ(Dump(), PlainDump());
    ExpectRowsRight();
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }
};

TEST_F(DisturbedRun, ComesBackByItselfWhenItsBackendsAreTerminated) {
  MakeOrders();
  Programs users(database_.conninfo(), Programs::Form::kOld);
  Session reader = HoldTheBuild();
  Program program = Start(RunOrders());
  for (int epoch = 1; epoch <= 3; ++epoch) {
    database_.AwaitValue("SELECT to_regclass('pgalter.lease') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(fmt::format("SELECT max(epoch) >= {} FROM pgalter.lease", epoch), "t",
                         kLimit);
    AwaitTheBuild();
    database_.Sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'pgalter/%'");
  }
  reader.Exec("ROLLBACK");
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  EXPECT_EQ(StateOfRun(), "waiting");
}

// The runner is alive, and has read long ago for how long users may wait.
TEST_F(DisturbedRun, ARevertTellsARunnerForHowLongUsersMayWait) {
  MakeOrders();
  Program program = Start(RunOrders(Slowly()));
  AwaitWindows(1);
  database_.Sql(
      "CREATE FUNCTION lasts() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM "
      "pg_catalog.pg_sleep(4); END'; CREATE EVENT TRIGGER lasts ON ddl_command_end WHEN tag IN "
      "('ALTER TABLE') EXECUTE FUNCTION lasts()");
  const Ran reverted = Run({"revert", RunId(), "--hold-budget", "60s", "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(program.Wait(kLimit).code, 6);
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND "
                   "attname = 'total' AND NOT attisdropped"),
            0);
}

// As a run on its way there does.
TEST_F(DisturbedRun, ARevertComesBackByItselfWhenItsBackendsAreTerminated) {
  MakeOrders();
  ASSERT_EQ(Run(RunOrders()).code, 0);
  AwaitNoRunner();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM orders");
  Program program = Start({"revert", RunId(), "--yes", "--output", "json"});
  for (int epoch = 2; epoch <= 4; ++epoch) {
    database_.AwaitValue(fmt::format("SELECT max(epoch) >= {} FROM pgalter.lease", epoch), "t",
                         kLimit);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
        " AND application_name LIKE 'pgalter/%'",
        "t", kLimit);
    database_.Sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'pgalter/%'");
  }
  reader.Exec("ROLLBACK");
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("reverted"), std::string::npos) << ran.out;
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND "
                   "attname = 'total'"),
            0);
}

TEST_F(DisturbedRun, ASignalPausesItWhenTheBuildHasEnded) {
  MakeOrders();
  Session reader = HoldTheBuild();
  Program program = Start(RunOrders());
  database_.AwaitValue("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "1", kLimit);
  program.Signal(SIGINT);
  reader.Exec("ROLLBACK");
  const Ran paused = program.Wait(kLimit);
  EXPECT_EQ(paused.code, 6) << paused.err;
  EXPECT_EQ(StateOfRun(), "paused");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  Program on = Start({"resume", RunId()});
  ExpectTheGateThenTheEnd(on);
}

// A server of its own, made before the world in it.
struct OwnServer {
  sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
};
class ServerLostByRun : private OwnServer, public DisturbedRun {
 protected:
  ServerLostByRun() : DisturbedRun(OwnServer::server) {}
  sandbox::Sandbox& server() { return OwnServer::server; }
};

TEST_F(ServerLostByRun, ACrashIsOutlived) {
  MakeOrders();
  Session reader = HoldTheBuild();
  Program program = Start(RunOrders());
  database_.AwaitValue("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "1", kLimit);
  server().Crash();
  server().Restart();
  ExpectTheGateThenTheEnd(program);
}

TEST_F(ServerLostByRun, FromItsGateItGoesOnOnThePromotedStandby) {
  MakeOrders();
  sandbox::Sandbox standby = server().MakeStandby();
  const std::string there = standby.conninfo(database_.name());
  ASSERT_EQ(Run(RunOrders()).code, 0);
  const std::string run = RunId();
  const std::string written = database_.Value("SELECT pg_current_wal_insert_lsn()");
  ASSERT_TRUE(Within(kLimit, [&] {
    return Session(there).Value("SELECT pg_last_wal_replay_lsn() >= '" + written + "'") == "t";
  }));
  server().Crash();
  standby.Promote();
  Program program(PGALTER_BINARY, {"resume", run, "--gate", "total-old-unused", "--dsn", there});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Session(there).Value("SELECT state FROM pgalter.run"), "done");
  EXPECT_EQ(Session(there).Value("SELECT count(*) FROM pg_attribute WHERE attname = 'total_old'"
                                 " AND NOT attisdropped"),
            "0");
}

}  // namespace
}  // namespace pgalter::test
