// What happens to a table and its server while a backfill is at work.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

Words Two(const Words& more) {
  Words words{"--workers", "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class Disturbed : public BackfillWorld {
 protected:
  void ExpectEnd(Program& program, int code) {
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, code) << ran.err;
  }
};

TEST_F(Disturbed, ComesBackByItselfWhenItsBackendsAreTerminated) {
  MakeItems();
  Writers writers(database_.conninfo(), 4);
  Program program = Start(Backfill(Two(Slowly())));
  AwaitWindows(1);
  for (int epoch = 1; epoch <= 4; ++epoch) {
    database_.AwaitValue("SELECT epoch FROM pgalter.lease", std::to_string(epoch), kLimit);
    // Its workers and its pulse: it is at work again.
    database_.AwaitValue(
        "SELECT count(*) >= 4 FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%'", "t",
        kLimit);
    database_.Sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'pgalter/%'");
  }
  LetGo();
  ExpectEnd(program, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  EXPECT_EQ(Number("SELECT epoch FROM pgalter.lease"), 5);
  ExpectRight();
  ExpectFinishLeavesNothing();
}

// A server of its own, made before the world in it.
struct OwnServer {
  sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
};
class ServerLost : private OwnServer, public BackfillWorld {
 protected:
  ServerLost() : BackfillWorld(OwnServer::server) {}
  sandbox::Sandbox& server() { return OwnServer::server; }
};

TEST_F(ServerLost, ACrashIsOutlived) {
  MakeItems();
  Writers writers(database_.conninfo(), 5);
  Program program = Start(Backfill(Two(Slowly())));
  AwaitWindows(1);
  server().Crash();
  server().Restart();
  database_.AwaitValue("SELECT epoch >= 2 FROM pgalter.lease", "t", kLimit);
  LetGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(ServerLost, AKilledRunIsResumedOnThePromotedStandby) {
  MakeItems();
  sandbox::Sandbox standby = server().MakeStandby();
  const std::string there = standby.conninfo(database_.name());
  Writers writers(database_.conninfo(), 6);
  ASSERT_EQ(Run(Backfill(Two({})), {"PGALTER_FAIL_POINT=chunk-committed:9"}).code, kKilled);
  writers.Stop();
  const std::string run = RunId();
  const std::string written = database_.Value("SELECT pg_current_wal_insert_lsn()");
  ASSERT_TRUE(Within(kLimit, [&] {
    return Session(there).Value("SELECT pg_last_wal_replay_lsn() >= '" + written + "'") == "t";
  }));
  server().Crash();
  standby.Promote();
  Program program(PGALTER_BINARY, {"resume", run, "--dsn", there});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  Session user(there);
  EXPECT_EQ(user.Value("SELECT count(*) FROM items WHERE b IS DISTINCT FROM a * 2"), "0");
  EXPECT_EQ(user.Value("SELECT count(*) || ' ' || sum(a) FROM items"),
            user.Value("SELECT sum(rows) || ' ' || sum(total) FROM audit"));
}

TEST_F(Disturbed, ALockedRowComesLastAndKeepsNobodyWaiting) {
  MakeItems();
  Session user = database_.Connect();
  user.Exec("BEGIN");
  user.Exec("SELECT FROM items WHERE id = 20000 FOR UPDATE");
  Program program = Start(Backfill(Two({})));
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE state = 'waiting' AND phase = 'last-scan'", "1",
      kLimit);
  EXPECT_EQ(database_.Value("SELECT string_agg(id::text, ' ') FROM items WHERE b IS NULL"),
            "20000");
  EXPECT_EQ(Number("SELECT progress->>'waiting_rows' FROM pgalter.run"), 1);
  // Others write its neighbours, and no row of the chunk that tries it is kept from them.
  Session neighbour = database_.Connect();
  for (int i = 0; i < 20; ++i) {
    neighbour.Exec("UPDATE items SET note = note WHERE id BETWEEN 19990 AND 20010 AND id <> 20000");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_stat_activity u, pg_stat_activity p"
                     " WHERE p.application_name LIKE 'pgalter/%' AND u.application_name = ''"
                     " AND p.pid = ANY (pg_blocking_pids(u.pid))"),
              0);
  }
  user.Exec("COMMIT");
  ExpectEnd(program, 0);
  ExpectRight();
}

