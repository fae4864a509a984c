// Splits under roles, settings, names and types that are not the usual ones.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/split_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class StrangeSplit : public SplitWorld {
 protected:
  void ExpectRefused(const std::string& wish, const std::string& said, int code = 4) const {
    const Ran ran = Run({"run", "--split", wish, "--yes"});
    EXPECT_EQ(ran.code, code) << wish << "\n" << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(said)) << wish;
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter_new%'"), 0);
  }
  void MakeRole(const std::string& role) const {
    database_.Sql(
        fmt::format("DROP ROLE IF EXISTS {0}; CREATE ROLE {0} LOGIN; GRANT CREATE ON "
                    "DATABASE {1} TO {0}; GRANT ALL ON SCHEMA public TO {0}",
                    role, database_.name()));
  }
};

// Trap: what kind of session another role's is, is hidden from a role that is not pg_monitor.
TEST_F(StrangeSplit, AnOwnerWithoutPgMonitorWaitsForSnapshotsOfOtherRoles) {
  MakeRole("split_owner");
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT g, 'a' FROM "
      "generate_series(1, 100) g; ALTER TABLE t OWNER TO split_owner");
  user_ = "split_owner";
  ASSERT_EQ(Run({"run", "--split", "t (a) INTO ta", "--yes", "--lock-budget", "5s", "--through",
                 "expand"})
                .code,
            0);
  Session old_one = database_.Connect();
  old_one.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  ASSERT_EQ(Run({"resume", RunId(), "--through", "migrate"}).code, 0);
  const Ran ran = Run({"resume", RunId(), "--gate", "moved-ta"});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_EQ(old_one.Value("SELECT count(*) FROM ta"), "100");
  old_one.Exec("COMMIT");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  database_.Sql("DROP OWNED BY split_owner CASCADE; DROP ROLE split_owner");
}

TEST_F(StrangeSplit, AnOwnerThatMayCreateNothingIsRefused) {
  MakeRole("split_deputy");
  database_.Sql(
      "DROP ROLE IF EXISTS split_poor; CREATE ROLE split_poor; GRANT split_poor TO split_deputy;"
      "CREATE SCHEMA shut; GRANT ALL ON SCHEMA shut TO split_deputy;"
      "CREATE TABLE shut.t (id int PRIMARY KEY, a text); ALTER TABLE shut.t OWNER TO split_poor");
  user_ = "split_deputy";
  ExpectRefused("shut.t (a) INTO ta", "the owner split_poor", 10);
  database_.Sql(
      "DROP OWNED BY split_poor, split_deputy CASCADE; DROP ROLE split_poor; DROP ROLE "
      "split_deputy");
}

// Trap: within a trigger's fixed search_path the operator of an extension's type is another one, or
// none.
TEST_F(StrangeSplit, UniqueValuesAreComparedAsTheirIndexDoes) {
  database_.Sql(
      "CREATE EXTENSION IF NOT EXISTS citext;"
      "CREATE TABLE t (id int PRIMARY KEY, slug citext UNIQUE);"
      "INSERT INTO t SELECT g, 's' || g FROM generate_series(1, 5) g;"
      "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF pg_trigger_depth() = "
      "1 AND new.id = 1 THEN UPDATE t SET slug = 'S2' WHERE id = 3; END IF; RETURN NULL; END $$;"
      "CREATE TRIGGER a_take AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION take()");
  ASSERT_EQ(Run({"run", "--split", "t (slug) INTO t_slug", "--yes"}).code, 0);
  database_.Sql("UPDATE t SET slug = 't' || id WHERE id IN (1, 2)");
  EXPECT_EQ(database_.Value("SELECT string_agg(slug, ' ' ORDER BY id) FROM pgalter_new_t_slug"),
            "t1 t2 S2 s4 s5");
}

