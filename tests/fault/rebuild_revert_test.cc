// A rebuild is taken back after its cut-over, and what users wrote since is not lost.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

class Reverted : public RebuildWorld {
 protected:
  void ExpectOld() const {
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(database_.Value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE "
                              "attrelid = 'items'::regclass AND attname = 'a'"),
              "integer");
    EXPECT_EQ(
        database_.Value("SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE "
                        "tgrelid = 'items'::regclass AND NOT tgisinternal"),
        "mirrored mirrored_truncate");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }
};

// What a role was given it may have given on: that goes with it, and comes again.
TEST_F(Reverted, WithRightsThatWereGivenOn) {
  const std::string giver = "giver_" + database_.name();
  const std::string taker = "taker_" + database_.name();
  database_.Sql(
      fmt::format("CREATE ROLE {0}; CREATE ROLE {1}; CREATE TABLE shared (id int PRIMARY KEY);"
                  "GRANT SELECT ON shared TO {0} WITH GRANT OPTION; SET ROLE {0};"
                  "GRANT SELECT ON shared TO {1}",
                  giver, taker));
  const Ran there = Run({"rebuild", "shared", "--alter", "ALTER id TYPE bigint", "--yes"});
  EXPECT_EQ(there.code, 0) << there.err;
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(database_.Value(fmt::format("SELECT concat(has_table_privilege('{0}', 'shared', "
                                        "'SELECT WITH GRANT OPTION'), has_table_privilege('{1}', "
                                        "'shared', 'SELECT'))",
                                        giver, taker)),
            "tt");
  database_.Sql(fmt::format("DROP TABLE shared; DROP ROLE {0}, {1}", giver, taker));
}

TEST_F(Reverted, WithWhatUsersWroteSince) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 31);
  const Ran rebuilt = Run(Rebuild());
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  ExpectNew();
  users.AwaitWrites(300);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectOld();
}

TEST_F(Reverted, WhatIsSaidOfItIsNotOfTheWayThere) {
  MakeRebuilt(200);
  const Ran rebuilt = Run(Rebuild({"--revert-window", "24h"}));
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  const std::string run = RunId();
  EXPECT_THAT(Run({"status", run}).out, ::testing::HasSubstr("can be reverted until"));
  ASSERT_EQ(Run({"revert", run, "--yes"}).code, 0);
  EXPECT_THAT(Run({"status", run}).out, ::testing::Not(::testing::HasSubstr("can be reverted")));
  EXPECT_EQ(database_.Value("SELECT phase FROM pgalter.run"), "reverted");
  const Ran verified = Run({"verify", run});
  EXPECT_EQ(verified.code, 4) << verified.err;
  EXPECT_THAT(verified.err, ::testing::HasSubstr("was taken back: the new table is gone"));
}

TEST_F(Reverted, AfterATruncate) {
  MakeRebuilt();
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql("TRUNCATE items; INSERT INTO items SELECT g, 1, g FROM generate_series(5, 50) g");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 46);
  ExpectSame();
  ExpectOld();
}

TEST_F(Reverted, ADroppedColumnComesBackAsItWas) {
  MakeRebuilt(1'000);
  const Ran rebuilt =
      Run({"rebuild", "items", "--alter", "DROP pad, ADD extra int DEFAULT 4", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.err, ::testing::HasSubstr("a revert gives column pad back as it was"));
  database_.Sql(
      "ALTER TABLE items DISABLE TRIGGER mirrored; UPDATE items SET a = 55 WHERE id <= 500; "
      "DELETE FROM items WHERE id > 900");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT count(*) || ' ' || count(*) FILTER (WHERE a = 55) || ' ' || "
                            "count(*) FILTER (WHERE pad = repeat('p', 40)) FROM items"),
            "900 500 900");
}

