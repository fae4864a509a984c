// What guides tell people to do around a change (dumps, rights, sessions, connections, hours), seen
// to go wrong, and what pgalter does instead. The numbers are those of the table in
// docs/coverage.md.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/guide_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kNoConnection = 9;

class GuideServer : public GuideWorld {
 protected:
  [[nodiscard]] static std::string ServerLog() { return SharedServer().log_tail(400); }
};

TEST_F(GuideServer, E17PgRestoreCannotReadAPlainDump) {
  if (!HasClients()) GTEST_SKIP() << "this server comes without pg_dump";
  MakeRows(100);
  const std::string dump = Path("backup.dump").string();
  ASSERT_EQ(Shell("pg_dump -f '" + dump + "'").code, 0);
  const Ran guide = Shell("pg_restore --list '" + dump + "'");
  EXPECT_NE(guide.code, 0);
  EXPECT_THAT(guide.err, HasSubstr("psql"));
  const Ran ran =
      Program(PGALTER_BINARY, {"backup", "verify", dump, "--expect-rows", "public.t=100"}).Wait();
  EXPECT_EQ(ran.code, kDone) << ran.out << ran.err;
}

TEST_F(GuideServer, E18ADumpIsNotRestoredIntoTheDatabaseInUse) {
  if (!HasClients()) GTEST_SKIP() << "this server comes without pg_dump";
  MakeRows(100);
  const std::string dump = Path("backup.dump").string();
  ASSERT_EQ(Shell("pg_dump -f '" + dump + "'").code, 0);
  database_.Sql("UPDATE public.t SET a = 'spoilt'");
  const Ran guide = Shell("psql -q <'" + dump + "'");
  EXPECT_EQ(guide.code, 0);
  EXPECT_THAT(guide.err, HasSubstr("ERROR"));
  EXPECT_EQ(Count("a = 'spoilt'"), "100") << "0, and nothing was restored";
  const std::string other = database_.name() + "_restored";
  const Ran plan =
      Program(PGALTER_BINARY, {"backup", "restore-plan", dump, "--database", other}).Wait();
  ASSERT_EQ(plan.code, kDone) << plan.err;
  std::ofstream(Path("restore.sh")) << plan.out;
  const Ran restored = Shell("sh '" + Path("restore.sh").string() + "'");
  EXPECT_EQ(restored.code, 0) << restored.err;
  EXPECT_EQ(
      Shell("psql -tAqd '" + other + "' -c \"SELECT count(*) FROM public.t WHERE a <> 'spoilt'\"")
          .out,
      "100\n");
  database_.Sql("DROP DATABASE \"" + other + "\"");
}

// An attacker's function in a schema of his own, called with the owner's rights.
TEST_F(GuideServer, E27AFunctionOfAnotherRunsWhatTheCallerHasPutInItsWay) {
  const std::string function =
      "CREATE FUNCTION public.whose() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT "
      "lower(''ASKED'')'";
  const std::string role = database_.name() + "_eve";
  database_.Sql(fmt::format(
      "{0}; CREATE ROLE \"{1}\"; CREATE SCHEMA evil AUTHORIZATION \"{1}\";"
      "CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT current_user::text';"
      "GRANT USAGE ON SCHEMA public TO \"{1}\"",
      function, role));
  Session eve = database_.Connect();
  eve.Exec(fmt::format("SET ROLE \"{}\"; SET search_path = evil, pg_catalog", role));
  EXPECT_EQ(eve.Value("SELECT public.whose()"), "postgres")
      << "her function, with the owner's rights";
  if (fs::exists("/usr/bin/alembic")) {
    EXPECT_NE(Program("/usr/bin/alembic", {"security-check"}).Wait().code, 0)
        << "there is no such command";
  }
  Write("1_f.sql", function + ";\n");
  const Ran lint = Program(PGALTER_BINARY, {"lint", Path("1_f.sql")}).Wait();
  EXPECT_THAT(lint.out, HasSubstr("security-definer-search-path"));
  // As lint says to write it.
  eve.Exec("RESET ROLE; ALTER FUNCTION public.whose() SET search_path = pg_catalog, pg_temp");
  eve.Exec(fmt::format("SET ROLE \"{}\"", role));
  EXPECT_EQ(eve.Value("SELECT public.whose()"), "asked");
  eve.Close();
  database_.Sql(fmt::format("DROP OWNED BY \"{0}\" CASCADE; DROP ROLE \"{0}\"", role));
}

