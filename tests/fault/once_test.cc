// `pgalter run` of an UPDATE in chunks changes each row once, whoever writes to it meanwhile and
// how: for each row it is as if the UPDATE had come at one moment among that row's writes.
#include <regex>

#include "tests/fault/once_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class Once : public OnceWorld {};

// As in a cluster that has had 2^32 transactions.
TEST_F(Once, RowsAreLookedThroughForXidsThatComeAgain) {
  MakeRows();
  KillInTheMiddle(kUpdate, {"PGALTER_SAFEGUARDS_OFF=once-xids-known"});
  database_.Sql(Add(DoneRow(0)) + Add(UndoneRow(0)));
  ResumeToTheEnd();
  ExpectOnce();
}

TEST_F(Once, WhatUsersWriteAfterwardsStays) {
  MakeRows();
  KillInTheMiddle("UPDATE t SET n = 1");
  const long done = Number("SELECT count(*) FROM t WHERE n = 1");
  database_.Sql("UPDATE t SET n = 7 WHERE n = 1");
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE n = 7"), done);
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE n = 1"), kOnceRows - done);
  ExpectNothingLeft();
}

TEST_F(Once, WhoComesFirstGetsTheUpdateAlong) {
  MakeRows();
  KillInTheMiddle();
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1 WHERE id % 2 = 0");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE id % 2 = 0 AND n <> 11"), 0);
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1 WHERE id % 3 = 0");
  ResumeToTheEnd();
  ExpectOnce();
}

// Of these, one cannot tell by its xid alone that it has passed the trigger.
TEST_F(Once, TransactionsThatAreOlderThanTheRunMayWriteToEveryRow) {
  const auto wrong = [&](const std::string& off) {
    database_.Sql("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgalter CASCADE");
    MakeRows();
    Session old = database_.Connect();
    old.Exec(
        "BEGIN; SELECT pg_current_xact_id(); SAVEPOINT a; CREATE TEMP TABLE x (); SAVEPOINT b");
    const Words without{"PGALTER_SAFEGUARDS_OFF=" + off};
    KillInTheMiddle(kUpdate, without);
    // In a subtransaction from before that has its xid, in one from before, in a new one, in none.
    old.Exec("ROLLBACK TO b; RELEASE b;" + Add(DoneRow(0)) + Add(UndoneRow(0)) + "SAVEPOINT c;" +
             Add(DoneRow(1)) + Add(UndoneRow(1)) + "RELEASE c;" + Add(UndoneRow(1)) + "RELEASE a;" +
             Add(DoneRow(2)) + Add(UndoneRow(2)) + Add(UndoneRow(0)) +
             "INSERT INTO t (id, n) VALUES (-1, 1); COMMIT");
    ResumeToTheEnd(without);
    return Wrong();
  };
  EXPECT_EQ(wrong("none"), 0);
  ExpectOnce();
  EXPECT_GT(wrong("once-open"), 0);
}

TEST_F(Once, SubtransactionsCountAsTheTransactionDoes) {
  MakeRows();
  KillInTheMiddle();
  database_.Sql("BEGIN; SAVEPOINT a;" + Add(UndoneRow(0)) + Add(DoneRow(0)) + "SAVEPOINT b;" +
                Add(UndoneRow(0)) + Add(UndoneRow(1)) + "ROLLBACK TO b;" + Add(UndoneRow(2)) +
                "RELEASE a; COMMIT");
  ResumeToTheEnd();
  ExpectOnce();
}

TEST_F(Once, WhatIsRolledBackIsLeftToDo) {
  MakeRows();
  KillInTheMiddle();
  database_.Sql("BEGIN; UPDATE t SET n = n + 10, u = u + 1; ROLLBACK");
  ResumeToTheEnd();
  ExpectOnce();
}

// Their old versions are there to be seen.
TEST_F(Once, OpenTransactionsAreWaitedFor) {
  MakeRows();
  KillInTheMiddle();
  Session comes = database_.Connect();
  Session goes = database_.Connect();
  Session prepared = database_.Connect();
  comes.Exec("BEGIN;" + Add(UndoneRow(0)));
  goes.Exec("BEGIN;" + Add(UndoneRow(1)));
  prepared.Exec("BEGIN;" + Add(UndoneRow(2)) +
                fmt::format("PREPARE TRANSACTION 'of_{}'", database_.name()));
  Program program = Start({"resume", RunId()});
  database_.AwaitValue("SELECT phase || ' ' || (progress->>'waiting_rows') FROM pgalter.run",
                       "last-scan 3", kLimit);
  comes.Exec("COMMIT");
  goes.Exec("ROLLBACK");
  prepared.Exec(fmt::format("COMMIT PREPARED 'of_{}'", database_.name()));
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectOnce();
}

