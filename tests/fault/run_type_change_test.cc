// What users do to a table while `pgalter run` changes the type of a column by a second one beside
// it: no value is lost and none is another one than a plain ALTER TABLE would have made; what
// cannot come along is refused by name, before the old column goes.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <vector>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TypeChange : public RunWorld {
 protected:
  static constexpr int kRows = 1'000;

  void MakeTable() const {
    database_.Sql(fmt::format(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(0, 9999);"
        "CREATE TABLE t (id int PRIMARY KEY, c int, at timestamp, d date, note text);"
        "INSERT INTO t SELECT n, n, timestamp '2026-01-01' + n * interval '1 hour',"
        " date '2026-01-02' + n % 20, 'x' FROM generate_series(1, {}) n",
        kRows));
  }
  [[nodiscard]] Ran Begin(const std::string& sql, const Words& more = {}) const {
    Words words{"run", "--sql", sql, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  [[nodiscard]] Ran Resume(const std::string& through = "contract") const {
    return Run({"resume", RunId(), "--through", through});
  }
  void ToGate(const std::string& sql) const {
    const Ran ran = Begin(sql);
    ASSERT_EQ(ran.code, 0) << ran.err;
    ASSERT_EQ(StateOfRun(), "waiting");
  }
  void ExpectEnd() const {
    const Ran ran = Resume();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(StateOfRun(), "done");
  }
  // Before there is anything to take back.
  void ExpectRefused(const std::string& sql, const std::string& why) const {
    const std::string before = Dump();
    const Ran ran = Begin(sql);
    EXPECT_EQ(ran.code, 4);
    EXPECT_THAT(ran.err, HasSubstr(why));
    EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL"), "t");
    EXPECT_EQ(Dump(), before);
  }
};

constexpr const char* kWider = "ALTER TABLE t ALTER c TYPE bigint";

TEST_F(TypeChange, ChangesThatTheTriggerDidNotSeeComeAlong) {
  for (const char* again :
       {"ALTER TABLE t ENABLE TRIGGER USER", "SELECT 1",
        "CREATE OR REPLACE FUNCTION pgalter_sync_t_c() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN new.pgalter_new_c := 0; RETURN new; END'; ALTER TABLE t ENABLE TRIGGER USER"}) {
    SCOPED_TRACE(again);
    database_.Sql("DROP SCHEMA IF EXISTS pgalter CASCADE; DROP TABLE IF EXISTS t, p");
    MakeTable();
    ToGate(kWider);
    database_.Sql(fmt::format(
        "BEGIN; ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET c = id + 1000000 WHERE id % 2 = 0;"
        "UPDATE t SET c = NULL WHERE id % 5 = 0; {}; COMMIT",
        again));
    ExpectEnd();
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE c IS DISTINCT FROM CASE WHEN id % 5 > 0 THEN"
                     " id + CASE id % 2 WHEN 0 THEN 1000000 ELSE 0 END END"),
              0);
  }
}

TEST_F(TypeChange, WhereValuesCannotBeComparedATouchedTriggerIsRefused) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION wide(int) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'");
  ToGate("ALTER TABLE t ALTER c TYPE bigint USING wide(c)");
  database_.Sql(
      "BEGIN; ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET c = c + 1000000;"
      "ALTER TABLE t ENABLE TRIGGER USER; COMMIT");
  const Ran ran = Resume();
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("was switched off"));
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE c > 1000000"), kRows);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass"), 0);
}

TEST_F(TypeChange, ValuesAreMadeUnderTheSettingsOfTheRun) {
  MakeTable();
  database_.Sql(
      fmt::format("ALTER DATABASE {0} SET timezone = 'UTC';"
                  "ALTER DATABASE {0} SET datestyle = 'ISO, MDY'",
                  database_.Value("SELECT current_database()")));
  ToGate("ALTER TABLE t ALTER at TYPE timestamptz, ALTER d TYPE text");
  Session elsewhere = database_.Connect();
  elsewhere.Exec("SET timezone = 'Asia/Tokyo'; SET datestyle = 'SQL, DMY'");
  elsewhere.Exec("UPDATE t SET note = 'y' WHERE id % 3 = 0");
  elsewhere.Exec("UPDATE t SET at = at, d = d WHERE id % 3 = 1");
  elsewhere.Exec("INSERT INTO t VALUES (5000, 1, '2026-01-01 12:00', '2026-02-03', 'new')");
  for (int gate = 0; StateOfRun() == "waiting" && gate < 4; ++gate) EXPECT_EQ(Resume().code, 0);
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE id < 5000 AND (at <> (timestamp '2026-01-01' + id"
                   " * interval '1 hour') AT TIME ZONE 'UTC' OR d <> to_char(date '2026-01-02' + id"
                   " % 20, 'YYYY-MM-DD'))"),
            0);
  EXPECT_EQ(database_.Value("SELECT d || ' ' || (at AT TIME ZONE 'UTC') FROM t WHERE id = 5000"),
            "2026-02-03 2026-01-01 12:00:00");
}

