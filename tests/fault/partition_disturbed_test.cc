// A conversion, and its way back, that is killed, meets the snapshots and locks of others, or a
// table that was changed meanwhile: every row is right afterwards, or nothing was done.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>

#include "tests/fault/lock_order.h"
#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionKilledAt : public Partitioned, public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionKilledAt, ResumeEndsWithEveryRowRight) {
  MakeEvents();
  Users users(database_.conninfo(), 2);
  const Ran killed = Run(Convert(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPartitioned();
  ExpectSame();
}

TEST_P(PartitionKilledAt, OrAnAbortLeavesAllAsItWas) {
  MakeEvents();
  Users users(database_.conninfo(), 3);
  ASSERT_EQ(Run(Convert(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain("aborted");
  ExpectSame();
}

constexpr std::array kPoints{"parent-made",     "index-in-ledger", "index-built",
                             "ddl-committed",   "ddl-committed:2", "attached",
                             "attach-committed"};
std::string PointName(const ::testing::TestParamInfo<const char*>& point) {
  std::string name = point.param;
  std::ranges::replace_if(
      name, [](char c) { return c == '-' || c == ':'; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Points, PartitionKilledAt, ::testing::ValuesIn(kPoints), PointName);

class PartitionRevertKilledAt : public Partitioned,
                                public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionRevertKilledAt, RevertAgainEndsWithEveryRowRight) {
  MakeEvents();
  Users users(database_.conninfo(), 4);
  ASSERT_EQ(Run(Convert()).code, 0);
  users.ahead = true;
  users.AwaitWrites(200);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain("reverted");
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionRevertKilledAt,
                         ::testing::Values("key-back", "detached", "detach-committed"), PointName);

// A harness that cannot fail proves nothing.
TEST_F(Partitioned, LosesRowsInARevertWithoutItsSafeguard) {
  MakeEvents();
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("INSERT INTO events (made, kind) VALUES (now() + interval '100 days', 1)");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_SAFEGUARDS_OFF=rows-back"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM events e RIGHT JOIN mirror m USING (id) WHERE e.id IS "
                   "NULL"),
            1);
}

// A CHECK that takes its time for rows with the note 'slow'.
constexpr const char* kSlowly =
    "CREATE FUNCTION slow(note text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF note = 'slow' "
    "THEN PERFORM pg_sleep(0.35); END IF; RETURN true; END $$; ALTER TABLE events ADD CONSTRAINT "
    "slowly CHECK (slow(note))";

// Rows that have left the old table are moved back under the lock, which is not held for longer
// than its budget.
TEST_F(Partitioned, ARevertThatMovesTooMuchGivesUp) {
  MakeEvents();
  database_.Sql(kSlowly);
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql(
      "INSERT INTO events (made, kind, note) SELECT now() + interval '100 days', 1, 'slow' FROM "
      "generate_series(1, 5)");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 5) << reverted.err;
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "p");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_back%'"), 0);
  database_.Sql("UPDATE events SET note = 'quick' WHERE made > now() + interval '90 days'");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectPlain("reverted");
  ExpectSame();
}

class PartitionSnapshots : public Partitioned {
 protected:
  // A row is moved back while somebody's first statement waits behind the lock, with a snapshot
  // from before. What that UPDATE said: its SQLSTATE, or how many rows it changed.
  std::string UpdateWhatIsMoved(const std::string& off) {
    MakeEvents(500);
    // That row stops the move until the barrier opens.
    database_.Sql(
        "CREATE FUNCTION held(note text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN WHILE note = "
        "'slow' AND NOT pg_try_advisory_xact_lock_shared(9) LOOP PERFORM pg_sleep(0.01); END LOOP; "
        "RETURN true; END $$; ALTER TABLE events ADD CONSTRAINT slowly CHECK (held(note))");
    EXPECT_EQ(Run(Convert()).code, 0);
    database_.Sql(
        "INSERT INTO events (made, kind, note) VALUES (now() + interval '100 days', 1, 'slow')");
    Session barrier = database_.Connect();
    barrier.Exec("SELECT pg_advisory_lock(9)");
    Words environment{"PGALTER_LIMITS=hold-budget=600000"};
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    Session other = database_.Connect();
    other.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
    Program program = Start({"revert", RunId(), "--yes"}, environment);
    if (!Within(kLimit, [&] {
          return database_.Value(
                     "SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                     "WHERE "
                     "l.mode = 'AccessExclusiveLock' AND l.granted AND a.wait_event = 'PgSleep'") ==
                 "t";
        }))
      return "no row was seen moving";
    other.Send(
        "WITH changed AS (UPDATE events SET note = 'mine' WHERE note = 'slow' RETURNING 1) "
        "SELECT count(*) FROM changed");
    database_.AwaitLockWait(other.backend_pid());
    barrier.Close();
    std::string said;
    try {
      said = other.Wait(kLimit).at(0).at(0);
      other.Exec("COMMIT");
    } catch (const SqlError& error) {
      said = error.sqlstate();
      other.Exec("ROLLBACK");
    }
    const Ran reverted = program.Wait(kLimit);
    EXPECT_EQ(reverted.code, 0) << reverted.err;
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
    ExpectNothingOfOurs();
    return said;
  }
};

TEST_F(PartitionSnapshots, AWriteThatWouldMissARowIsToBeRepeated) {
  EXPECT_EQ(UpdateWhatIsMoved(""), "40001");
  ExpectSame();
}

TEST_F(PartitionSnapshots, WithoutTheGuardItIsLost) {
  EXPECT_EQ(UpdateWhatIsMoved("snapshot-guard"), "0");
}

// Whoever holds a snapshot from before would not see the rows that were moved. Where a key has to
// be built again, that waits for them already.
constexpr const char* kKeyStays =
    "CREATE TABLE events (id int, made timestamptz, PRIMARY KEY (id, made)); INSERT INTO events "
    "SELECT g, now() - g * interval '1 day' FROM generate_series(1, 100) g";

TEST_F(PartitionSnapshots, ARevertWaitsForThoseThatAreOpen) {
  database_.Sql(kKeyStays);
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("INSERT INTO events VALUES (777, now() + interval '100 days')");
  Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
  Program program = Start({"revert", RunId(), "--yes"});
  EXPECT_FALSE(Within(std::chrono::seconds(3), [&] {
    return database_.Value("SELECT relkind::text FROM pg_class WHERE relname = 'events'") == "r";
  }));
  EXPECT_EQ(old.Value("SELECT count(*) FROM events"), "101");
  old.Exec("COMMIT");
  const Ran reverted = program.Wait(kLimit);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM events"), 101);
  ExpectNothingOfOurs();
}

TEST_F(PartitionSnapshots, AndForThoseThatAreAtWork) {
  database_.Sql(kKeyStays);
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("INSERT INTO events VALUES (777, now() + interval '100 days')");
  Session gate = database_.Connect();
  gate.Exec("SELECT pg_advisory_lock(24)");
  Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
  old.Send("SELECT pg_advisory_xact_lock_shared(24)");
  database_.AwaitLockWait(old.backend_pid());
  const Ran busy = Run({"revert", RunId(), "--yes"}, {"PGALTER_LIMITS=lock-budget=3000"});
  EXPECT_EQ(busy.code, 5) << busy.err;
  EXPECT_THAT(busy.err, HasSubstr(fmt::format("in the way: pid {} (user ", old.backend_pid())));
  gate.Close();
  old.Wait(kLimit);
  EXPECT_EQ(old.Value("SELECT count(*) FROM events"), "101");
  old.Exec("COMMIT");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM events"), 101);
  ExpectNothingOfOurs();
}

TEST_F(PartitionSnapshots, WithoutThatTheyMissRows) {
  database_.Sql(kKeyStays);
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("INSERT INTO events VALUES (777, now() + interval '100 days')");
  Session old = database_.Connect();
  old.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
  ASSERT_EQ(
      Run({"revert", RunId(), "--yes"}, {"PGALTER_SAFEGUARDS_OFF=old-snapshots,snapshot-guard"})
          .code,
      0);
  EXPECT_EQ(old.Value("SELECT count(*) FROM events"), "100");
}

// The server cuts long names of indexes, so those of two tables and of their partitions may be
// equal; and an index may be called as the one of another is called after the conversion.
TEST_F(Partitioned, EqualNamesOfIndexesAreTakenApartThereAndBack) {
  const std::string same(62, 'n');
  const std::string names =
      "SELECT string_agg(tablename || ' ' || indexname, ',' ORDER BY tablename, indexname) FROM "
      "pg_indexes WHERE schemaname = 'public'";
  for (const char* last : {"a", "b"}) {
    const std::string table = same + last;
    database_.Sql(fmt::format(
        "CREATE TABLE {0} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, d date NOT NULL, v "
        "serial, UNIQUE (v, d)); CREATE INDEX ON {0} (d, v); INSERT INTO {0} (d) SELECT "
        "current_date + n % 60 FROM generate_series(1, 100) n",
        table));
  }
  database_.Sql(
      "CREATE TABLE plain (id int, d date NOT NULL, PRIMARY KEY (id, d)); CREATE INDEX plain_x ON "
      "plain (d, id); CREATE INDEX x ON plain (d)");
  const std::string before = database_.Value(names);
  for (const std::string& table : {same + "a", std::string("plain")}) {
    const Ran ran = Run({"partition", "convert", table, "--by", "range(d)", "--every", "1 month",
                         "--strategy", "attach", "--allow-weaker-keys", "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM {}", table)), table == "plain" ? 0 : 100);
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    EXPECT_EQ(database_.Value(names), before);
  }
}

