// The program itself, against a real server: what it prints, where, and its exit code.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/postgres.h"
#include "tests/support/program.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Cli : public ::testing::Test {
 protected:
  static Ran Run(const Words& arguments, const Words& environment = {}) {
    return Program(PGALTER_BINARY, arguments, environment).Wait();
  }
  [[nodiscard]] Words WithDsn(Words arguments) const {
    arguments.insert(arguments.end(), {"--dsn", database_.conninfo()});
    return arguments;
  }
  Ran OnDatabase(Words arguments) { return Run(WithDsn(std::move(arguments))); }
  Program Start(Words arguments) { return {PGALTER_BINARY, WithDsn(std::move(arguments))}; }

  // A run without steps: it has nothing to do but to change its state.
  std::string MakeRun(const std::string& state) {
    database_.Sql("CREATE TABLE IF NOT EXISTS public.t (id int PRIMARY KEY)");
    return database_.Value(fmt::format(
        "WITH run AS (INSERT INTO pgalter.run (run, command, target, relid, spec, state, phase)"
        " VALUES (gen_random_uuid(), 'backfill', 'public.t', 'public.t'::regclass, '{{}}', '{}',"
        " 'backfill') RETURNING run),"
        " lease AS (INSERT INTO pgalter.lease SELECT run, 0, '' FROM run),"
        " control AS (INSERT INTO pgalter.control (run) SELECT run FROM run)"
        " SELECT run FROM run",
        state));
  }
  // A run whose only step waits for as long as somebody else has a lock on the table.
  std::string MakeWaitingRun() {
    std::string run = MakeRun("paused");
    database_.Sql(
        fmt::format("INSERT INTO pgalter.step (run, ordinal, id, kind, phase, sql)"
                    " VALUES ('{}', 1, 'lock', 'ddl', 'expand', '{{LOCK TABLE public.t}}')",
                    run));
    return run;
  }
  void AwaitRunners(int count) {
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.lease WHERE epoch >= " + std::to_string(count), "1",
        std::chrono::seconds(30));
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.heartbeat h JOIN pgalter.lease l USING (run, epoch)", "1",
        std::chrono::seconds(30));
  }
  std::string StateOf(const std::string& run) {
    return database_.Value(fmt::format("SELECT state FROM pgalter.run WHERE run = '{}'", run));
  }
  json::object ErrorOf(const Ran& ran) { return json::parse(ran.err).at("error").as_object(); }

  FreshDatabase database_;
};