// Only the settings of the run know the function that the expression names.
TEST_F(TypeChange, UsersOfAnotherSearchPathWriteAsBefore) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION wide(int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'");
  ToGate("ALTER TABLE t ALTER c TYPE bigint USING wide(c)");
  Session elsewhere = database_.Connect();
  elsewhere.Exec("SET search_path = pg_catalog");
  elsewhere.Exec("UPDATE public.t SET c = 77 WHERE id = 1");
  ExpectEnd();
  EXPECT_EQ(Number("SELECT c FROM t WHERE id = 1"), 78);
}

TEST_F(TypeChange, TriggersOfUsersHaveTheirSayBeforeTheValueIsMade) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION tenfold() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN new.c := new.c * 10; RETURN new; END';"
      "CREATE TRIGGER zz_round BEFORE INSERT OR UPDATE OF note ON t FOR EACH ROW"
      " EXECUTE FUNCTION tenfold()");
  ToGate(kWider);
  database_.Sql("UPDATE t SET note = 'q' WHERE id % 2 = 0");
  // As if it had never fired: compared, the rows would be mended.
  database_.Sql("CREATE TABLE held AS SELECT id FROM t WHERE pgalter_new_c <> c");
  EXPECT_EQ(Number("SELECT count(*) FROM held"), 0);
  ExpectEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE c <> id * CASE id % 2 WHEN 0 THEN 10 ELSE 1 END"),
            0);
}

TEST_F(TypeChange, TriggersThatFireBehindItsOwnAreRefused) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION tenfold() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN new.c := new.c * 10; RETURN new; END'");
  const std::string before = Dump();
  const std::string behind =
      "CREATE TRIGGER \"überall\" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tenfold()";
  database_.Sql(fmt::format("{}; ALTER TRIGGER \"überall\" ON t RENAME TO \"änder\"", behind));
  ExpectRefused(kWider, "trigger \"änder\" of t fires behind");
  database_.Sql("DROP TRIGGER \"änder\" ON t");
  EXPECT_EQ(Dump(), before);
  ToGate(kWider);
  database_.Sql(behind);
  const Words name{"resume", RunId(), "--gate", "swap-c"};
  EXPECT_EQ(Run(name).code, 0) << "the gate tells of it, once";
  const Ran ran = Run(name);
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("fires behind"));
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
}

