// The trigger that keeps the new values up makes the same value whoever writes: under what
// settings, beside which triggers, and where users' functions look for names.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class BackfillTrigger : public BackfillWorld {
 protected:
  void Fill(const std::string& value, const std::string& zone = "UTC") const {
    const Ran ran = Run({"backfill", "t", "--set", "d = " + value, "--yes"}, {"PGTZ=" + zone});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
};

TEST_F(BackfillTrigger, FunctionsFindEachOtherByTheRolesSearchPath) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, v int, d int);"
      "INSERT INTO t (id, v) SELECT n, n FROM generate_series(1, 2000) n;"
      "CREATE FUNCTION g(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + 1; END';"
      "CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN g($1); END'");
  Fill("f(v)");
  database_.Sql("INSERT INTO t (id, v) VALUES (5000, 7); UPDATE t SET v = v + 1 WHERE id < 100");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM v + 1"), 0);
}

// By Tokyo's day the row has its value still.
TEST_F(BackfillTrigger, TheTimeZoneOfWhoWritesSaysNothing) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, ts timestamptz, d date);"
      "INSERT INTO t (id, ts) SELECT n, timestamptz '2026-01-01 20:00+00' + n * interval '1 day' "
      "FROM generate_series(1, 2000) n");
  Fill("ts::date");
  database_.Sql(
      "SET TimeZone = 'Asia/Tokyo'; UPDATE t SET ts = ts - interval '21 hours' WHERE id % 2 = 0");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM (ts AT TIME ZONE 'UTC')::date"),
            0);
}

// CST is the time of China where an expression is looked up, and of Chicago where it is read again;
// 13/02 is no date there.
TEST_F(BackfillTrigger, DatesOfAnotherStyleStayWhatTheyAre) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, d timestamptz, day date);"
      "INSERT INTO t (id) SELECT n FROM generate_series(1, 2000) n");
  for (const std::string style : {"Postgres, DMY", "SQL, MDY", "German", "SQL, DMY"}) {
    SCOPED_TRACE(style);
    database_.Sql("UPDATE t SET d = NULL, day = NULL; DELETE FROM t WHERE id = 5000");
    database_.Sql(fmt::format("ALTER DATABASE {} SET DateStyle = '{}'", database_.name(), style));
    Fill("CASE WHEN id > 0 THEN timestamptz '2026-02-05 00:00+00' END, day = date '2026-02-13'",
         "Asia/Shanghai");
    database_.Sql("INSERT INTO t (id) VALUES (5000)");
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM '2026-02-05 00:00+00'"
                     " OR day IS DISTINCT FROM '2026-02-13'"),
              0);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  }
}

// WHEN is asked with the rights of whoever writes.
TEST_F(BackfillTrigger, WritersNeedNoRightsToUsersOperatorsAndCasts) {
  database_.Sql(
      "DROP ROLE IF EXISTS trigger_writer; CREATE ROLE trigger_writer; CREATE SCHEMA mig;"
      "CREATE FUNCTION mig.plus(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS"
      " 'SELECT $1 + $2';"
      "CREATE OPERATOR mig.|#| (FUNCTION = mig.plus, LEFTARG = int, RIGHTARG = int);"
      "CREATE FUNCTION mig.size(point) RETURNS int LANGUAGE sql IMMUTABLE AS"
      " 'SELECT ($1[0])::int';"
      "CREATE CAST (point AS int) WITH FUNCTION mig.size(point) AS IMPLICIT;"
      "CREATE FUNCTION mig.positive(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS"
      " 'SELECT $1 > 0';"
      "CREATE DOMAIN mig.natural AS int CHECK (mig.positive(VALUE));"
      "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mig FROM PUBLIC;"
      "CREATE TABLE t (id int PRIMARY KEY, v int, p point, d int);"
      "INSERT INTO t (id, v, p) SELECT n, n, point(n + 1, 0) FROM generate_series(1, 2000) n;"
      "GRANT ALL ON t TO trigger_writer");
  for (const std::string value :
       {"v OPERATOR(mig.|#|) 1", "abs(p)", "(v + 1)::mig.natural", "v + 1"}) {
    SCOPED_TRACE(value);
    Fill(value);
    database_.Sql(
        "SET ROLE trigger_writer; INSERT INTO t (id, v, p) VALUES (5000, 7, point(8, 0));"
        "UPDATE t SET v = v + 1, p = point(v + 2, 0) WHERE id < 100; RESET ROLE");
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM v + 1"), 0);
    EXPECT_EQ(
        Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgqual IS NULL"),
        value == "v + 1" ? 0 : 1);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    database_.Sql("DELETE FROM t WHERE id = 5000; UPDATE t SET d = NULL");
  }
}

// The role's search_path finds them, the trigger's does not.
TEST_F(BackfillTrigger, TypesOfUsersAreFoundWhoeverWrites) {
  database_.Sql(
      "CREATE TYPE mood AS ENUM ('well', 'ill');"
      "CREATE DOMAIN natural_number AS int CHECK (VALUE > 0);"
      "CREATE TABLE t (id int PRIMARY KEY, v int, d mood, e natural_number);"
      "INSERT INTO t (id, v) SELECT n, n FROM generate_series(1, 2000) n");
  for (const std::string more : {"", ", e = v"}) {
    SCOPED_TRACE(more);
    Fill("CASE WHEN v > 0 THEN 'well'::mood END" + more);
    database_.Sql("INSERT INTO t (id, v) VALUES (5000, 7); UPDATE t SET v = v + 1 WHERE id < 100");
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM 'well'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE e IS DISTINCT FROM v"), more.empty() ? 2001 : 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass"
                     " AND tgqual IS NOT NULL"),
              more.empty() ? 1 : 0);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    database_.Sql("DELETE FROM t WHERE id = 5000; UPDATE t SET d = NULL");
  }
}

// Only the bytes of the names count.
TEST_F(BackfillTrigger, ATriggerThatRunsBehindItIsNamed) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, v int, d int);"
      "INSERT INTO t (id, v) SELECT n, n FROM generate_series(1, 2000) n;"
      "CREATE FUNCTION tenfold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.v := new.v * 10; "
      "RETURN new; END';"
      "CREATE TRIGGER \"ändern\" BEFORE INSERT OR UPDATE OF v ON t FOR EACH ROW EXECUTE FUNCTION "
      "tenfold()");
  const Ran ran = Run({"backfill", "t", "--set", "d = v + 1", "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("trigger \"ändern\" of public.t would run behind"));
  database_.Sql("ALTER TRIGGER \"ändern\" ON t RENAME TO alter_v");
  ResumeToTheEnd();
  database_.Sql("INSERT INTO t (id, v) VALUES (5000, 7); UPDATE t SET v = v + 1 WHERE id < 100");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE d IS DISTINCT FROM v + 1"), 0);
}

}  // namespace
}  // namespace pgalter::test