TEST_F(GuideServer, E31AUrlThatLibpqTakesForANameHasItsPasswordInTheLog) {
  const std::string secret = "S3cret" + database_.name();
  if (HasClients()) {
    const Ran guide =
        Shell("psql 'postgresql+asyncpg://app:guide-" + secret + "@localhost/shop' -c 'SELECT 1'");
    EXPECT_NE(guide.code, 0);
    EXPECT_THAT(ServerLog(), HasSubstr("guide-" + secret)) << "in the server's log";
  }
  const std::string url = "postgresql+asyncpg://app:ours-" + secret + "@localhost/shop";
  const std::string folder =
      database_.Value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
  const Words environment{"PGHOST=" + folder, "PGUSER=postgres",
                          "PGPORT=" + database_.Value("SELECT current_setting('port')")};
  Words more = environment;
  more.push_back("PGALTER_DSN=" + url);
  const Ran by_variable = Program(PGALTER_BINARY, {"check"}, more).Wait();
  EXPECT_EQ(by_variable.code, kNoConnection) << by_variable.err;
  const Ran by_option = Program(PGALTER_BINARY, {"check", "--dsn", url}, environment).Wait();
  EXPECT_EQ(by_option.code, kNoConnection) << by_option.err;
  EXPECT_THAT(ServerLog(), Not(HasSubstr("ours-" + secret)));
  EXPECT_THAT(by_variable.err + by_variable.out + by_option.err + by_option.out,
              Not(HasSubstr("ours-" + secret)));
}

TEST_F(GuideServer, E32RightsOnADatabaseAreNotRightsOnItsSchemas) {
  const std::string role = database_.name() + "_app";
  database_.Sql(
      fmt::format("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE \"{0}\" LOGIN;"
                  "GRANT ALL ON DATABASE \"{1}\" TO \"{0}\"",
                  role, database_.name()));
  Session guide(database_.conninfo() + " user=" + role);
  EXPECT_EQ(Refusal(guide, "CREATE TABLE public.mine (id int)"), "42501");
  guide.Close();
  const Ran ran = DoAs(role, {"run", "--sql", "CREATE TABLE public.mine (id int)"});
  EXPECT_NE(ran.code, kDone) << ran.out;
  EXPECT_THAT(ran.err, AllOf(HasSubstr("permission denied for schema public"), HasSubstr("42501")));
  EXPECT_EQ(database_.Value("SELECT to_regclass('public.mine') IS NULL"), "t");
  // With the right on the schema the same run goes on.
  database_.Sql(fmt::format("GRANT CREATE ON SCHEMA public TO \"{}\"", role));
  const Ran on = DoAs(role, {"resume", LastRun()});
  EXPECT_EQ(on.code, kDone) << on.err;
  database_.Sql(fmt::format("DROP OWNED BY \"{0}\" CASCADE; DROP ROLE \"{0}\"", role));
}

TEST_F(GuideServer, E34TheLongestAtWorkAreNotTheOnesInTheWay) {
  MakeRows(10);
  Session report = database_.Connect();
  report.Send("SELECT pg_sleep(120)");
  Session blocker = database_.Connect();
  blocker.Exec("BEGIN; SELECT count(*) FROM public.t");
  database_.AwaitValue(
      fmt::format("SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND state = 'active'",
                  report.backend_pid()),
      "1");
  // Who the guide's query would end, but for the five minutes.
  const std::string guide = database_.Value(
      "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE state = 'active' AND datname "
      "= current_database()"
      " AND pid <> pg_backend_pid()");
  EXPECT_EQ(guide, std::to_string(report.backend_pid()))
      << "the report, and not the one in the way";
  const Ran ran = Do({"run", "--sql", "ALTER TABLE public.t ADD COLUMN d int", "--on-blocker",
                      "terminate-idle", "--idle-for", "1s"});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THROW(blocker.Exec("SELECT 1"), SqlError)
      << "it was idle in its transaction, and held the lock";
  EXPECT_TRUE(report.busy());
  report.Cancel();
}