TEST_F(TypeChange, ATableWhoseRowsAreValuesElsewhereIsRefused) {
  for (const char* uses :
       {"CREATE TABLE uses (x t[])",
        "CREATE DOMAIN of_t AS t; CREATE TYPE has_t AS (n int, r of_t); CREATE TABLE uses (x "
        "has_t[])",
        "CREATE TYPE has_t AS RANGE (SUBTYPE = t); CREATE MATERIALIZED VIEW uses AS SELECT"
        " NULL::has_t AS x"}) {
    SCOPED_TRACE(uses);
    database_.Sql(
        "DROP SCHEMA IF EXISTS pgalter CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    MakeTable();
    ToGate(kWider);
    database_.Sql(uses);
    const Ran at_gate = Resume();
    EXPECT_NE(at_gate.code, 0);
    EXPECT_THAT(at_gate.err, HasSubstr("column x of uses holds rows of t"));
    EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
    database_.Sql("DROP SCHEMA pgalter CASCADE");
    const std::string with = Dump();
    const Ran anew = Begin(kWider);
    EXPECT_NE(anew.code, 0);
    EXPECT_THAT(anew.err, HasSubstr("column x of uses holds "));
    EXPECT_EQ(Dump(), with);
  }
}

struct Hanger {
  const char* make;
  const char* told;
  const char* drop;
};

// Between the plan and its gate, which has noted nothing yet.
// A transaction that keeps its snapshot, and comes to the table after the column has changed.
constexpr const char* kLook = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM p";
constexpr const char* kValues = "SELECT count(*) - count(c) FROM t";

TEST_F(TypeChange, ASnapshotFromBeforeIsWaitedFor) {
  MakeTable();
  Session old = database_.Connect();
  old.Exec(kLook);
  ToGate(kWider);
  Program program = Start({"resume", RunId(), "--through", "contract"});
  database_.AwaitValue(
      fmt::format("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '% so far: pid "
                  "{} %snapshot%pg_terminate_backend({})%'",
                  old.backend_pid(), old.backend_pid()),
      "1", kLimit);
  EXPECT_EQ(old.Value(kValues), "0");
  old.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(database_.Value(kValues), "0");
}

TEST_F(TypeChange, WithoutThatItWouldReadNoValue) {
  MakeTable();
  Session old = database_.Connect();
  old.Exec(kLook);
  ToGate(kWider);
  const Ran ran =
      Run({"resume", RunId(), "--through", "contract"}, {"PGALTER_SAFEGUARDS_OFF=old-snapshots"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(old.Value(kValues), std::to_string(kRows));
}

TEST_F(TypeChange, WhatUsersHangOnTheColumnMeanwhileIsNotTakenAlong) {
  const std::vector<Hanger> hangers{
      {"CREATE INDEX h ON t (c)", "index h", "DROP INDEX h"},
      {"CREATE UNIQUE INDEX h ON t (id) INCLUDE (c)", "index h", "DROP INDEX h"},
      {"ALTER TABLE t ADD CONSTRAINT h UNIQUE (c, id)", "constraint h on table t",
       "ALTER TABLE t DROP CONSTRAINT h"},
      {"ALTER TABLE t ADD CONSTRAINT h CHECK (c > -5)", "constraint h on table t",
       "ALTER TABLE t DROP CONSTRAINT h"},
      {"ALTER TABLE t ADD CONSTRAINT h FOREIGN KEY (c) REFERENCES p", "constraint h on table t",
       "ALTER TABLE t DROP CONSTRAINT h"},
      {"ALTER TABLE t ALTER c SET NOT NULL", "NOT NULL was set on column c",
       "ALTER TABLE t ALTER c DROP NOT NULL"},
      {"CREATE TRIGGER h BEFORE UPDATE OF c ON t FOR EACH ROW EXECUTE FUNCTION"
       " suppress_redundant_updates_trigger()",
       "trigger h on table t", "DROP TRIGGER h ON t"},
      {"CREATE POLICY h ON t USING (c > 0)", "policy h on table t", "DROP POLICY h ON t"},
      {"CREATE VIEW h AS SELECT c FROM t", "view h", "DROP VIEW h"},
      {"CREATE FUNCTION h() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(c) FROM t; END",
       "function h()", "DROP FUNCTION h"},
  };
  MakeTable();
  const Ran begun = Begin(kWider, {"--through", "expand"});
  ASSERT_EQ(begun.code, 0) << begun.err;
  for (const Hanger& hanger : hangers) {
    SCOPED_TRACE(hanger.make);
    database_.Sql(hanger.make);
    const Ran ran = Resume();
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr(hanger.told));
    database_.Sql(hanger.drop);
    if (StateOfRun() == "done") break;
  }
  database_.Sql(
      "ALTER TABLE t ALTER c SET DEFAULT 17; COMMENT ON COLUMN t.c IS 'hello';"
      "CREATE STATISTICS s ON c, id FROM t");
  ExpectEnd();
  EXPECT_EQ(database_.Value("SELECT format('%s %s', pg_get_expr(adbin, adrelid), col_description("
                            "adrelid, adnum)) FROM pg_attrdef WHERE adrelid = 't'::regclass"),
            "17 hello");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_statistic_ext"), 1);
}

// What no plan takes along is told before there is anything to take back.
TEST_F(TypeChange, WhatNoPlanTakesAlongIsToldBeforeAnyWork) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION h() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(c) FROM t; END");
  ExpectRefused(kWider, "function h() depends on column c of t");
  database_.Sql(
      "DROP FUNCTION h; CREATE TABLE o (x int); CREATE POLICY h ON o USING (EXISTS (SELECT FROM t "
      "WHERE c = x))");
  ExpectRefused(kWider, "policy h on table o depends on column c of t");
  database_.Sql("DROP TABLE o; CREATE RULE h AS ON UPDATE TO t WHERE new.c > 5 DO NOTHING");
  ExpectRefused(kWider, "rule h on table t depends on column c of t");
  database_.Sql("DROP RULE h ON t");
  if (Number("SHOW server_version_num") < 150000) return;
  database_.Sql("CREATE PUBLICATION h FOR TABLE t (id, c)");
  ExpectRefused(kWider, "in publication h depends on column c of t");
}

TEST_F(TypeChange, NothingThatHangsOnAViewIsLost) {
  MakeTable();
  database_.Sql(
      "CREATE VIEW v AS SELECT id, c FROM t;"
      "CREATE FUNCTION h() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(c) FROM v; END");
  ExpectRefused(kWider, "function h() depends on view public.v");
  database_.Sql("DROP FUNCTION h");
  ToGate(kWider);
  database_.Sql("CREATE MATERIALIZED VIEW m AS SELECT id FROM v");
  const Ran ran = Resume();
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("materialized view m depends on view public.v"));
  database_.Sql("DROP MATERIALIZED VIEW m");
  ExpectEnd();
}

