// Each safeguard of a rebuild, and what becomes of it when it is off: a harness that cannot fail
// proves nothing.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildSafeguards : public RebuildWorld {
 protected:
  static constexpr const char* kDifferences =
      "SELECT count(*) FROM items i FULL JOIN mirror m USING (id) WHERE i.id IS NULL OR m.id IS "
      "NULL "
      "OR (i.a, i.u, i.pad) IS DISTINCT FROM (m.a::bigint, m.u, m.pad)";

  // Killed at the point, then `meanwhile` happens, then it goes on.
  Ran GoOn(const std::string& point, const std::string& meanwhile, const std::string& off) {
    const Ran killed = Run(Rebuild(), {"PGALTER_FAIL_POINT=" + point});
    EXPECT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    database_.Sql(meanwhile);
    Words environment;
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    return Run({"resume", RunId()}, environment);
  }
};

constexpr const char* kMoved =
    "UPDATE items SET a = a + 1, pad = repeat('q', 200) WHERE id <= 15000";

TEST_F(RebuildSafeguards, ThePurgeLetsTheKeyBeBuilt) {
  MakeRebuilt();
  const Ran ran = GoOn("copy-committed:2", kMoved, "");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number(kDifferences), 0);
}
TEST_F(RebuildSafeguards, WithoutThePurgeTheKeyCannotBeBuilt) {
  MakeRebuilt();
  EXPECT_NE(GoOn("copy-committed:2", kMoved, "purge").code, 0);
}

constexpr const char* kDeleted =
    "DELETE FROM items WHERE id % 7 = 0; UPDATE items SET a = 3 WHERE id "
    "% 7 = 1";

TEST_F(RebuildSafeguards, CatchUpTakesAwayWhatUsersDeleted) {
  MakeRebuilt();
  const Ran ran = GoOn("index-built", kDeleted, "");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number(kDifferences), 0);
}
TEST_F(RebuildSafeguards, WithoutTheDeleteTheRunFails) {
  MakeRebuilt();
  EXPECT_NE(GoOn("index-built", kDeleted, "catch-up-delete").code, 0);
}

TEST_F(RebuildSafeguards, ATruncateEmptiesTheShadow) {
  MakeRebuilt();
  const Ran ran =
      GoOn("index-built",
           "TRUNCATE items; INSERT INTO items SELECT g, 1, g FROM generate_series(5, 50) g", "");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number(kDifferences), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 46);
}

TEST_F(RebuildSafeguards, ARewrittenSourceIsCopiedFromItsStart) {
  MakeRebuilt();
  database_.Sql("DELETE FROM items WHERE id BETWEEN 2000 AND 9000");
  const Ran ran = GoOn("copy-committed:2", "VACUUM FULL items", "");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number(kDifferences), 0);
}
TEST_F(RebuildSafeguards, WithoutTheFilenodeRowsAreMissed) {
  MakeRebuilt();
  database_.Sql("DELETE FROM items WHERE id BETWEEN 10 AND 9000");
  const Ran ran = GoOn("copy-committed:2", "VACUUM FULL items", "copy-filenode,parts");
  EXPECT_EQ(ran.code, 7) << "the comparison finds what is missing\n" << ran.err;
}

TEST_F(RebuildSafeguards, ADisabledCaptureIsNoticedUnderTheLock) {
  MakeRebuilt();
  const std::string meanwhile =
      "ALTER TABLE items DISABLE TRIGGER ALL; UPDATE items SET a = 77 WHERE id = 5; UPDATE mirror "
      "SET "
      "a = 77 WHERE id = 5; ALTER TABLE items ENABLE TRIGGER ALL";
  const Ran ran = GoOn("compared", meanwhile, "");
  EXPECT_NE(ran.code, 0);
}