TEST_F(GuideServer, E35WhoWaitsIsNotWhoBlocks) {
  MakeRows(10);
  Session holder = database_.Connect();
  holder.Exec("BEGIN; SELECT count(*) FROM public.t");
  Session waiter = database_.Connect();
  waiter.Send("ALTER TABLE public.t ADD COLUMN d int");
  database_.AwaitLockWait(waiter.backend_pid());
  EXPECT_EQ(
      database_.Value("SELECT string_agg(DISTINCT pid::text, ',') FROM pg_locks WHERE NOT granted"),
      std::to_string(waiter.backend_pid()))
      << "the guide's query names the victim alone";
  const Ran ran = Do({"locks"});
  EXPECT_THAT(ran.out, AllOf(HasSubstr(std::to_string(holder.backend_pid())),
                             HasSubstr(std::to_string(waiter.backend_pid()))))
      << ran.err;
  EXPECT_LT(ran.out.find(std::to_string(holder.backend_pid())),
            ran.out.find(std::to_string(waiter.backend_pid())))
      << "the root first";
  waiter.Cancel();
  holder.Exec("ROLLBACK");
}

TEST_F(GuideServer, E37StatisticsOfColumnsKnowNothingOfIndexes) {
  MakeRows(2000);
  database_.Sql(
      "CREATE INDEX t_used ON public.t (a); CREATE INDEX t_unused ON public.t (b);"
      "CREATE INDEX t_again ON public.t (a); UPDATE public.t SET c = 7 WHERE id < 3");
  try {
    database_.Sql("CREATE UNIQUE INDEX CONCURRENTLY t_broken ON public.t (c)");
    FAIL() << "it was built";
  } catch (const SqlError&) {
  }
  Session user = database_.Connect();
  EXPECT_EQ(Refusal(user, "SELECT idx_scan FROM pg_stats WHERE tablename = 't'"), "42703")
      << "the guide's view has columns of tables";
  user.Exec("SET enable_seqscan = off; SELECT * FROM public.t WHERE a = 'a5'");
  user.Close();
  database_.AwaitValue(
      "SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname IN ('t_used', 't_again')",
      "1");
  const Ran ran = Do({"inspect", "indexes"});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("note: public.t_unused: nobody has used it on this server"));
  EXPECT_THAT(ran.out, HasSubstr("note: public.t_again: public.t_used serves the same queries"));
  EXPECT_THAT(ran.out, HasSubstr("note: public.t_broken: is not valid"));
  EXPECT_THAT(ran.out, Not(HasSubstr("note: public.t_pkey")));
  EXPECT_THAT(Do({"inspect", "tables"}).out, HasSubstr("public.t"));
}

TEST_F(GuideServer, E39TheStatementOutlivesItsClient) {
  MakeRows(10);
  const char* const sleeping =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = "
      "'active' AND pid <>"
      " pg_backend_pid() AND query LIKE '%pg_sleep%'";
  const std::string lock = "BEGIN; LOCK TABLE public.t; SELECT pg_sleep(100); COMMIT";
  {
    Session guide = database_.Connect();
    guide.Send("SET client_connection_check_interval = 0; " + lock);
    database_.AwaitValue(sleeping, "1");
  }  // the client is gone without a word to the server
  Session user = database_.Connect();
  EXPECT_EQ(Refusal(user, "SET lock_timeout = '2s'; SELECT count(*) FROM public.t"), "55P03")
      << "the server goes on, with the lock";
  database_.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND "
      "pid <>"
      " pg_backend_pid()");
  database_.AwaitValue(sleeping, "0");
  Write("1_long.sql", "SELECT count(pg_sleep(100)) FROM public.t;\n");
  Program up = Start({"up", "--yes"});
  database_.AwaitValue(sleeping, "1", std::chrono::seconds(30));
  up.Signal(9);
  EXPECT_EQ(up.Wait().code, kKilled);
  database_.AwaitValue(sleeping, "0", std::chrono::seconds(30));
}

TEST_F(GuideServer, E48ASnapshotIsNotThePointInTimeBeforeTheChange) {
  if (!HasClients()) GTEST_SKIP() << "this server comes without pg_dump";
  MakeRows(10);
  const std::string dump = Path("snapshot.dump").string();
  ASSERT_EQ(Shell("pg_dump -f '" + dump + "'").code, 0);
  database_.Sql("INSERT INTO public.t (id, a) VALUES (11, 'committed before the change')");
  EXPECT_EQ(Shell("grep -c 'committed before the change' '" + dump + "'").out, "0\n")
      << "and nothing brings it back";
  const std::string written = database_.Value("SELECT pg_current_wal_insert_lsn()");
  ASSERT_EQ(
      Do({"run", "--sql", "ALTER TABLE public.t DROP COLUMN c", "--through", "contract"}).code,
      kDone);
  // The point is kept: behind that row, and before anything that the run has done.
  const std::string made = database_.Value("SELECT made_lsn FROM pgalter.run");
  EXPECT_EQ(database_.Value("SELECT '" + made + "'::pg_lsn >= '" + written + "'"), "t");
  EXPECT_EQ(database_.Value("SELECT '" + made + "'::pg_lsn < pg_current_wal_insert_lsn()"), "t");
  const fs::path report = Path("../report-" + database_.name());
  const Ran told = Do({"report", LastRun(), "--out", report.string()});
  ASSERT_EQ(told.code, kDone) << told.err;
  std::ifstream in(report / "report.json");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_THAT(text, HasSubstr(made));
  fs::remove_all(report);
}

