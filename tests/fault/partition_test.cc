// A plain table becomes partitioned under its users, and plain again: no row is lost, none is
// copied, and what hangs on the table is there before and after.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

#include "tests/fault/partition_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(Partitioned, UnderItsUsersAndBack) {
  MakeEvents();
  Users users(database_.conninfo(), 1);
  const Ran converted = Run(Convert());
  ASSERT_EQ(converted.code, 0) << converted.err;
  ExpectPartitioned();
  users.ahead = true;
  users.AwaitWrites(500);
  EXPECT_GT(Number("SELECT count(*) FROM events WHERE made > now() + interval '3 months'"), 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.AwaitWrites(100);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain("reverted");
  ExpectSame();
}

// nextval() holds no lock on the table. The cut-over is held with all locks that it has by then.
TEST_F(Partitioned, WhoAsksTheSequenceInTheCutOverGetsANumber) {
  if (Number("SHOW server_version_num") >= 170000) GTEST_SKIP() << "a partition has no identity";
  MakeEvents(500);
  Session barrier = database_.Connect();
  barrier.Exec("SELECT pg_advisory_lock(7)");
  database_.Sql(
      "CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN WHILE "
      "current_query() LIKE '% ATTACH PARTITION %' AND NOT pg_try_advisory_xact_lock_shared(7) "
      "LOOP "
      "PERFORM pg_sleep(0.01); END LOOP; END $$; CREATE EVENT TRIGGER held ON ddl_command_start "
      "WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION hold()");
  Program program = Start(Convert());
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '% ATTACH PARTITION %' AND "
      "wait_event = 'PgSleep' AND application_name LIKE 'pgalter/%'",
      "t", kLimit);
  Session late = database_.Connect();
  late.Send("SELECT nextval('events_id_seq')");
  database_.AwaitLockWait(late.backend_pid());
  barrier.Exec("SELECT pg_advisory_unlock(7)");
  EXPECT_EQ(late.Wait(kLimit).at(0).at(0), "501");
  const Ran converted = program.Wait(kLimit);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_GT(Number("INSERT INTO events (made, kind) VALUES (now(), 1) RETURNING id"), 501);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relname <> "
                   "'events_id_seq' AND relnamespace = 'public'::regnamespace"),
            0);
  ExpectPartitioned();
}

// The server counts what a cut-over reads; to scan the table for ATTACH would be one more. Counts
// come when a session ends: only then are they all there.
TEST_F(Partitioned, ReadsNoRowUnderTheLock) {
  if (Number("SHOW server_version_num") < 150000) GTEST_SKIP() << "14 collects statistics late";
  const char* const scans =
      "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname LIKE 'events\\_until%'";
  MakeEvents();
  database_.Sql("VACUUM ANALYZE events");
  ASSERT_EQ(Run(Convert(), {"PGALTER_FAIL_POINT=attached"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql("SELECT pg_stat_reset()");
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  AwaitNoRunner();
  EXPECT_EQ(database_.Value(scans), "0");
  ExpectPartitioned();
  // Attached by hand, without a CHECK, it is read.
  const std::string part = database_.Value(
      "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'events'::regclass AND "
      "inhrelid::regclass::text LIKE 'events\\_until%'");
  const std::string bound = database_.Value(fmt::format(
      "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '{}'::regclass", part));
  database_.Sql(fmt::format(
      "ALTER TABLE events DETACH PARTITION {0}; ALTER TABLE events ATTACH PARTITION {0} {1}", part,
      bound));
  database_.AwaitValue(scans, "1", kLimit);
}

TEST_F(Partitioned, ForeignKeysThatHoldTheColumnStayAndAreValid) {
  database_.Sql(
      "CREATE TABLE events (id int, made timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (id, "
      "made)); INSERT INTO events VALUES (1); CREATE TABLE line (e int, m timestamptz, CONSTRAINT "
      "of_event FOREIGN KEY (e, m) REFERENCES events); INSERT INTO line SELECT * FROM events");
  const Ran converted = Run(Convert());
  ASSERT_EQ(converted.code, 0) << converted.err;
  const char* const valid =
      "SELECT confrelid::regclass || ' ' || convalidated FROM pg_constraint WHERE conname = "
      "'of_event'";
  EXPECT_EQ(database_.Value(valid), "events true");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value(valid), "events true");
  EXPECT_EQ(Number("SELECT count(*) FROM events"), 1);
}

TEST_F(Partitioned, ATableWithAnAccentOfAGroup) {
  const std::string role = "partition_group_" + std::to_string(getpid());
  database_.Sql(fmt::format(
      "CREATE ROLE {0}; GRANT ALL ON SCHEMA public TO {0}; CREATE TABLE \"menü\" (id int GENERATED "
      "ALWAYS AS IDENTITY PRIMARY KEY, made date NOT NULL); ALTER TABLE \"menü\" OWNER TO {0}; "
      "INSERT "
      "INTO \"menü\" (made) VALUES (current_date); GRANT SELECT ON \"menü\" TO pg_monitor WITH "
      "GRANT "
      "OPTION; SET ROLE pg_monitor; GRANT SELECT ON \"menü\" TO pg_read_all_stats; RESET ROLE",
      role));
  const Ran converted = Run(
      {"partition", "convert", "\"menü\"", "--by", "range(made)", "--every", "1 month", "--yes"});
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(
      database_.Value("SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class "
                      "WHERE relname LIKE 'menü%'"),
      role);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  database_.Sql(fmt::format("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", role));
}

TEST_F(Partitioned, RefusesARevertThatAKeyForbids) {
  MakeEvents();
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql(
      "ALTER TABLE events DISABLE TRIGGER mirrored; INSERT INTO events (id, made, kind) OVERRIDING "
      "SYSTEM VALUE VALUES (7, now() + interval '100 days', 1)");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err,
              HasSubstr("SELECT id FROM public.events GROUP BY id HAVING count(*) > 1"));
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "p");
  // Nothing is left that would keep users from what they may do.
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_back%'"), 0);
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.step WHERE state <> 'done'"), 0);
  database_.Sql("DELETE FROM events WHERE id = 7 AND made > now()");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "r");
}