// Whoever reads through a view has locked it, and waits for its table.
TEST_F(Partitioned, HasNoTableWhileItWaitsForAViewOverIt) {
  MakeEvents();
  database_.Sql("CREATE VIEW shown AS SELECT id FROM events");
  Session holder = database_.Connect();
  const auto hold_during = [&](const Words& words) {
    holder.Exec("BEGIN; ALTER VIEW shown OWNER TO CURRENT_USER");
    Program program = Start(words);
    EXPECT_EQ(WaitsWithTheTable(database_, "shown", "events"), "f");
    holder.Exec("COMMIT");
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
  };
  hold_during(Convert());
  ExpectPartitioned();
  hold_during({"revert", RunId(), "--yes"});
  ExpectPlain("reverted");
}

// The CHECK for the bound goes with the attempt, so that users may go on to write such rows.
TEST_F(Partitioned, RowsBeyondTheBoundAreNamedAndKeepNobodyOut) {
  MakeEvents();
  ASSERT_EQ(Run(Convert(), {"PGALTER_FAIL_POINT=parent-made"}).code, kKilled);
  AwaitNoRunner();
  const std::string late = "INSERT INTO events (made, kind) VALUES ('2999-01-01', 1)";
  database_.Sql(late);
  ASSERT_EQ(Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=contradicted"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(late);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("are in the way: SELECT * FROM public.events WHERE NOT "
                                     "(((made IS NOT NULL) AND (made < '"));
  database_.Sql(late);
  database_.Sql("DELETE FROM events WHERE made > '2998-01-01'");
  ResumeToTheEnd();
  ExpectPartitioned();
}