TEST_F(RebuildSafeguards, TheLastDrainCarriesOverWhatCameBeforeTheLock) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 9);
  const Ran ran = Run(Rebuild());
  users.Stop();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number(kDifferences), 0);
}
TEST_F(RebuildSafeguards, WithoutTheLastDrainWritesAreLost) {
  constexpr int kRounds = 20;
  MakeRebuilt(2'000);
  for (int round = 0; round < kRounds; ++round) {
    Rebuilders users(database_.conninfo(), 20U + static_cast<unsigned>(round), 4);
    const Ran ran = Run({"rebuild", "items", "--yes"}, {"PGALTER_SAFEGUARDS_OFF=final-drain"});
    users.Stop();
    ASSERT_EQ(ran.code, 0) << ran.err;
    if (Number(kDifferences) > 0) return;
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  }
  FAIL() << "no write was lost in " << kRounds << " rounds";
}

// One that writes early and commits late, when a later one has long been taken from the log.
class RebuildPairs : public RebuildSafeguards {
 protected:
  void CommitLate(const std::string& off) {
    MakeRebuilt(500);
    ASSERT_EQ(Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
    AwaitNoRunner();
    Session early = database_.Connect();
    early.Exec("BEGIN; UPDATE items SET a = 4444 WHERE id = 5");
    database_.Sql("UPDATE items SET a = 4444 WHERE id = 6");
    Words environment;
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    Program program = Start({"resume", RunId()}, environment);
    const std::string shadow =
        database_.Value("SELECT to_relid::regclass FROM pgalter.flow WHERE name = 'forward'");
    database_.AwaitValue("SELECT a FROM " + shadow + " WHERE id = 6", "4444", kLimit);
    early.Exec("COMMIT");
    ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
};

TEST_F(RebuildPairs, WhatWasWrittenEarlyAndCommittedLateIsCarriedOver) {
  CommitLate("");
  ExpectSame();
}
TEST_F(RebuildPairs, WithoutThePairsOfSnapshotsItIsLost) {
  CommitLate("snapshot-pairs");
  EXPECT_EQ(Number(kDifferences), 1);
}

// Two rows swap what is unique while rows are carried over in front of the unique index: between
// the statement that says which rows have changed, one of the two, and the one that reads them.
class RebuildSwapped : public RebuildSafeguards {
 protected:
  void SetUp() override {
    MakeRebuilt(500);
    ASSERT_EQ(Run(Rebuild({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=index-built"}).code,
              kKilled);
    AwaitNoRunner();
    shadow_ =
        database_.Value("SELECT to_relid::regclass::text FROM pgalter.flow WHERE name = 'forward'");
    ASSERT_EQ(Number(UniqueKeys()), 1) << "but for the primary key nothing is built yet";
    // The n-th batch of rows that go waits for whoever holds lock n.
    database_.Sql(fmt::format(
        "CREATE SEQUENCE batch; CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "DECLARE n bigint := nextval('public.batch'); BEGIN WHILE NOT "
        "pg_try_advisory_xact_lock_shared(n) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL; "
        "END $$; CREATE TRIGGER hold BEFORE DELETE ON {0} FOR EACH STATEMENT EXECUTE FUNCTION "
        "hold(); ALTER TABLE {0} ENABLE ALWAYS TRIGGER hold",
        shadow_));
  }

  [[nodiscard]] std::string UniqueKeys() const {
    return fmt::format("SELECT count(*) FROM pg_index WHERE indrelid = '{}'::regclass", shadow_);
  }
  void AwaitBatch(int n) const {
    database_.AwaitValue("SELECT is_called AND last_value >= " + std::to_string(n) + " FROM batch",
                         "t", kLimit);
  }
  Program GoOnBehindBarriers(const Words& environment = {}) {
    barrier_.Exec("SELECT pg_advisory_lock(n) FROM generate_series(1, 3) n");
    database_.Sql(kTouch);
    return Start({"resume", RunId()}, environment);
  }
  // In the moment before the rows are read.
  void SwapBehindTheTake() {
    // Each round carries over what was written during the one before it, and is the last of its
    // kind, since that is little: behind the key, before the other indexes, and right before them.
    for (int round = 1; round <= 2; ++round) {
      AwaitBatch(round);
      database_.Sql(kTouch);
      barrier_.Exec(fmt::format("SELECT pg_advisory_unlock({})", round));
    }
    AwaitBatch(3);
    database_.Sql(
        "BEGIN; UPDATE items SET u = NULL WHERE id = 5; UPDATE items SET u = 5 WHERE id = 6; "
        "UPDATE items SET u = 6 WHERE id = 5; COMMIT");
    EXPECT_EQ(Number(UniqueKeys()), 1);
    barrier_.Exec("SELECT pg_advisory_unlock(3)");
  }

  static constexpr const char* kTouch = "UPDATE items SET pad = 'touched' WHERE id = 5";
  std::string shadow_;
  Session barrier_ = database_.Connect();
};

TEST_F(RebuildSwapped, WhatIsUniqueInOneSnapshotCanBeIndexed) {
  Program program = GoOnBehindBarriers();
  SwapBehindTheTake();
  database_.AwaitValue("SELECT state FROM pgalter.run", "waiting", kLimit);
  database_.Sql("DROP TRIGGER hold ON " + shadow_);
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}
TEST_F(RebuildSwapped, InSeveralSnapshotsBothRowsHaveTheSameValue) {
  Program program = GoOnBehindBarriers({"PGALTER_SAFEGUARDS_OFF=one-snapshot"});
  SwapBehindTheTake();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_EQ(Number(UniqueKeys()), 1);
  EXPECT_EQ(database_.Value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM " + shadow_ +
                            " WHERE u = 6"),
            "5 6");
}

TEST_F(RebuildSafeguards, WithoutTheOldKeyARowIsThereTwice) {
  MakeRebuilt(2'000);
  const std::string off = "PGALTER_SAFEGUARDS_OFF=old-key";
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=index-built", off}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("UPDATE items SET id = id + 1000000, u = NULL WHERE id % 7 = 0");
  EXPECT_EQ(Run({"resume", RunId()}, {off}).code, 7);
}

// The old table's rows grow old: none of them may keep users from deleting what it refers to.
class RebuildReferring : public RebuildSafeguards {
 protected:
  void RebuildAndDelete(const std::string& off) {
    MakeRebuilt(500);
    database_.Sql(
        "CREATE TABLE kinds (id int PRIMARY KEY); INSERT INTO kinds VALUES (1); ALTER TABLE items "
        "ADD "
        "kind int REFERENCES kinds; UPDATE items SET kind = 1 WHERE id = 5");
    Words environment;
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    ASSERT_EQ(Run(Rebuild(), environment).code, 0);
    database_.Sql("UPDATE items SET kind = NULL; DELETE FROM kinds");
  }
};
TEST_F(RebuildReferring, TheOldTableKeepsNobodyFromDeleting) {
  RebuildAndDelete("");
  EXPECT_EQ(Number("SELECT count(*) FROM kinds"), 0);
}
TEST_F(RebuildReferring, WithItsForeignKeysItWould) {
  try {
    RebuildAndDelete("old-foreign-keys");
    FAIL() << "nobody was kept from it";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "23503") << error.what();
  }
}

// A transaction that has looked at the database before the swap, and at the table after it.
constexpr const char* kLook = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM mirror";

TEST_F(RebuildSafeguards, AnOldSnapshotIsWaitedFor) {
  MakeRebuilt(2'000);
  Session old = database_.Connect();
  old.Exec(kLook);
  Program program = Start(Rebuild());
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.step WHERE id = 'cutover' AND state = 'running'", "1", kLimit);
  AwaitBeats(2);
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  EXPECT_EQ(old.Value("SELECT count(*) FROM items"), "2000");
  old.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}
TEST_F(RebuildSafeguards, WithoutThatItWouldSeeNoRow) {
  MakeRebuilt(2'000);
  Session old = database_.Connect();
  old.Exec(kLook);
  const Ran ran = Run(Rebuild(), {"PGALTER_SAFEGUARDS_OFF=old-snapshots"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(old.Value("SELECT count(*) FROM items"), "0");
}

// At work elsewhere while the tables would change places, and reads the table afterwards.
class RebuildBesideWork : public RebuildSafeguards {
 protected:
  // Until the gate of that number is closed, which is a session's.
  Session Gate(int number) const {
    Session gate = database_.Connect();
    gate.Exec(fmt::format("SELECT pg_advisory_lock({})", number));
    return gate;
  }
  Session Work(const std::string& begin, int gate) const {
    Session old = database_.Connect();
    old.Exec(begin);
    old.Send(fmt::format("SELECT pg_advisory_xact_lock_shared({})", gate));
    database_.AwaitLockWait(old.backend_pid());
    return old;
  }
  // Whoever asks what becomes of the run is told whom it waits for.
  void AwaitWaitingFor(int pid) const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        fmt::format("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '% so far: "
                    "pid {} %snapshot%pg_terminate_backend({})%'",
                    pid, pid),
        "1", kLimit);
    EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  }
};

TEST_F(RebuildBesideWork, ASnapshotFromBeforeIsWaitedFor) {
  MakeRebuilt(2'000);
  Session gate = Gate(24);
  Session old = Work(kLook, 24);
  Program program = Start(Rebuild());
  AwaitWaitingFor(old.backend_pid());
  gate.Close();
  old.Wait(kLimit);
  EXPECT_EQ(old.Value("SELECT count(*) FROM items"), "2000");
  old.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// Else a busy server would keep it waiting for ever. What is new to them has been copied before.
TEST_F(RebuildBesideWork, OneFromLaterIsNot) {
  MakeRebuilt(2'000);
  Session gate = Gate(24);
  Session old = Work(kLook, 24);
  Program program = Start(Rebuild());
  AwaitWaitingFor(old.backend_pid());
  Session later_gate = Gate(25);
  Session later = Work(kLook, 25);
  gate.Close();
  old.Wait(kLimit);
  old.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  later_gate.Close();
  later.Wait(kLimit);
  EXPECT_EQ(later.Value("SELECT count(*) FROM items"), "2000");
  later.Exec("COMMIT");
  ExpectSame();
}

// The server does not tell it from the others, until its statement is over.
TEST_F(RebuildBesideWork, AStatementUnderReadCommittedIsWaitedForAndNoLonger) {
  MakeRebuilt(2'000);
  Session gate = Gate(24);
  Session old = Work("BEGIN", 24);
  Program program = Start(Rebuild());
  AwaitWaitingFor(old.backend_pid());
  gate.Close();
  old.Wait(kLimit);
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(old.Value("SELECT count(*) FROM items"), "2000");
  old.Exec("COMMIT");
  ExpectSame();
}

// It reads nothing afterwards: no transaction of its user's is around it.
TEST_F(RebuildBesideWork, AnIndexThatIsBuiltConcurrentlyIsNot) {
  MakeRebuilt(2'000);
  database_.Sql(
      "CREATE FUNCTION gated(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_advisory_xact_lock_shared(24); RETURN x; END $$; CREATE TABLE other AS SELECT 1 AS x");
  Session gate = Gate(24);
  Session builder = database_.Connect();
  builder.Send("CREATE INDEX CONCURRENTLY ON other (gated(x))");
  database_.AwaitLockWait(builder.backend_pid());
  const Ran ran = Run(Rebuild());
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(builder.busy());
  gate.Close();
  builder.Wait(kLimit);
  ExpectSame();
}

// While it waits for leave, the table is followed: whoever comes then is not waited for.
TEST_F(RebuildBesideWork, WhoComesWhileItIsPostponedIsNot) {
  MakeRebuilt(2'000);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE state = 'waiting'", "1", kLimit);
  AwaitBeats(2);
  Session gate = Gate(24);
  Session later = Work(kLook, 24);
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  gate.Close();
  later.Wait(kLimit);
  EXPECT_EQ(later.Value("SELECT count(*) FROM items"), "2000");
  later.Exec("COMMIT");
  ExpectSame();
}

TEST_F(RebuildBesideWork, WhoDoesNotEndIsNamedAndTheRunResumed) {
  MakeRebuilt(2'000);
  Session gate = Gate(24);
  Session old = Work(kLook, 24);
  const Ran busy = Run(Rebuild(), {"PGALTER_LIMITS=lock-budget=3000"});
  EXPECT_EQ(busy.code, 5) << busy.err;
  EXPECT_THAT(busy.err, HasSubstr(fmt::format("in the way: pid {} (user ", old.backend_pid())));
  EXPECT_THAT(busy.err, HasSubstr("in its transaction for"));
  EXPECT_THAT(busy.err, HasSubstr("others were blocked for at most 0 ms"));
  EXPECT_THAT(busy.err,
              HasSubstr(fmt::format("SELECT pg_terminate_backend({}) ends it", old.backend_pid())));
  gate.Close();
  old.Wait(kLimit);
  old.Exec("COMMIT");
  const Ran ran = Run({"resume", RunId()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

// The old table gets what came since when it comes back: after the snapshot.
TEST_F(RebuildBesideWork, SoIsOneOnTheWayBack) {
  MakeRebuilt(2'000);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql("INSERT INTO items SELECT g, 1, NULL, 'late' FROM generate_series(70001, 70500) g");
  Session gate = Gate(24);
  Session old = Work(kLook, 24);
  const Ran busy = Run({"revert", RunId(), "--yes"}, {"PGALTER_LIMITS=lock-budget=3000"});
  EXPECT_EQ(busy.code, 5) << busy.err;
  EXPECT_THAT(busy.err, HasSubstr(fmt::format("in the way: pid {} (user ", old.backend_pid())));
  gate.Close();
  old.Wait(kLimit);
  EXPECT_EQ(old.Value("SELECT count(*) FROM items"), "2500");
  old.Exec("COMMIT");
  const Ran ran = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 2'500);
}

// Of others' sessions a role without pg_monitor is not told what they do, nor since when.
TEST_F(RebuildSafeguards, ByARoleThatSeesNobodysStateToo) {
  user_ = "unseeing_" + database_.name();
  database_.Sql(fmt::format(
      "CREATE ROLE {0} LOGIN; GRANT ALL ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {1} TO "
      "{0}; CREATE TABLE mirror (id int); CREATE TABLE owned (id int PRIMARY KEY, v int);"
      "INSERT INTO owned SELECT n, n FROM generate_series(1, 300) n; ALTER TABLE owned OWNER TO "
      "{0}",
      user_, database_.name()));
  Session old = database_.Connect();
  old.Exec(kLook);
  Program program = Start({"rebuild", "owned", "--alter", "ALTER v TYPE bigint", "--yes"});
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.step WHERE id = 'cutover' AND state = 'running'", "1", kLimit);
  AwaitBeats(2);
  EXPECT_EQ(old.Value("SELECT count(*) FROM owned"), "300");
  old.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  database_.Sql(fmt::format("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", user_));
}

// A row that is committed while the cut-over waits for its lock is carried over under it, slowly; a
// transaction whose first statement waits behind has its snapshot from before.
class RebuildSnapshots : public RebuildSafeguards {
 protected:
  struct Scene {
    Words words;
    const char* table;
    const char* insert;               // of the row that is carried over last
    const char* update;               // of that row, of which one is expected
    const char* remove;               // that row
    const char* meanwhile = nullptr;  // by another, while the lock is waited for
    const char* read = nullptr;       // in place of the update: a script, to its file ({})
  };

  void MakeSlow() const {
    database_.Sql(
        "CREATE FUNCTION slow(pad text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF pad = "
        "'slow' THEN PERFORM pg_sleep(0.35); END IF; RETURN true; END $$");
  }
  // What the other's UPDATE of that row said: its SQLSTATE, or how many rows it changed. One row:
  // the attempt that it waited for was given up, or had ended before it asked, as may be on a slow
  // machine. Nothing is proven then, and the scene is played again.
  std::string UpdateWhatCameLast(const Scene& scene, const std::string& off) {
    constexpr int kScenes = 10;
    std::string said;
    for (int played = 0; played < kScenes; ++played) {
      said = UpdateOnce(scene, off);
      if (said != "1" || HasFailure()) break;
      EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
      database_.Sql(scene.remove);
    }
    return said;
  }
  std::string UpdateOnce(const Scene& scene, const std::string& off) {
    Words environment;
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    Program program = Start(scene.words, environment);
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE state = 'waiting'", "1", kLimit);
    Session writer = database_.Connect();
    writer.Exec(std::string("BEGIN; ") + scene.insert);
    EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
    const std::string locks = fmt::format(
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = '{}'::regclass AND mode = "
        "'AccessExclusiveLock' AND ",
        scene.table);
    database_.AwaitValue(locks + "NOT granted", "t", kLimit);
    Session other = database_.Connect();
    other.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    if (scene.meanwhile != nullptr) database_.Sql(scene.meanwhile);
    writer.Exec("COMMIT");
    AwaitLock(locks + "granted");
    const std::string said =
        scene.read != nullptr ? Read(other, scene.read) : Update(other, scene.update);
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return said;
  }
  // While it is held, or when it was held so shortly that nobody saw it.
  void AwaitLock(const std::string& held) const {
    const std::string swapped =
        "SELECT swapped_at IS NOT NULL FROM pgalter.rebuild WHERE run = '" + RunId() + "'";
    EXPECT_TRUE(Within(
        kLimit, [&] { return database_.Value(held) == "t" || database_.Value(swapped) == "t"; }));
  }
  std::string Read(Session& other, const char* script) const {
    other.Exec("COMMIT");
    const std::string file = (std::filesystem::temp_directory_path() / database_.name()).string();
    other.Exec(fmt::format(fmt::runtime(script), file));
    return database_.Value(fmt::format("SELECT trim(pg_read_file('{}'), E'\\n')", file));
  }
  static std::string Update(Session& other, const char* update) {
    try {
      std::string said = other.Value(
          fmt::format("WITH changed AS ({} RETURNING 1) SELECT count(*) FROM changed", update));
      other.Exec("COMMIT");
      return said;
    } catch (const SqlError& error) {
      other.Exec("ROLLBACK");
      return error.sqlstate();
    }
  }
  std::string UpdateItems(const std::string& off) {
    MakeRebuilt(500);
    MakeSlow();
    database_.Sql("ALTER TABLE items ADD CONSTRAINT slowly CHECK (slow(pad))");
    const Scene scene{Rebuild({"--cutover", "wait"}), "items",
                      "INSERT INTO items VALUES (77777, 1, NULL, 'slow')",
                      "UPDATE items SET a = 5 WHERE id = 77777",
                      "DELETE FROM items WHERE id = 77777"};
    return UpdateWhatCameLast(scene, off);
  }
  // How many rows it found of that one.
  std::string ReadWhatCameLast(const char* script, const std::string& off) {
    MakeRebuilt(500);
    MakeSlow();
    database_.Sql("ALTER TABLE items ADD CONSTRAINT slowly CHECK (slow(pad))");
    const Scene scene{Rebuild({"--cutover", "wait"}),
                      "items",
                      "INSERT INTO items VALUES (77777, 1, NULL, 'slow')",
                      "",
                      "DELETE FROM items WHERE id = 77777",
                      nullptr,
                      script};
    return off.empty() ? UpdateOnce(scene, off) : UpdateWhatCameLast(scene, off);
  }
  // By the name of a partition, which another table has after the swap.
  std::string UpdatePartition(const std::string& off, const char* meanwhile = nullptr) {
    MakeSlow();
    database_.Sql(
        "CREATE TABLE parts (id bigint PRIMARY KEY, pad text CHECK (slow(pad))) PARTITION BY RANGE "
        "(id); CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (1000); CREATE "
        "TABLE parts_rest PARTITION OF parts DEFAULT; INSERT INTO parts SELECT g, 'p' FROM "
        "generate_series(1, 2000) g");
    const std::string file = File(
        "CREATE TABLE parts (id bigint PRIMARY KEY, pad text CHECK (public.slow(pad)), more "
        "int) PARTITION BY RANGE (id); CREATE TABLE parts_low PARTITION OF parts FOR VALUES "
        "FROM (0) TO (1000); CREATE TABLE parts_rest PARTITION OF parts DEFAULT;");
    const Scene scene{{"rebuild", "parts", "--definition", file, "--cutover", "wait", "--yes"},
                      "parts",
                      "INSERT INTO parts VALUES (0, 'slow')",
                      "UPDATE parts_low SET pad = 'other' WHERE id = 0",
                      "DELETE FROM parts WHERE id = 0",
                      meanwhile};
    return UpdateWhatCameLast(scene, off);
  }
};

TEST_F(RebuildSnapshots, AWriteThatWouldMissARowIsToBeRepeated) {
  EXPECT_EQ(UpdateItems(""), "40001");
  // Whoever begins now is not concerned, and finish leaves nothing of it.
  Session other = database_.Connect();
  other.Exec(
      "BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE items SET a = 5 WHERE id = 77777; COMMIT");
  EXPECT_EQ(Number("SELECT a FROM items WHERE id = 77777"), 5);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
  ExpectSame();
}

TEST_F(RebuildSnapshots, WithoutTheGuardItIsLost) { EXPECT_EQ(UpdateItems("snapshot-guard"), "0"); }

// These have their snapshot before they wait for the lock, and read by it.
constexpr const char* kExport = "COPY (SELECT count(*) FROM items WHERE id = 77777) TO '{}'";
constexpr const char* kDump =
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; LOCK TABLE items IN ACCESS SHARE MODE; COPY "
    "(SELECT count(*) FROM items WHERE id = 77777) TO '{}'; COMMIT";

TEST_F(RebuildSnapshots, AnExportThatWaitsIsLetThroughFirst) {
  EXPECT_EQ(ReadWhatCameLast(kExport, ""), "1");
}
TEST_F(RebuildSnapshots, ElseItLacksARow) {
  EXPECT_EQ(ReadWhatCameLast(kExport, "late-readers"), "0");
}
TEST_F(RebuildSnapshots, SoIsADump) { EXPECT_EQ(ReadWhatCameLast(kDump, ""), "1"); }
TEST_F(RebuildSnapshots, WhichElseLacksIt) {
  EXPECT_EQ(ReadWhatCameLast(kDump, "late-readers"), "0");
}

TEST_F(RebuildSnapshots, SoIsAWriteByTheNameOfAPartition) {
  EXPECT_EQ(UpdatePartition(""), "40001");
  const std::string guards =
      "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter_snapshot%'";
  EXPECT_EQ(Number(guards), 3);
  // There again, and back: none of the way there stays, wherever users have put its partition.
  database_.Sql("ALTER TABLE parts DETACH PARTITION parts_rest");
  const Ran taken = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(taken.code, 4) << taken.err;
  EXPECT_THAT(taken.err, HasSubstr("public.parts_rest stands where a table is to go"));
  database_.Sql("ALTER TABLE parts_rest RENAME TO rest");
  // Its key's index has a name of the old one's, too.
  const Ran index = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(index.code, 4) << index.err;
  EXPECT_THAT(index.err, HasSubstr("public.parts_rest_pkey stands where"));
  database_.Sql("ALTER INDEX parts_rest_pkey RENAME TO rest_pkey");
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Number("SELECT count(*) FROM parts"), 1'000);
  EXPECT_EQ(Number("SELECT count(*) FROM rest"), 1'001);
  EXPECT_EQ(Number(guards), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL AND kind = "
                   "'trigger'"),
            0);
}
// The guards are made before the locks, and looked at under them.
TEST_F(RebuildSnapshots, AGuardThatSomebodyHasTakenAwayIsMadeAgain) {
  constexpr const char* kTakeAway =
      "DO $$ DECLARE dropping text; BEGIN SELECT format('DROP TRIGGER %I ON %s', tgname, "
      "tgrelid::regclass) INTO STRICT dropping FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
      "WHERE tgname LIKE 'pgalter_snapshot%' AND relname = 'parts_low'; EXECUTE dropping; END $$";
  EXPECT_EQ(UpdatePartition("", kTakeAway), "40001");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter_snapshot%'"), 3);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

TEST_F(RebuildSnapshots, WithoutTheGuardOfThePartitionItIsLost) {
  EXPECT_EQ(UpdatePartition("snapshot-guard-of-partitions"), "0");
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

// What users alter while their table is rebuilt, and while the old one is kept: the one that takes
// its place would not have it.
struct Altering {
  const char* name;
  const char* alter;
  const char* back;
  const char* says;
};

class RebuildAltered : public RebuildSafeguards, public ::testing::WithParamInterface<Altering> {};

TEST_P(RebuildAltered, StopsTheCutOverUntilItIsTakenBack) {
  MakeRebuilt(500);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(GetParam().alter);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("was altered by somebody else"));
  EXPECT_THAT(refused.err, HasSubstr(GetParam().says));
  EXPECT_THAT(refused.err, HasSubstr("pgalter resume " + RunId()));
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  database_.Sql(GetParam().back);
  ResumeToTheEnd();
  ExpectSame();
  ExpectNew();
  database_.Sql(GetParam().alter);
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_THAT(back.err, HasSubstr(GetParam().says));
  database_.Sql(GetParam().back);
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(
    Definitions, RebuildAltered,
    ::testing::Values(
        Altering{"AColumn", "ALTER TABLE items ADD COLUMN extra int DEFAULT 7",
                 "ALTER TABLE items DROP COLUMN extra", "extra integer DEFAULT 7"},
        Altering{"ADefault", "ALTER TABLE items ALTER pad SET DEFAULT 'new'",
                 "ALTER TABLE items ALTER pad DROP DEFAULT", "pad text DEFAULT 'new'::text"},
        Altering{"AnIndex", "CREATE INDEX items_pad ON items (pad)", "DROP INDEX items_pad",
                 "CREATE INDEX items_pad ON public.items"},
        Altering{"ACheck", "ALTER TABLE items ADD CONSTRAINT sane CHECK (a > -100000)",
                 "ALTER TABLE items DROP CONSTRAINT sane", "constraint sane CHECK"},
        Altering{"ASetting", "ALTER TABLE items SET (fillfactor = 70)",
                 "ALTER TABLE items RESET (fillfactor)", "setting fillfactor=70"},
        Altering{"AnOptionOfAColumn", "ALTER TABLE items ALTER u SET (n_distinct = 77)",
                 "ALTER TABLE items ALTER u RESET (n_distinct)", "column u SET (n_distinct=77)"},
        Altering{"TheIndexOfAKey", "ALTER INDEX items_pkey SET (fillfactor = 70)",
                 "ALTER INDEX items_pkey RESET (fillfactor)",
                 "index items_pkey WITH (fillfactor=70)"}),
    [](const auto& param) { return std::string(param.param.name); });

// CLUSTER goes by it, there and back; it stops no swap.
TEST_F(RebuildSafeguards, TheIndexThatUsersClusterByMeanwhileGoesAlong) {
  MakeRebuilt(500);
  database_.Sql("CREATE INDEX by_a ON items (a); CREATE INDEX by_u ON items (u)");
  const char* const clustered =
      "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indisclustered AND "
      "indrelid = 'items'::regclass";
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("ALTER TABLE items CLUSTER ON by_a");
  ResumeToTheEnd();
  EXPECT_EQ(database_.Value(clustered), "by_a");
  database_.Sql("ALTER TABLE items CLUSTER ON by_u");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(clustered), "by_u");
  database_.Sql("ALTER TABLE items SET WITHOUT CLUSTER");

  ASSERT_EQ(Run({"rebuild", "items", "--alter", "CLUSTER ON by_a", "--yes"},
                {"PGALTER_FAIL_POINT=purged"})
                .code,
            kKilled);
  AwaitNoRunner();
  ResumeToTheEnd();
  EXPECT_EQ(database_.Value(clustered), "by_a");
  database_.Sql("ALTER TABLE items SET WITHOUT CLUSTER");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_index WHERE indisclustered AND indrelid = "
                            "'items'::regclass"),
            "0");
}

TEST_F(RebuildSafeguards, WithoutThatAColumnIsLostWithItsValues) {
  MakeRebuilt(500);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("ALTER TABLE items ADD COLUMN extra int DEFAULT 7");
  ResumeToTheEnd({"PGALTER_SAFEGUARDS_OFF=outline"});
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname "
             "= 'extra'"),
      0);
}

// DDL fires no trigger of ours. What came when all had been compared, and the swap alone was left.
class RebuildRewritten : public RebuildSafeguards {
 protected:
  Ran SwapAfter(const std::string& meanwhile, const std::string& off = "") {
    MakeRebuilt(2'000);
    return GoOn("drained", meanwhile, off);
  }
};
TEST_F(RebuildRewritten, RowsOfAChildThatCameMeanwhileAreNotLeftBehind) {
  const Ran refused =
      SwapAfter("CREATE TABLE child () INHERITS (items); INSERT INTO child VALUES (70000, 1)");
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("it has now: child public.child"));
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 2'001);
  database_.Sql("DROP TABLE child");
  ResumeToTheEnd();
  ExpectSame();
}

// A rewrite may change every value.
constexpr const char* kRewrite =
    "BEGIN; UPDATE mirror SET pad = pad || '+'; ALTER TABLE items ALTER pad TYPE text USING pad || "
    "'+'; COMMIT";

TEST_F(RebuildRewritten, WhatARewriteChangedIsCarriedOver) {
  const Ran ran = SwapAfter(kRewrite);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  database_.Sql(kRewrite);
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE pad NOT LIKE '%++'"), 0);
}
TEST_F(RebuildRewritten, WithoutThatItIsLost) {
  EXPECT_EQ(SwapAfter(kRewrite, "parts").code, 0);
  EXPECT_EQ(Number(kDifferences), 2'000);
}

// What came meanwhile and would stay with the table that leaves.
constexpr const char* kHung =
    "CREATE TABLE other (id bigint); CREATE POLICY po ON other USING (id IN (SELECT items.id FROM "
    "items))";

TEST_F(RebuildSafeguards, APolicyThatCameMeanwhileStopsTheCutOver) {
  MakeRebuilt(500);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(kHung);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("policy po of public.other reads it"));
  EXPECT_THAT(refused.err, HasSubstr("pgalter resume"));
  EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), "t");
  database_.Sql("DROP POLICY po ON other");
  ResumeToTheEnd();
  ExpectSame();
  database_.Sql("CREATE POLICY po ON other USING (id IN (SELECT items.id FROM items))");
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_THAT(back.err, HasSubstr("pgalter revert"));
  database_.Sql("DROP POLICY po ON other");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(RebuildSafeguards, WithoutThatThePolicyReadsTheTableThatLeft) {
  MakeRebuilt(500);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(kHung);
  ResumeToTheEnd({"PGALTER_SAFEGUARDS_OFF=obstacles"});
  EXPECT_THAT(database_.Value("SELECT qual FROM pg_policies WHERE policyname = 'po'"),
              HasSubstr("pgalter_"));
}

}  // namespace
}  // namespace pgalter::test