TEST_F(Partitioned, FinishesWhatAKeyForbidsToRevert) {
  MakeEvents();
  ASSERT_EQ(Run(Convert()).code, 0);
  const std::string run = RunId();
  database_.Sql(
      "ALTER TABLE events DISABLE TRIGGER mirrored; INSERT INTO events (id, made, kind) OVERRIDING "
      "SYSTEM VALUE VALUES (7, now() + interval '100 days', 1)");
  EXPECT_EQ(Run({"revert", run, "--yes"}, {"PGALTER_FAIL_POINT=index-in-ledger"}).code, kKilled);
  AwaitNoRunner();
  const Ran reverted = Run({"revert", run, "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("pgalter finish " + run));
  const Ran finished = Run({"finish", run, "--yes"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  ExpectNothingOfOurs();
  const Ran aborted = Run({"abort", run, "--yes"});
  EXPECT_EQ(aborted.code, 4) << aborted.err;
  EXPECT_THAT(aborted.err, HasSubstr("is done and finished: there is nothing to abort"));
  EXPECT_THAT(aborted.err, HasSubstr("pgalter partition undo"));
  const Ran late = Run({"revert", run, "--yes"});
  EXPECT_EQ(late.code, 4) << late.err;
  EXPECT_THAT(late.err, HasSubstr("pgalter partition undo"));
  const Ran maintained = Run({"partition", "maintain", "events", "--yes"});
  EXPECT_EQ(maintained.code, 0) << maintained.err;
}

// What is not there any more cannot be made plain again, and nothing is said to have been.
TEST_F(Partitioned, RefusesARevertWithoutTheTableOfThen) {
  MakeEvents();
  ASSERT_EQ(Run(Convert()).code, 0);
  const std::string run = RunId();
  const std::string first = database_.Value(
      "SELECT inhrelid::regclass FROM pg_inherits WHERE inhrelid::regclass::text LIKE "
      "'events_until_%'");
  const std::string to = database_.Value(
      fmt::format("SET TimeZone = 'UTC'; SELECT (regexp_match(pg_get_expr(relpartbound, oid), 'TO "
                  "\\(''([^'']+)'))[1] FROM pg_class WHERE oid = '{}'::regclass",
                  first));
  ASSERT_EQ(Run({"partition", "detach", first, "--yes"}).code, 0);
  const Ran refused = Run({"revert", run, "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err,
              HasSubstr(fmt::format("public.{0} is no partition of public.events any more. pgalter "
                                    "partition attach public.{0} --as public.events --from "
                                    "MINVALUE --to '{1}' --yes",
                                    first, to)));
  EXPECT_EQ(database_.Value(fmt::format("SELECT state FROM pgalter.run WHERE run = '{}'", run)),
            "done");
  const Ran attached = Run(
      {"partition", "attach", first, "--as", "events", "--from", "MINVALUE", "--to", to, "--yes"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  const Ran reverted = Run({"revert", run, "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "r");
  ExpectSame();
}

TEST_F(Partitioned, RefusesARevertUnderAnotherName) {
  MakeEvents(100);
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("ALTER TABLE events RENAME TO happenings");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("is a partition of public.happenings now: rename that to "
                                     "public.events"));
  database_.Sql("ALTER TABLE happenings RENAME TO events");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
}

TEST_F(Partitioned, RefusesARevertOfWhatWasDroppedAndLetsItBeFinished) {
  MakeEvents();
  ASSERT_EQ(Run(Convert()).code, 0);
  database_.Sql("DROP TABLE " + database_.Value("SELECT inhrelid::regclass FROM pg_inherits WHERE "
                                                "inhrelid::regclass::text LIKE 'events_until_%'"));
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("which held the rows of then, was dropped"));
  EXPECT_EQ(StateOfRun(), "done");
  const Ran finished = Run({"finish", RunId(), "--yes"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  ExpectNothingOfOurs();
}

TEST_F(Partitioned, DroppedInboundKeysComeBackWithARevert) {
  MakeEvents();
  database_.Sql(
      "CREATE TABLE line (event bigint CONSTRAINT of_event REFERENCES events ON DELETE CASCADE); "
      "INSERT INTO line VALUES (3)");
  ASSERT_EQ(Run(Convert({"--inbound-fk", "drop"})).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_event'"), 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = "
                            "'of_event'"),
            "FOREIGN KEY (event) REFERENCES events(id) ON DELETE CASCADE");
}

struct CopyCase {
  const char* name;
  Words by;
  const char* partitions;
};

class PartitionCopied : public Partitioned, public ::testing::WithParamInterface<CopyCase> {};

TEST_P(PartitionCopied, UnderItsUsersAndBack) {
  MakeEvents(3000);
  // The oldest row, which no user reaches.
  database_.Sql(
      "INSERT INTO events (id, made, kind) OVERRIDING SYSTEM VALUE VALUES (100000, "
      "date_trunc('year', now()) - interval '2 years', 1)");
  Users users(database_.conninfo(), 6);
  Words words{"partition", "convert", "events", "--yes", "--strategy", "copy"};
  words.insert(words.end(), GetParam().by.begin(), GetParam().by.end());
  const Ran converted = Run(words);
  ASSERT_EQ(converted.code, 0) << converted.err;
  users.ahead = true;
  users.AwaitWrites(200);
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || pg_get_partkeydef('events'::regclass) FROM "
                            "pg_inherits WHERE inhparent = 'events'::regclass"),
            GetParam().partitions);
  EXPECT_EQ(database_.Value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_index x "
                            "JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = "
                            "'events'::regclass AND x.indisvalid"),
            "events_kind events_made events_pkey");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "r");
}

INSTANTIATE_TEST_SUITE_P(
    Divisions, PartitionCopied,
    ::testing::Values(CopyCase{"Hash", {"--by", "hash(id)", "--modulus", "4"}, "4 HASH (id)"},
                      CopyCase{
                          "List",
                          {"--by", "list(kind)", "--values", "low=0,1,2", "--values", "high=7,8,9"},
                          "3 LIST (kind)"},
                      // Three years with rows, two ahead, and the rest.
                      CopyCase{"Range",
                               {"--by", "range(made)", "--every", "1 year", "--premake", "2"},
                               "6 RANGE (made)"}),
    [](const auto& param) { return std::string(param.param.name); });

// A copy would have lost the one, and failed at its end for the other.
TEST_F(Partitioned, ACopyIsRefusedForWhatItCannotKeep) {
  MakeEvents(100);
  database_.Sql(
      "ALTER TABLE events ADD s tsrange, ADD CONSTRAINT e EXCLUDE USING gist (s WITH &&)");
  const Ran excludes = Run(Convert({"--strategy", "copy"}));
  EXPECT_EQ(excludes.code, 4) << excludes.err;
  EXPECT_THAT(excludes.err, HasSubstr("constraint e excludes rows"));
  database_.Sql(
      "ALTER TABLE events DROP CONSTRAINT e; CREATE VIEW w AS SELECT id, kind, count(*) FROM "
      "events "
      "GROUP BY id");
  const Ran leans = Run(Convert({"--strategy", "copy"}));
  EXPECT_EQ(leans.code, 4) << leans.err;
  EXPECT_THAT(leans.err, HasSubstr("view public.w leans on constraint events_pkey"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

// Of many partitions the swap takes longer than users wait for a table as a rule.
TEST_F(Partitioned, ACopyIsPutInPlaceOnceUsersMayWaitForIt) {
  MakeEvents(500);
  const Ran refused = Run(Convert({"--strategy", "copy", "--hold-budget", "1ms"}));
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("--hold-budget 1s"));
  ASSERT_EQ(Run({"resume", RunId(), "--hold-budget", "5min"}).code, 0);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran undone = Run({"partition", "undo", "events", "--yes", "--hold-budget", "5min"});
  EXPECT_EQ(undone.code, 0) << undone.err;
  ExpectSame();
  const Ran attached = Run(Convert({"--strategy", "attach", "--hold-budget", "5s"}));
  EXPECT_EQ(attached.code, 2) << attached.err;
}

class PartitionMaintained : public Partitioned {
 protected:
  [[nodiscard]] std::string Bounds(const std::string& table) const {
    return database_.Value(fmt::format(
        "SET TimeZone = 'UTC'; SELECT string_agg(regexp_replace(pg_get_expr(c.relpartbound, "
        "c.oid), "
        "'FOR VALUES FROM|[ ()'']|00:00:00', '', 'g'), ' ' ORDER BY c.relname) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{}'::regclass",
        table));
  }
};

TEST_F(PartitionMaintained, MakesWhatIsMissingAndNoMore) {
  database_.Sql(
      "CREATE TABLE t (id int, k int, note text) PARTITION BY RANGE (k); CREATE INDEX ON t (note);"
      "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100) WITH (fillfactor = 70);"
      "CREATE TABLE t_rest PARTITION OF t DEFAULT; INSERT INTO t SELECT g, g FROM "
      "generate_series(0, 99) g");
  const Ran ran = Run({"partition", "maintain", "t", "--premake", "2", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Bounds("t"), "0TO100 100TO200 200TO300 DEFAULT");
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_p%' AND relkind = 'r' AND "
             "reloptions = '{fillfactor=70}'"),
      2);
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND NOT indisvalid"), 0);
  const Ran again = Run({"partition", "maintain", "t", "--premake", "2", "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nothing to do"));
  EXPECT_EQ(Bounds("t"), "0TO100 100TO200 200TO300 DEFAULT");
}

TEST_F(PartitionMaintained, GoesOnInMonthsOfAZone) {
  database_.Sql(
      "CREATE TABLE t (made timestamptz NOT NULL) PARTITION BY RANGE (made);"
      "CREATE TABLE t_2089 PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2090-01-01 00:00 "
      "Europe/Berlin'); CREATE TABLE t_2090_01 PARTITION OF t FOR VALUES FROM ('2090-01-01 00:00 "
      "Europe/Berlin') TO ('2090-02-01 00:00 Europe/Berlin'); INSERT INTO t VALUES "
      "('2090-01-20')");
  const Ran ran = Run(
      {"partition", "maintain", "t", "--premake", "3", "--time-zone", "Europe/Berlin", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  // Summer time begins in March.
  EXPECT_EQ(Bounds("t"),
            "MINVALUETO2089-12-3123:00:00+00 2089-12-3123:00:00+00TO2090-01-3123:00:00+00 "
            "2090-01-3123:00:00+00TO2090-02-2823:00:00+00 "
            "2090-02-2823:00:00+00TO2090-03-3122:00:00+00 "
            "2090-03-3122:00:00+00TO2090-04-3022:00:00+00");
}

TEST_F(PartitionMaintained, MakesThemLikeTheirSiblings) {
  database_.Sql(
      "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor;"
      "CREATE TABLE t (k int NOT NULL) PARTITION BY RANGE (k); CREATE UNLOGGED TABLE t_a PARTITION "
      "OF "
      "t FOR VALUES FROM (0) TO (100); REVOKE ALL ON t, t_a FROM pg_monitor; ALTER TABLE t_a "
      "REPLICA "
      "IDENTITY FULL; ALTER TABLE t OWNER TO pg_read_all_stats; INSERT INTO t VALUES (5)");
  const Ran ran = Run({"partition", "maintain", "t", "--premake", "1", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT relpersistence::text || relreplident::text || ' ' || "
                            "pg_get_userbyid(relowner) || ' ' || (SELECT count(*) FROM "
                            "aclexplode(relacl) a WHERE a.grantee <> relowner) FROM pg_class WHERE "
                            "relname = 't_p100'"),
            "uf pg_read_all_stats 0");
}

TEST_F(PartitionMaintained, OfNumbersWithoutRowsThereIsNothingToDo) {
  database_.Sql(
      "CREATE TABLE t (k int) PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR VALUES "
      "FROM "
      "(0) TO (100)");
  const Ran ran = Run({"partition", "maintain", "t", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("nothing to do"));
}

TEST_F(PartitionMaintained, LeavesNoCalendar) {
  database_.Sql(
      "CREATE TABLE t (made timestamptz NOT NULL) PARTITION BY RANGE (made);"
      "CREATE TABLE t_2090_01 PARTITION OF t FOR VALUES FROM ('2090-01-01 00:00 Europe/Berlin') TO "
      "('2090-02-01 00:00 Europe/Berlin'); CREATE TABLE h (made timestamptz NOT NULL) PARTITION BY "
      "RANGE (made); CREATE TABLE h_1 PARTITION OF h FOR VALUES FROM ('2090-01-01 00:00+00') TO "
      "('2090-01-01 01:30+00')");
  const Ran zone = Run({"partition", "maintain", "t", "--yes"});
  EXPECT_EQ(zone.code, 2) << zone.err;
  EXPECT_THAT(zone.err, HasSubstr("--time-zone"));
  const Ran odd = Run({"partition", "maintain", "h", "--yes"});
  EXPECT_EQ(odd.code, 2) << odd.err;
  EXPECT_THAT(odd.err, HasSubstr("no whole number"));
}

TEST_F(PartitionMaintained, AfterAConversion) {
  MakeEvents(100);
  ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
  const Ran ran = Run({"partition", "maintain", "events", "--premake", "6", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT count(*) >= 7 FROM pg_inherits WHERE inhparent = "
                            "'events'::regclass"),
            "t");
  const Ran listed = Run({"partition", "list", "events"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("public.events by RANGE (made)"));
  EXPECT_THAT(listed.out, HasSubstr("MINVALUE"));
  EXPECT_THAT(listed.out, ::testing::Not(HasSubstr("there is no partition")));
}

TEST_F(PartitionMaintained, RefusesRowsThatAreInTheWay) {
  database_.Sql(
      "CREATE TABLE t (k int) PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR VALUES "
      "FROM (0) TO (100); CREATE TABLE t_rest PARTITION OF t DEFAULT; INSERT INTO t VALUES (5), "
      "(150); CREATE INDEX own ON t_rest (k)");
  const Ran ran = Run({"partition", "maintain", "t", "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("public.t_rest has 1 rows that belong into the partitions"));
  EXPECT_THAT(ran.err, HasSubstr("index public.own is on this partition alone"));
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_THAT(listed.out, HasSubstr("t_rest has rows"));
}

TEST_F(PartitionMaintained, AListShowsGapsAndPartsOfParts) {
  database_.Sql(
      "CREATE TABLE t (k int, h int) PARTITION BY RANGE (k); CREATE TABLE t_a PARTITION OF t FOR "
      "VALUES FROM (0) TO (100); CREATE TABLE t_b PARTITION OF t FOR VALUES FROM (1000) TO (1100) "
      "PARTITION BY HASH (h); CREATE TABLE t_b0 PARTITION OF t_b FOR VALUES WITH (MODULUS 1, "
      "REMAINDER 0)");
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("between 100 and 1000 there is no partition"));
  EXPECT_THAT(listed.out, HasSubstr("  public.t_b0"));
  const Ran json = Run({"partition", "list", "t", "--output", "json"});
  EXPECT_THAT(json.out, HasSubstr("\"by\":\"RANGE (k)\""));
}

// The order is that of the keys, whatever their text looks like, and each part is followed by its
// own.
TEST_F(PartitionMaintained, AListIsInTheOrderOfTheKeys) {
  database_.Sql(
      "CREATE TABLE t (k numeric(8,2), h int) PARTITION BY RANGE (k); CREATE TABLE t_9 PARTITION "
      "OF t FOR VALUES FROM (9) TO (10) PARTITION BY HASH (h); CREATE TABLE t_10 PARTITION OF t "
      "FOR VALUES FROM (10) TO (100) PARTITION BY HASH (h); CREATE TABLE t_100 PARTITION OF t FOR "
      "VALUES FROM (100) TO (200)");
  for (const char* part : {"t_9", "t_10"})
    for (int i = 0; i < 11; ++i)
      if (i != 2 || part == std::string("t_9"))
        database_.Sql(fmt::format(
            "CREATE TABLE {0}_{1} PARTITION OF {0} FOR VALUES WITH (MODULUS 11, REMAINDER {1})",
            part, i));
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  std::size_t before = 0;
  for (const char* part : {"public.t_9 ", "public.t_9_2 ", "public.t_9_10 ", "public.t_10 ",
                           "public.t_10_1 ", "public.t_10_10 ", "public.t_100 "}) {
    const std::size_t at = listed.out.find(part);
    ASSERT_NE(at, std::string::npos) << part << listed.out;
    EXPECT_GT(at, before) << part << listed.out;
    before = at;
  }
  EXPECT_THAT(listed.out, Not(HasSubstr("between")));
  EXPECT_THAT(listed.out, HasSubstr("note: in public.t_10, of modulus 11 there is no partition for "
                                    "remainder 2: rows that have it are refused"));
  EXPECT_THAT(listed.out, Not(HasSubstr("in public.t_9,")));
}

// Two columns have an order, too, but their text has not: nothing is said of gaps.
TEST_F(PartitionMaintained, AListOfRangesOfTwoColumnsMakesUpNoGaps) {
  database_.Sql(
      "CREATE TABLE t (a int, b int) PARTITION BY RANGE (a, b); CREATE TABLE t_1 PARTITION OF t "
      "FOR VALUES FROM (1, 1) TO (1, 9); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1, 9) TO "
      "(1, 10); CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (1, 10) TO (2, MAXVALUE)");
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, Not(HasSubstr("between")));
}

TEST_F(PartitionMaintained, RefusesWhatHasNoNextRange) {
  database_.Sql(
      "CREATE TABLE l (k int) PARTITION BY LIST (k); CREATE TABLE t (k int) PARTITION BY RANGE (k);"
      "CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (MAXVALUE); CREATE TABLE plain ()");
  const Ran list = Run({"partition", "maintain", "l", "--yes"});
  EXPECT_EQ(list.code, 2);
  EXPECT_THAT(list.err, HasSubstr("not partitioned by range of one column"));
  const Ran endless = Run({"partition", "maintain", "t", "--yes"});
  EXPECT_EQ(endless.code, 0) << endless.err;
  EXPECT_THAT(endless.out, HasSubstr("t_a, has no end: it holds whatever comes: nothing to do"));
  EXPECT_EQ(Run({"partition", "list", "plain"}).code, 2);
}

// What hangs on the table.
constexpr const char* kRich = R"sql(
CREATE SCHEMA app; CREATE SCHEMA other;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE app.kind (id int PRIMARY KEY, name text);
INSERT INTO app.kind SELECT g, 'k' || g FROM generate_series(1, 10) g;
CREATE TABLE app."Order Items" (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 3),
  n serial,
  kind int NOT NULL REFERENCES app.kind ON DELETE CASCADE,
  "Name" text COLLATE "C" NOT NULL DEFAULT 'none',
  price numeric(10,2) CHECK (price >= 0),
  twice numeric GENERATED ALWAYS AS (price * 2) STORED,
  made timestamptz NOT NULL DEFAULT now(),
  gone int,
  CONSTRAINT "the key" PRIMARY KEY (id) INCLUDE (kind),
  CONSTRAINT n_once UNIQUE (n, made) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT price_once UNIQUE (price),
  CONSTRAINT named CHECK ("Name" <> '')
) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
ALTER TABLE app."Order Items" DROP COLUMN gone;
INSERT INTO app."Order Items" (kind, price) SELECT 1 + g % 10, g FROM generate_series(1, 2000) g;
ALTER TABLE app."Order Items" ALTER "Name" SET STORAGE EXTERNAL, ALTER "Name" SET COMPRESSION pglz,
  ALTER price SET STATISTICS 55, ALTER price SET (n_distinct = 100);
CREATE INDEX by_kind ON app."Order Items" (kind, price DESC NULLS LAST) INCLUDE ("Name")
  WHERE price > 10;
CREATE INDEX ON app."Order Items" (lower("Name") text_pattern_ops);
ALTER INDEX app."Order Items_lower_idx" ALTER COLUMN 1 SET STATISTICS 77;
CREATE UNIQUE INDEX ident ON app."Order Items" (n, id);
CREATE TABLE other.line (item bigint, made timestamptz, note text);
CREATE TRIGGER touched BEFORE UPDATE OF price ON app."Order Items" FOR EACH ROW
  WHEN (old.price IS DISTINCT FROM new.price) EXECUTE FUNCTION app.touch();
CREATE TRIGGER off AFTER INSERT ON app."Order Items" FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
ALTER TABLE app."Order Items" DISABLE TRIGGER off;
ALTER TABLE app."Order Items" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app."Order Items" FOR SELECT TO pg_monitor USING ("Name" = current_user);
GRANT SELECT ON app."Order Items" TO pg_monitor WITH GRANT OPTION;
GRANT INSERT, UPDATE (price) ON app."Order Items" TO pg_read_all_stats;
GRANT SELECT ON app."Order Items" TO PUBLIC;
CREATE VIEW app.cheap WITH (security_barrier = true) AS SELECT id, "Name", price FROM
  app."Order Items" WHERE price < 10 WITH LOCAL CHECK OPTION;
CREATE VIEW other.cheapest AS SELECT min(price) AS least FROM app.cheap;
CREATE STATISTICS app.both (dependencies, mcv) ON kind, price FROM app."Order Items";
COMMENT ON TABLE app."Order Items" IS 'a table; with ''quotes''';
COMMENT ON COLUMN app."Order Items".price IS 'in euros';
COMMENT ON CONSTRAINT "the key" ON app."Order Items" IS 'the one';
COMMENT ON CONSTRAINT named ON app."Order Items" IS 'never empty';
COMMENT ON INDEX app.by_kind IS 'for the list';
COMMENT ON TRIGGER touched ON app."Order Items" IS 'touches';
)sql";

class PartitionCarried : public Partitioned {
 protected:
  // The dump makes the parts of a partitioned index one by one.
  [[nodiscard]] std::vector<std::string> Schema() const {
    std::vector<std::string> lines = Dump(database_);
    for (std::string& line : lines) {
      const std::size_t at = line.find(" ON ONLY ");
      if (at != std::string::npos) line.replace(at, 9, " ON ");
    }
    std::ranges::sort(lines);
    return lines;
  }
};

TEST_F(PartitionCarried, EverythingThatHangsOnATableAndBack) {
  database_.Sql(kRich);
  const auto before = Schema();
  const Ran ran = Run({"partition", "convert", "app.\"Order Items\"", "--by", "range(made)",
                       "--every", "1 month", "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  // Of the table as users know it, only the keys have changed.
  std::vector<std::string> lost = Difference(before, Schema());
  std::erase_if(lost, [](const std::string& line) { return line.starts_with("+ "); });
  EXPECT_THAT(lost, ::testing::ElementsAre(
                        "-     ADD CONSTRAINT \"the key\" PRIMARY KEY (id) INCLUDE (kind);",
                        "-     ADD CONSTRAINT price_once UNIQUE (price);",
                        "- ALTER TABLE ONLY app.\"Order Items\"",
                        "- CREATE UNIQUE INDEX ident ON app.\"Order Items\" USING btree (n, "
                        "id);"));
  // Up to 16 each session may have drawn a number of the old sequence meanwhile.
  const bool leaves_out = SharedServer().server_version_major() < 17;
  const long next = 6100 + (leaves_out ? 3 * Number("SHOW max_connections") : 0);
  EXPECT_EQ(database_.Value("INSERT INTO app.\"Order Items\" (kind, price) VALUES (1, 5000) "
                            "RETURNING id || ' ' || n"),
            fmt::format("{} 2001", next));
  EXPECT_EQ(database_.Value("SELECT least FROM other.cheapest"), "1.00");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE "
                            "c.relispartition AND c.relkind = 'r' AND a.grantee <> c.relowner"),
            "0");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Schema()), IsEmpty());
  EXPECT_EQ(database_.Value("INSERT INTO app.\"Order Items\" (kind, price) VALUES (1, 6000) "
                            "RETURNING id || ' ' || n"),
            fmt::format("{} 2002", next + 3));
}

}  // namespace
}  // namespace pgalter::test