class OfIdentity : public TypeChange {
 protected:
  void MakeTable() const {
    database_.Sql(
        "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v int);"
        "INSERT INTO t (v) SELECT generate_series(1, 100)");
  }
  static constexpr const char* kChange = "ALTER TABLE t ALTER id TYPE bigint";
};

// The swap holds before it drops the old column: its sequence was read by then.
TEST_F(OfIdentity, NoNumberIsGivenTwice) {
  MakeTable();
  ToGate(kChange);
  Session barrier = database_.Connect();
  barrier.Exec("SELECT pg_advisory_lock(7)");
  database_.Sql(
      "CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN WHILE "
      "current_query() LIKE '%DROP COLUMN id' AND NOT pg_try_advisory_xact_lock_shared(7) LOOP "
      "PERFORM pg_sleep(0.01); END LOOP; END $$;"
      "CREATE EVENT TRIGGER held ON ddl_command_start EXECUTE FUNCTION hold()");
  Program resumed = Start({"resume", RunId(), "--through", "contract"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%DROP COLUMN id' AND "
      "application_name LIKE 'pgalter/%' AND state = 'active'",
      "t", kLimit);
  Session user = database_.Connect();
  user.Exec("SET lock_timeout = '300ms'");
  std::string taken = "none";
  try {
    taken = user.Value("SELECT nextval('t_id_seq')");
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "55P03");
  }
  barrier.Exec("SELECT pg_advisory_unlock(7)");
  const Ran ran = resumed.Wait();
  EXPECT_EQ(ran.code, 0) << ran.err;
  database_.Sql("DROP EVENT TRIGGER held");
  EXPECT_NE(database_.Value("INSERT INTO t (v) VALUES (1) RETURNING id"), taken);
  EXPECT_EQ(Number("SELECT max(id) FROM t"), 101);
}

TEST_F(OfIdentity, ASequenceThatWasSetGoesOnFromThere) {
  MakeTable();
  database_.Sql("SELECT setval('t_id_seq', 700, false)");
  ToGate(kChange);
  ExpectEnd();
  EXPECT_EQ(database_.Value("INSERT INTO t (v) VALUES (1) RETURNING id"), "700");
}

TEST_F(OfIdentity, WhatElseTakesItsNumbersIsToldBeforeAnyWork) {
  MakeTable();
  database_.Sql("CREATE TABLE other (n bigint DEFAULT nextval('t_id_seq'))");
  ExpectRefused(kChange, "default value for column n of table other depends on the sequence of");
}

TEST_F(TypeChange, ASequenceThatIsOwnedMeanwhileIsNotTakenAlong) {
  MakeTable();
  ToGate(kWider);
  database_.Sql("CREATE SEQUENCE s OWNED BY t.c");
  const Ran ran = Resume();
  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("sequence s depends on column c of t"));
  database_.Sql("ALTER SEQUENCE s OWNED BY NONE");
  ExpectEnd();
}

// The plain statement asks whoever runs it, and no user.
TEST_F(TypeChange, UsersNeedNoRightToWhatMakesTheValue) {
  MakeTable();
  database_.Sql(
      "DROP ROLE IF EXISTS tc_user; CREATE ROLE tc_user; CREATE SCHEMA mig;"
      "CREATE FUNCTION mig.wide(int) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';"
      "REVOKE ALL ON FUNCTION mig.wide FROM PUBLIC; GRANT INSERT, UPDATE, SELECT ON t TO tc_user");
  ToGate("ALTER TABLE t ALTER c TYPE bigint USING mig.wide(c)");
  EXPECT_EQ(database_.Value("SELECT prosecdef AND NOT has_function_privilege('tc_user', oid, "
                            "'EXECUTE') FROM pg_proc WHERE proname = 'pgalter_sync_t_c'"),
            "t");
  Session user = database_.Connect();
  user.Exec("SET ROLE tc_user");
  user.Exec("UPDATE t SET c = 77 WHERE id = 1; INSERT INTO t (id, c) VALUES (5000, 99)");
  ExpectEnd();
  EXPECT_EQ(database_.Value("SELECT string_agg(c::text, ' ' ORDER BY id) FROM t WHERE id IN (1, "
                            "5000)"),
            "78 100");
  database_.Sql("DROP OWNED BY tc_user; DROP ROLE tc_user");
}