TEST_F(GuideServer, E49WhatIsToBeKeptIsNotDeletedMeanwhile) {
  database_.Sql(
      "CREATE TABLE public.snapshots (name text, taken timestamptz);"
      "INSERT INTO public.snapshots VALUES ('pre-migration', now() - interval '10 days');"
      "DELETE FROM public.snapshots WHERE taken < now() - interval '7 days'");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM public.snapshots"
                            " WHERE taken > now() - interval '30 days'"),
            "0")
      << "one page deletes what another has kept for 30 days";
  // One number, in the database, that whatever deletes is held to.
  ASSERT_EQ(Do({"run", "--sql", "CREATE TABLE public.one (id int)"}).code, kDone);
  Write("policy.toml", fmt::format("[env.test]\ndsn = \"{}\"\n[env.test.policy]\n"
                                   "retention = \"30 days\"\n",
                                   database_.conninfo()));
  const std::string file = Path("policy.toml").string();
  ASSERT_EQ(Program(PGALTER_BINARY, {"policy", "set", "--env", "test", "--config", file, "--yes"})
                .Wait()
                .code,
            kDone);
  database_.Sql("UPDATE pgalter.run SET ended_at = now() - interval '10 days'");
  const Ran kept = Do({"cleanup", "--older-than", "7"});
  EXPECT_EQ(kept.code, kDone) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("1 ended runs stay: the policy has them kept for 30 days"));
  EXPECT_NE(LastRun(), "");
  database_.Sql("UPDATE pgalter.run SET ended_at = now() - interval '31 days'");
  EXPECT_THAT(Do({"cleanup", "--older-than", "7"}).out, HasSubstr("1 ended runs forgotten"));
}

TEST_F(GuideServer, E57APasswordOnTheCommandLineIsSeenByAll) {
  if (HasClients()) {
    const Ran guide = Shell(
        "psql 'password=Seen4All' -c 'SELECT pg_sleep(20)' & pid=$!; sleep 0.5; tr '\\0' ' ' "
        "</proc/$pid/cmdline;"
        " kill $pid");
    EXPECT_THAT(guide.out, HasSubstr("Seen4All"));
  }
  const Ran ran =
      Program(PGALTER_BINARY, {"check", "--dsn", database_.conninfo() + " password=Seen4All"})
          .Wait();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--dsn holds a password, which others on this machine can read"));
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("Seen4All")));
}

TEST_F(GuideServer, E61AnHourThatAZoneSkips) {
  EXPECT_EQ(
      database_.Value(
          "SET timezone = 'UTC'; SELECT count(*) FROM generate_series('2026-03-29 "
          "00:00Z'::timestamptz,"
          " '2026-03-29 23:59Z', '1 min') m WHERE (m AT TIME ZONE 'Europe/Berlin')::time >= '02:00'"
          " AND (m AT TIME ZONE 'Europe/Berlin')::time < '03:00'"),
      "0")
      << "Sunday, two to three";
  ASSERT_EQ(Do({"init"}).code, kDone);
  const auto minutes = [this](const char* day) {
    return database_.Value(fmt::format(
        "SELECT count(*) FROM generate_series('{0} 00:00Z'::timestamptz, '{0} 23:59Z', '1 min') m "
        "WHERE"
        " pgalter.is_open('[{{\"days\": [\"Sun\"], \"from\": \"02:00\", \"to\": \"03:00\", \"tz\":"
        " \"Europe/Berlin\"}}]', m)",
        day));
  };
  EXPECT_EQ(minutes("2026-03-22"), "60");
  EXPECT_EQ(minutes("2026-03-29"), "0");
  EXPECT_EQ(minutes("2026-10-25"), "120");
}

}  // namespace
}  // namespace pgalter::test