// A server that takes its time: no beat comes through, and the run ends as well as ever.
TEST_F(Disturbed, BeatsThatAreNotAnsweredInTimeAreNoFailure) {
  MakeItems(2'000);
  ASSERT_EQ(Run({"init"}).code, 0);
  database_.Sql(
      "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_sleep(3); RETURN new; END $$;"
      "CREATE TRIGGER slowly BEFORE INSERT OR UPDATE ON pgalter.heartbeat FOR EACH ROW EXECUTE "
      "FUNCTION slowly()");
  Program program = Start(Backfill(), {"PGALTER_LIMITS=beat-deadline=200"});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Disturbed, ASecondRunnerIsRefused) {
  MakeItems();
  Program first = Start(Backfill(Two(Slowly())));
  Hold();
  const Ran again = Run(Backfill());
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr(RunId()));
  const Ran beside = Run({"resume", RunId()});
  EXPECT_EQ(beside.code, 4);
  EXPECT_THAT(beside.err, HasSubstr("--take-over"));
  Program second = Start({"resume", RunId(), "--take-over"});
  ExpectEnd(first, 6);
  LetGo();
  ExpectEnd(second, 0);
  ExpectRight();
}

TEST_F(Disturbed, ARenamedTableIsFollowed) {
  MakeItems();
  Program program = Start(Backfill(Two(Slowly())));
  Hold();
  database_.Sql(
      "CREATE SCHEMA attic; ALTER TABLE items RENAME TO \"Old Items\";"
      "ALTER TABLE \"Old Items\" SET SCHEMA attic");
  LetGo();
  ExpectEnd(program, 0);
  database_.Sql(
      "ALTER TABLE attic.\"Old Items\" SET SCHEMA public;"
      "ALTER TABLE \"Old Items\" RENAME TO items");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

TEST_F(Disturbed, ADroppedTableEndsTheRun) {
  MakeItems();
  Program program = Start(Backfill(Two(Slowly())));
  Hold();
  database_.Sql("DROP TABLE items");
  LetGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("was dropped"));
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgalter'::regnamespace AND "
                   "proname LIKE 'sync%'"),
            0);
}

// A cancel is lost on a worker that is in the middle of its COMMIT. Locks would run into
// lock_timeout, so what holds the two workers here sleeps.
TEST_F(Disturbed, AWorkerThatCommitsWhileAnotherOneFailsStopsToo) {
  MakeItems();
  database_.Sql(
      "CREATE FUNCTION hold(gate int) RETURNS void LANGUAGE plpgsql AS"
      " 'BEGIN WHILE NOT pg_try_advisory_xact_lock_shared(gate) LOOP PERFORM pg_sleep(0.01);"
      "  END LOOP; END';"
      "CREATE FUNCTION hold_commit() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN PERFORM hold(1); RETURN NULL; END';"
      "CREATE CONSTRAINT TRIGGER hold_commit AFTER UPDATE ON items DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW WHEN (NEW.id <= 20) EXECUTE FUNCTION hold_commit();"
      "CREATE FUNCTION value_of(id bigint, a bigint) RETURNS bigint LANGUAGE plpgsql AS"
      " 'BEGIN IF id BETWEEN 8000 AND 8100 THEN PERFORM hold(2); RETURN 1 / 0; END IF;"
      "  RETURN a * 2; END'");
  Session gate(database_.conninfo());
  gate.Exec("SELECT pg_advisory_lock(1), pg_advisory_lock(2)");
  Program program =
      Start({"backfill", "items", "--set", "b = value_of(id, a)", "--where", "b IS NULL", "--sync",
             "none", "--workers", "2", "--chunk-time", "5s", "--stripes", "1", "--yes"});
  const std::string ours =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
      " AND application_name LIKE 'pgalter/%'";
  database_.AwaitValue(ours + " AND wait_event = 'PgSleep'", "2", kLimit);
  const long all = Number(ours);
  gate.Exec("SELECT pg_advisory_unlock(2)");
  database_.AwaitValue(ours, std::to_string(all - 1), kLimit);
  gate.Exec("SELECT pg_advisory_unlock(1)");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("22012"));
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE id > 30000 AND b IS NOT NULL"), 0);
}