TEST_F(Once, HoweverUsersWrite) {
  MakeRows();
  KillInTheMiddle();
  const auto upsert = [](long id) {
    return fmt::format(
        "INSERT INTO t (id) VALUES ({}) ON CONFLICT (id) DO UPDATE SET n = t.n + 10, u = t.u + 1;",
        id);
  };
  database_.Sql(upsert(UndoneRow(0)) + upsert(DoneRow(0)));
  database_.Sql("SET session_replication_role = replica;" + Add(UndoneRow(1)) + Add(DoneRow(1)));
  if (Number("SELECT current_setting('server_version_num')") >= 150000)
    database_.Sql(
        fmt::format("MERGE INTO t USING (VALUES ({}), ({})) v (id) ON t.id = v.id WHEN "
                    "MATCHED THEN UPDATE SET n = n + 10, u = u + 1",
                    UndoneRow(2), DoneRow(2)));
  // With an index on it the new version is not HOT.
  database_.Sql("CREATE INDEX ON t (u);" + Add(UndoneRow(3)) + Add(DoneRow(3)));
  const long again = UndoneRow(4);
  database_.Sql(
      fmt::format("DELETE FROM t WHERE id = {0}; INSERT INTO t (id) VALUES ({0}), (-1)", again));
  ResumeToTheEnd();
  // A row that came later is left alone.
  EXPECT_EQ(Number(fmt::format("SELECT sum(n) FROM t WHERE id IN ({}, -1)", again)), 0);
  database_.Sql(fmt::format("DELETE FROM t WHERE id IN ({}, -1)", again));
  ExpectOnce();
}

TEST_F(Once, TheConditionIsAskedOfWhatUsersWrite) {
  MakeRows();
  database_.Sql("UPDATE t SET k = 5 WHERE id % 4 = 0");
  KillInTheMiddle("UPDATE t SET n = n + k WHERE k < 5");
  // One that was not meant and is now, and one that was and is not.
  const long now = Number("SELECT min(id) FROM t WHERE k = 5");
  const long not_now = Number("SELECT min(id) FROM t WHERE k < 5 AND n = 0");
  database_.Sql(
      fmt::format("UPDATE t SET k = 3 WHERE id = {}; UPDATE t SET k = 9 WHERE id = {};"
                  "UPDATE t SET k = 2 WHERE id = {}",
                  now, not_now, not_now));
  ResumeToTheEnd();
  EXPECT_EQ(Number(fmt::format("SELECT n FROM t WHERE id = {}", now)), 3);
  EXPECT_EQ(Number(fmt::format("SELECT n FROM t WHERE id = {}", not_now)), 0);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM t WHERE n <> CASE k WHEN 5 THEN 0 ELSE 1 END"
                               " AND id NOT IN ({}, {})",
                               now, not_now)),
            0);
}

TEST_F(Once, RowsThatMoveBetweenPartitionsKeepTheirCount) {
  MakePartitions();
  KillInTheMiddle();
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1, k = (k + 1) % 3 WHERE id % 2 = 0");
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1, k = (k + 1) % 3 WHERE id % 3 = 0");
  ResumeToTheEnd();
  ExpectOnce();
}

TEST_F(Once, PartitionsComeAndGo) {
  MakePartitions();
  KillInTheMiddle();
  database_.Sql(
      "CREATE TABLE t3 (LIKE t INCLUDING ALL); INSERT INTO t3 (id, k) VALUES (-1, 3);"
      "ALTER TABLE t ATTACH PARTITION t3 FOR VALUES IN (3);"
      "ALTER TABLE t DETACH PARTITION t2");
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1 WHERE id % 2 = 0");
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT n FROM t WHERE id = -1"), 0);
  database_.Sql("DELETE FROM t WHERE id = -1");
  ExpectOnce();
}

// A user's trigger changes other rows of the table in the chunk's own transaction.
TEST_F(Once, WhatUsersTriggersChangeInAChunkIsUsersWriting) {
  MakeRows();
  database_.Sql(
      "CREATE FUNCTION beside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " UPDATE t SET n = n + 10, u = u + 1 WHERE id = 12001 - new.id; RETURN NULL; END $$;"
      "CREATE TRIGGER beside AFTER UPDATE ON t FOR EACH ROW WHEN (new.id % 50 = 0)"
      " EXECUTE FUNCTION beside()");
  const Ran ran = Run(Update());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_GT(Number("SELECT count(*) FROM t WHERE u = 1"), 0);
  ExpectOnce();
}

