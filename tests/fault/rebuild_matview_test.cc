// Materialized views over a table that is rebuilt come along, with --rebuild-matviews: there, back,
// after a kill anywhere, and with what a REFRESH of a user's has brought meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <utility>

#include "tests/fault/lock_order.h"
#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// By name, by column, through a function, over the primary key; one over another and a view over
// both; one in another schema, one that is empty.
constexpr const char* kMatviews = R"sql(
DO $$ BEGIN CREATE ROLE matview_reader; EXCEPTION WHEN duplicate_object THEN END $$;
CREATE SCHEMA "Reports";
CREATE FUNCTION half(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
CREATE TABLE kinds (a int PRIMARY KEY, name text);
INSERT INTO kinds SELECT g, 'k' || g FROM generate_series(0, 999) g;
CREATE MATERIALIZED VIEW "By Kind" (kind, "How Many", most) WITH (fillfactor = 70,
  autovacuum_enabled = false) AS
  SELECT k.name, count(*), max(half(i.id::bigint)) FROM items i JOIN public.kinds k ON k.a = i.id % 1000
  WHERE i.u IS NULL OR i.u > -1 GROUP BY 1;
CREATE UNIQUE INDEX "Kind Once" ON "By Kind" (kind);
CREATE INDEX many ON "By Kind" ("How Many" DESC) INCLUDE (most) WHERE most > 1;
ALTER TABLE "By Kind" CLUSTER ON "Kind Once";
ALTER MATERIALIZED VIEW "By Kind" ALTER kind SET STATISTICS 33, ALTER kind SET (n_distinct = -0.5),
  ALTER kind SET STORAGE EXTERNAL, ALTER kind SET COMPRESSION pglz;
COMMENT ON MATERIALIZED VIEW "By Kind" IS 'a ''list''';
COMMENT ON COLUMN "By Kind"."How Many" IS 'rows';
COMMENT ON INDEX many IS 'for the list';
CREATE STATISTICS "Both" ON kind, most FROM "By Kind";
GRANT SELECT ON "By Kind" TO matview_reader WITH GRANT OPTION;
GRANT SELECT (kind) ON "By Kind" TO PUBLIC;
CREATE MATERIALIZED VIEW "Reports".total AS
  SELECT sum("How Many") AS n, (SELECT count(*) FROM items) AS all FROM "By Kind";
CREATE UNIQUE INDEX ON "Reports".total (n);
CREATE MATERIALIZED VIEW keyed AS SELECT id, pad FROM items GROUP BY id WITH NO DATA;
CREATE INDEX ON keyed (id);
CREATE VIEW shown WITH (security_barrier = true) AS
  SELECT kind, n, (SELECT max(id) FROM items) AS last FROM "By Kind", "Reports".total;
GRANT SELECT ON shown TO matview_reader;
CREATE VIEW "Reports".shown_too AS SELECT * FROM shown;
)sql";

// Nothing but what has been made since, an index of this name.
auto Later() { return AllOf(::testing::Not(IsEmpty()), Each(HasSubstr("later"))); }

class Matviews : public RebuildWorld {
 protected:
  void Make(int rows = 2'000) {
    MakeRebuilt(rows);
    database_.Sql(kMatviews);
  }