// Trap: what is written with a time zone's abbreviation is read as another zone's: IST is +1 in
// Dublin, and +2 when it is read. The next chunk would begin before the last one, for ever.
TEST_F(StrangeSplit, KeysAreReadAsTheyAreWrittenWhateverTheDateStyle) {
  database_.Sql(
      fmt::format("CREATE TABLE t (id timestamptz PRIMARY KEY, a text);"
                  "INSERT INTO t SELECT '2026-07-05 12:00+00'::timestamptz + g * interval '1 "
                  "second', 'a' FROM generate_series(0, 4000) g;"
                  "ALTER DATABASE {0} SET DateStyle = 'SQL, DMY';"
                  "ALTER DATABASE {0} SET TimeZone = 'Europe/Dublin'",
                  database_.name()));
  Program program = Start({"run", "--split", "t (a) INTO ta", "--yes", "--chunk-time", "5ms"});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter_new_ta"), 4001);
}

TEST_F(StrangeSplit, NamesAndDefaultsOfAnyTextGoToTheEnd) {
  std::string target = "x";
  for (int i = 0; i < 31; ++i) target += "é";  // 63 bytes, and 58 are in the middle of one
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, \"$pgalter$\" text UNIQUE, old text DEFAULT "
      "'$pgalter$ $pgalter1$'); INSERT INTO t SELECT g, g FROM generate_series(1, 9) g");
  const Ran ran =
      Run({"run", "--split", fmt::format("t (\"$pgalter$\", old) INTO \"{}\"", target), "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql(
      fmt::format("DELETE FROM t WHERE id = 1; UPDATE \"{0}\" SET old = 'new' WHERE id = "
                  "2; INSERT INTO t VALUES (10)",
                  target));
  ASSERT_EQ(Run({"resume", RunId(), "--gate", "moved-" + target}).code, 0);
  EXPECT_EQ(database_.Value(fmt::format("SELECT concat_ws(' ', count(*), min(old), max(old)) FROM "
                                        "\"{}\"",
                                        target)),
            "9 $pgalter$ $pgalter1$ new");
}

// Trap: users' writes would fail, by our triggers, until the gate is opened.
TEST_F(StrangeSplit, FunctionsOfItsChecksFindEachOtherByTheRolesSearchPath) {
  database_.Sql(
      "CREATE FUNCTION g(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN length($1) "
      "< 9; END'; CREATE FUNCTION f(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN "
      "g($1); END'; CREATE TABLE t (id int PRIMARY KEY, a text CHECK (f(a)));"
      "INSERT INTO t SELECT g, g FROM generate_series(1, 9) g; CREATE INDEX ON t ((f(a)))");
  const Ran ran = Run({"run", "--split", "t (a) INTO ta", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql(
      "INSERT INTO t VALUES (10, 'ten'); UPDATE t SET a = 'one' WHERE id = 1; UPDATE ta SET a = "
      "'two' WHERE id = 2");
  ASSERT_EQ(Run({"resume", RunId(), "--gate", "moved-ta"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT string_agg(a, ' ' ORDER BY id) FROM ta WHERE id IN (1, 2, 10)"),
            "one two ten");
}

// Trap: they would fail in the middle, or at the swap.
TEST_F(StrangeSplit, ACheckThatHasANameOfTheNewTablesOwnIsRefused) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT n_fkey CHECK (a > 0), b int CONSTRAINT "
      "\"N_pkey\" CHECK (b > 0))");
  ExpectRefused("t (a) INTO n", "its constraint n_fkey would go with its columns");
  ExpectRefused("t (b) INTO \"N\"", "its constraint \"N_pkey\" would go with its columns");
  EXPECT_EQ(Run({"run", "--split", "t (b) INTO n", "--through", "contract", "--yes"}).code, 0);
}

TEST_F(StrangeSplit, ARowWithoutAValueHasToBeToldFromOneWithIt) {
  database_.Sql(
      "CREATE DOMAIN given AS int NOT NULL; CREATE DOMAIN five AS int DEFAULT 5;"
      "CREATE DOMAIN six AS five;"
      "CREATE TABLE t (id int PRIMARY KEY, a given, b six, c name DEFAULT CURRENT_USER, d text "
      "DEFAULT 'the CURRENT_USER')");
  ExpectRefused("t (a) INTO n", "column a cannot be moved: its type is NOT NULL or has a default");
  ExpectRefused("t (b) INTO n", "column b cannot be moved: its type is NOT NULL or has a default");
  ExpectRefused("t (c) INTO n", "column c cannot be moved: its default depends on who asks");
  const Ran ran = Run({"run", "--split", "t (d) INTO n", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

}  // namespace
}  // namespace pgalter::test