TEST_F(Once, TheOwnerIsEnoughAndWritersNeedNoRightsOfOurs) {
  MakeRows();
  database_.Sql(
      "DROP ROLE IF EXISTS once_owner; DROP ROLE IF EXISTS once_writer;"
      "CREATE ROLE once_owner LOGIN; CREATE ROLE once_writer; GRANT UPDATE, SELECT ON t TO "
      "once_writer;"
      "CREATE SCHEMA app AUTHORIZATION once_owner;"
      "ALTER TABLE t SET SCHEMA app; ALTER TABLE app.t OWNER TO once_owner;"
      "GRANT USAGE ON SCHEMA app TO once_writer;"
      "CREATE FUNCTION app.one(int) RETURNS int LANGUAGE sql AS 'SELECT $1 - $1 + 1';"
      "REVOKE ALL ON FUNCTION app.one(int) FROM PUBLIC;"
      "GRANT EXECUTE ON FUNCTION app.one(int) TO once_owner;"
      "ALTER ROLE once_owner SET search_path = app");
  database_.Sql(
      fmt::format("GRANT CREATE, TEMPORARY ON DATABASE {} TO once_owner; "
                  "ALTER DATABASE {} SET search_path = app, public",
                  database_.name(), database_.name()));
  user_ = "once_owner";
  KillInTheMiddle("UPDATE t SET n = n + one(id)");
  const std::string as_writer = "SET ROLE once_writer; SET search_path = app;";
  database_.Sql(as_writer + Add(UndoneRow(0)) + Add(UndoneRow(1)) + Add(DoneRow(0)));
  ResumeToTheEnd();
  ExpectOnce();
  database_.Sql("DROP OWNED BY once_owner, once_writer CASCADE");
}

TEST_F(Once, WhoDoesNotOwnTheTableIsToldWhatToDo) {
  MakeRows();
  database_.Sql(
      "DROP ROLE IF EXISTS once_other; CREATE ROLE once_other LOGIN; GRANT SELECT, UPDATE ON t TO "
      "once_other");
  database_.Sql(
      fmt::format("GRANT CREATE, TEMPORARY ON DATABASE {} TO once_other", database_.name()));
  user_ = "once_other";
  const Ran ran = Run(Update());
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("takes the owner"));
  EXPECT_THAT(ran.err, HasSubstr("--as-written"));
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE n <> 0"), 0);
  database_.Sql("DROP OWNED BY once_other CASCADE");
}

TEST_F(Once, FailsLoudlyWhereTheTriggerWasTouched) {
  const char* const kTouches[] = {
      "ALTER TABLE t DISABLE TRIGGER {0}",
      "ALTER TABLE t DISABLE TRIGGER {0}; {1} ALTER TABLE t ENABLE ALWAYS TRIGGER {0}",
      "DROP TRIGGER {0} ON t",
      "DO $$ DECLARE d text := pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE "
      "'~pgalter%';"
      " BEGIN DROP TRIGGER {0} ON t; EXECUTE d; ALTER TABLE t ENABLE ALWAYS TRIGGER {0}; END $$",
      "ALTER TABLE t ENABLE TRIGGER {0}"};
  for (const std::string touch : kTouches) {
    SCOPED_TRACE(touch);
    database_.Sql("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgalter CASCADE");
    MakeRows();
    KillInTheMiddle();
    const std::string name =
        database_.Value("SELECT quote_ident(tgname) FROM pg_trigger WHERE tgname LIKE '~pgalter%'");
    database_.Sql(fmt::format(fmt::runtime(touch), name, Add(UndoneRow(0))));
    const Ran ran = Run({"resume", RunId()});
    EXPECT_EQ(ran.code, 7) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("was switched off, changed or dropped by somebody else"));
    EXPECT_EQ(StateOfRun(), "failed");
    EXPECT_EQ(Run({"cleanup", "--yes"}).code, 0);
    ExpectNoTrigger();
  }
}

// Also where it is touched while nothing is left but the last look.
TEST_F(Once, ATriggerTouchedAtTheEndIsNoticed) {
  MakeRows();
  KillAt("scan-done");
  EXPECT_EQ(Wrong(), 0);
  const std::string name =
      database_.Value("SELECT quote_ident(tgname) FROM pg_trigger WHERE tgname LIKE '~pgalter%'");
  database_.Sql(fmt::format("ALTER TABLE t DISABLE TRIGGER {}", name));
  EXPECT_EQ(Run({"resume", RunId()}).code, 7);
}

