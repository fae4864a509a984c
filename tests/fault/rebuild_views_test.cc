// Views under which a column changes its type are made anew with the table that is rebuilt: there,
// back, after a kill anywhere, and with all that hung on them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kRoles = R"sql(
DO $$ BEGIN CREATE ROLE view_reader; CREATE ROLE view_owner;
EXCEPTION WHEN duplicate_object THEN END $$;
)sql";

// Over the column, over these, in another schema, under one name in two schemas, in a circle of
// tables and policies; one over another column alone.
constexpr const char* kViews = R"sql(
CREATE SCHEMA "Reports";
GRANT CREATE ON SCHEMA public, "Reports" TO view_owner;
GRANT SELECT ON items TO view_owner;
ALTER DEFAULT PRIVILEGES GRANT UPDATE ON TABLES TO PUBLIC;
CREATE FUNCTION turned() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE VIEW "Of A" ("The Key", a) WITH (security_barrier = true) AS
  SELECT id, a FROM items WHERE a > 0 WITH LOCAL CHECK OPTION;
COMMENT ON VIEW "Of A" IS 'a ''view''';
COMMENT ON COLUMN "Of A".a IS 'of a';
ALTER VIEW "Of A" ALTER COLUMN a SET DEFAULT 7;
REVOKE ALL ON "Of A" FROM PUBLIC;
GRANT SELECT ON "Of A" TO view_reader WITH GRANT OPTION;
GRANT UPDATE (a) ON "Of A" TO view_reader;
CREATE VIEW "Reports"."Of A" AS SELECT max(a) AS most, u FROM items GROUP BY u;
ALTER VIEW "Reports"."Of A" OWNER TO view_owner;
REVOKE INSERT, DELETE ON "Reports"."Of A" FROM view_owner;
CREATE VIEW summed AS SELECT sum(o.a), count(r.most), min(i.a) AS least
  FROM "Of A" o JOIN items i ON i.id = o."The Key" JOIN "Reports"."Of A" r ON r.most = o.a;
CREATE RULE quiet AS ON DELETE TO summed DO INSTEAD NOTHING;
COMMENT ON RULE quiet ON summed IS 'hush';
CREATE VIEW "Reports".top AS SELECT s.*, 1 AS one FROM summed s;
CREATE TRIGGER turns INSTEAD OF INSERT ON "Reports".top FOR EACH ROW EXECUTE FUNCTION turned();
COMMENT ON TRIGGER turns ON "Reports".top IS 'turns';
CREATE VIEW keyed AS SELECT id, a, pad FROM items GROUP BY id;
CREATE VIEW elsewhere AS SELECT id, u FROM items;
GRANT SELECT ON elsewhere TO view_reader;
CREATE POLICY chosen ON items FOR SELECT TO view_reader USING (id IN (SELECT "The Key" FROM "Of A"));
)sql";

class ViewsAnew : public RebuildWorld {
 protected:
  void Make(int rows = 2'000) {
    MakeRebuilt(rows);
    database_.Sql(kRoles);
    database_.Sql(kViews);
  }
  [[nodiscard]] long BoundAway() const {
    return Number(
        "SELECT count(*) FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass "
        "AND r.oid = d.objid JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = "
        "d.refobjid WHERE c.relnamespace::regnamespace::text LIKE 'pgalter\\_%'");
  }
  [[nodiscard]] std::string TypeInView() const {
    return database_.Value(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'a' AND "
        "attrelid "
        "= '\"Of A\"'::regclass");
  }
};

