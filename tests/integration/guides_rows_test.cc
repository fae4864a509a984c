// What guides tell people to do with rows, seen to go wrong, and what pgalter does instead. The
// numbers are those of the table in docs/coverage.md.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/guide_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kMismatch = 7;

class GuideRows : public GuideWorld {
 protected:
  [[nodiscard]] long Number(const std::string& sql) const {
    return std::stol(database_.Value(sql));
  }
};

TEST_F(GuideRows, E2ABlockThatCommitsFailsBesideOtherStatements) {
  MakeRows(2000);
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide,
                    "SELECT 1; DO $$ BEGIN UPDATE public.t SET c = id WHERE id <= 1000; COMMIT;"
                    " UPDATE public.t SET c = id WHERE id > 1000; END $$"),
            "2D000");
  EXPECT_EQ(Count("c IS NOT NULL"), "0");
  const Ran ran = Do({"backfill", "public.t", "--set", "c = id"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Count("c = id"), "2000");
}

TEST_F(GuideRows, E3BatchesOfOneBlockAreOneTransaction) {
  MakeRows(20'000);
  database_.Sql(
      "DO $$ BEGIN LOOP UPDATE public.t SET c = id WHERE id IN"
      " (SELECT id FROM public.t WHERE c IS NULL ORDER BY id LIMIT 5000);"
      " EXIT WHEN NOT FOUND; END LOOP; END $$");
  const char* const transactions = "SELECT count(DISTINCT xmin::text) FROM public.t WHERE c = id";
  EXPECT_EQ(database_.Value(transactions), "1");
  database_.Sql("UPDATE public.t SET c = NULL");
  const Ran ran = Do({"backfill", "public.t", "--set", "c = id", "--chunk-time", "20ms"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Count("c = id"), "20000");
  EXPECT_GT(Number(transactions), 4);
}

TEST_F(GuideRows, E4ALoopThatBeginsAnewReadsTheTableAgainAndAgain) {
  constexpr long kRows = 20'000;
  MakeRows(kRows);
  const std::string reads = "pg_stat_get_xact_tuples_returned('public.t'::regclass)";
  const long guide = Number(fmt::format(
      "CREATE TEMP TABLE reads (n bigint);"
      "DO $$ DECLARE seen bigint := {0}; BEGIN FOR batch IN 1..100 LOOP"
      " UPDATE public.t SET c = id WHERE id IN (SELECT id FROM public.t WHERE c IS NULL LIMIT 200);"
      " END LOOP; INSERT INTO reads VALUES ({0} - seen); END $$; SELECT n FROM reads",
      reads));
  EXPECT_EQ(Count("c = id"), std::to_string(kRows));
  EXPECT_GT(guide, 40 * kRows);
  database_.Sql(
      "CREATE TABLE public.u AS SELECT id, a, b, NULL::int AS c FROM public.t;"
      "ALTER TABLE public.u ADD PRIMARY KEY (id); ANALYZE public.u");
  const long before = Number("SELECT pg_stat_get_tuples_returned('public.u'::regclass)");
  const Ran ran = Do({"backfill", "public.u", "--set", "c = id", "--stripes", "1"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  database_.AwaitValue(
      fmt::format("SELECT pg_stat_get_tuples_updated('public.u'::regclass) >= {}", kRows), "t");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.u WHERE c = id"), std::to_string(kRows));
  // Once to change it, once to see that nothing is left.
  EXPECT_LT(Number("SELECT pg_stat_get_tuples_returned('public.u'::regclass)") - before, 6 * kRows);
}

TEST_F(GuideRows, E5AConditionThatTheNewValueDoesNotMakeFalseNeverEnds) {
  MakeRows(1000);
  database_.Sql(
      "UPDATE public.t SET b = NULL WHERE id = 500; ALTER TABLE public.t ADD full_name text");
  const std::string batch =
      "WITH done AS (UPDATE public.t SET full_name = a || ' ' || b WHERE id IN (SELECT id FROM"
      " public.t WHERE full_name IS NULL LIMIT 2000) RETURNING 1) SELECT count(*) FROM done";
  EXPECT_EQ(database_.Value(batch), "1000");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(database_.Value(batch), "1") << "there is always one more";
  database_.Sql("UPDATE public.t SET full_name = NULL");
  const Ran ran = Do({"backfill", "public.t", "--set", "full_name = a || ' ' || b"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Count("full_name = a || ' ' || b"), "999");
  EXPECT_EQ(Count("full_name IS NULL"), "1");
}

TEST_F(GuideRows, E6OneBadValueUndoesTheWholeStatement) {
  MakeRows(1000);
  database_.Sql(
      "ALTER TABLE public.t ADD d bytea; UPDATE public.t SET a = 'ab';"
      "UPDATE public.t SET a = 'no hex' WHERE id = 7");
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "UPDATE public.t SET d = decode(a, 'hex')"), "22023");
  EXPECT_EQ(Count("d IS NOT NULL"), "0");
  const Ran ran =
      Do({"backfill", "public.t", "--set", "d = decode(a, 'hex')", "--on-error", "quarantine"});
  EXPECT_EQ(Count("d = decode('ab', 'hex')"), "999") << ran.code << ran.err;
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.quarantine"), "1");
}

TEST_F(GuideRows, E7CountingBatchesIsNotCountingRows) {
  MakeRows(2500);
  EXPECT_EQ(database_.Value(
                "CREATE TEMP TABLE said (n int);"
                "DO $$ DECLARE total int := 0; BEGIN LOOP UPDATE public.t SET c = id WHERE id IN"
                " (SELECT id FROM public.t WHERE c IS NULL LIMIT 1000); EXIT WHEN NOT FOUND;"
                " total := total + 1000; END LOOP; INSERT INTO said VALUES (total); END $$;"
                "SELECT n FROM said"),
            "3000");
  const Ran ran = Do({"backfill", "public.t", "--set", "c = -id"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT done_rows FROM pgalter.run"), "2500");
}

TEST_F(GuideRows, E8AnAuditTrailThatIsUpdatedIsNoneAnyMore) {
  database_.Sql(
      "CREATE TABLE public.trail (id int PRIMARY KEY, said text, kind text, hash bytea);"
      "INSERT INTO public.trail SELECT g, 's' || g FROM generate_series(1, 500) g;"
      "UPDATE public.trail SET hash = sha256(convert_to(concat(trail.id, said, kind), 'UTF8'));"
      "CREATE FUNCTION public.only_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " RAISE EXCEPTION 'append only' USING ERRCODE = 'insufficient_privilege'; END $$;"
      "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON public.trail FOR EACH ROW"
      " EXECUTE FUNCTION public.only_added()");
  const char* const whole =
      "SELECT count(*) FROM public.trail"
      " WHERE hash = sha256(convert_to(concat(id, said, kind), 'UTF8'))";
  Session guide = database_.Connect();
  const std::string backfill = "UPDATE public.trail SET kind = 'login'";
  EXPECT_EQ(Refusal(guide, backfill), "42501");
  guide.Exec("BEGIN; ALTER TABLE public.trail DISABLE TRIGGER only_added; " + backfill);
  EXPECT_EQ(guide.Value(whole), "0") << "no row is what its hash says";
  guide.Exec("ROLLBACK");
  const Ran ran = Do({"backfill", "public.trail", "--set", "kind = 'login'"});
  EXPECT_NE(ran.code, kDone) << "the table's own trigger has the last word";
  EXPECT_THAT(ran.err, HasSubstr("42501"));
  EXPECT_EQ(database_.Value(whole), "500");
  EXPECT_EQ(Do({"abort", LastRun()}).code, kDone);
  // A new column with a constant changes no row, and the trigger does not see it.
  const Ran column =
      Do({"run", "--sql", "ALTER TABLE public.trail ADD COLUMN sort text DEFAULT 'login'"});
  EXPECT_EQ(column.code, kDone) << column.err;
  EXPECT_EQ(database_.Value(whole), "500");
}

TEST_F(GuideRows, E15OneUpdateLocksItsRowsAndNotTheTable) {
  MakeRows(2000);
  Session guide = database_.Connect();
  guide.Exec("BEGIN; UPDATE public.t SET c = 0");
  Session user = database_.Connect();
  user.Exec("SET lock_timeout = '200ms'");
  EXPECT_EQ(Refusal(user, "SELECT count(*) FROM public.t"), "");
  EXPECT_EQ(Refusal(user, "INSERT INTO public.t VALUES (9001)"), "");
  EXPECT_EQ(Refusal(user, "UPDATE public.t SET a = 'mine' WHERE id = 1999"), "55P03");
  guide.Exec("ROLLBACK");
  // One row that it cannot have keeps the backfill at work; all others are free meanwhile. Whoever
  // has written the table would keep it from making its trigger.
  guide.Exec("BEGIN; SELECT FROM public.t WHERE id = 1 FOR UPDATE");
  Program backfill(PGALTER_BINARY, {"backfill", "public.t", "--set", "c = id", "--yes", "--dsn",
                                    database_.conninfo()});
  database_.AwaitValue("SELECT count(*) > 1000 FROM public.t WHERE c = id", "t",
                       std::chrono::seconds(30));
  EXPECT_EQ(Refusal(user, "SET lock_timeout = '30s'; UPDATE public.t SET a = 'mine' WHERE id > 1"),
            "");
  guide.Exec("COMMIT");
  EXPECT_EQ(backfill.Wait().code, kDone);
  EXPECT_EQ(Count("c = id"), "2001");
  EXPECT_EQ(Count("a = 'mine'"), "2000");
  EXPECT_THAT(Do({"explain", "unbatched-backfill"}).out, HasSubstr("row"));
}

TEST_F(GuideRows, E40ExplainAnalyzeDoesWhatItExplains) {
  MakeRows(10);
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "EXPLAIN ANALYZE ALTER TABLE public.t ADD d int"), "42601");
  EXPECT_EQ(Refusal(guide, "EXPLAIN ANALYZE UPDATE public.t SET c = 1"), "");
  EXPECT_EQ(Count("c = 1"), "10");
  const Ran plan =
      Do({"plan", "--sql", "UPDATE public.t SET c = 2; ALTER TABLE public.t ADD d int"});
  EXPECT_THAT(plan.out, HasSubstr("UPDATE")) << plan.err;
  EXPECT_EQ(Count("c = 1"), "10");
  EXPECT_EQ(
      database_.Value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.t'::regclass"
                      " AND attname = 'd'"),
      "0");
}

TEST_F(GuideRows, E47ALoopOverNumbersOfKeysMissesThoseBelowItAndWalksThroughGaps) {
  MakeRows(2);
  database_.Sql("INSERT INTO public.t VALUES (-3, 'below'), (0, 'zero'), (2000000, 'far')");
  EXPECT_EQ(
      database_.Value(
          "CREATE TABLE public.copied (LIKE public.t); CREATE TEMP TABLE empty (n int);"
          "DO $$ DECLARE at int := 0; idle int := 0; BEGIN WHILE at < 2000000 LOOP"
          " INSERT INTO public.copied SELECT * FROM public.t WHERE id > at AND id <= at + 10000;"
          " IF NOT FOUND THEN idle := idle + 1; END IF; at := at + 10000; END LOOP;"
          " INSERT INTO empty VALUES (idle); END $$; SELECT n FROM empty"),
      "198");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.copied"), "3") << "of five";
  const Ran ran = Do({"rebuild", "public.t", "--alter", "ALTER id TYPE bigint"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM public.t"),
            "-3 0 1 2 2000000");
}

TEST_F(GuideRows, E56RowSecurityHidesRowsFromABackfill) {
  const std::string role = database_.name() + "_rls";
  MakeRows(10);
  database_.Sql(
      fmt::format("CREATE ROLE \"{0}\" LOGIN; GRANT CREATE ON DATABASE \"{1}\" TO \"{0}\";"
                  "GRANT ALL ON SCHEMA public TO \"{0}\"; ALTER TABLE public.t OWNER TO \"{0}\";"
                  "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; ALTER TABLE public.t FORCE ROW "
                  "LEVEL SECURITY;"
                  "CREATE POLICY few ON public.t USING (id <= 5)",
                  role, database_.name()));
  Session guide(database_.conninfo() + " user=" + role);
  EXPECT_EQ(Refusal(guide, "UPDATE public.t SET c = 0"), "") << "no error";
  guide.Close();
  EXPECT_EQ(Count("c = 0"), "5") << "of ten";
  const Ran ran = DoAs(role, {"backfill", "public.t", "--set", "c = id"});
  EXPECT_NE(ran.code, kDone);
  EXPECT_THAT(ran.err, HasSubstr("row-level security")) << ran.out;
  EXPECT_EQ(Count("c = id"), "0");
  const Ran rebuilt = DoAs(role, {"rebuild", "public.t", "--dry-run"});
  EXPECT_EQ(rebuilt.code, 10) << rebuilt.err;
  EXPECT_THAT(rebuilt.err, HasSubstr("cannot rebuild public.t: role"));
  EXPECT_THAT(rebuilt.err, HasSubstr("has BYPASSRLS"));
  EXPECT_THAT(rebuilt.err, Not(HasSubstr("query would be affected")));
  database_.Sql(fmt::format("ALTER ROLE \"{}\" BYPASSRLS", role));
  const Ran bypassing = DoAs(role, {"rebuild", "public.t"});
  EXPECT_EQ(bypassing.code, kDone) << bypassing.err;
  database_.Sql(
      fmt::format("ALTER TABLE public.t OWNER TO postgres; DROP OWNED BY \"{0}\" CASCADE;"
                  "DROP ROLE \"{0}\"",
                  role));
}

TEST_F(GuideRows, E58TwoCountsAreNoProofOfEquality) {
  MakeRows(1000);
  database_.Sql(
      "CREATE TABLE public.u (LIKE public.t INCLUDING ALL); INSERT INTO public.u SELECT * FROM "
      "public.t");
  EXPECT_EQ(Do({"verify", "public.t", "public.u"}).code, kDone);
  database_.Sql("UPDATE public.u SET a = 'other' WHERE id = 313");
  EXPECT_EQ(
      database_.Value("SELECT (SELECT count(*) FROM public.t) = (SELECT count(*) FROM public.u)"),
      "t");
  const Ran ran = Do({"verify", "public.t", "public.u"});
  EXPECT_EQ(ran.code, kMismatch) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("313"));
}

}  // namespace
}  // namespace pgalter::test