TEST_F(Reverted, IsRefusedWhereValuesCannotBePutBack) {
  MakeRebuilt(1'000);
  const Ran rebuilt = Run({"rebuild", "items", "--alter", "ALTER a TYPE text", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.err, ::testing::HasSubstr("there is no revert"));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(database_.Value("SELECT pg_typeof(a) FROM items LIMIT 1"), "text");
  ExpectNothingLeft();
}

TEST_F(Reverted, ComputedValuesAreMadeByTheirExpressions) {
  MakeRebuilt(1'000);
  const Ran rebuilt =
      Run({"rebuild", "items", "--alter", "ALTER a TYPE bool USING a > 5, ADD d int", "--map",
           "d = u * 2", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_EQ(database_.Value("SELECT count(*) FILTER (WHERE a) || ' ' || sum(d) FROM items"),
            "994 1001000");
}

// As in an UPDATE of the user's: names are looked for in the role's schemas, and a literal takes
// the type of its column.
TEST_F(Reverted, GivenValuesMeanWhatTheRoleMeans) {
  MakeRebuilt(1'000);
  database_.Sql(
      "CREATE SCHEMA shop; CREATE FUNCTION shop.doubled(int) RETURNS int LANGUAGE sql RETURN $1 * "
      "2; ALTER ROLE CURRENT_USER SET search_path = shop, public");
  const Ran rebuilt = Run({"rebuild", "items", "--alter",
                           "ALTER a TYPE bigint USING doubled(a), ADD d int, ADD e date", "--map",
                           "d = '7', e = '2026-11-22', pad = NULL, u = doubled(u)", "--yes"});
  database_.Sql("ALTER ROLE CURRENT_USER RESET search_path");
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_EQ(database_.Value("SELECT concat_ws(' ', min(a), max(a), min(d), max(e), max(pad), "
                            "sum(u)) FROM items"),
            database_.Value("SELECT concat_ws(' ', min(a) * 2, max(a) * 2, 7, '2026-11-22', NULL, "
                            "sum(u) * 2) FROM mirror"));
}

TEST_F(Reverted, ARoleThatMayMakeNoTemporaryViewIsToldWhichGrantHelps) {
  MakeRebuilt(10);
  database_.Sql(
      "CREATE ROLE mapper LOGIN; ALTER TABLE items OWNER TO mapper; REVOKE TEMPORARY ON DATABASE " +
      database_.name() + " FROM PUBLIC; GRANT CREATE ON DATABASE " + database_.name() +
      " TO mapper; GRANT CREATE ON SCHEMA public TO mapper");
  const Ran refused = Program(PGALTER_BINARY, {"rebuild", "items", "--map", "a = a + 1", "--yes",
                                               "--dsn", database_.conninfo() + " user=mapper"})
                          .Wait(kLimit);
  database_.Sql("REASSIGN OWNED BY mapper TO postgres; DROP OWNED BY mapper; DROP ROLE mapper");
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("GRANT TEMPORARY ON DATABASE"));
}

TEST_F(Reverted, AValueThatIsNoneOfARowIsRefused) {
  MakeRebuilt(10);
  for (const char* map : {"pad = count(*)::text", "pad = nowhere(pad)"}) {
    const Ran refused = Run({"rebuild", "items", "--map", map, "--yes"});
    EXPECT_EQ(refused.code, 2) << refused.err;
    EXPECT_THAT(refused.err, ::testing::HasSubstr("the server refuses the expression for"));
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL OR count(*) = 0 FROM "
                            "pg_namespace WHERE nspname LIKE 'pgalter\\_%'"),
            "t");
}

// What the server does not do in one step has a way out in two, which is named.
TEST_F(Reverted, AColumnThatOthersAreGeneratedFromChangesWithThem) {
  database_.Sql(
      "CREATE TABLE bill (id int PRIMARY KEY, price int, total int GENERATED ALWAYS AS (price * 2) "
      "STORED); INSERT INTO bill SELECT g, g FROM generate_series(1, 500) g");
  const Ran refused =
      Run({"rebuild", "bill", "--alter", "ALTER price TYPE bigint", "--yes", "--output", "json"});
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("\"sqlstate\":\"0A000\""));
  EXPECT_THAT(refused.err, ::testing::HasSubstr("(total)"));
  EXPECT_THAT(refused.err, ::testing::HasSubstr("--definition FILE"));
  const Ran anew = Run({"rebuild", "bill", "--alter",
                        "DROP total, ALTER price TYPE bigint, ADD total bigint GENERATED ALWAYS AS "
                        "(price * 2) STORED",
                        "--yes"});
  ASSERT_EQ(anew.code, 0) << anew.err;
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const std::string file = File(
      "CREATE TABLE bill (id int PRIMARY KEY, total numeric GENERATED ALWAYS AS (price * 2) "
      "STORED, "
      "price numeric)");
  const Ran defined = Run({"rebuild", "bill", "--definition", file, "--yes"});
  ASSERT_EQ(defined.code, 0) << defined.err;
  EXPECT_EQ(database_.Value("SELECT sum(total) || ' ' || max(pg_typeof(price)::text) FROM bill"),
            "250500 numeric");
}

TEST_F(Reverted, StatusSaysWhichNameIsMissing) {
  database_.Sql(
      "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('a', 'b'); CREATE TABLE felt (k app.mood, "
      "i int, v int, PRIMARY KEY (k, i)); INSERT INTO felt SELECT 'a', g, g FROM "
      "generate_series(1, 50) g");
  ASSERT_EQ(Run({"rebuild", "felt", "--alter", "ALTER v TYPE bigint", "--yes"}).code, 0);
  database_.Sql("ALTER SCHEMA app RENAME TO app2; UPDATE felt SET v = 1 WHERE i = 3");
  const Ran status = Run({"status", RunId()});
  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_THAT(status.out, ::testing::HasSubstr("not as it stands: schema \"app\" does not exist "
                                               "(3F000). Give it its name back first, then: "
                                               "pgalter revert"));
}

TEST_F(Reverted, SaysHowToGoOnWhereTheTableIsAnotherOrGone) {
  MakeRebuilt(1'000);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql("ALTER TABLE items RENAME TO others");
  const Ran renamed = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(renamed.code, 4) << renamed.err;
  EXPECT_THAT(renamed.err, ::testing::HasSubstr("name it as before, then: pgalter revert"));
  database_.Sql("DROP TABLE others CASCADE");
  const Ran dropped = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(dropped.code, 1) << dropped.err;
  EXPECT_THAT(dropped.err, ::testing::HasSubstr("goes by: pgalter finish " + RunId()));
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
}

TEST_F(Reverted, StatusNamesTheRowThatDoesNotFitBack) {
  MakeRebuilt(1'000);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  EXPECT_THAT(Run({"status", RunId()}).out, ::testing::HasSubstr("the 0 rows that users"));
  database_.Sql("UPDATE items SET pad = 'new' WHERE id <= 300");
  EXPECT_THAT(Run({"status", RunId()}).out, ::testing::HasSubstr("the 300 rows that users"));
  database_.Sql(
      "ALTER TABLE items DISABLE TRIGGER mirrored; UPDATE items SET a = 5000000000 WHERE id = 77");
  const Ran status = Run({"status", RunId()});
  EXPECT_THAT(status.out, ::testing::HasSubstr("does not take the row (id) = (77)"));
  EXPECT_THAT(status.out, ::testing::HasSubstr("22003"));
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("the row (id) = (77) of public.items"));
  database_.Sql("UPDATE items SET a = 77 WHERE id = 77");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

// Rows that only wait for one another are not to blame, wherever they are among those to carry
// over.
TEST_F(Reverted, NamesTheRowThatDoesNotFitNotThoseThatSwappedValues) {
  MakeRebuilt(100);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql(
      "CREATE TEMP TABLE was AS SELECT id, u FROM items; UPDATE items SET u = NULL;"
      "UPDATE items i SET u = w.u FROM was w WHERE w.id = CASE WHEN i.id % 2 = 0 THEN i.id - 1 "
      "ELSE "
      "i.id + 1 END");
  database_.Sql(
      "ALTER TABLE items DISABLE TRIGGER mirrored; UPDATE items SET a = 5000000000 WHERE id = 77");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("the row (id) = (77) of public.items"));
  database_.Sql("UPDATE items SET a = 77 WHERE id = 77");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

TEST_F(Reverted, NamesTheRowWhoseValueIsTakenNotThoseThatSwappedTheirs) {
  MakeRebuilt(100);
  const Ran partitioned = Run(Partition());
  ASSERT_EQ(partitioned.code, 0) << partitioned.err;
  database_.Sql(
      "CREATE TEMP TABLE was AS SELECT id, u FROM items; UPDATE items SET u = NULL;"
      "UPDATE items i SET u = w.u FROM was w WHERE w.id = CASE WHEN i.id % 2 = 0 THEN i.id - 1 "
      "ELSE i.id + 1 END; UPDATE items SET u = 34 WHERE id = 77");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, ::testing::ContainsRegex("the row \\(id\\) = \\((33|77)\\)"));
  database_.Sql("UPDATE items SET u = 78 WHERE id = 77");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, ::testing::HasSubstr("pgalter rebuild, or pgalter partition convert"));
  ExpectSame();
  ExpectOld();
}

// Of a table whose column n the new definition lacks, or computes: its old rows have a value there,
// and a new one would have to.
class RevertedKept : public Reverted {
 protected:
  void SetUp() override {
    database_.Sql(
        "CREATE TABLE kept (id bigint PRIMARY KEY, n text NOT NULL CHECK (n <> ''), u int UNIQUE, "
        "w int NOT NULL, v text); INSERT INTO kept SELECT g, CASE WHEN g % 100 = 0 THEN (SELECT "
        "string_agg(md5(g || ' ' || i), '') FROM generate_series(1, 200) i) ELSE g::text END, g, "
        "g, 'v' FROM generate_series(1, 5000) g;"
        "CREATE TABLE was AS SELECT * FROM kept; ALTER TABLE was ADD PRIMARY KEY (id)");
  }
  // More of what users do to the one is done to the other.
  void MakeMirror() const {
    database_.Sql(
        "CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$ "
        "BEGIN IF TG_OP = 'DELETE' THEN DELETE FROM was WHERE id = old.id; ELSE UPDATE was SET u = "
        "new.u, v = new.v WHERE id = new.id; END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER mirrored AFTER UPDATE OR DELETE ON kept FOR EACH ROW EXECUTE FUNCTION "
        "mirror()");
  }
  void MakeWithout(const Words& changed) const {
    Words words{"rebuild", "kept", "--yes"};
    words.insert(words.end(), changed.begin(), changed.end());
    const Ran rebuilt = Run(words);
    ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
    EXPECT_THAT(rebuilt.err,
                ::testing::HasSubstr("a revert gives column n back as it was at the cut-over; rows "
                                     "that are new since, or have another key, have no value for "
                                     "it"));
  }
  void ExpectReverted() const {
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    ExpectSameAsMirror();
  }
  void ExpectSameAsMirror() const {
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Number("SELECT count(*) FROM kept k FULL JOIN was w USING (id) WHERE k.id IS NULL OR "
                     "w.id IS NULL OR (k.n, k.u, k.w, k.v) IS DISTINCT FROM (w.n, w.u, w.w, w.v)"),
              0);
    EXPECT_EQ(database_.Value("SELECT count(*) FILTER (WHERE attnotnull) || ' ' || count(*) FROM "
                              "pg_attribute WHERE attrelid = 'kept'::regclass AND attnum > 0"),
              "3 5");
  }
  void ExpectRefused(const char* row, const char* why, const char* way_out) const {
    EXPECT_THAT(Run({"status", RunId()}).out,
                ::testing::HasSubstr(fmt::format("does not take the row (id) = ({})", row)));
    const Ran refused = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_THAT(refused.err, ::testing::HasSubstr(fmt::format("the row (id) = ({}) of ", row)));
    EXPECT_THAT(refused.err, ::testing::HasSubstr(why));
    EXPECT_THAT(refused.err, ::testing::HasSubstr(way_out));
    EXPECT_EQ(StateOfRun(), "done");
  }
};

TEST_F(RevertedKept, OfRowsThatWereUpdated) {
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql("UPDATE kept SET v = 'y' WHERE id <= 3000; DELETE FROM kept WHERE id > 4500");
  EXPECT_THAT(Run({"status", RunId()}).out, ::testing::HasSubstr("the 3,500 rows that users"));
  ExpectReverted();
}

TEST_F(RevertedKept, OfRowsWithAnIdentityThatNobodyMayWrite) {
  database_.Sql("ALTER TABLE kept ALTER w ADD GENERATED ALWAYS AS IDENTITY");
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql("UPDATE kept SET v = 'y' WHERE id <= 3000");
  ExpectReverted();
}

TEST_F(RevertedKept, OfRowsInPartitions) {
  database_.Sql(
      "DROP TABLE kept; CREATE TABLE kept (id bigint, n text NOT NULL, u int, w int, v text, "
      "PRIMARY "
      "KEY (id, v)) PARTITION BY LIST (v); CREATE TABLE kept_v PARTITION OF kept FOR VALUES IN "
      "('v'); CREATE TABLE kept_rest PARTITION OF kept DEFAULT; UPDATE was SET v = 'y' WHERE id > "
      "2500; INSERT INTO kept SELECT * FROM was");
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql("UPDATE kept SET u = 1 WHERE id BETWEEN 2000 AND 3000");
  ExpectReverted();
}

TEST_F(RevertedKept, OfARowWhoseValueWasComputed) {
  MakeMirror();
  MakeWithout({"--alter", "DROP CONSTRAINT kept_n_check, ALTER n TYPE int USING length(n)"});
  database_.Sql("UPDATE kept SET v = 'y', n = 77 WHERE id = 100");
  ExpectReverted();
}

// Each waits for the next, and all are one batch.
TEST_F(RevertedKept, OfRowsThatPassedTheirValuesOn) {
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql(
      "UPDATE kept SET u = NULL WHERE id <= 4000;"
      "UPDATE kept SET u = id % 4000 + 1 WHERE id <= 4000");
  ExpectReverted();
}

TEST_F(RevertedKept, OfRowsThatUsersAreWriting) {
  MakeMirror();
  const Change change = [](std::mt19937& dice) {
    const auto pick = [&dice](int most) { return std::uniform_int_distribution(1, most)(dice); };
    const int id = pick(3) == 1 ? pick(30) : pick(5'000);
    const int other = id + pick(30);
    switch (pick(4)) {
      case 1:  // two change places under a unique index
        return fmt::format(
            "BEGIN; SELECT FROM kept WHERE id IN ({0}, {1}) ORDER BY id FOR UPDATE;"
            "CREATE TEMP TABLE held ON COMMIT DROP AS SELECT id, u FROM kept WHERE id IN ({0}, "
            "{1}); UPDATE kept SET u = NULL WHERE id IN ({0}, {1}); UPDATE kept k SET u = t.u FROM "
            "held t WHERE t.id = CASE k.id WHEN {0} THEN {1} ELSE {0} END AND k.id IN ({0}, {1}); "
            "COMMIT",
            id, other);
      case 2:
        if (pick(5) == 1) return fmt::format("DELETE FROM kept WHERE id = {}", id);
        [[fallthrough]];
      case 3:
        return fmt::format(
            "BEGIN; UPDATE kept SET v = v || 'y' WHERE id = {}; SAVEPOINT s; DELETE FROM kept "
            "WHERE id = {}; ROLLBACK TO s; COMMIT",
            id, other);
      default:
        return fmt::format("UPDATE kept SET v = left(v || '{}', 50) WHERE id = {}", other, id);
    }
  };
  MakeWithout({"--alter", "DROP n"});
  Rebuilders earlier(database_.conninfo(), 51, change, "23505");
  earlier.AwaitWrites(500);
  earlier.Stop();
  EXPECT_EQ(earlier.errors(), "");
  EXPECT_THAT(Run({"status", RunId()}).out, ::testing::HasSubstr("rows that users"));
  Rebuilders users(database_.conninfo(), 52, change, "23505");
  users.AwaitWrites(200);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectSameAsMirror();
  EXPECT_GT(Number("SELECT count(*) FROM kept WHERE u <> id"), 0);
}

TEST_F(RevertedKept, ARowThatIsNewStopsTheRevertUntilItIsGone) {
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql(
      "UPDATE kept SET v = 'y' WHERE id <= 3000; INSERT INTO kept VALUES (6000, 7000, 1)");
  ExpectRefused("6000", "null value in column \"n\"", "delete this one");
  database_.Sql("DELETE FROM kept WHERE id = 6000");
  ExpectReverted();
}

// Nor does it hide behind rows that only wait for one another.
TEST_F(RevertedKept, ARowThatIsNewIsNamedNotThoseThatPassedTheirValuesOn) {
  MakeMirror();
  MakeWithout({"--alter", "DROP n"});
  database_.Sql(
      "UPDATE kept SET u = NULL WHERE id <= 400; UPDATE kept SET u = id % 400 + 1 WHERE id <= 400;"
      "INSERT INTO kept VALUES (6000, 7000, 1)");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("the row (id) = (6000) of "));
  database_.Sql("DELETE FROM kept WHERE id = 6000");
  ExpectReverted();
}

// The new table's key has another column in it.
TEST_F(RevertedKept, TwoRowsOfOneKeyAreNotTakenForOne) {
  const std::string file = File(
      "CREATE TABLE public.kept (id bigint, u int, w int NOT NULL, v text NOT "
      "NULL, PRIMARY KEY (id, v)) PARTITION BY LIST (v); CREATE TABLE kept_v PARTITION OF kept FOR "
      "VALUES IN ('v'); CREATE TABLE kept_rest PARTITION OF kept DEFAULT");
  MakeWithout({"--definition", file, "--allow-weaker-keys"});
  database_.Sql("INSERT INTO kept VALUES (5, 6005, 5, 'y')");
  ExpectRefused("5", "kept_pkey", "Change the row");
  database_.Sql("DELETE FROM kept WHERE id = 5 AND v = 'y'");
  ExpectReverted();
}

// More than are carried over at a time, each of which waits for the next.
TEST_F(Reverted, ValuesThatHaveMovedThroughTheWholeTableMoveBack) {
  constexpr int kRows = 60'000;
  MakeRebuilt(kRows);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql(fmt::format(
      "ALTER TABLE items DISABLE TRIGGER mirrored; UPDATE items SET u = NULL; UPDATE items SET u = "
      "id % {} + 1; UPDATE mirror SET u = id % {} + 1; ALTER TABLE items ENABLE TRIGGER mirrored",
      kRows, kRows));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

// Keys are added NOT VALID by either swap, and validated afterwards: whatever was left of that on
// the way there is done on the way back.
TEST_F(Reverted, LeavesKeysAsValidAsTheyWere) {
  MakeRebuilt(1'000);
  database_.Sql(
      "CREATE TABLE kind (id bigint PRIMARY KEY); INSERT INTO kind SELECT generate_series(0, 2000);"
      "ALTER TABLE items ADD FOREIGN KEY (id) REFERENCES kind;"
      "CREATE TABLE child (item bigint REFERENCES items);"
      "CREATE TABLE unproven (item bigint); INSERT INTO unproven VALUES (-1);"
      "ALTER TABLE unproven ADD FOREIGN KEY (item) REFERENCES items NOT VALID");
  constexpr const char* kUnproven =
      "SELECT string_agg(conrelid::regclass::text, ' ') FROM pg_constraint WHERE NOT convalidated";
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=cut-over"}).code, kKilled);
  AwaitNoRunner();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), 3);
  const Ran killed = Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=swapped-back"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value(kUnproven), "unproven");
  ExpectSame();
  ExpectOld();
}

struct GoneCase {
  const char* name;
  const char* users;  // what they do while keys are still to be validated
  const char* says;   // the run, of it; empty: nothing of the keys
  const char* keys;   // that are there afterwards, all of them valid
};

// Users' keys are users' to drop, and their tables to rename: it may take hours until they are
// valid.
class RebuildUnsettled : public Reverted, public ::testing::WithParamInterface<GoneCase> {
 protected:
  void SetUp() override {
    Reverted::SetUp();
    MakeRebuilt(500);
    database_.Sql(
        "CREATE TABLE kind (id bigint PRIMARY KEY); INSERT INTO kind SELECT generate_series(0, "
        "1000); ALTER TABLE items ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES kind;"
        "CREATE TABLE child (item bigint CONSTRAINT \"of items\" REFERENCES items);"
        "CREATE TABLE other (item bigint CONSTRAINT other_key REFERENCES items);"
        "CREATE TABLE parts (item bigint CONSTRAINT whole REFERENCES items) PARTITION BY LIST "
        "(item); CREATE TABLE part PARTITION OF parts DEFAULT");
  }
  void KillBeforeItIsSettled() const {
    ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=cut-over"}).code, kKilled);
    AwaitNoRunner();
  }
  void ExpectSaid(const std::string& text) const {
    if (*GetParam().says == '\0')
      EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("foreign key")));
    else
      EXPECT_THAT(text, ::testing::HasSubstr(GetParam().says));
  }
  [[nodiscard]] static std::string Keys(const char* of) {
    return fmt::format(
        "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' "
        "AND convalidated AND connamespace::regnamespace::text NOT LIKE 'pgalter%' AND {}",
        of);
  }
  void ExpectSettled() const {
    EXPECT_EQ(database_.Value(Keys("true")), GetParam().keys);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), 0);
    ExpectSame();
  }
};