// What the schema is where the column had its type before the views were made.
TEST_F(ViewsAnew, HaveAllThatHungOnThemThereAndBackAndForGood) {
  Make();
  const auto before = Dump(database_);
  const std::string kept = database_.Value("SELECT 'elsewhere'::regclass::oid");
  Session reader = database_.Connect();
  reader.Exec("PREPARE top AS SELECT count(*) FROM \"Reports\".top; EXECUTE top");

  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("view public.\"Of A\" is dropped and made anew"),
                             HasSubstr("view \"Reports\".top is dropped and made anew"),
                             Not(HasSubstr("view public.elsewhere"))));
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(TypeInView(), "bigint");
  reader.Exec("EXECUTE top");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(TypeInView(), "integer");

  ASSERT_EQ(Run(Rebuild()).code, 0);
  ExpectNothingLeft();
  reader.Exec("EXECUTE top");
  EXPECT_EQ(database_.Value("SELECT 'elsewhere'::regclass::oid"), kept);
  const auto rebuilt = Dump(database_);
  database_.Sql(
      "DROP POLICY chosen ON items; DROP VIEW \"Of A\", \"Reports\".\"Of A\", summed, "
      "\"Reports\".top, keyed, elsewhere; DROP SCHEMA \"Reports\"; DROP FUNCTION turned()");
  database_.Sql(kViews);
  EXPECT_THAT(Difference(rebuilt, Dump(database_)), IsEmpty());
  ExpectSame();
}

TEST_F(ViewsAnew, OverTablesThatChangePlacesTogether) {
  MakeRebuilt(500);
  database_.Sql(
      "CREATE SCHEMA app; CREATE TABLE app.note (id int PRIMARY KEY, a int);"
      "INSERT INTO app.note SELECT id, a FROM items;"
      "CREATE VIEW joined AS SELECT a, n.id FROM items i JOIN app.note n USING (a);"
      "CREATE VIEW together AS SELECT a FROM items UNION ALL SELECT a FROM app.note;"
      "CREATE VIEW app.noted AS SELECT n.id, j.a FROM app.note n JOIN joined j USING (id)");
  const auto before = Dump(database_);
  const std::string count = "SELECT count(*) FROM app.noted";
  const long rows = Number(count);
  const Ran ran = Run({"rebuild", "items", "app.note", "--alter", "items: ALTER a TYPE bigint",
                       "--alter", "app.note: ALTER a TYPE bigint", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(Number(count), rows);
  EXPECT_EQ(database_.Value("SELECT pg_typeof(a) FROM together LIMIT 1"), "bigint");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(Number(count), rows);
}

struct PlaceCase {
  const char* name;
  const char* view;
  Words arguments;
  bool fine;
};

class ViewsByPlace : public RebuildWorld, public ::testing::WithParamInterface<PlaceCase> {};

// Its text would be taken as it is for a table with other columns in these places.
TEST_P(ViewsByPlace, AreRefusedWhereTheseAreOthers) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, p int, q int); INSERT INTO t VALUES (1, 10, 20);"
      "CREATE TABLE l (k int, w int, r int); INSERT INTO l VALUES (1, 777, 20)");
  database_.Sql(GetParam().view);
  const std::string seen = "SELECT v::text FROM v";
  const std::string before = database_.Value(seen);
  Words words{"rebuild", "t", "--yes"};
  words.insert(words.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, GetParam().fine ? 0 : 4) << ran.err;
  EXPECT_EQ(database_.Value(seen), before);
  if (GetParam().fine) {
    EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
    EXPECT_EQ(database_.Value(seen), before);
  } else {
    EXPECT_THAT(ran.err, HasSubstr("view public.v calls columns of it by their places"));
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
  }
}

const Words kFront{"--alter", "DROP p, ADD e int DEFAULT 99"};
const Words kBehind{"--alter", "ADD e int DEFAULT 99"};
const Words kType{"--alter", "ALTER p TYPE bigint"};
constexpr const char* kNames = "CREATE VIEW v AS SELECT x.a, x.c FROM t x(a, b, c)";
constexpr const char* kOfJoin =
    "CREATE VIEW v AS SELECT j.a, j.d FROM (t JOIN l ON id = k) j(a, b, c, d, e, f)";