TEST_F(Disturbed, ARewrittenTableIsGoneThroughAgain) {
  MakeItems();
  Writers writers(database_.conninfo(), 7);
  Program program = Start(Backfill(Two(Slowly())));
  Hold();
  database_.Sql("VACUUM FULL items");
  LetGo();
  ExpectEnd(program, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  EXPECT_EQ(database_.Value("SELECT filenode FROM pgalter.backfill_relation"),
            database_.Value("SELECT pg_relation_filenode('items')"));
  ExpectRight();
}

TEST_F(Disturbed, ATableRewrittenWhileNobodyWorksIsGoneThroughAgain) {
  MakeItems();
  ASSERT_EQ(Run(Backfill(), {"PGALTER_FAIL_POINT=chunk-committed:9"}).code, kKilled);
  database_.Sql("VACUUM FULL items");
  ResumeToTheEnd();
  ExpectRight();
}

TEST_F(Disturbed, ASignalPausesAndResumeGoesOn) {
  MakeItems();
  Writers writers(database_.conninfo(), 8);
  Program program = Start(Backfill(Two(Slowly())));
  AwaitWindows(1);
  program.Signal(SIGINT);
  const Ran paused = program.Wait(kLimit);
  EXPECT_EQ(paused.code, 6);
  EXPECT_THAT(paused.err, HasSubstr("pgalter resume " + RunId()));
  EXPECT_EQ(StateOfRun(), "paused");
  EXPECT_GT(Undone(), 0);
  Program resumed = Start({"resume", RunId()});
  database_.AwaitValue("SELECT epoch >= 2 FROM pgalter.lease", "t", kLimit);
  LetGo();
  ExpectEnd(resumed, 0);
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
}

TEST_F(Disturbed, AnotherProcessPausesAndAborts) {
  MakeItems();
  Program program = Start(Backfill(Two(Slowly())));
  AwaitWindows(1);
  const Ran pause = Run({"pause", RunId()});
  EXPECT_EQ(pause.code, 0) << pause.err;
  ExpectEnd(program, 6);
  EXPECT_EQ(StateOfRun(), "paused");
  Program resumed = Start({"resume", RunId()});
  database_.AwaitValue("SELECT state FROM pgalter.run", "running", kLimit);
  const Ran abort = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(abort.code, 0) << abort.err;
  ExpectEnd(resumed, 6);
  EXPECT_EQ(StateOfRun(), "aborted");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'items'::regclass"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgalter'::regnamespace AND "
                   "proname LIKE 'sync%'"),
            0);
  AwaitNoRunner();
}