TEST_P(RebuildUnsettled, IsNoReasonForARunNotToEnd) {
  KillBeforeItIsSettled();
  database_.Sql(GetParam().users);
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectSaid(Run({"status", RunId()}).out);
  ExpectSettled();
  ExpectNew();
  ExpectNothingLeft();
}

TEST_P(RebuildUnsettled, NorForOneNotToBeTakenBack) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=swapped-back"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(GetParam().users);
  const Ran ran = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectSaid(ran.err);
  ExpectSettled();
  ExpectOld();
}

TEST_P(RebuildUnsettled, NorIfItWasNeverSettled) {
  KillBeforeItIsSettled();
  database_.Sql(GetParam().users);
  const Ran ran = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectSettled();
  ExpectOld();
}

// Older programs have kept the names alone.
TEST_P(RebuildUnsettled, NorToAnOlderRunThatKnowsTheNames) {
  KillBeforeItIsSettled();
  database_.Sql("UPDATE pgalter.rebuild SET definition = definition - 'settled_on'");
  database_.Sql(GetParam().users);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(database_.Value(Keys("conrelid = 'other'::regclass")), "other_key");
}

INSTANTIATE_TEST_SUITE_P(
    Users, RebuildUnsettled,
    ::testing::Values(
        GoneCase{"DropAKey", "ALTER TABLE child DROP CONSTRAINT \"of items\"",
                 "constraint \"of items\" of public.child was not validated: it is gone",
                 "other_key own whole whole"},
        GoneCase{"DropATable", "DROP TABLE child",
                 "constraint \"of items\" of public.child was not validated: it is gone",
                 "other_key own whole whole"},
        GoneCase{"DropOneOfTheTablesOwn", "ALTER TABLE items DROP CONSTRAINT own",
                 "constraint own of public.items was not validated: it is gone",
                 "of items other_key whole whole"},
        GoneCase{"RenameATable", "ALTER TABLE child RENAME TO \"a child.\"", "",
                 "of items other_key own whole whole"},
        GoneCase{"MoveATableAndRenameItsKey",
                 "CREATE SCHEMA away; ALTER TABLE child SET SCHEMA away;"
                 "ALTER TABLE away.child RENAME CONSTRAINT \"of items\" TO of_items",
                 "", "of_items other_key own whole whole"},
        GoneCase{"ChangeTheTypeOfAKey", "ALTER TABLE child ALTER item TYPE integer", "",
                 "of items other_key own whole whole"},
        GoneCase{"DropAPartitionedTable", "DROP TABLE parts",
                 "foreign key whole was not made for the whole of public.parts: the table is gone",
                 "of items other_key own"},
        GoneCase{"RenameAPartitionedTable",
                 "ALTER TABLE parts RENAME TO whole; ALTER TABLE whole RENAME item TO of_item", "",
                 "of items other_key own whole whole"},
        GoneCase{"DropTheKeyOfPartitions", "ALTER TABLE part DROP CONSTRAINT whole",
                 "foreign key whole was not made for the whole of public.parts: no partition has "
                 "it for itself any more",
                 "of items other_key own"}),
    [](const auto& param) { return std::string(param.param.name); });

