// What guides tell people to do with the definition of tables, seen to go wrong, and what pgalter
// does instead. The numbers are those of the table in docs/coverage.md.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/guide_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kDifferent = 3;
constexpr int kRefused = 4;

class GuideSchema : public GuideWorld {
 protected:
  // What the probe saw of the one statement that looks so.
  [[nodiscard]] std::string Seen(const std::string& column, const std::string& like) const {
    return database_.Value(fmt::format(
        "SELECT string_agg({}::text, ',' ORDER BY n) FROM public.probe WHERE query ILIKE '{}'",
        column, like));
  }
  [[nodiscard]] std::string Filenode() const {
    return database_.Value("SELECT pg_relation_filenode('public.t')");
  }
  // Empty: there is no such column.
  [[nodiscard]] std::string TypeOf(const std::string& column) const {
    return database_.Value(
        fmt::format("SELECT COALESCE((SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
                    "WHERE attrelid = 'public.t'::regclass AND attname = '{}' AND NOT "
                    "attisdropped), '')",
                    column));
  }
  Program Background(Words words) const {
    words.insert(words.end(), {"--yes", "--dsn", database_.conninfo()});
    return {PGALTER_BINARY, words};
  }
  void AwaitReadyToSwap() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t",
                         std::chrono::seconds(60));
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE state = 'waiting' AND progress::text LIKE '%kept "
        "up to date%'",
        "1", std::chrono::seconds(60));
  }
};