TEST_F(Disturbed, TheUsersOwnQueryStopsItAndLetsItGoOn) {
  MakeItems();
  database_.Sql("CREATE TABLE alarm (level float); INSERT INTO alarm VALUES (5)");
  Program program = Start(Backfill({"--throttle-query", "SELECT level FROM alarm", "--throttle",
                                    "throttle-query=5", "--sync", "none"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress->>'throttle_reason'"
      " LIKE 'throttle-query%'",
      "1", kLimit);
  EXPECT_EQ(Undone(), kRows);
  database_.Sql("UPDATE alarm SET level = 0.1");
  ExpectEnd(program, 0);
  ExpectRight();
  const Ran broken = Run(Backfill({"--throttle-query", "SELECT level FROM alarms"}));
  EXPECT_EQ(broken.code, 4) << broken.err;
  EXPECT_THAT(broken.err, HasSubstr("throttle-query"));
  EXPECT_THAT(broken.err, HasSubstr("42P01"));
}

class BadRows : public BackfillWorld {
 protected:
  BadRows() {
    MakeItems(5000);
    database_.Sql("UPDATE items SET note = 'hunter2' WHERE id IN (17, 2500, 4999)");
  }
  [[nodiscard]] static Words Cast(const Words& more) {
    Words words{"backfill", "items", "--set", "b = note::int", "--yes", "--xmin-wait", "0s"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // The value is nowhere but in the table itself.
  void ExpectSecretKept(const Ran& ran) const {
    EXPECT_EQ((ran.out + ran.err).find("hunter2"), std::string::npos) << ran.err;
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.run r WHERE r::text LIKE '%hunter2%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.quarantine q WHERE q::text LIKE '%hunter2%'"),
              0);
  }
};

TEST_F(BadRows, StopTheRunWhichNamesTheKey) {
  const Ran ran = Run(Cast({"--on-error", "stop"}));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, ::testing::ContainsRegex("\"id\": (17|2500|4999)[^0-9]"));
  EXPECT_THAT(ran.err, HasSubstr("22P02"));
  ExpectSecretKept(ran);
  EXPECT_EQ(StateOfRun(), "failed");
  database_.Sql("UPDATE items SET note = '7' WHERE note = 'hunter2'");
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE b IS DISTINCT FROM 7"), 0);
}

// As when users change what it refers to while a chunk is at it.
class Unreferred : public BackfillWorld {
 protected:
  // The first `times` chunks that write row 17.
  void Refuse(int times) {
    MakeItems(500);
    database_.Sql(fmt::format(
        "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN IF nextval('tries') <= {} THEN RAISE foreign_key_violation; END IF; RETURN new; END "
        "$$; CREATE TRIGGER refuse BEFORE UPDATE ON items FOR EACH ROW WHEN (old.id = 17) EXECUTE "
        "FUNCTION refuse()",
        times));
  }
  [[nodiscard]] Ran RunFast() const {
    return Run(Backfill({"--sync", "none", "--workers", "1"}),
               {"PGALTER_LIMITS=no-resource-pause=10"});
  }
};

TEST_F(Unreferred, ARowIsTriedAgain) {
  Refuse(20);
  const Ran ran = RunFast();
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectRight();
}

TEST_F(Unreferred, ARowThatStaysSoEndsTheRun) {
  Refuse(100'000);
  const Ran ran = RunFast();
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("23503"));
}

TEST_F(BadRows, AreQuarantined) {
  const Ran ran = Run(Cast({"--on-error", "quarantine", "--workers", "2"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSecretKept(ran);
  EXPECT_EQ(database_.Value("SELECT string_agg((key::jsonb->>'id') || ' ' || sqlstate, ', '"
                            " ORDER BY (key::jsonb->>'id')::int) FROM pgalter.quarantine"),
            "17 22P02, 2500 22P02, 4999 22P02");
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE b IS NULL"), 3);
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE b IS DISTINCT FROM 7"), 3);
}

TEST_F(BadRows, OfACheckConstraintNameIt) {
  database_.Sql("ALTER TABLE items ADD CONSTRAINT small CHECK (b < 1900)");
  const Ran ran = Run(Backfill({"--on-error", "quarantine", "--sync", "none"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.quarantine WHERE object LIKE '%small%'"),
            Number("SELECT count(*) FROM items WHERE a * 2 >= 1900"));
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a * 2 < 1900 AND b IS DISTINCT FROM a * 2"),
            0);
}

}  // namespace
}  // namespace pgalter::test