// A revert that ends before it has swapped anything leaves a run that is done.
class NotReverted : public Reverted {
 protected:
  void SetUp() override {
    MakeRebuilt(1'000);
    database_.Sql("CREATE TABLE child (item bigint REFERENCES items)");
  }
  void WriteWhatDoesNotFit() const {
    database_.Sql(
        "ALTER TABLE items DISABLE TRIGGER mirrored; UPDATE items SET a = 5000000000 WHERE id = 77;"
        "ALTER TABLE items ENABLE TRIGGER mirrored");
  }
  // As if nobody had come within the window.
  void LetTheWindowPass() const {
    database_.Sql(
        fmt::format("SELECT setval('pgalter_{}.deadline_reverse', 100);"
                    "UPDATE items SET pad = 'late' WHERE id = 1",
                    RunId().substr(0, 8)));
  }
  void ExpectRefused() const {
    const Ran refused = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_THAT(refused.err, ::testing::HasSubstr("the row (id) = (77) of public.items"));
    EXPECT_THAT(refused.err, ::testing::HasSubstr("pgalter finish " + RunId()));
    ExpectDone();
  }
  void ExpectLost() const {
    const Ran refused = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, ::testing::HasSubstr("pgalter finish " + RunId()));
    ExpectDone();
  }
  void ExpectDone() const {
    EXPECT_EQ(StateOfRun(), "done");
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.step WHERE state <> 'done'"), 0);
    EXPECT_EQ(database_.Value("SELECT failure IS NULL AND ended_at IS NOT NULL FROM pgalter.run"),
              "t");
    const Ran resumed = Run({"resume", RunId()});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.out, ::testing::HasSubstr("is done already"));
  }
  void KillARevert() const {
    const Ran killed = Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=changes-taken"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    EXPECT_EQ(Run({"resume", RunId()}).code, 4);
    EXPECT_THAT(Run({"status", RunId()}).out,
                ::testing::HasSubstr("none; go on with: pgalter revert " + RunId()));
  }
};