INSTANTIATE_TEST_SUITE_P(
    Cases, ViewsByPlace,
    ::testing::Values(
        PlaceCase{"NamesAndAColumnLess", kNames, kFront, false},
        PlaceCase{"NamesAndAColumnBehind", kNames, kBehind, false},
        PlaceCase{"NamesAndAType", kNames, kType, true},
        PlaceCase{"NamesInAStrangeWay",
                  "CREATE VIEW v AS SELECT \"x )\".\"a (\", \"x )\".c FROM t "
                  "\"x )\"(\"a (\", \"b }\", c)",
                  kFront, false},
        PlaceCase{"SomeNames", "CREATE VIEW v AS SELECT x.a, x.q FROM t x(a)", kFront, false},
        PlaceCase{"AJoinAndAColumnMore", kOfJoin, kBehind, false},
        PlaceCase{"AJoinAndAType", kOfJoin, kType, true},
        PlaceCase{"AMatview",
                  "CREATE MATERIALIZED VIEW v AS SELECT x.a, x.c FROM t x(a, b, c)",
                  {"--alter", "DROP p, ADD e int DEFAULT 99", "--rebuild-matviews"},
                  false},
        PlaceCase{"OthersThanTables",
                  "CREATE VIEW v AS SELECT t.id, s.n, g.m FROM t, (SELECT 1) s(n), "
                  "generate_series(1, 1) g(m), (VALUES (1)) w(z)",
                  kFront, true},
        PlaceCase{"NoNames", "CREATE VIEW v AS SELECT x.id, x.q FROM t AS x JOIN l ON l.k = x.id",
                  kFront, true}),
    [](const auto& of) { return of.param.name; });

// Made while the way back is kept.
TEST_F(ViewsAnew, ThatCallColumnsByTheirPlacesStopARevert) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, p int, q int); INSERT INTO t VALUES (1, 10, 20)");
  ASSERT_EQ(Run({"rebuild", "t", "--alter", "DROP p, ADD e int DEFAULT 99", "--yes"}).code, 0);
  database_.Sql("CREATE VIEW v AS SELECT x.c FROM t x(a, b, c)");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("view public.v calls columns of it by their places"));
  EXPECT_EQ(database_.Value("SELECT c FROM v"), "99");
  database_.Sql("DROP VIEW v");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
}