// Who does not know the new column stops at the first row that has it.
TEST_F(TypeChange, ASubscriberIsThoughtOfBefore) {
  MakeTable();
  const std::string adds = "On every subscriber first: ALTER TABLE";
  const std::string behind = "there as well: ALTER TABLE public.t ALTER c TYPE bigint; behind it";
  const auto said = [&](const std::string& sql) { return Run({"plan", "--sql", sql}).out; };
  EXPECT_THAT(said(kWider), Not(HasSubstr(adds)));
  std::vector<std::string> kinds{"FOR TABLE t", "FOR ALL TABLES"};
  const bool lists = Number("SHOW server_version_num") >= 150000;
  if (lists) kinds.emplace_back("FOR TABLES IN SCHEMA public");
  for (const std::string& kind : kinds) {
    SCOPED_TRACE(kind);
    database_.Sql("DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub " + kind);
    EXPECT_THAT(
        said("ALTER TABLE public.t ALTER c TYPE bigint"),
        AllOf(HasSubstr("publication pub sends public.t:"), HasSubstr(adds), HasSubstr(behind)));
    EXPECT_THAT(said("ALTER TABLE t ADD u uuid DEFAULT gen_random_uuid()"),
                HasSubstr(adds + " public.t ADD COLUMN u uuid"));
  }
  if (!lists) return;
  database_.Sql("DROP PUBLICATION pub; CREATE PUBLICATION pub FOR TABLE t (id, note)");
  EXPECT_THAT(said(kWider), Not(HasSubstr(adds)));
}

// Rows are sent by the names that are here when they are written.
TEST_F(TypeChange, ASubscriberIsToldOfNewNames) {
  MakeTable();
  const auto said = [&](const std::string& sql) { return Run({"plan", "--sql", sql}).out; };
  const std::string behind = "rows that are written behind step ";
  const std::vector<std::pair<std::string, std::vector<std::string>>> statements{
      {"ALTER TABLE t RENAME COLUMN c TO renamed",
       {behind + "1.1-ddl",
        "stopped: ALTER TABLE t RENAME TO pgalter_base_t; ALTER TABLE "
        "pgalter_base_t RENAME COLUMN c TO renamed.",
        behind + "1.3-ddl", "stopped: ALTER TABLE pgalter_base_t RENAME TO t."}},
      {"ALTER TABLE t RENAME TO u", {behind + "1.1-ddl", "stopped: ALTER TABLE t RENAME TO u."}},
      {"ALTER TABLE t DROP COLUMN c", {"RENAME COLUMN c TO pgalter_dropped_c."}}};
  for (const auto& [sql, texts] : statements) EXPECT_THAT(said(sql), Not(HasSubstr(behind)));
  database_.Sql("CREATE PUBLICATION pub FOR TABLE t");
  for (const auto& [sql, texts] : statements)
    for (const std::string& text : texts) EXPECT_THAT(said(sql), HasSubstr(text));
}

TEST_F(TypeChange, ASubscriptionThatWritesIsThoughtOf) {
  MakeTable();
  const auto said = [&] { return Run({"plan", "--sql", "ALTER TABLE t RENAME TO u"}).out; };
  EXPECT_THAT(said(), Not(HasSubstr("writes into")));
  database_.Sql(
      "CREATE SUBSCRIPTION sub CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false)");
  database_.Sql(
      "INSERT INTO pg_subscription_rel SELECT oid, 't'::regclass, 'r' FROM pg_subscription "
      "WHERE subname = 'sub'");
  EXPECT_THAT(said(), HasSubstr("subscription sub writes into public.t: behind step 1.1-ddl"));
  database_.Sql("ALTER SUBSCRIPTION sub SET (slot_name = NONE)");
  database_.Sql("DROP SUBSCRIPTION sub");
}

}  // namespace
}  // namespace pgalter::test