TEST_F(NotReverted, IsDoneAgainAndRevertedOnceTheRowFits) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  WriteWhatDoesNotFit();
  ExpectRefused();
  EXPECT_THAT(Run({"status", RunId()}).out,
              ::testing::HasSubstr("does not take the row (id) = (77)"));
  ExpectRefused();
  database_.Sql("UPDATE items SET a = 78 WHERE id = 77; DELETE FROM items WHERE id = 78");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

TEST_F(NotReverted, IsFinishedByWhoKeepsTheNewTable) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  WriteWhatDoesNotFit();
  ExpectRefused();
  ExpectNew();
  ExpectNothingLeft();
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a = 5000000000"), 1);
  const Ran again = Run({"rebuild", "items", "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
}

TEST_F(NotReverted, IsFinishedOnceTheWindowHasPassed) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  WriteWhatDoesNotFit();
  ExpectRefused();
  LetTheWindowPass();
  ExpectLost();
  ExpectNew();
  ExpectNothingLeft();
}

TEST_F(NotReverted, KilledOnTheWayGoesOnAndIsDoneAgain) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  WriteWhatDoesNotFit();
  KillARevert();
  ExpectRefused();
  database_.Sql("UPDATE items SET a = 77 WHERE id = 77");
  KillARevert();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

TEST_F(NotReverted, KilledOnTheWayAndTheWindowHasPassed) {
  ASSERT_EQ(Run(Rebuild()).code, 0);
  WriteWhatDoesNotFit();
  KillARevert();
  LetTheWindowPass();
  ExpectLost();
  ExpectNew();
  ExpectNothingLeft();
}

// Swapped, and not at its end: it goes on, since it cannot go back.
TEST_F(NotReverted, AnAbortThatMeetsTheRowLeavesARunThatGoesOn) {
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=cut-over"}).code, kKilled);
  AwaitNoRunner();
  WriteWhatDoesNotFit();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 1) << aborted.err;
  EXPECT_EQ(StateOfRun(), "failed");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), 0);
  ExpectDone();
  ExpectNew();
  ExpectNothingLeft();
}

class RevertKilledAt : public Reverted, public ::testing::WithParamInterface<const char*> {};

TEST_P(RevertKilledAt, AnotherRevertEndsWithEveryRowRight) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 41);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectOld();
}

INSTANTIATE_TEST_SUITE_P(Points, RevertKilledAt, ::testing::ValuesIn(kRevertPoints),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