TEST_F(GuideSchema, E1SetNotNullReadsTheTableUnderItsLock) {
  MakeRows(1000);
  Probe();
  database_.Sql("ALTER TABLE public.t ALTER COLUMN a SET NOT NULL");
  EXPECT_EQ(Seen("scans", "%SET NOT NULL%"), "1");
  EXPECT_THAT(Seen("modes", "%SET NOT NULL%"), HasSubstr("AccessExclusiveLock"));
  database_.Sql("TRUNCATE public.probe");
  const Ran ran = Do({"run", "--sql", "ALTER TABLE public.t ALTER COLUMN b SET NOT NULL"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(Seen("scans", "%SET NOT NULL%"), "0");
  EXPECT_EQ(Seen("scans", "%VALIDATE CONSTRAINT%"), "1");
  EXPECT_THAT(Seen("modes", "%VALIDATE CONSTRAINT%"), Not(HasSubstr("AccessExclusiveLock")));
  EXPECT_EQ(
      database_.Value("SELECT attnotnull FROM pg_attribute WHERE attrelid = 'public.t'::regclass"
                      " AND attname = 'b'"),
      "t");
}

TEST_F(GuideSchema, E9ARenameByACopyLosesWhatOldProgramsWrite) {
  MakeRows(3);
  database_.Sql(
      "ALTER TABLE public.t ADD COLUMN name text; UPDATE public.t SET name = a;"
      "UPDATE public.t SET a = 'changed' WHERE id = 1; INSERT INTO public.t (id, a) VALUES (4, "
      "'a4')");
  EXPECT_EQ(
      database_.Value("SELECT string_agg(COALESCE(name, 'none'), ' ' ORDER BY id) FROM public.t"),
      "a1 a2 a3 none");
  database_.Sql("ALTER TABLE public.t DROP COLUMN name");
  const Ran ran = Do({"run", "--sql", "ALTER TABLE public.t RENAME COLUMN a TO name"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  database_.Sql(
      "UPDATE public.t SET a = 'old' WHERE id = 1; UPDATE public.t SET name = 'new' WHERE id = 2;"
      "INSERT INTO public.t (id, a) VALUES (5, 'a5')");
  const char* const both = "SELECT string_agg(a || '=' || name, ' ' ORDER BY id) FROM public.t";
  EXPECT_EQ(database_.Value(both), "old=old new=new a3=a3 a4=a4 a5=a5");
  const Ran on = Do({"resume", LastRun(), "--through", "contract"});
  EXPECT_EQ(on.code, kDone) << on.err;
  EXPECT_EQ(database_.Value("SELECT string_agg(name, ' ' ORDER BY id) FROM public.t"),
            "old new a3 a4 a5");
  EXPECT_EQ(TypeOf("a"), "");
}

TEST_F(GuideSchema, E10IfNotExistsTakesAnIndexThatFailedForOne) {
  MakeRows(10);
  database_.Sql("UPDATE public.t SET a = 'same' WHERE id < 3");
  Session guide = database_.Connect();
  const std::string again = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a ON public.t (a)";
  EXPECT_EQ(Refusal(guide, again), "23505");
  database_.Sql("UPDATE public.t SET a = 'a' || id");
  EXPECT_EQ(Refusal(guide, again), "") << "and it says that all is well";
  const char* const valid =
      "SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.t_a'::regclass";
  EXPECT_EQ(database_.Value(valid), "f");
  const std::string wish = "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON public.t (a)";
  const Ran told = Do({"run", "--sql", wish});
  EXPECT_EQ(told.code, kRefused) << told.err;
  EXPECT_THAT(told.err, HasSubstr("not valid"));
  ASSERT_EQ(Do({"run", "--sql", "DROP INDEX public.t_a", "--through", "contract"}).code, kDone);
  const Ran ran = Do({"run", "--sql", wish});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value(valid), "t");
}

TEST_F(GuideSchema, E11AConcurrentIndexFailsBesideOtherStatements) {
  MakeRows(10);
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "SELECT 1; CREATE INDEX CONCURRENTLY t_a ON public.t (a)"), "25001");
  Write("1_a.sql",
        "ALTER TABLE public.t ADD COLUMN d int;\nCREATE INDEX CONCURRENTLY t_a ON public.t (a);\n");
  const Ran ran = Up();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(
      database_.Value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.t_a'::regclass"),
      "t");
}

TEST_F(GuideSchema, E12ATypeChangedByACopyLosesWhatHungOnTheColumn) {
  const char* const make =
      "ALTER TABLE public.t ALTER c SET DEFAULT 7, ADD CONSTRAINT positive CHECK (c > 0);"
      "UPDATE public.t SET c = id; ALTER TABLE public.t ALTER c SET NOT NULL;"
      "CREATE INDEX t_c ON public.t (c); COMMENT ON COLUMN public.t.c IS 'count'";
  const char* const make_view = "CREATE VIEW public.v AS SELECT id, c FROM public.t";
  const char* const left =
      "SELECT format('%s %s %s %s %s', attnotnull, atthasdef,"
      " (SELECT count(*) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'c'),"
      " (SELECT count(*) FROM pg_index WHERE indrelid = attrelid AND attnum = ANY (indkey)),"
      " COALESCE(col_description(attrelid, attnum), 'none'))"
      " FROM pg_attribute WHERE attrelid = 'public.t'::regclass AND attname = 'c'";
  MakeRows(10);
  database_.Sql(make);
  database_.Sql(make_view);
  Session guide = database_.Connect();
  guide.Exec(
      "BEGIN; ALTER TABLE public.t ADD COLUMN c_new bigint; UPDATE public.t SET c_new = c; "
      "SAVEPOINT s");
  EXPECT_EQ(Refusal(guide, "ALTER TABLE public.t DROP COLUMN c"), "2BP01");
  guide.Exec(
      "ROLLBACK TO s; DROP VIEW public.v; ALTER TABLE public.t DROP COLUMN c;"
      "ALTER TABLE public.t RENAME COLUMN c_new TO c");
  EXPECT_EQ(guide.Value(left), "f f 0 0 none");
  guide.Exec("ROLLBACK");
  const Ran ran = Do({"rebuild", "public.t", "--alter", "ALTER c TYPE bigint"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  // A view has the types of its columns: who reads it has to know of another one.
  EXPECT_THAT(ran.err, HasSubstr("view public.v is dropped and made anew"));
  EXPECT_EQ(database_.Value(left), "t t 1 1 count");
  EXPECT_EQ(TypeOf("c"), "bigint");
  EXPECT_EQ(database_.Value("SELECT sum(c) || ' ' || pg_typeof(min(c)) FROM public.v"),
            "55 bigint");
}

TEST_F(GuideSchema, E13OnlySomeChangesOfATypeRewriteTheTable) {
  MakeRows(10);
  database_.Sql("ALTER TABLE public.t ADD code varchar(5), ADD n int");
  const std::string before = Filenode();
  database_.Sql("ALTER TABLE public.t ALTER code TYPE varchar(10)");
  EXPECT_EQ(Filenode(), before) << "nothing was rewritten";
  Session guide = database_.Connect();
  guide.Exec("BEGIN; ALTER TABLE public.t ALTER n TYPE varchar");
  EXPECT_NE(guide.Value("SELECT pg_relation_filenode('public.t')"), before);
  guide.Exec("ROLLBACK");
  const Ran wider = Do({"run", "--sql", "ALTER TABLE public.t ALTER code TYPE varchar(20)"});
  EXPECT_EQ(wider.code, kDone) << wider.err;
  EXPECT_EQ(TypeOf("code"), "character varying(20)") << "at once, in the one statement";
  EXPECT_EQ(Filenode(), before);
  const Ran other = Do({"plan", "--sql", "ALTER TABLE public.t ALTER n TYPE bigint"});
  EXPECT_THAT(other.out, HasSubstr("backfill")) << "never by a rewrite under the lock\n"
                                                << other.out;
}

TEST_F(GuideSchema, E14AForeignKeyLocksBothTables) {
  MakeRows(10);
  database_.Sql(
      "CREATE TABLE public.parent (id int PRIMARY KEY); INSERT INTO public.parent SELECT "
      "generate_series(1, 10); UPDATE public.t SET c = id");
  Session guide = database_.Connect();
  guide.Exec(
      "BEGIN; ALTER TABLE public.t ADD CONSTRAINT t_c FOREIGN KEY (c) REFERENCES public.parent NOT "
      "VALID");
  EXPECT_EQ(
      guide.Value(
          "SELECT count(DISTINCT relation) FROM pg_locks WHERE pid = pg_backend_pid() AND mode ="
          " 'ShareRowExclusiveLock' AND relation IN ('public.t'::regclass,"
          " 'public.parent'::regclass)"),
      "2");
  Session user = database_.Connect();
  EXPECT_EQ(Refusal(user, "SET lock_timeout = '100ms'; INSERT INTO public.parent VALUES (11)"),
            "55P03");
  guide.Exec("ROLLBACK");
  Probe();
  const std::string wish =
      "ALTER TABLE public.t ADD CONSTRAINT t_c FOREIGN KEY (c) REFERENCES public.parent";
  EXPECT_THAT(Do({"plan", "--sql", wish}).out,
              AllOf(HasSubstr("SHARE ROW EXCLUSIVE"), HasSubstr("parent SHARE ROW EXCLUSIVE")));
  const Ran ran = Do({"run", "--sql", wish});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(Seen("modes", "%VALIDATE CONSTRAINT%"), Not(HasSubstr("ShareRowExclusiveLock")));
  EXPECT_EQ(database_.Value(
                "SELECT count(DISTINCT xact) FROM public.probe WHERE query ILIKE '%NOT VALID%' OR "
                "query ILIKE '%VALIDATE CONSTRAINT%'"),
            "2");
  EXPECT_EQ(database_.Value("SELECT convalidated FROM pg_constraint WHERE conname = 't_c'"), "t");
}

TEST_F(GuideSchema, E16AKeyWithoutThePartitionsColumnIsRefused) {
  database_.Sql(
      "CREATE TABLE public.t (id bigint PRIMARY KEY, at timestamptz NOT NULL);"
      "INSERT INTO public.t SELECT g, now() - g * interval '1 hour' FROM generate_series(1, 500) "
      "g");
  Session guide = database_.Connect();
  EXPECT_EQ(
      Refusal(guide,
              "CREATE TABLE public.t_new (LIKE public.t INCLUDING ALL) PARTITION BY RANGE (at)"),
      "0A000");
  const Ran ran =
      Do({"partition", "convert", "public.t", "--by", "range(at)", "--every", "1 month"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'public.t'::regclass"), "p");
  EXPECT_EQ(Count("true"), "500");
}

TEST_F(GuideSchema, E21IfNotExistsHidesAnotherType) {
  MakeRows(1);
  const std::string wish = "ALTER TABLE public.t ADD COLUMN IF NOT EXISTS a jsonb";
  database_.Sql(wish);
  EXPECT_EQ(TypeOf("a"), "text") << "and no error";
  Write("wanted.dump", "CREATE TABLE public.t (id int PRIMARY KEY, a jsonb, b text, c int);\n");
  const Ran ran = Do({"diff", "--to", Path("wanted.dump")});
  EXPECT_EQ(ran.code, kDifferent) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("text"), HasSubstr("jsonb")));
}

TEST_F(GuideSchema, E23ACopyLosesWhatIsWrittenMeanwhile) {
  const char* const writes =
      "INSERT INTO public.t VALUES (1001, 'new'); UPDATE public.t SET a = 'changed' WHERE id = 5;"
      "DELETE FROM public.t WHERE id = 6";
  const char* const rows =
      "SELECT format('%s %s %s', count(*) FILTER (WHERE id = 1001), count(*) FILTER (WHERE id = 5 "
      "AND a ="
      " 'changed'), count(*) FILTER (WHERE id = 6)) FROM public.t";
  MakeRows(1000);
  Session guide = database_.Connect();
  guide.Exec(
      "CREATE TABLE public.t_new (LIKE public.t INCLUDING ALL); INSERT INTO public.t_new SELECT * "
      "FROM public.t");
  guide.Exec(writes);
  guide.Exec("ALTER TABLE public.t RENAME TO t_old; ALTER TABLE public.t_new RENAME TO t");
  EXPECT_EQ(guide.Value(rows), "0 0 1") << "an insert and an update lost, a row back from the dead";
  guide.Exec("DROP TABLE public.t, public.t_old");
  MakeRows(1000);
  Program rebuild =
      Background({"rebuild", "public.t", "--alter", "ALTER c TYPE bigint", "--cutover", "wait"});
  AwaitReadyToSwap();
  database_.Sql(writes);
  EXPECT_EQ(Do({"cutover", LastRun()}).code, kDone);
  const Ran ran = rebuild.Wait();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value(rows), "1 1 0");
  EXPECT_EQ(TypeOf("c"), "bigint");
}

TEST_F(GuideSchema, E24LikeIncludingAllLeavesTriggersPoliciesAndGrants) {
  const std::string role = database_.name() + "_app";
  MakeRows(10);
  database_.Sql(
      fmt::format("CREATE ROLE \"{}\"; GRANT SELECT ON public.t TO \"{}\"; ALTER TABLE public.t "
                  "ENABLE ROW LEVEL SECURITY;"
                  "CREATE POLICY all_rows ON public.t USING (true); CREATE VIEW public.v AS SELECT "
                  "* FROM public.t;"
                  "CREATE TRIGGER keep BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION"
                  " suppress_redundant_updates_trigger()",
                  role, role));
  const std::string has = fmt::format(
      "SELECT format('%s %s %s %s', relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid "
      "= c.oid),"
      " (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid AND tgname = 'keep'),"
      " has_table_privilege('{}', c.oid, 'SELECT')) FROM pg_class c WHERE c.oid = "
      "'public.t'::regclass",
      role);
  const char* const view_reads =
      "SELECT DISTINCT refobjid::regclass FROM pg_depend WHERE classid = 'pg_rewrite'::regclass "
      "AND objid ="
      " (SELECT oid FROM pg_rewrite WHERE ev_class = 'public.v'::regclass) AND deptype = 'n' AND "
      "refclassid ="
      " 'pg_class'::regclass AND refobjid <> 'public.v'::regclass";
  Session guide = database_.Connect();
  guide.Exec(
      "BEGIN; CREATE TABLE public.t_new (LIKE public.t INCLUDING ALL); ALTER TABLE public.t RENAME "
      "TO t_old;"
      "ALTER TABLE public.t_new RENAME TO t");
  EXPECT_EQ(guide.Value(has), "f 0 0 f");
  EXPECT_THAT(guide.Value(view_reads), HasSubstr("t_old"));
  guide.Exec("ROLLBACK");
  const std::string before = Filenode();
  const Ran ran = Do({"rebuild", "public.t"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_NE(Filenode(), before);
  EXPECT_EQ(database_.Value(has), "t 1 1 t");
  EXPECT_EQ(database_.Value(std::string("SET search_path = public; ") + view_reads), "t");
  database_.Sql(fmt::format("DROP OWNED BY \"{0}\"; DROP ROLE \"{0}\"", role));
}

TEST_F(GuideSchema, E25TheOldTablesSequenceGoesWithIt) {
  const char* const make =
      "CREATE TABLE public.t (id serial PRIMARY KEY, a text);"
      "INSERT INTO public.t (a) SELECT 'a' || g FROM generate_series(1, 100) g; ANALYZE public.t";
  Session guide = database_.Connect();
  guide.Exec(make);
  guide.Exec(
      "CREATE TABLE public.t_new (LIKE public.t INCLUDING ALL); INSERT INTO public.t_new SELECT * "
      "FROM public.t;"
      "ALTER TABLE public.t RENAME TO t_old; ALTER TABLE public.t_new RENAME TO t");
  EXPECT_EQ(Refusal(guide, "DROP TABLE public.t_old"), "2BP01");
  guide.Exec("DROP TABLE public.t, public.t_old");
  // Of an identity column the new sequence begins anew.
  guide.Exec(
      "CREATE TABLE public.i (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text);"
      "INSERT INTO public.i (a) VALUES ('x'); CREATE TABLE public.i_new (LIKE public.i INCLUDING "
      "ALL);"
      "INSERT INTO public.i_new SELECT * FROM public.i");
  EXPECT_EQ(Refusal(guide, "INSERT INTO public.i_new (a) VALUES ('y')"), "23505");
  guide.Exec(make);
  const Ran ran = Do({"rebuild", "public.t", "--alter", "ALTER a TYPE varchar(20)"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  const Ran finished = Do({"finish", LastRun()});
  EXPECT_EQ(finished.code, kDone) << finished.err;
  EXPECT_EQ(database_.Value("INSERT INTO public.t (a) VALUES ('next') RETURNING id"), "101");
}

TEST_F(GuideSchema, E36AllIndexesRebuiltLockUsersOut) {
  MakeRows(1000);
  const std::string before = database_.Value("SELECT pg_relation_filenode('public.t_pkey')");
  Session old = database_.Connect();
  old.Exec("BEGIN; UPDATE public.t SET c = 1 WHERE id = 1");
  Session guide = database_.Connect();
  guide.Send("REINDEX TABLE public.t");
  database_.AwaitLockWait(guide.backend_pid());
  Session user = database_.Connect();
  user.Exec("SET lock_timeout = '300ms'");
  EXPECT_EQ(Refusal(user, "UPDATE public.t SET c = 2 WHERE id = 2"), "55P03");
  guide.Cancel();
  EXPECT_THROW(guide.Wait(), SqlError);
  // It waits for the same transaction; nobody waits for it.
  Program reindex = Background({"run", "--sql", "REINDEX TABLE public.t"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query ILIKE 'REINDEX%CONCURRENTLY%' AND "
      "wait_event_type ="
      " 'Lock'",
      "t", std::chrono::seconds(30));
  EXPECT_EQ(Refusal(user, "UPDATE public.t SET c = 2 WHERE id = 2"), "");
  EXPECT_EQ(Refusal(user, "SELECT * FROM public.t WHERE id = 3"), "");
  old.Exec("COMMIT");
  const Ran ran = reindex.Wait();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_NE(database_.Value("SELECT pg_relation_filenode('public.t_pkey')"), before);
}

TEST_F(GuideSchema, E38ALockWaitedForWithoutALimitStopsEverybody) {
  MakeRows(10);
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM public.t");
  Session guide = database_.Connect();
  guide.Send("ALTER TABLE public.t ADD COLUMN d int");
  database_.AwaitLockWait(guide.backend_pid());
  Session user = database_.Connect();
  user.Exec("SET statement_timeout = '3s'");
  EXPECT_EQ(Refusal(user, "SELECT count(*) FROM public.t"), "57014") << "behind the one that waits";
  guide.Cancel();
  EXPECT_THROW(guide.Wait(), SqlError);
  Program run = Background({"run", "--sql", "ALTER TABLE public.t ADD COLUMN d int"});
  database_.AwaitValue("SELECT to_regclass('pgalter.step') IS NOT NULL", "t",
                       std::chrono::seconds(30));
  database_.AwaitValue("SELECT count(*) FROM pgalter.step WHERE state = 'running'", "1",
                       std::chrono::seconds(30));
  user.Exec("SET statement_timeout = '20s'");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Refusal(user, "SELECT count(*) FROM public.t"), "");
  EXPECT_EQ(TypeOf("d"), "") << "the one that is in the way is still there";
  reader.Exec("COMMIT");
  EXPECT_EQ(run.Wait().code, kDone);
  EXPECT_EQ(TypeOf("d"), "integer");
}

TEST_F(GuideSchema, E45ABoundWithoutAZoneDependsOnTheSession) {
  database_.Sql(
      "CREATE TABLE public.p (at timestamptz) PARTITION BY RANGE (at);"
      "SET timezone = 'Europe/Berlin';"
      "CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM ('2026-01-01') TO "
      "('2026-02-01')");
  database_.Sql(
      "SET timezone = 'UTC';"
      "CREATE TABLE public.p2 PARTITION OF public.p FOR VALUES FROM ('2026-02-01') TO "
      "('2026-03-01')");
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "INSERT INTO public.p VALUES ('2026-01-31 23:30Z')"), "23514")
      << "an hour of nobody";
  database_.Sql(
      "CREATE TABLE public.t (id bigint PRIMARY KEY, at timestamptz NOT NULL);"
      "INSERT INTO public.t VALUES (0, now())");
  const Ran converted = Do({"partition", "convert", "public.t", "--by", "range(at)", "--every",
                            "1 month", "--premake", "1", "--default", "no"},
                           {"PGTZ=Europe/Berlin"});
  EXPECT_EQ(converted.code, kDone) << converted.err;
  const Ran more =
      Do({"partition", "maintain", "public.t", "--premake", "3"}, {"PGTZ=America/New_York"});
  EXPECT_EQ(more.code, kDone) << more.err;
  Session user = database_.Connect();
  EXPECT_EQ(
      Refusal(
          user,
          "INSERT INTO public.t SELECT extract(epoch FROM h)::bigint, h FROM generate_series(now(),"
          " now() + interval '80 days', '30 min') h"),
      "")
      << "no hole between what two zones have made";
}

TEST_F(GuideSchema, E46WithoutADefaultPartitionRowsAreRefused) {
  database_.Sql(
      "CREATE TABLE public.p (at timestamptz) PARTITION BY RANGE (at); CREATE TABLE public.p1 "
      "PARTITION OF"
      " public.p FOR VALUES FROM ('2026-01-01Z') TO ('2036-01-01Z')");
  Session guide = database_.Connect();
  EXPECT_EQ(Refusal(guide, "INSERT INTO public.p VALUES ('2036-05-05Z')"), "23514");
  database_.Sql(
      "CREATE TABLE public.t (id bigint PRIMARY KEY, at timestamptz NOT NULL); INSERT INTO "
      "public.t VALUES"
      " (0, now())");
  const Ran ran =
      Do({"partition", "convert", "public.t", "--by", "range(at)", "--every", "1 month"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  Session user = database_.Connect();
  EXPECT_EQ(Refusal(user, "INSERT INTO public.t VALUES (1, now() + interval '30 years')"), "");
  EXPECT_EQ(Count("true"), "2");
}

TEST_F(GuideSchema, E59AWayBackByDropLosesWhatWasWrittenSince) {
  MakeRows(3);
  Session guide = database_.Connect();
  guide.Exec(
      "BEGIN; ALTER TABLE public.t ADD COLUMN name text; UPDATE public.t SET name = a;"
      "UPDATE public.t SET name = 'by the new program' WHERE id = 2; ALTER TABLE public.t DROP "
      "COLUMN name");
  EXPECT_EQ(guide.Value("SELECT a FROM public.t WHERE id = 2"), "a2") << "what was written is gone";
  guide.Exec("ROLLBACK");
  ASSERT_EQ(Do({"run", "--sql", "ALTER TABLE public.t RENAME COLUMN a TO name"}).code, kDone);
  database_.Sql("UPDATE public.t SET name = 'by the new program' WHERE id = 2");
  const Ran back = Do({"revert", LastRun()});
  EXPECT_EQ(back.code, kDone) << back.err;
  EXPECT_EQ(database_.Value("SELECT a FROM public.t WHERE id = 2"), "by the new program");
  EXPECT_EQ(TypeOf("name"), "");
}

TEST_F(GuideSchema, E60StatisticsOfAllTablesForTheSakeOfOne) {
  const char* const others =
      "SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'other' AND last_analyze IS NOT "
      "NULL";
  MakeRows(500);
  database_.Sql("CREATE TABLE public.other AS SELECT g FROM generate_series(1, 500) g");
  const Ran ran = Do({"rebuild", "public.t", "--alter", "ALTER c TYPE bigint"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_EQ(database_.Value("SELECT reltuples FROM pg_class WHERE oid = 'public.t'::regclass"),
            "500");
  EXPECT_NE(database_.Value(
                "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename = 't'"),
            "0")
      << "what was made anew has its statistics";
  EXPECT_EQ(database_.Value(others), "0") << "and nothing else was read";
  database_.Sql("ANALYZE");
  database_.AwaitValue(others, "1");
}

}  // namespace
}  // namespace pgalter::test