// A file of the test's own, which need not exist; it goes with the object.
class File {
 public:
  File() : path_(fs::temp_directory_path() / fmt::format("pgalter-cli-{}", ::getpid())) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { fs::remove(path_); }

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string Text() const {
    const std::ifstream file(path_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  fs::path path_;
};

TEST_F(Cli, InitTwiceChangesNothingTheSecondTime) {
  const Ran first = OnDatabase({"init"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("installed"));
  const Ran second = OnDatabase({"init"});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("already"));
  const Ran third = OnDatabase({"init", "--output", "json"});
  const json::value json = json::parse(third.out);
  EXPECT_EQ(json.at("schema").at("before"), json.at("schema").at("now"));
}

TEST_F(Cli, PsReadsOnlyAndIsEmptyWherePgalterWasNeverUsed) {
  const Ran text = OnDatabase({"ps"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, IsEmpty());
  const Ran json = OnDatabase({"ps", "--output", "json"});
  EXPECT_EQ(json.out, "{\"version\":1,\"runs\":[]}\n");
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Cli, AnUnknownRunIsAUsageError) {
  const Ran never_used = OnDatabase({"status", "abc"});
  EXPECT_EQ(never_used.code, 2);
  OnDatabase({"init"});
  const Ran ran = OnDatabase({"status", "abc"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("there is no run abc"));
  EXPECT_THAT(ran.err, HasSubstr("pgalter ps"));
}

TEST_F(Cli, AMissingRightSaysWhichGrantHelps) {
  database_.Sql(
      "DO $$ BEGIN IF to_regrole('cli_poor') IS NULL THEN CREATE ROLE cli_poor LOGIN; END IF; END"
      " $$");
  const Ran ran = Run({"init", "--dsn", database_.conninfo() + " user=cli_poor"});
  EXPECT_EQ(ran.code, 10);
  EXPECT_THAT(ran.err, HasSubstr("42501"));
  EXPECT_THAT(ran.err, HasSubstr("GRANT CREATE ON DATABASE"));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Cli, NoServerIsAConnectionError) {
  const Ran ran = Run({"ps", "--dsn", "host=/nonexistent", "--output", "json"});
  EXPECT_EQ(ran.code, 9);
  const json::object error = ErrorOf(ran);
  EXPECT_EQ(error.at("exit_code").as_int64(), 9);
  EXPECT_TRUE(error.at("hint").is_string());
  EXPECT_THAT(ran.out, IsEmpty());
}

TEST_F(Cli, NoSuchDatabaseIsAConnectionError) {
  EXPECT_EQ(Run({"ps", "--dsn", database_.conninfo() + " dbname=nowhere"}).code, 9);
}

TEST_F(Cli, APasswordIsNeverShown) {
  const File log;
  const Ran ran =
      Run({"ps", "--dsn", "host=/nonexistent password=verysecret", "--log-file", log.path()});
  EXPECT_EQ(ran.code, 9);
  EXPECT_THAT(ran.err, HasSubstr("--dsn holds a password"));
  EXPECT_THAT(ran.out + ran.err + log.Text(), Not(HasSubstr("verysecret")));
  EXPECT_THAT(log.Text(), HasSubstr("exit code 9"));
}

TEST_F(Cli, TheLogHoldsNoUsersValues) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  database_.Sql(
      fmt::format("INSERT INTO pgalter.step (run, ordinal, id, kind, phase, sql)"
                  " VALUES ('{}', 1, 'cast', 'ddl', 'expand', ARRAY['SELECT ''verysecret''::int'])",
                  run));
  const File log;
  const Ran ran = OnDatabase({"resume", run, "--log-file", log.path()});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("22P02"));
  EXPECT_THAT(log.Text(), HasSubstr("22P02"));
  EXPECT_THAT(log.Text(), Not(HasSubstr("verysecret")));
}

TEST_F(Cli, TheEnvironmentNamesTheServer) {
  const Ran ran = Run({"ps"}, {"PGALTER_DSN=" + database_.conninfo()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto& server = database_.server();
  const Ran libpq = Run(
      {"ps"}, {"PGHOST=" + server.socket_dir().string(), fmt::format("PGPORT={}", server.port()),
               "PGUSER=postgres", "PGDATABASE=" + database_.name()});
  EXPECT_EQ(libpq.code, 0) << libpq.err;
}

TEST_F(Cli, WrongWordsAreUsageErrors) {
  const Ran option = OnDatabase({"ps", "--outptu", "json"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("did you mean --output?"));
  const Ran command = Run({"stauts", "--output", "json"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(std::string(ErrorOf(command).at("hint").as_string()), HasSubstr("status"));
}

TEST_F(Cli, APublicationForAllTablesIsRefused) {
  database_.Sql("CREATE PUBLICATION everything FOR ALL TABLES");
  const Ran ran = OnDatabase({"init"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.err, HasSubstr("everything"));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Cli, ARunWithoutARunnerIsPausedAndResumed) {
  OnDatabase({"init"});
  const std::string run = MakeRun("running");
  EXPECT_THAT(OnDatabase({"ps"}).out, HasSubstr("no runner"));
  const Ran paused = OnDatabase({"pause"});
  EXPECT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(StateOf(run), "paused");
  EXPECT_EQ(OnDatabase({"watch", run}).code, 6);
  const Ran resumed = OnDatabase({"resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(StateOf(run), "done");
  EXPECT_EQ(OnDatabase({"watch", run}).code, 0);
  EXPECT_EQ(OnDatabase({"resume", run}).code, 0) << "a done run is left alone";
}

TEST_F(Cli, AResumedRunStreamsJson) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  const Ran ran = OnDatabase({"resume", run, "--output", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const json::value last = json::parse(ran.out);
  EXPECT_EQ(last.at("state").as_string(), "done");
  EXPECT_EQ(last.at("run").as_string(), run);
}

TEST_F(Cli, ADetachedRunGoesOnByItself) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  const Ran ran = OnDatabase({"resume", run, "--detach"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, run + "\n");
  database_.AwaitValue(fmt::format("SELECT state FROM pgalter.run WHERE run = '{}'", run), "done");
}

TEST_F(Cli, AnAbortedRunIsOver) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  const Ran unasked = OnDatabase({"abort", run});
  EXPECT_EQ(unasked.code, 2);
  EXPECT_THAT(unasked.err, HasSubstr("--yes"));
  EXPECT_EQ(StateOf(run), "paused");
  const Ran aborted = OnDatabase({"abort", run, "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOf(run), "aborted");
  EXPECT_EQ(OnDatabase({"resume", run}).code, 4);
  EXPECT_EQ(OnDatabase({"pause", run}).code, 4);
  EXPECT_EQ(OnDatabase({"finish", run, "--yes"}).code, 4);
}

TEST_F(Cli, TheFirstSignalPausesTheRun) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  runner.Signal(SIGINT);
  const Ran ran = runner.Wait();
  EXPECT_EQ(ran.code, 6);
  EXPECT_EQ(StateOf(run), "paused");
  EXPECT_THAT(ran.err, HasSubstr("pgalter resume " + run));
}

TEST_F(Cli, AfterTwoSignalsTheRunCanBeResumed) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  runner.Signal(SIGTERM);
  runner.Signal(SIGINT);
  EXPECT_EQ(runner.Wait().code, 6);
  user.Exec("COMMIT");
  const Ran resumed = OnDatabase({"resume", run, "--take-over"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(Cli, ALiveRunnerIsPausedFromAnotherProcess) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  EXPECT_THAT(OnDatabase({"status"}).out, HasSubstr("runner:     process"));
  const Ran paused = OnDatabase({"pause"});
  EXPECT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(runner.Wait().code, 6);
  EXPECT_EQ(StateOf(run), "paused");
}

TEST_F(Cli, ALiveRunnerIsAbortedFromAnotherProcess) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  const Ran aborted = OnDatabase({"abort", run, "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(runner.Wait().code, 6);
  EXPECT_EQ(StateOf(run), "aborted");
}

TEST_F(Cli, ASecondRunnerMustTakeOver) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program first = Start({"resume", run});
  AwaitRunners(1);
  const Ran refused = OnDatabase({"resume", run});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("--take-over"));
  Program second = Start({"resume", run, "--take-over"});
  AwaitRunners(2);
  EXPECT_EQ(first.Wait().code, 6);
  user.Exec("COMMIT");
  const Ran ran = second.Wait();
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOf(run), "done");
}

TEST_F(Cli, WatchFollowsARunToItsEnd) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  Program watcher = Start({"watch", run});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgalter'"
      " AND query LIKE '%starts_with%'",
      "t");
  user.Exec("COMMIT");
  EXPECT_EQ(runner.Wait().code, 0);
  EXPECT_EQ(watcher.Wait().code, 0);
}

TEST_F(Cli, WatchGoesOnAfterTheEndAndTheReportHasWhatItSaw) {
  OnDatabase({"init"});
  const std::string run = MakeWaitingRun();
  Session user = database_.Connect();
  user.Exec("BEGIN; LOCK TABLE public.t IN ACCESS SHARE MODE");
  Program runner = Start({"resume", run});
  AwaitRunners(1);
  Program watcher = Start({"watch", run, "--for", "2s"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'pgalter'"
      " AND query LIKE '%starts_with%'",
      "t");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.observation"), "0") << "it is at work";
  user.Exec("COMMIT");
  EXPECT_EQ(runner.Wait().code, 0);
  const Ran watched = watcher.Wait();
  EXPECT_EQ(watched.code, 0) << watched.err;
  EXPECT_THAT(watched.out, HasSubstr("indexes that cannot be used: none"));
  EXPECT_EQ(database_.Value("SELECT count(*) > 1 AND bool_and(facts->>'state' = 'done' AND facts->"
                            "'tables' ? 'public.t') FROM pgalter.observation"),
            "t");

  const fs::path out = fs::temp_directory_path() / fmt::format("pgalter-watched-{}", ::getpid());
  EXPECT_EQ(OnDatabase({"report", run, "--out", out.string()}).code, 0);
  std::ifstream file(out / "report.json");
  const json::value report = json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_EQ(std::to_string(report.at("observations").as_array().size()),
            database_.Value("SELECT count(*) FROM pgalter.observation"));
  std::ifstream page(out / "report.html");
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(page), {}),
              HasSubstr("Watched afterwards"));
  fs::remove_all(out);
}

TEST_F(Cli, WatchSeesAnIndexThatCannotBeUsedAndWhoWaits) {
  OnDatabase({"init"});
  const std::string run = MakeRun("done");
  database_.Sql("ALTER TABLE public.t ADD v int; INSERT INTO public.t VALUES (1, 1), (2, 1)");
  EXPECT_ANY_THROW(database_.Sql("CREATE UNIQUE INDEX CONCURRENTLY bad ON public.t (v)"));
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE public.t IN ROW EXCLUSIVE MODE");
  Session other = database_.Connect();
  const int pid = other.backend_pid();
  other.Send("BEGIN; LOCK TABLE public.t IN SHARE MODE");
  database_.AwaitLockWait(pid);
  const Ran watched = OnDatabase({"watch", run, "--for", "1s"});
  EXPECT_EQ(watched.code, 3) << watched.err;
  EXPECT_THAT(watched.out, HasSubstr("indexes that cannot be used: public.bad"));
  EXPECT_EQ(database_.Value("SELECT bool_and((facts->>'waiting')::int >= 1) AND bool_or("
                            "(facts->>'longest_wait_s')::float8 > 0) FROM pgalter.observation"),
            "t");
  // A partition alone is a table as well; of both the whole is meant.
  database_.Sql(
      "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES "
      "IN (1)");
  ASSERT_EQ(OnDatabase({"run", "--sql", "ALTER TABLE p1 SET (fillfactor = 90)", "--yes"}).code, 0);
  EXPECT_EQ(OnDatabase({"watch",
                        database_.Value("SELECT run FROM pgalter.run WHERE target LIKE "
                                        "'%p1'"),
                        "--for", "1s"})
                .code,
            0);
  EXPECT_EQ(
      database_.Value("SELECT facts->'tables' ? 'public.p1' FROM pgalter.observation ORDER BY "
                      "at DESC LIMIT 1"),
      "t");
  // A run without a table has none to look at.
  const Ran bare = OnDatabase({"run", "--sql", "CREATE SCHEMA bare", "--yes"});
  ASSERT_EQ(bare.code, 0) << bare.err;
  const std::string no_table =
      database_.Value("SELECT run FROM pgalter.run WHERE target = '(no table)'");
  EXPECT_EQ(OnDatabase({"watch", no_table, "--for", "1s"}).code, 0);
  for (const char* wrong : {"0s", "soon", "400d"})
    EXPECT_EQ(OnDatabase({"watch", run, "--for", wrong}).code, 2) << wrong;
  const std::string role = database_.name() + "_looks";
  database_.Sql(
      fmt::format("CREATE ROLE \"{0}\" LOGIN; GRANT USAGE ON SCHEMA pgalter TO \"{0}\"; "
                  "GRANT SELECT ON ALL TABLES IN SCHEMA pgalter TO \"{0}\"",
                  role));
  const Ran may_not =
      Run({"watch", run, "--for", "1s", "--dsn", database_.conninfo() + " user=" + role});
  EXPECT_EQ(may_not.code, 10) << may_not.err;
  EXPECT_THAT(may_not.err, HasSubstr("GRANT INSERT ON pgalter.observation"));
  database_.Sql(fmt::format("DROP OWNED BY \"{0}\"; DROP ROLE \"{0}\"", role));
  database_.Sql("DROP TABLE pgalter.observation");
  const Ran older = OnDatabase({"watch", run, "--for", "1s"});
  EXPECT_EQ(older.code, 1);
  EXPECT_THAT(older.err, HasSubstr("pgalter init"));
}

TEST_F(Cli, OnlyADoneRunIsFinished) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  EXPECT_EQ(OnDatabase({"finish", run, "--yes"}).code, 4);
  OnDatabase({"resume", run});
  EXPECT_EQ(OnDatabase({"finish", run, "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT finished_at IS NOT NULL FROM pgalter.run"), "t");
}

TEST_F(Cli, CleanupForgetsOldRuns) {
  OnDatabase({"init"});
  MakeRun("aborted");
  EXPECT_EQ(OnDatabase({"cleanup", "--yes"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.run"), "1") << "it is young";
  EXPECT_EQ(OnDatabase({"cleanup", "--yes", "--older-than", "0"}).code, 0);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.run"), "0");
}

TEST_F(Cli, CleanupWithoutASchemaDoesNothing) {
  const Ran ran = OnDatabase({"cleanup", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Cli, ThrottleIsValidatedBeforeItIsWritten) {
  OnDatabase({"init"});
  const std::string run = MakeRun("paused");
  const Ran wrong = OnDatabase({"throttle", run, "--set", "ratio=0.5", "--set", "ratoi=1"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("ratoi"));
  EXPECT_EQ(database_.Value("SELECT throttle FROM pgalter.control"), "{}");
  const Ran set = OnDatabase({"throttle", run, "--set", "ratio=0.5"});
  EXPECT_EQ(set.code, 0) << set.err;
  EXPECT_EQ(set.out, "ratio=0.5\n");
}

TEST_F(Cli, LocksShowsTheTree) {
  database_.Sql("CREATE TABLE orders (id int)");
  EXPECT_EQ(OnDatabase({"locks"}).out, "");
  Session holder = database_.Connect();
  Session waiter = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE orders");
  waiter.Send("SELECT * FROM orders WHERE id = 4711");
  database_.AwaitLockWait(waiter.backend_pid());
  const Ran ran = OnDatabase({"locks", "orders"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(fmt::format("pid {}", holder.backend_pid())));
  EXPECT_THAT(ran.out, HasSubstr(fmt::format("└─ pid {}", waiter.backend_pid())));
  EXPECT_THAT(ran.out, Not(HasSubstr("4711")));
  EXPECT_EQ(
      json::parse(OnDatabase({"locks", "--output", "json"}).out).at("trees").as_array().size(), 1U);
  const Ran none = OnDatabase({"locks", "nothing"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("there is no table nothing in this database"));
  holder.Exec("COMMIT");
  waiter.Wait();
}

TEST_F(Cli, LocksEndsWhoIsInTheWayAndNobodyElse) {
  database_.Sql("CREATE TABLE orders (id int)");
  Session bystander = database_.Connect();
  Session holder = database_.Connect();
  Session waiter = database_.Connect();
  Session ours(database_.conninfo() +
               " application_name=pgalter/7d4e1c52-6f0e-4f3a-9b57-2f6f0f6f3c11");
  holder.Exec("BEGIN; LOCK TABLE orders IN SHARE MODE");
  ours.Exec("BEGIN; LOCK TABLE orders IN SHARE MODE");
  waiter.Send("DELETE FROM orders");
  database_.AwaitLockWait(waiter.backend_pid());
  const auto end = [this](const char* how, int pid, std::vector<std::string> more) {
    std::vector<std::string> words{"locks", how, std::to_string(pid)};
    words.insert(words.end(), more.begin(), more.end());
    return OnDatabase(words);
  };
  const auto confirmed = [](int pid) {
    return std::vector<std::string>{"--yes", "--confirm", std::to_string(pid)};
  };
  const Ran stranger =
      end("--terminate", bystander.backend_pid(), confirmed(bystander.backend_pid()));
  EXPECT_EQ(stranger.code, 4);
  EXPECT_THAT(stranger.err, HasSubstr("neither waits for a lock nor is waited for"));
  const Ran own = end("--terminate", ours.backend_pid(), confirmed(ours.backend_pid()));
  EXPECT_EQ(own.code, 4);
  EXPECT_THAT(own.err, HasSubstr("a session of a pgalter run"));
  const int pid = holder.backend_pid();
  EXPECT_EQ(end("--terminate", pid, {}).code, 2);
  EXPECT_EQ(end("--terminate", pid, {"--yes"}).code, 2) << "it is asked twice";
  EXPECT_EQ(end("--terminate", pid, confirmed(pid + 1)).code, 2);
  EXPECT_EQ(end("--terminate", pid, {"--cancel", "1"}).code, 2);
  EXPECT_EQ(holder.Value("SELECT 1"), "1") << "it lives";
  const Ran idle = end("--cancel", pid, confirmed(pid));
  EXPECT_EQ(idle.code, 4) << "there is nothing to cancel";
  EXPECT_THAT(idle.err, HasSubstr("is idle in transaction: it runs no statement"));
  EXPECT_THAT(idle.err, HasSubstr(fmt::format("pgalter locks --terminate {}", pid)));

  EXPECT_EQ(end("--terminate", pid, confirmed(pid)).code, 0);
  EXPECT_THROW(holder.Value("SELECT 1"), SqlError);
  EXPECT_EQ(ours.Value("SELECT 1"), "1");
  EXPECT_TRUE(waiter.busy()) << "for our own";
  EXPECT_EQ(end("--cancel", waiter.backend_pid(), confirmed(waiter.backend_pid())).code, 0);
  EXPECT_THROW(waiter.Wait(), SqlError);
  EXPECT_EQ(waiter.Value("SELECT 1"), "1") << "only its statement was cancelled";
}

TEST_F(Cli, ASandboxIsStartedListedUsedAndStopped) {
  const Ran started = Run({"sandbox", "start", "--output", "json", "--set",
                           "log_line_prefix=%m it's 'it' ", "--set", "work_mem = '5MB'"});
  ASSERT_EQ(started.code, 0) << started.err;
  const json::value server = json::parse(started.out).at("sandbox");
  const std::string id(server.at("id").as_string());
  EXPECT_THAT(Run({"sandbox", "list"}).out, HasSubstr(id));
  EXPECT_EQ(Run({"ps", "--dsn", std::string(server.at("conninfo").as_string())}).code, 0);
  EXPECT_EQ(Run({"sandbox", "psql", id, "--", "-Atc", "SELECT 41 + 1"}).out, "42\n");
  EXPECT_EQ(Run({"sandbox", "psql", id, "--", "-Atc",
                 "SELECT current_setting('log_line_prefix') || current_setting('work_mem')"})
                .out,
            "%m it's 'it' 5MB\n");
  const Ran standby = Run({"sandbox", "start", "--standby-of", id, "--output", "json"});
  ASSERT_EQ(standby.code, 0) << standby.err;
  const std::string second(json::parse(standby.out).at("sandbox").at("id").as_string());
  EXPECT_EQ(Run({"sandbox", "psql", second, "--", "-Atc", "SELECT pg_is_in_recovery()"}).out,
            "t\n");
  EXPECT_EQ(
      Run({"sandbox", "psql", id, "--", "-Atc", "SELECT application_name FROM pg_stat_replication"})
          .out,
      "standby_" + second + "\n");
  EXPECT_EQ(Run({"sandbox", "start", "--standby-of", "nothing"}).code, 2);
  EXPECT_EQ(Run({"sandbox", "start", "--standby-of", id, "--user", "nobody"}).code, 2);
  EXPECT_EQ(Run({"sandbox", "stop", second}).code, 0);
  const Ran stopped = Run({"sandbox", "stop", id});
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_THAT(Run({"sandbox", "list"}).out, Not(HasSubstr(id)));
  EXPECT_EQ(Run({"sandbox", "stop", id}).code, 2);
}

TEST_F(Cli, HelpAndVersionNeedNoServer) {
  EXPECT_EQ(Run({}).code, 0);
  EXPECT_THAT(Run({"--help"}).out, HasSubstr("Usage: pgalter COMMAND"));
  EXPECT_THAT(Run({"--version"}).out, HasSubstr("pgalter "));
  EXPECT_THAT(Run({"resume", "--help"}).out, HasSubstr("--take-over"));
  EXPECT_EQ(Run({"help", "nothing"}).code, 2);
}

TEST_F(Cli, ManReadsTheManualPage) {
  const File page;
  std::ofstream(page.path()) << Run({"help", "--man"}).out;
  const Ran man =
      Program("/usr/bin/man", {"--warnings", "-l", page.path()}, {"MANPAGER=cat", "MANWIDTH=80"})
          .Wait();
  EXPECT_EQ(man.code, 0);
  EXPECT_EQ(man.err, "");
  EXPECT_THAT(man.out, HasSubstr("pgalter"));
}

}  // namespace
}  // namespace pgalter::test
