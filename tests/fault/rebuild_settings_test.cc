// What a role and a database have set for whoever comes: it must neither disturb a run nor give
// away what the run makes.
#include <fmt/format.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

class RebuildSettings : public RebuildWorld {
 protected:
  // Schemas of ours, their tables and sequences, on which somebody besides the owner has a right.
  [[nodiscard]] std::string GivenAway() const {
    return database_.Value(
        "SELECT coalesce(string_agg(DISTINCT o.name, ' '), '') FROM ("
        "  SELECT nspname, nspowner, nspacl FROM pg_namespace WHERE nspname LIKE 'pgalter%'"
        "  UNION ALL SELECT c.oid::regclass::text, c.relowner, c.relacl FROM pg_class c"
        "  WHERE c.relnamespace = 'pgalter'::regnamespace) o (name, owner, acl),"
        " aclexplode(o.acl) a WHERE a.grantee <> o.owner");
  }
};

TEST_F(RebuildSettings, DefaultPrivilegesGiveNothingOfOursAway) {
  MakeRebuilt(500);
  database_.Sql(
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, pg_monitor;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, pg_monitor;");
  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(GivenAway(), "");
  // What somebody gives on purpose stays.
  database_.Sql("GRANT SELECT ON pgalter.run TO pg_monitor");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(GivenAway(), "pgalter.run");
  ExpectSame();
}

TEST_F(RebuildSettings, AttachedTablesGiveNothingOfOursAway) {
  database_.Sql(
      "CREATE TABLE logs (id bigint, made date NOT NULL, PRIMARY KEY (id));"
      "INSERT INTO logs SELECT n, current_date FROM generate_series(1, 50) n;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, pg_monitor;");
  const Ran ran = Run({"partition", "convert", "logs", "--by", "range(made)", "--every", "1 month",
                       "--strategy", "attach", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(GivenAway(), "");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(GivenAway(), "");
}

TEST_F(RebuildSettings, NamesThatTheDatabaseQuotesAlways) {
  MakeRebuilt(500);
  database_.Sql(fmt::format("ALTER DATABASE {} SET quote_all_identifiers = on",
                            database_.Value("SELECT current_database()")));
  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectNew();
  ExpectSame();
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
  const Ran parted = Run(Partition());
  ASSERT_EQ(parted.code, 0) << parted.err;
  ExpectPartitioned();
  ExpectSame();
}

// Our DDL runs it, and a session of ours looks into pg_catalog alone.
TEST_F(RebuildSettings, AnEventTriggersFunctionThatFindsNothingIsNamed) {
  MakeRebuilt(500);
  database_.Sql(
      "CREATE TABLE dropped (what text); CREATE FUNCTION note_drop() RETURNS event_trigger "
      "LANGUAGE "
      "plpgsql AS $$ BEGIN INSERT INTO dropped VALUES (tg_tag); END $$;"
      "CREATE EVENT TRIGGER note ON sql_drop EXECUTE FUNCTION note_drop()");
  const Ran ran = Run(Rebuild());
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr("PL/pgSQL function public.note_drop()"));
  EXPECT_THAT(ran.err, ::testing::HasSubstr("ALTER FUNCTION"));
  database_.Sql("ALTER FUNCTION note_drop() SET search_path = public");
  const Ran again = Run(Rebuild());
  ASSERT_EQ(again.code, 0) << again.err;
  ExpectNew();
  ExpectSame();
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

// Texts of ours have letters that it lacks, within statements and in what is recorded.
TEST_F(RebuildSettings, ADatabaseOfAnotherEncoding) {
  const std::string name = database_.name() + "_latin1";
  database_.Sql(
      fmt::format("CREATE DATABASE {} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", name));
  const std::string dsn = database_.server().conninfo(name);
  const auto run = [&dsn](Words arguments, const Words& environment = {}) {
    arguments.insert(arguments.end(), {"--yes", "--dsn", dsn});
    return Program(PGALTER_BINARY, arguments, environment).Wait(kLimit);
  };
  {
    Session user(dsn);
    user.Exec(
        "CREATE TABLE logs (id int PRIMARY KEY, made date NOT NULL, a int);"
        "INSERT INTO logs SELECT n, date '2026-01-01' + n % 60, n FROM generate_series(1, 300) n");
    for (const Words& command : {Words{"rebuild", "logs", "--alter", "ALTER a TYPE bigint"},
                                 Words{"partition", "convert", "logs", "--by", "range(made)",
                                       "--every", "1 month", "--strategy", "copy"}}) {
      const Ran ran = run(command);
      EXPECT_EQ(ran.code, 0) << ran.err;
      const std::string id =
          user.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
      EXPECT_EQ(run({"revert", id}).code, 0);
    }
    const Ran failed = run({"backfill", "logs", "--set", "a = 1 / (id - 7)"});
    EXPECT_NE(failed.code, 0);
    EXPECT_NE(user.Value("SELECT failure FROM pgalter.run ORDER BY created_at DESC LIMIT 1"), "");
  }
  database_.Sql(fmt::format("DROP DATABASE {} WITH (FORCE)", name));
}

// The owner is a role that this one is a member of, and may make nothing in the database.
TEST_F(RebuildSettings, AMemberOfTheOwnerRebuilds) {
  database_.Sql(fmt::format(
      "DROP ROLE IF EXISTS settings_owner, settings_member;"
      "CREATE ROLE settings_owner; CREATE ROLE settings_member LOGIN;"
      "GRANT settings_owner TO settings_member; GRANT pg_monitor TO settings_member;"
      "GRANT CREATE ON DATABASE {} TO settings_member;"
      "CREATE SCHEMA app AUTHORIZATION settings_owner; SET ROLE settings_owner;"
      "CREATE TABLE app.logs (id int PRIMARY KEY, made date NOT NULL);"
      "INSERT INTO app.logs SELECT n, current_date FROM generate_series(1, 300) n; RESET ROLE",
      database_.name()));
  user_ = "settings_member";
  for (const Words& arguments :
       {Words{"rebuild", "app.logs", "--alter", "ALTER id TYPE bigint", "--yes"},
        Words{"partition", "convert", "app.logs", "--by", "range(made)", "--every", "1 month",
              "--strategy", "copy", "--yes"}}) {
    const Ran ran = Run(arguments);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(database_.Value("SELECT pg_get_userbyid(relowner) FROM pg_class"
                              " WHERE oid = 'app.logs'::regclass"),
              "settings_owner");
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(reverted.code, 0) << reverted.err;
  }
  EXPECT_EQ(Number("SELECT count(*) FROM app.logs"), 300);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
}

// A table that is rebuilt while its users write, under what the database has set; twin is what it
// must be.
class RebuildUnder : public RebuildSettings {
 protected:
  void Set(const std::string& setting) const {
    database_.Sql(fmt::format("ALTER DATABASE {} SET {}", database_.name(), setting));
  }

  void MakeKeyed(const std::string& type, const std::string& key) const {
    database_.Sql(
        fmt::format("CREATE TABLE keyed (k {} PRIMARY KEY, v int NOT NULL, w text);"
                    "INSERT INTO keyed SELECT {}, n, 'x' FROM generate_series(1, 700) n;"
                    "CREATE TABLE twin AS SELECT * FROM keyed",
                    type, key));
  }
  void Both(const std::string& change) const {
    for (const std::string table : {"keyed", "twin"})
      database_.Sql(fmt::format(fmt::runtime(change), table));
  }
  [[nodiscard]] long Different() const {
    return Number(
        "SELECT (SELECT count(*) FROM (SELECT k, v::int, w FROM keyed EXCEPT ALL SELECT k, v::int, "
        "w FROM twin) a) + (SELECT count(*) FROM (SELECT k, v::int, w FROM twin EXCEPT ALL SELECT "
        "k, v::int, w FROM keyed) b)");
  }

  // There with changes before the cut-over, and back with some after it.
  void ExpectKeysKept() {
    const Words rebuild{"rebuild", "keyed", "--alter", "ALTER v TYPE bigint", "--yes"};
    ASSERT_EQ(Run(rebuild, {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
    Both("UPDATE {0} SET v = v + 1000 WHERE v % 3 = 0; DELETE FROM {0} WHERE v % 7 = 1");
    const Ran there = Run({"resume", RunId()});
    ASSERT_EQ(there.code, 0) << there.err;
    EXPECT_EQ(Different(), 0);
    Both("UPDATE {} SET w = 'y' WHERE v % 5 = 0");
    const Ran back = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(back.code, 0) << back.err;
    EXPECT_EQ(Different(), 0);
  }
};

TEST_F(RebuildUnder, FewDigitsKeysOfFloatsAreFound) {
  MakeKeyed("float8", "n / 7.0::float8");
  Set("extra_float_digits = 0");
  ExpectKeysKept();
}

class RebuildKeyed : public RebuildUnder {};

TEST_F(RebuildKeyed, ByArraysOfNumbers) {
  MakeKeyed("int[]", "ARRAY[n, n + 1]");
  ExpectKeysKept();
}
TEST_F(RebuildKeyed, ByArraysOfTexts) {
  MakeKeyed("text[]", "ARRAY['a,' || n, NULL, '']");
  ExpectKeysKept();
}
TEST_F(RebuildKeyed, ByRows) {
  database_.Sql("CREATE TYPE pair AS (a int, b text)");
  MakeKeyed("pair", "ROW(n, 'x,y'')')::pair");
  ExpectKeysKept();
}

// CST is the time of China there, and of Chicago where it is read.
TEST_F(RebuildUnder, DatesOfAnotherStyleKeysOfTimesAreFound) {
  MakeKeyed("timestamptz", "timestamptz '2026-01-01' + n * interval '37 minutes'");
  Set("DateStyle = 'SQL, DMY'");
  Set("TimeZone = 'Asia/Shanghai'");
  ExpectKeysKept();
}

TEST_F(RebuildUnder, DatesOfAnotherStyleDefinitionsStayWhatTheyAre) {
  MakeKeyed("timestamptz", "timestamptz '2026-01-01 00:00+08' + n * interval '2 hours'");
  database_.Sql(
      "CREATE INDEX part ON keyed (w) WHERE k > '2026-02-01 00:00+08';"
      "CREATE VIEW recent AS SELECT v FROM keyed WHERE k > '2026-02-01 00:00+08';"
      "ALTER TABLE keyed ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY late ON keyed USING (k > '2026-02-01 00:00+08');"
      "CREATE TABLE parted (k timestamptz PRIMARY KEY, v int) PARTITION BY RANGE (k);"
      "CREATE TABLE parted_1 PARTITION OF parted"
      " FOR VALUES FROM ('2026-01-01 00:00+08') TO ('2026-02-01 00:00+08');"
      "CREATE TABLE parted_2 PARTITION OF parted"
      " FOR VALUES FROM ('2026-02-01 00:00+08') TO ('2026-09-01 00:00+08');"
      "INSERT INTO parted SELECT k, v FROM keyed");
  Set("DateStyle = 'SQL, DMY'");
  Set("TimeZone = 'Asia/Shanghai'");
  const auto definitions = [this] {
    Session session = database_.Connect();
    session.Exec("SET DateStyle = 'ISO'; SET TimeZone = 'Asia/Shanghai'");
    return session.Value(
        "SELECT concat_ws(' ', pg_get_viewdef('recent'), (SELECT count(*) FROM recent),"
        " (SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = "
        "'part'::regclass), (SELECT pg_get_expr(polqual, polrelid) FROM pg_policy),"
        " (SELECT string_agg(pg_get_expr(relpartbound, oid), ' ' ORDER BY relname) FROM pg_class"
        "  WHERE relispartition AND relkind = 'r' AND relnamespace = 'public'::regnamespace))");
  };
  const std::string before = definitions();
  const Ran plain = Run({"rebuild", "keyed", "--alter", "ALTER v TYPE bigint", "--yes"});
  ASSERT_EQ(plain.code, 0) << plain.err;
  const Ran parted = Run({"rebuild", "parted", "--yes"});
  ASSERT_EQ(parted.code, 0) << parted.err;
  EXPECT_EQ(definitions(), before);
}

TEST_F(RebuildUnder, DatesOfAnotherStyleGivenValuesStayWhatTheyAre) {
  database_.Sql(
      "CREATE TABLE keyed (k int PRIMARY KEY, at timestamptz, v int);"
      "INSERT INTO keyed SELECT n, timestamptz '2026-02-03 04:05+00' + n * interval '1 hour', n"
      " FROM generate_series(1, 200) n");
  Set("TimeZone = 'Asia/Shanghai'");
  for (const std::string style : {"Postgres, DMY", "SQL, MDY", "German"}) {
    SCOPED_TRACE(style);
    Set(fmt::format("DateStyle = '{}'", style));
    const Ran ran = Run({"rebuild", "keyed", "--alter", "ADD g bool, ADD h timestamptz, ADD i date",
                         "--map", "g = at > timestamptz '2026-02-05 00:00+00'", "--map",
                         "h = coalesce(nullif(at, at), timestamptz '2026-02-05 00:00+00')", "--map",
                         "i = date '2026-02-13'", "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(Number("SELECT count(*) FROM keyed WHERE (g, h, i) IS DISTINCT FROM"
                     " (at > '2026-02-05 00:00+00', timestamptz '2026-02-05 00:00+00',"
                     " date '2026-02-13')"),
              0);
    ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  }
}

// Whoever goes on with a run may have other settings than who began it; what users change in the
// last moment is carried over under the lock.
TEST_F(RebuildUnder, TheSettingsOfWhoeverGoesOnValuesAreThoseOfTheRun) {
  database_.Sql(
      "CREATE TABLE keyed (k int PRIMARY KEY, at timestamp NOT NULL, v int NOT NULL DEFAULT 0);"
      "INSERT INTO keyed SELECT n, timestamp '2026-01-01' + n * interval '1 minute'"
      " FROM generate_series(1, 500) n");
  const Words rebuild{"rebuild", "keyed", "--alter", "ALTER at TYPE timestamptz", "--yes"};
  ASSERT_EQ(Run(rebuild, {"PGTZ=Asia/Tokyo", "PGALTER_FAIL_POINT=compared"}).code, kKilled);
  AwaitNoRunner();
  Session writer = database_.Connect();
  writer.Exec("BEGIN; UPDATE keyed SET v = 1 WHERE k % 2 = 0");
  Program program = Start({"resume", RunId()}, {"PGTZ=UTC"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'keyed'::regclass AND NOT granted", "t",
      kLimit);
  writer.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM keyed WHERE at <> (timestamp '2026-01-01' + k * interval "
                   "'1 minute') AT TIME ZONE 'Asia/Tokyo'"),
            0);
  EXPECT_EQ(Number("SELECT count(*) FROM keyed WHERE v = 1"), 250);
}

// As every user's: one calls another by a name that the search_path of the role finds.
TEST_F(RebuildUnder, TheRolesSearchPathFunctionsFindEachOther) {
  database_.Sql(
      "CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
      " 'BEGIN RETURN $1 * 2; END';"
      "CREATE FUNCTION doubled(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
      " 'BEGIN RETURN twice($1); END';"
      "CREATE TABLE keyed (k int PRIMARY KEY, v int CHECK (doubled(v) >= 0), w text,"
      " d int GENERATED ALWAYS AS (doubled(v)) STORED);"
      "INSERT INTO keyed SELECT n, n, 'x' FROM generate_series(1, 500) n");
  // From 17 on the server lets no index find them.
  if (SharedServer().server_version_major() < 17)
    database_.Sql("CREATE INDEX ON keyed (doubled(v))");
  const Words rebuild{"rebuild", "keyed", "--alter", "ALTER k TYPE bigint", "--yes"};
  ASSERT_EQ(Run(rebuild, {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  AwaitNoRunner();
  Session writer = database_.Connect();
  writer.Exec("BEGIN; UPDATE keyed SET v = v + 1 WHERE k % 2 = 0");
  Program program = Start({"resume", RunId()});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'keyed'::regclass AND NOT granted", "t",
      kLimit);
  writer.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM keyed WHERE d = 2 * v AND v = k + 1 - k % 2"), 500);
}

}  // namespace
}  // namespace pgalter::test