TEST_F(Once, AFileThatKeepsItsVersionsIsGoneOnWith) {
  MakeRows();
  KillInTheMiddle();
  database_.Sql("VACUUM FULL t");
  database_.Sql(Add(DoneRow(0)) + Add(UndoneRow(0)));
  database_.Sql("CLUSTER t USING t_pkey");
  ResumeToTheEnd();
  ExpectOnce();
}

TEST_F(Once, ACopyWhoseVersionsSayNothingIsRefused) {
  const auto resumed = [&](const std::string& off) {
    database_.Sql("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgalter CASCADE");
    MakeRows();
    KillInTheMiddle();
    database_.Sql("ALTER TABLE t ALTER u TYPE bigint");
    return Run({"resume", RunId()}, {"PGALTER_SAFEGUARDS_OFF=" + off});
  };
  const Ran ran = resumed("none");
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("was copied into another file meanwhile"));
  EXPECT_EQ(Run({"cleanup", "--yes"}).code, 0);
  ExpectNoTrigger();
  // Done, as it seems, with rows that are not.
  EXPECT_EQ(resumed("once-copied").code, 0);
  EXPECT_GT(Wrong(), 0);
}

// Before the first chunk has seen the file.
TEST_F(Once, SoIsOneMadeRightBehindTheTrigger) {
  MakeRows();
  KillAt("trigger-made");
  database_.Sql("ALTER TABLE t ALTER u TYPE bigint");
  EXPECT_EQ(Run({"resume", RunId()}).code, 4);
}

TEST_F(Once, AnEmptiedTableIsGoneOnWith) {
  MakeRows();
  KillInTheMiddle();
  database_.Sql("TRUNCATE t");
  ResumeToTheEnd();
  ExpectNothingLeft();
}

// Who takes the trigger away ends the run for good: another one would do rows twice.
TEST_F(Once, IsNotGoneOnWithWithoutItsTrigger) {
  MakeRows();
  ASSERT_EQ(Run(Update("UPDATE t SET n = n + 1 / (12000 - id)")).code, 1);
  EXPECT_EQ(Run({"cleanup", "--yes"}).code, 0);
  ExpectNoTrigger();
  database_.Sql("DELETE FROM t WHERE id = 12000");
  EXPECT_EQ(Run({"resume", RunId()}).code, 7);
}

// By the run, and to who writes to it meanwhile.
TEST_F(Once, AValueThatCannotBeStoredIsNamed) {
  MakeRows();
  database_.Sql("UPDATE t SET k = 0 WHERE id = 777");
  const Ran ran = Run(Update("UPDATE t SET n = n + 1 / k"));
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("{\"id\": 777}"));
  EXPECT_THAT(ran.err, HasSubstr("until pgalter cleanup takes the trigger away"));
  database_.Sql("UPDATE t SET k = 1 WHERE id <> 777");
  EXPECT_THROW(database_.Sql("UPDATE t SET u = u WHERE id = 777"), SqlError);
  database_.Sql("UPDATE t SET k = 1 WHERE id = 777");
  ResumeToTheEnd();
  ExpectOnce();
}

// Every point that such a run passes.
constexpr const char* kOncePoints[] = {
    "backfill-settled", "trigger-in-ledger", "trigger-made",         "chunk-checked",
    "chunk-checked:3",  "chunk-updated",     "chunk-updated:3",      "chunk-recorded:3",
    "chunk-committed",  "chunk-committed:5", "group-done",           "scan-done",
    "once-over",        "once-released",     "step-done-unrecorded", "step-recorded"};

class OnceKilledAt : public OnceWorld, public ::testing::WithParamInterface<const char*> {};

TEST_P(OnceKilledAt, EachRowIsChangedOnce) {
  MakeRows();
  KillAt(GetParam());
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1 WHERE id % 2 = 0");
  const Ran again = Run({"resume", RunId()}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_TRUE(again.code == 0 || again.code == kKilled) << again.err;
  database_.Sql("UPDATE t SET n = n + 10, u = u + 1 WHERE id % 3 = 0");
  if (again.code == kKilled) ResumeToTheEnd();
  // Where it was made only then, what came before is as before it.
  ExpectOnce();
}

INSTANTIATE_TEST_SUITE_P(Points, OnceKilledAt, ::testing::ValuesIn(kOncePoints),
                         [](const auto& point) {
                           return std::regex_replace(std::string(point.param), std::regex("[-:]"),
                                                     "_");
                         });

}  // namespace
}  // namespace pgalter::test