TEST_F(ViewsAnew, OverAMaterializedViewThatComesAlong) {
  MakeRebuilt(500);
  database_.Sql(
      "CREATE MATERIALIZED VIEW of_a AS SELECT a, count(*) AS n FROM items GROUP BY a;"
      "CREATE VIEW shown AS SELECT m.a, i.id FROM of_a m JOIN items i USING (a);"
      "CREATE VIEW counted AS SELECT n FROM of_a; CREATE VIEW above AS SELECT * FROM shown, "
      "counted");
  const auto before = Dump(database_);
  const Ran ran = Run(Rebuild({"--rebuild-matviews"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM shown"), 500);
  EXPECT_EQ(database_.Value("SELECT pg_typeof(a) FROM above LIMIT 1"), "bigint");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
}

// Each is there before a rule that writes it.
TEST_F(ViewsAnew, WhoseRulesWriteOneAnother) {
  MakeRebuilt(200);
  database_.Sql(
      "CREATE SCHEMA app; CREATE TABLE seen (a int);"
      "CREATE VIEW front AS SELECT id, a, pad, u FROM items;"
      "CREATE VIEW app.back AS SELECT id, a, pad, u FROM items;"
      "ALTER VIEW app.back ALTER COLUMN a SET DEFAULT 7;"
      "CREATE RULE \"in TO public.front\" AS ON INSERT TO front DO INSTEAD (INSERT INTO seen "
      "VALUES "
      "(new.a); INSERT INTO app.back (id, a, pad, u) VALUES (new.id, new.a, new.pad, new.u));"
      "CREATE RULE out AS ON DELETE TO app.back DO INSTEAD UPDATE front SET a = 0 WHERE id = "
      "old.id;"
      "COMMENT ON RULE \"in TO public.front\" ON front IS 'through'");
  const auto before = Dump(database_);
  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(BoundAway(), 0);
  database_.Sql(
      "INSERT INTO front (id, a, pad, u) VALUES (7000, 5, 'x', 7000); DELETE FROM "
      "app.back WHERE id = 1");
  EXPECT_EQ(Number("SELECT a FROM items WHERE id = 7000"), 5);
  EXPECT_EQ(Number("SELECT a FROM seen"), 5);
  EXPECT_EQ(Number("SELECT a FROM items WHERE id = 1"), 0);
  database_.Sql("DELETE FROM items WHERE id = 7000");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
}

TEST_F(ViewsAnew, ADryRunNamesThemAndLeavesThem) {
  Make(200);
  const std::string oids =
      "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class WHERE "
      "relkind = 'v'";
  const std::string before = database_.Value(oids);
  const Ran ran = Run({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("view public.\"Of A\" is dropped and made anew"),
                    HasSubstr("view public.summed is dropped"), Not(HasSubstr("elsewhere"))));
  EXPECT_EQ(database_.Value(oids), before);
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
}

TEST_F(ViewsAnew, OfAPlanThatCopiesTheTable) {
  MakeRebuilt(200);
  database_.Sql("CREATE VIEW seen AS SELECT a FROM items; CREATE VIEW above AS SELECT * FROM seen");
  const auto before = Dump(database_);
  const Ran ran = Run(
      {"run", "--sql", "ALTER TABLE items ALTER a TYPE bigint", "--prefer", "rebuild", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("view public.above is dropped and made anew"));
  ASSERT_EQ(Run({"resume", RunId(), "--gate", "swap-a"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT pg_typeof(a) FROM above LIMIT 1"), "bigint");
  EXPECT_EQ(BoundAway(), 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
}

struct Hindrance {
  const char* name;
  const char* sql;
  const char* alter;
  const char* why;
};

class ViewsInTheWay : public ViewsAnew, public ::testing::WithParamInterface<Hindrance> {};

// Both before anything is written.
TEST_P(ViewsInTheWay, AreRefusedByNameInADryRunToo) {
  MakeRebuilt(100);
  database_.Sql(kRoles);
  database_.Sql("CREATE VIEW v AS SELECT id, a, pad FROM items WHERE substr(pad, 1) <> ''");
  database_.Sql(GetParam().sql);
  for (const char* how : {"--dry-run", "--yes"}) {
    const Ran ran = Run({"rebuild", "items", "--alter", GetParam().alter, how});
    EXPECT_EQ(ran.code, 4) << how << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(GetParam().why)) << how;
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, ViewsInTheWay,
    ::testing::Values(
        Hindrance{"MaterializedView", "CREATE MATERIALIZED VIEW m AS SELECT a FROM v",
                  "ALTER a TYPE bigint", "materialized view public.m depends on view public.v"},
        Hindrance{"RowType", "CREATE FUNCTION f(v) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                  "ALTER a TYPE bigint", "function public.f(public.v) depends on view public.v"},
        Hindrance{"RowTypeOfOneAbove",
                  "CREATE VIEW w AS SELECT * FROM v; CREATE TABLE kept (row w)",
                  "ALTER a TYPE bigint", "depends on view public.w"},
        Hindrance{
            "PolicyOfAnotherTable",
            "CREATE TABLE other (a int); CREATE POLICY p ON other USING (a IN (SELECT v.a FROM "
            "v))",
            "ALTER a TYPE bigint", "policy p on table public.other depends on view public.v"},
        Hindrance{
            "RuleOfAnotherTable",
            "CREATE TABLE other (a int); CREATE RULE r AS ON INSERT TO other DO ALSO DELETE FROM "
            "mirror WHERE a IN (SELECT v.a FROM v)",
            "ALTER a TYPE bigint", "table public.other depends on view public.v"},
        Hindrance{"NoSuchFunction", "SELECT 1", "ALTER pad TYPE int USING 1",
                  "view public.v cannot be made anew over the table that takes the place of its "
                  "own"},
        Hindrance{"Default",
                  "DROP VIEW v; CREATE VIEW v AS SELECT id, pad FROM items; ALTER VIEW v ALTER pad "
                  "SET DEFAULT 'x'::text",
                  "ALTER pad TYPE int USING length(pad)",
                  "column \"pad\" is of type integer but default expression is of type text"},
        Hindrance{"RuleThatWritesAnotherTable",
                  "CREATE TABLE seen (a int); CREATE RULE keep AS ON UPDATE TO v DO ALSO INSERT "
                  "INTO seen VALUES (new.a)",
                  "ALTER a TYPE text", "its rule keep"},
        Hindrance{
            "RuleOfOneAboveInAnotherSchema",
            "CREATE SCHEMA app; CREATE TABLE seen (a int); CREATE VIEW app.v AS SELECT a FROM "
            "v; CREATE RULE keep AS ON UPDATE TO app.v DO ALSO INSERT INTO seen VALUES (new.a)",
            "ALTER a TYPE text", "view app.v cannot be made anew"}),
    [](const auto& param) { return std::string(param.param.name); });

// Between the copy and the cut-over.
TEST_F(ViewsAnew, WhatIsHungOnThemMeanwhileStopsTheSwapUntilItIsGone) {
  Make(200);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  database_.AwaitValue("SELECT to_regclass('pgalter.run') IS NOT NULL", "t", kLimit);
  database_.AwaitValue(
      "SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%it waits for: pgalter "
      "cutover%'",
      "1", kLimit);
  database_.Sql(
      "CREATE VIEW late AS SELECT a FROM items; GRANT SELECT ON late TO view_reader;"
      "CREATE FUNCTION of_top(summed) RETURNS int LANGUAGE sql AS 'SELECT 1'");
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran refused = program.Wait(kLimit);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("function public.of_top(public.summed) depends on view "
                                           "public.summed"),
                                 HasSubstr("Then: pgalter resume")));
  EXPECT_EQ(TypeInView(), "integer");
  database_.Sql("DROP FUNCTION of_top(summed)");
  ResumeToTheEnd();
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(database_.Value("SELECT has_table_privilege('view_reader', 'late', 'SELECT')"), "t");
  EXPECT_EQ(database_.Value("SELECT pg_typeof(a) FROM late LIMIT 1"), "bigint");
  ExpectNothingLeft();
  ExpectSame();
}

// Users read through the views and write the table in one transaction.
std::string ReadAndWrite(std::mt19937& dice) {
  const int id = std::uniform_int_distribution(1, 2'000)(dice);
  return fmt::format(
      "BEGIN; SELECT * FROM \"Reports\".top; SELECT * FROM \"Of A\" WHERE \"The Key\" = {0};"
      "UPDATE items SET a = a + 1 WHERE id = {0}; COMMIT",
      id);
}

class ViewsKilledAt : public ViewsAnew, public ::testing::WithParamInterface<const char*> {};

TEST_P(ViewsKilledAt, ResumeAndRevertEndWithAllInPlace) {
  Make();
  const auto before = Dump(database_);
  const Words point{fmt::format("PGALTER_FAIL_POINT={}", GetParam())};
  Rebuilders users(database_.conninfo(), 3, &ReadAndWrite, "40001");
  const Ran killed = Run(Rebuild(), point);
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ASSERT_EQ(users.errors(), "");
  users.AwaitWrites(20);
  ResumeToTheEnd();
  EXPECT_EQ(TypeInView(), "bigint");
  EXPECT_EQ(BoundAway(), 0);
  const Ran killed_back = Run({"revert", RunId(), "--yes"}, point);
  ASSERT_TRUE(killed_back.code == kKilled || killed_back.code == 0) << killed_back.err;
  if (killed_back.code == kKilled) {
    AwaitNoRunner();
    users.AwaitWrites(20);
    ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  }
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Points, ViewsKilledAt,
                         ::testing::Values("shadow-made", "drained", "swapped", "swap-not-flushed",
                                           "cut-over"),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