  [[nodiscard]] static Words Rebuilt(const Words& more = {}) {
    Words words{"rebuild", "items", "--rebuild-matviews", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  [[nodiscard]] std::string Content() const {
    return database_.Value(
        "SELECT md5((SELECT string_agg(b::text, ',' ORDER BY kind) FROM \"By Kind\" b) || (SELECT "
        "t::text FROM \"Reports\".total t))");
  }
  // What the query says now.
  [[nodiscard]] std::string Fresh() const {
    database_.Sql(
        "REFRESH MATERIALIZED VIEW \"By Kind\"; REFRESH MATERIALIZED VIEW \"Reports\".total");
    return Content();
  }
  // All that a materialized view is read from by now.
  [[nodiscard]] long BoundAway() const {
    return Number(
        "SELECT count(*) FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass "
        "AND r.oid = d.objid JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = "
        "d.refobjid WHERE c.relnamespace::regnamespace::text LIKE 'pgalter\\_%'");
  }
  void ExpectUnpopulated() const {
    EXPECT_EQ(database_.Value("SELECT relispopulated FROM pg_class WHERE oid = 'keyed'::regclass"),
              "f");
  }
};

TEST_F(Matviews, ComeAlongThereAndBackAndForGood) {
  Make();
  const auto before = Dump(database_);
  database_.Sql("DELETE FROM mirror WHERE id = 5; DELETE FROM items WHERE id = 5");
  Session reader = database_.Connect();
  reader.Exec("PREPARE by_name AS SELECT count(*) FROM \"By Kind\"; EXECUTE by_name");

  const Ran ran = Run(Rebuilt());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err,
              HasSubstr("materialized view public.\"By Kind\" is made anew, and refreshed"));
  EXPECT_THAT(ran.err, HasSubstr("materialized view public.keyed is made anew, and stays unpop"));
  EXPECT_EQ(BoundAway(), 0);
  ExpectUnpopulated();
  EXPECT_EQ(database_.Value("SELECT \"all\" FROM \"Reports\".total"), "1999");
  EXPECT_EQ(Content(), Fresh());
  reader.Exec("EXECUTE by_name; REFRESH MATERIALIZED VIEW CONCURRENTLY \"By Kind\"");

  database_.Sql("DELETE FROM items WHERE id = 6; CREATE INDEX later ON \"By Kind\" (most)");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), Later());
  EXPECT_EQ(BoundAway(), 0);
  ExpectUnpopulated();
  EXPECT_EQ(database_.Value("SELECT \"all\" FROM \"Reports\".total"), "1998");
  EXPECT_EQ(Content(), Fresh());

  ASSERT_EQ(Run(Rebuilt()).code, 0);
  ExpectNothingLeft();
  EXPECT_THAT(Difference(before, Dump(database_)), Later());
  EXPECT_EQ(Content(), Fresh());
  reader.Exec("EXECUTE by_name");
  ExpectSame();
}