struct ElsewhereCase {
  const char* name;
  const char* sql;
};

class PartitionedElsewhere : public Partitioned,
                             public ::testing::WithParamInterface<ElsewhereCase> {};

TEST_P(PartitionedElsewhere, AnAbortTakesTheBoundAway) {
  MakeEvents(500);
  database_.Sql("CREATE SCHEMA there");
  ASSERT_EQ(Run(Convert(), {"PGALTER_FAIL_POINT=step-recorded:4"}).code, kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'pgalter_bound' AND "
                   "conrelid = 'events'::regclass"),
            1);
  database_.Sql(GetParam().sql);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'pgalter_bound'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    By, PartitionedElsewhere,
    ::testing::Values(ElsewhereCase{"Renamed", "ALTER TABLE events RENAME TO others"},
                      ElsewhereCase{"Moved", "ALTER TABLE events SET SCHEMA there"},
                      ElsewhereCase{"Gone", "DROP TABLE events"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(Partitioned, RefusesATableThatWasChangedMeanwhile) {
  MakeEvents();
  ASSERT_EQ(Run(Convert(), {"PGALTER_FAIL_POINT=ddl-committed:2"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("CREATE INDEX late ON events (note)");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("other columns, indexes or constraints"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_indexes WHERE indexname = 'late'"), 1);
}

TEST_F(Partitioned, RefusesWhatWasHungOnTheTableMeanwhile) {
  MakeEvents();
  ASSERT_EQ(Run(Convert(), {"PGALTER_FAIL_POINT=ddl-committed:2"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("CREATE TABLE late (e bigint REFERENCES events)");
  const Ran keyed = Run({"resume", RunId()});
  EXPECT_EQ(keyed.code, 4) << keyed.err;
  EXPECT_THAT(keyed.err, HasSubstr("foreign keys"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'late_e_fkey'"), 1);
  database_.Sql("DROP TABLE late; CREATE MATERIALIZED VIEW late AS SELECT * FROM events");
  const Ran viewed = Run({"resume", RunId()});
  EXPECT_EQ(viewed.code, 4) << viewed.err;
  EXPECT_THAT(viewed.err, HasSubstr("materialized view public.late reads it"));
  database_.Sql("DROP MATERIALIZED VIEW late");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectPartitioned();
}

}  // namespace
}  // namespace pgalter::test