// As after DROP, ALTER TABLE and CREATE.
TEST_F(Matviews, TheirColumnsFollowThoseOfTheTable) {
  constexpr const char* kBoth =
      "CREATE MATERIALIZED VIEW of_a AS SELECT a, count(*) AS n, sum(a) AS s FROM items GROUP BY a;"
      "CREATE UNIQUE INDEX of_a_once ON of_a (a)";
  MakeRebuilt(2'000);
  database_.Sql(kBoth);
  const Ran ran = Run(Rebuild({"--rebuild-matviews"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto rebuilt = Dump(database_);
  database_.Sql("CREATE TABLE kept AS SELECT * FROM of_a");
  EXPECT_EQ(Number("SELECT sum(n) FROM of_a"), 2'000);
  database_.Sql(std::string("DROP MATERIALIZED VIEW of_a;") + kBoth);
  EXPECT_EQ(Number("SELECT count(*) FROM kept FULL JOIN of_a USING (a, n, s) WHERE kept.a IS NULL "
                   "OR of_a.a IS NULL"),
            0);
  database_.Sql("DROP TABLE kept");
  EXPECT_THAT(Difference(rebuilt, Dump(database_)), IsEmpty());
  ExpectNothingLeft();
}

TEST_F(Matviews, OfTablesThatChangePlacesTogether) {
  MakeRebuilt(500);
  database_.Sql(
      "CREATE SCHEMA app; CREATE TABLE app.note (id int PRIMARY KEY, item bigint REFERENCES items);"
      "INSERT INTO app.note SELECT id, id FROM items;"
      "CREATE MATERIALIZED VIEW joined AS SELECT i.id, n.id AS note FROM items i JOIN app.note n "
      "ON "
      "n.item = i.id");
  const auto before = Dump(database_);
  const Ran ran = Run(Rebuilt({"app.note"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM joined"), 500);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(Number("SELECT count(*) FROM joined"), 500);
}

TEST_F(Matviews, IntoPartitionsAndBack) {
  MakeRebuilt(500);
  database_.Sql("CREATE MATERIALIZED VIEW of_a AS SELECT a, count(*) AS n FROM items GROUP BY a");
  const Ran ran = Run(Partition({"--rebuild-matviews"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(Number("SELECT sum(n) FROM of_a"), 500);
  database_.Sql("DELETE FROM items WHERE id = 7");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT sum(n) FROM of_a"), 499);
  EXPECT_EQ(BoundAway(), 0);
}

TEST_F(Matviews, OfAPlanThatIsKeptThereAndBack) {
  Make(500);
  const auto before = Dump(database_);
  const std::string plan = File("");
  const Ran refused =
      Run({"run", "--sql", "VACUUM FULL items", "--prefer", "rebuild", "--dry-run"});
  EXPECT_THAT(refused.out, HasSubstr("--rebuild-matviews"));
  const Ran planned =
      Run({"plan", "--sql", "VACUUM FULL items", "--rebuild-matviews", "--out", plan});
  ASSERT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("and its disk once more"));
  const Ran ran = Run({"run", plan, "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("materialized view public.\"By Kind\" is made anew"));
  EXPECT_EQ(BoundAway(), 0);
  ExpectUnpopulated();
  EXPECT_EQ(Content(), Fresh());
  database_.Sql("DELETE FROM items WHERE id = 6");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(database_.Value("SELECT \"all\" FROM \"Reports\".total"), "499");
  EXPECT_EQ(Run({"run", plan, "--rebuild-matviews", "--yes"}).code, 2);
}

TEST_F(Matviews, OfATableThatIsPartitionedByACopyAndPlainAgain) {
  MakeRebuilt(500);
  database_.Sql("CREATE MATERIALIZED VIEW of_a AS SELECT a, count(*) AS n FROM items GROUP BY a");
  const Words convert{"partition", "convert",   "items", "--by",
                      "hash(id)",  "--modulus", "3",     "--allow-weaker-keys",
                      "--yes"};
  const Ran refused = Run(convert);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("--rebuild-matviews"));
  Words with = convert;
  with.emplace_back("--rebuild-matviews");
  const Ran converted = Run(with);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(BoundAway(), 0);
  ExpectNothingLeft();
  const Ran undone = Run({"partition", "undo", "items", "--rebuild-matviews", "--yes"});
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(Number("SELECT sum(n) FROM of_a"), 500);
}

class MatviewsKilledAt : public Matviews, public ::testing::WithParamInterface<const char*> {};

TEST_P(MatviewsKilledAt, ResumeEndsWithAllInPlace) {
  Make();
  const auto before = Dump(database_);
  Rebuilders users(database_.conninfo(), 1);
  const Ran killed = Run(Rebuilt(), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(BoundAway(), 0);
  ExpectSame();
  ExpectNothingLeft();
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_GT(Number("SELECT count(*) FROM \"By Kind\""), 0);
}

INSTANTIATE_TEST_SUITE_P(Points, MatviewsKilledAt, ::testing::ValuesIn(kMatviewPoints),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

class MatviewRevertKilledAt : public Matviews, public ::testing::WithParamInterface<const char*> {};

TEST_P(MatviewRevertKilledAt, AnotherRevertEndsIt) {
  Make();
  const auto before = Dump(database_);
  ASSERT_EQ(Run(Rebuilt()).code, 0);
  database_.Sql("DELETE FROM items WHERE id = 5");
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(BoundAway(), 0);
  EXPECT_EQ(database_.Value("SELECT \"all\" FROM \"Reports\".total"), "1999");
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
}

INSTANTIATE_TEST_SUITE_P(Points, MatviewRevertKilledAt,
                         ::testing::Values("matviews-made", "matview-filled:2", "swapped",
                                           "swapped-back"),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

TEST_F(Matviews, AnAbortLeavesThemAsTheyWere) {
  Make();
  const char* const kIdentity =
      "SELECT string_agg(format('%s %s', oid, relfilenode), ',' ORDER BY oid) FROM pg_class WHERE "
      "relkind = 'm'";
  const auto before = Dump(database_);
  const std::string identity = database_.Value(kIdentity);
  ASSERT_EQ(Run(Rebuilt(), {"PGALTER_FAIL_POINT=matview-filled:2"}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(database_.Value(kIdentity), identity);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
}

// What the server does not let a query find, there or back.
TEST_F(Matviews, OneThatCannotBeRefreshedIsNamed) {
  MakeRebuilt(100);
  database_.Sql(
      "CREATE MATERIALIZED VIEW empty AS SELECT id FROM items; CREATE MATERIALIZED VIEW over AS "
      "SELECT id FROM empty; REFRESH MATERIALIZED VIEW empty WITH NO DATA");
  const Ran refused = Run(Rebuilt());
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("materialized view public.over cannot be refreshed"));
  EXPECT_THAT(refused.err, HasSubstr("has not been populated"));
  database_.Sql("DROP MATERIALIZED VIEW over");
  ResumeToTheEnd();
  database_.Sql(
      "CREATE MATERIALIZED VIEW stranger AS SELECT id FROM items; ALTER MATERIALIZED VIEW "
      "stranger OWNER TO pg_monitor");
  const Ran kept = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(kept.code, 4) << kept.err;
  EXPECT_THAT(kept.err, HasSubstr("materialized view public.stranger cannot be made anew"));
  database_.Sql("DROP MATERIALIZED VIEW stranger");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(BoundAway(), 0);
}

// The owner of all, with no right besides; a function of his that looks for its table by his
// search_path (which REFRESH itself does not have from 17 on).
TEST_F(Matviews, OfARoleThatIsNoSuperuser) {
  const bool finds = Number("SELECT current_setting('server_version_num')::int") < 170'000;
  database_.Sql(fmt::format(
      "DO $$ BEGIN CREATE ROLE matview_user LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
      "GRANT CREATE ON DATABASE {0} TO matview_user; CREATE SCHEMA mine AUTHORIZATION matview_user;"
      "ALTER ROLE matview_user IN DATABASE {0} SET search_path = mine",
      database_.name()));
  user_ = "matview_user";
  Session owner(database_.conninfo() + " user=matview_user");
  owner.Exec(fmt::format(
      "CREATE TABLE names (id int, name text); INSERT INTO names VALUES (1, 'one');"
      "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
      "CREATE FUNCTION named(int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT "
      "name FROM {}names WHERE id = $1); END $$;"
      "CREATE MATERIALIZED VIEW m AS SELECT id, named(id) FROM t; GRANT SELECT ON m TO PUBLIC",
      finds ? "" : "mine."));
  const Ran ran = Run({"rebuild", "t", "--rebuild-matviews", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT named FROM mine.m"), "one");
  EXPECT_EQ(
      database_.Value("SELECT relacl FROM pg_class WHERE oid = 'mine.m'::regclass").find("=r/") !=
          std::string::npos,
      true);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(database_.Value("SELECT named FROM mine.m"), "one");
  EXPECT_EQ(BoundAway(), 0);
}

// Between the moment at which the twins are filled and the swap, which waits for a lock.
class MatviewsMeanwhile : public Matviews {
 protected:
  // Of the newest run, whose twins are filled by then.
  void AwaitSwap() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.artefact') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE finished_at IS NULL AND progress::text LIKE "
        "'%waiting for a lock on%' AND EXISTS (SELECT FROM pgalter.artefact a WHERE a.run = "
        "run.run AND kind = 'matview' AND dropped_at IS NULL)",
        "1", kLimit);
  }
  // A user of the table, without a snapshot; what he does with one does not concern the swap.
  void HoldTable() { holder_.Exec("BEGIN; LOCK TABLE items IN ACCESS SHARE MODE"); }
  void LetTableGo() { holder_.Exec("COMMIT"); }

  Session holder_ = database_.Connect();

  // A row comes, and a user refreshes what counts them, while the swap waits: how many it counted
  // then, and counts afterwards.
  std::pair<long, long> RefreshMeanwhile(const char* how, Words environment = {}) {
    const char* const kCounted = "SELECT sum(\"How Many\") FROM \"By Kind\"";
    HoldTable();
    Program program = Start(Rebuilt(), std::move(environment));
    AwaitSwap();
    database_.Sql("INSERT INTO items (id, a, pad) SELECT max(id) + 1, 1, 'late' FROM items");
    database_.Sql(fmt::format("REFRESH MATERIALIZED VIEW {} \"By Kind\"", how));
    const long counted = Number(kCounted);
    LetTableGo();
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return {counted, Number(kCounted)};
  }
};

TEST_F(MatviewsMeanwhile, AUsersRefreshIsNotLost) {
  Make(500);
  EXPECT_EQ(RefreshMeanwhile(""), std::pair(501L, 501L));
  ExpectNothingLeft();
  EXPECT_EQ(RefreshMeanwhile("CONCURRENTLY"), std::pair(502L, 502L));
  ExpectNothingLeft();
}

TEST_F(MatviewsMeanwhile, WithoutTheLookUnderTheLockItWouldBe) {
  Make(500);
  EXPECT_EQ(RefreshMeanwhile("CONCURRENTLY", {"PGALTER_SAFEGUARDS_OFF=matview-twins"}),
            std::pair(501L, 500L));
}

TEST_F(MatviewsMeanwhile, WhatIsMadeAlteredOrDroppedFollows) {
  Make(500);
  HoldTable();
  Program program = Start(Rebuilt());
  AwaitSwap();
  database_.Sql(
      "DROP MATERIALIZED VIEW keyed; CREATE MATERIALIZED VIEW late AS SELECT count(*) FROM items;"
      "GRANT SELECT ON late TO matview_reader; CREATE INDEX more ON \"By Kind\" (most);"
      "COMMENT ON COLUMN \"By Kind\".most IS 'late'; REFRESH MATERIALIZED VIEW \"Reports\".total");
  LetTableGo();
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectNothingLeft();
  EXPECT_EQ(database_.Value("SELECT to_regclass('keyed') IS NULL"), "t");
  EXPECT_EQ(database_.Value("SELECT indexdef FROM pg_indexes WHERE indexname = 'more'"),
            "CREATE INDEX more ON public.\"By Kind\" USING btree (most)");
  EXPECT_EQ(database_.Value("SELECT col_description('\"By Kind\"'::regclass, 3)"), "late");
  EXPECT_EQ(database_.Value("SELECT count FROM late"), "500");
  EXPECT_EQ(database_.Value("SELECT has_table_privilege('matview_reader', 'late', 'SELECT')"), "t");
}

struct HeldView {
  const char* name;
  const char* view;
  const char* hold;
};

class MatviewsHeld : public MatviewsMeanwhile, public ::testing::WithParamInterface<HeldView> {
 protected:
  // Whether the swap has the table while it waits for the view.
  std::string HasTheTableWhileItWaits(Words environment = {}) {
    holder_.Exec(std::string("BEGIN; ") + GetParam().hold);
    Program program = Start(Rebuilt(), std::move(environment));
    const std::string found = WaitsWithTheTable(database_, GetParam().view, "items");
    holder_.Exec("COMMIT");
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return found;
  }
};

// Whoever reads through a view has locked it, and waits for its table.
TEST_P(MatviewsHeld, TheSwapHasNoTableWhileItWaitsForAViewOverIt) {
  Make(500);
  EXPECT_EQ(HasTheTableWhileItWaits(), "f");
  ExpectNothingLeft();
  EXPECT_EQ(HasTheTableWhileItWaits({"PGALTER_SAFEGUARDS_OFF=views-first"}), "t");
}

INSTANTIATE_TEST_SUITE_P(
    Views, MatviewsHeld,
    ::testing::Values(HeldView{"AView", "shown", "ALTER VIEW shown OWNER TO CURRENT_USER"},
                      HeldView{"OneOverAnother", "\"Reports\".total",
                               "SELECT FROM \"Reports\".total"},
                      HeldView{"OneOverATable", "\"By Kind\"", "SELECT FROM \"By Kind\""}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Matviews, UsersWhoReadThemAreToldNothing) {
  Make();
  std::atomic<bool> over = false;
  std::string errors;
  std::atomic<long> reads = 0;
  std::thread user([&] {
    try {
      Session session = database_.Connect();
      session.Exec("PREPARE kept AS SELECT count(*) FROM shown");
      while (!over) {
        session.Exec(
            "SELECT count(*) FROM \"By Kind\"; SELECT count(*) FROM \"Reports\".shown_too; EXECUTE "
            "kept");
        ++reads;
      }
    } catch (const std::exception& error) {
      errors = error.what();
    }
  });
  const Ran ran = Run(Rebuilt());
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  over = true;
  user.join();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(errors, "");
  EXPECT_GT(reads, 0);
}

struct UnfitCase {
  const char* name;
  const char* script;
  Words arguments;
  const char* says;
};

class UnfitMatview : public RebuildWorld, public ::testing::WithParamInterface<UnfitCase> {};

TEST_P(UnfitMatview, IsRefusedAndNothingIsWritten) {
  database_.Sql(
      "DO $$ BEGIN CREATE ROLE matview_owner; EXCEPTION WHEN duplicate_object THEN END $$;"
      "CREATE TABLE t (id int PRIMARY KEY, b int, c int); INSERT INTO t VALUES (1, 1, 1)");
  database_.Sql(GetParam().script);
  const auto before = Dump(database_);
  Words words{"rebuild", "t", "--yes"};
  words.insert(words.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

const Words kFollow{"--rebuild-matviews"};

INSTANTIATE_TEST_SUITE_P(
    Cases, UnfitMatview,
    ::testing::Values(
        UnfitCase{"NotAsked",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t",
                  {},
                  "materialized view public.m reads it: drop it before, and make it again after. "
                  "Or have it made anew with the table: --rebuild-matviews"},
        UnfitCase{"ColumnThatGoes",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t",
                  {"--rebuild-matviews", "--alter", "DROP b"},
                  "materialized view public.m uses column b, which is not in the new definition"},
        UnfitCase{"AnotherOwner",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t; ALTER MATERIALIZED VIEW m OWNER "
                  "TO matview_owner",
                  kFollow, "let both have one owner"},
        UnfitCase{"ForcedRowSecurity",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t; ALTER TABLE t ENABLE ROW LEVEL "
                  "SECURITY, FORCE ROW LEVEL SECURITY",
                  kFollow, "has FORCE ROW LEVEL SECURITY"},
        UnfitCase{"RowTypeInUse",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t; CREATE FUNCTION f(m) RETURNS int "
                  "LANGUAGE sql AS 'SELECT 1'",
                  kFollow, "function public.f(public.m) depends on its row type"},
        UnfitCase{"WholeRow", "CREATE MATERIALIZED VIEW m AS SELECT t AS whole FROM t", kFollow,
                  "depends on its row type"},
        UnfitCase{"OneNameInTwoSchemas",
                  "CREATE SCHEMA app; CREATE MATERIALIZED VIEW app.t AS SELECT b FROM t", kFollow,
                  "have one name in two schemas"},
        UnfitCase{"OneIndexNameInTwoSchemas",
                  "CREATE SCHEMA app; CREATE MATERIALIZED VIEW app.m AS SELECT b FROM t; CREATE "
                  "INDEX t_pkey ON app.m (b)",
                  kFollow, "have one name in two schemas"},
        UnfitCase{"Policy",
                  "CREATE MATERIALIZED VIEW m AS SELECT b FROM t; CREATE TABLE o (a int); CREATE "
                  "POLICY p ON o USING (a IN (SELECT b FROM m))",
                  kFollow, "policy p of public.o reads it"}),
    [](const auto& param) { return std::string(param.param.name); });

// A name that the copy's schema has, too, would be read there.
TEST_F(Matviews, ANameThatMeansAnotherTableWhereTheCopyStandsIsRefused) {
  MakeRebuilt(10);
  database_.Sql(
      "CREATE TABLE log_forward (id int); CREATE MATERIALIZED VIEW m AS SELECT i.id FROM items i, "
      "log_forward");
  const Ran ran = Run(Rebuilt());
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("log_forward"));
}

// Each time that it is filled, its query alters the one that users have.
TEST_F(Matviews, OneThatIsAlteredEachTimeEndsTheRunAndTheWayBack) {
  const auto let = [this](const char* action) {
    database_.Sql(
        fmt::format("CREATE OR REPLACE FUNCTION stir() RETURNS int LANGUAGE plpgsql AS "
                    "'BEGIN {}; RETURN 1; END'",
                    action));
  };
  constexpr const char* kStir = "GRANT SELECT ON public.stirred TO PUBLIC";
  MakeRebuilt(500);
  let("NULL");
  database_.Sql("CREATE MATERIALIZED VIEW stirred AS SELECT count(*) AS n, stir() FROM items");
  let(kStir);
  const Ran there = Run(Rebuilt());
  EXPECT_EQ(there.code, 4) << there.err;
  EXPECT_THAT(there.err, AllOf(HasSubstr("materialized view public.stirred was altered"),
                               HasSubstr("each of the 10 times"), HasSubstr("pgalter resume ")));
  let("NULL");
  ResumeToTheEnd();
  let(kStir);
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 4) << back.err;
  EXPECT_THAT(back.err, AllOf(HasSubstr("each of the 10 times"), HasSubstr("pgalter revert ")));
  let("NULL");
  const Ran again = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(database_.Value("SELECT n FROM stirred"),
            database_.Value("SELECT count(*) FROM items"));
}

}  // namespace
}  // namespace pgalter::test
