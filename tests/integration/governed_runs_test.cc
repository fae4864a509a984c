// A policy is asked of runs that are no migrations, over what the database has stored of them; and
// entries of the log go into the application's own ledger.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/migration_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kDone = 0;
constexpr int kUsage = 2;
constexpr int kRefused = 4;

constexpr const char* kRoles = R"sql(
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'governed_operator') THEN
    CREATE ROLE governed_operator LOGIN;
    CREATE ROLE governed_dba;
    CREATE ROLE governed_oncall;
    CREATE ROLE governed_cron;
    CREATE ROLE governed_ann LOGIN IN ROLE governed_dba;
  END IF;
END $$;
GRANT ALL ON SCHEMA public TO governed_operator;
GRANT CREATE, USAGE ON SCHEMA pgalter TO governed_operator;
GRANT USAGE ON SCHEMA pgalter TO governed_ann;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgalter TO governed_operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgalter TO governed_operator;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pgalter TO governed_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA pgalter TO governed_ann;
CREATE TABLE public.t (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), c int);
INSERT INTO public.t SELECT generate_series(1, 500);
ALTER TABLE public.t OWNER TO governed_operator;
)sql";

class GovernedRun : public MigrationWorld {
 protected:
  void SetUp() override {
    ASSERT_EQ(As("postgres", {"init"}).code, kDone);
    database_.Sql(kRoles);
    database_.Sql("GRANT CREATE ON DATABASE \"" + database_.name() + "\" TO governed_operator");
  }
  ~GovernedRun() override {
    database_.Sql("REVOKE governed_oncall, governed_cron FROM governed_operator");
  }

  // [env.test] and what follows, by a command that reads it.
  Ran Configured(const std::string& text, Words words) const {
    Write("../governed.toml", "[env.test]\ndsn = \"" + database_.conninfo() + "\"\n" + text);
    words.insert(words.end(),
                 {"--env", "test", "--config", Path("../governed.toml").string(), "--yes"});
    return Program(PGALTER_BINARY, words).Wait();
  }
  void SetPolicy(const std::string& keys) const {
    const Ran ran = Configured("[env.test.policy]\n" + keys, {"policy", "set"});
    ASSERT_EQ(ran.code, kDone) << ran.err;
  }
  Ran As(const std::string& role, Words words) const {
    words.insert(words.end(), {"--yes", "--dsn", database_.conninfo() + " user=" + role});
    return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(120));
  }
  Ran Operator(Words words) const { return As("governed_operator", std::move(words)); }
  [[nodiscard]] std::string LastRun() const {
    return database_.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
  }
  [[nodiscard]] std::string Request(const std::string& run) const {
    const Ran ran = Operator({"request", run, "--reason", "release"});
    EXPECT_EQ(ran.code, kDone) << ran.err;
    return database_.Value("SELECT max(id) FROM pgalter.request");
  }
  Ran Approve(const std::string& id) const {
    return As("governed_ann", {"approve", id, "--meaning", "technical", "--reason", "read it"});
  }
  static std::string Refusal(Session& session, const std::string& sql) {
    try {
      session.Exec(sql);
    } catch (const SqlError& error) {
      return error.sqlstate();
    }
    return "";
  }
  [[nodiscard]] std::string Changed() const {
    return database_.Value("SELECT count(*) FROM public.t WHERE c IS NOT NULL");
  }
};

constexpr const char* kQuorum = "quorum = { technical = \"governed_dba\" }\n";

TEST_F(GovernedRun, EachVerbWaitsForItsApproval) {
  SetPolicy(kQuorum);
  const std::vector<Words> verbs{
      {"backfill", "public.t", "--set", "c = id"},
      {"run", "--sql", "ALTER TABLE public.t ADD COLUMN d int"},
      {"rebuild", "public.t", "--alter", "ALTER c TYPE bigint"},
      {"partition", "convert", "public.t", "--by", "range(at)", "--every", "1 month"},
  };
  for (const Words& verb : verbs) {
    const std::string schema = Schema();
    const Ran refused = Operator(verb);
    EXPECT_EQ(refused.code, kRefused) << verb[0] << refused.out << refused.err;
    EXPECT_THAT(refused.err,
                AllOf(HasSubstr("nobody has asked for it"), HasSubstr("pgalter request")));
    EXPECT_EQ(Schema(), schema) << verb[0];
    const std::string run = LastRun();
    EXPECT_EQ(
        database_.Value("SELECT count(*) FROM pgalter.step WHERE state <> 'pending' AND run = '" +
                        run + "'"),
        "0");
    const std::string request = Request(run);
    EXPECT_THAT(Operator({"resume", run}).err, HasSubstr("lacks approvals: technical"));
    EXPECT_EQ(Approve(request).code, kDone) << verb[0];
    const Ran done = Operator({"resume", run});
    EXPECT_EQ(done.code, kDone) << verb[0] << done.err;
    EXPECT_EQ(database_.Value("SELECT state FROM pgalter.request WHERE id = " + request), "used");
    if (verb[0] == "rebuild" || verb[0] == "backfill") {
      EXPECT_EQ(Operator({"finish", run}).code, kDone);
    }
  }
  EXPECT_EQ(Changed(), "500");
  EXPECT_EQ(As("postgres", {"audit", "verify"}).code, kDone);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.audit_log WHERE event = 'run.opened'"),
            "4");
}

TEST_F(GovernedRun, ItsReportHasWhatThePolicyHadToDoWithIt) {
  SetPolicy(std::string(kQuorum) + "break_glass = \"governed_oncall\"\n");
  ASSERT_EQ(Operator({"backfill", "public.t", "--set", "c = id"}).code, kRefused);
  const std::string run = LastRun();
  ASSERT_EQ(Approve(Request(run)).code, kDone);
  ASSERT_EQ(Operator({"resume", run}).code, kDone);
  const std::string out = Path("../report-" + database_.name()).string();
  const Ran ran = As("postgres", {"report", run, "--out", out});
  ASSERT_EQ(ran.code, kDone) << ran.err;
  std::ifstream json(out + "/report.json");
  const std::string report{std::istreambuf_iterator<char>(json), std::istreambuf_iterator<char>()};
  EXPECT_THAT(report,
              AllOf(::testing::ContainsRegex("\"direction\": *\"run\""), HasSubstr("read it")));
  std::ifstream slice(out + "/audit.jsonl");
  const std::string audit{std::istreambuf_iterator<char>(slice), std::istreambuf_iterator<char>()};
  EXPECT_THAT(audit, AllOf(HasSubstr("policy.approve"), HasSubstr("run.opened")));
  std::filesystem::remove_all(out);
}

TEST_F(GovernedRun, OneThatIsRefusedCanBeGivenUp) {
  SetPolicy(kQuorum);
  EXPECT_EQ(Operator({"backfill", "public.t", "--set", "c = id", "--detach"}).code, kRefused);
  EXPECT_EQ(Operator({"abort", LastRun()}).code, kDone);
  EXPECT_EQ(Changed(), "0");
  // The table is free again.
  EXPECT_THAT(Operator({"backfill", "public.t", "--set", "c = id"}).err,
              HasSubstr("nobody has asked for it"));
}

TEST_F(GovernedRun, WhatIsAgreedToIsWhatIsStored) {
  SetPolicy(kQuorum);
  ASSERT_EQ(Operator({"backfill", "public.t", "--set", "c = id"}).code, kRefused);
  const std::string run = LastRun();
  const std::string request = Request(run);
  ASSERT_EQ(Approve(request).code, kDone);
  // A client of one's own, with all rights of an operator.
  Session session(database_.conninfo() + " user=governed_operator");
  EXPECT_EQ(Refusal(session, "UPDATE pgalter.step SET state = 'running'"), "PGA04") << "not opened";
  EXPECT_EQ(Refusal(session,
                    "INSERT INTO pgalter.clearance (run, run_sha256) VALUES ('" + run + "', '')"),
            "42501");
  session.Exec("UPDATE pgalter.run SET spec = jsonb_set(spec, '{set}', '\"c = -id\"')");
  const Ran refused = Operator({"resume", run});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err, HasSubstr("is for another plan"));
  EXPECT_EQ(Changed(), "0");
}

TEST_F(GovernedRun, WhatWasOpenedStaysAsItWas) {
  SetPolicy(kQuorum);
  ASSERT_EQ(Operator({"run", "--sql", "ALTER TABLE public.t RENAME COLUMN c TO n"}).code, kRefused);
  ASSERT_EQ(Approve(Request(LastRun())).code, kDone);
  ASSERT_EQ(Operator({"resume", LastRun()}).code, kDone);
  ASSERT_EQ(database_.Value("SELECT state FROM pgalter.run"), "waiting") << "at its gate";
  Session session(database_.conninfo() + " user=governed_operator");
  EXPECT_EQ(
      Refusal(session,
              "UPDATE pgalter.step SET sql = '{DROP TABLE public.t}' WHERE state = 'pending'"),
      "42501");
  EXPECT_EQ(Refusal(session, "DELETE FROM pgalter.step WHERE state = 'pending'"), "42501");
  EXPECT_EQ(
      Refusal(session,
              "INSERT INTO pgalter.step (run, ordinal, id, kind, phase) SELECT run, 99, 'x', 'ddl',"
              " 'contract' FROM pgalter.run"),
      "42501");
  EXPECT_EQ(Refusal(session, "UPDATE pgalter.run SET spec = '{}'"), "42501");
  // What the engine itself may settle is written down.
  session.Exec("UPDATE pgalter.step SET spec = spec || '{\"mine\": 1}' WHERE ordinal = 1");
  EXPECT_EQ(database_.Value("SELECT count(*) > 0 FROM pgalter.audit_log WHERE event = "
                            "'run.step-settled' AND db_user ="
                            " 'governed_operator'"),
            "t");
}

// The hash of a migration's plan is computed of what is stored with its run, too.
TEST_F(GovernedRun, AMigrationThatIsStoredOtherwiseThanApprovedIsRefused) {
  SetPolicy(kQuorum);
  Write("1_a.sql",
        "-- pgalter:up\nCREATE TABLE public.a (id int);\n-- pgalter:down\nDROP TABLE public.a;\n");
  ASSERT_EQ(Operator({"request", "--dir", directory_}).code, kDone);
  ASSERT_EQ(Approve("1").code, kDone);
  Session session(database_.conninfo() + " user=governed_operator");
  session.Exec(
      "BEGIN; INSERT INTO pgalter.run (run, command, target, relid, spec, state, phase) VALUES"
      " ('00000000-0000-0000-0000-000000000001', 'run', 'public.a', 0, '{}', 'running', "
      "'starting');"
      "INSERT INTO pgalter.step (run, ordinal, id, kind, phase, sql, spec) VALUES"
      " ('00000000-0000-0000-0000-000000000001', 1, '1.1-ddl', 'ddl', 'expand', '{DROP TABLE "
      "public.t}', '{}')");
  EXPECT_EQ(
      Refusal(
          session,
          "SET pgalter.plan_sha256 = 'whatever it was';"
          "INSERT INTO pgalter.migration (version, title, file, format, bytes_sha256, text_sha256,"
          " statements_sha256, has_verify, state, run) VALUES ('1', '', '', '', '', '', '', false, "
          "'applying',"
          " '00000000-0000-0000-0000-000000000001')"),
      "PGA04");
  session.Exec("ROLLBACK");
  const Ran done = Operator({"up", "--dir", directory_});
  EXPECT_EQ(done.code, kDone) << done.err;
}

TEST_F(GovernedRun, WindowsAndEvidenceHoldForRunsToo) {
  SetPolicy(
      "evidence = { backup = \"1 day\" }\nblackouts = [{ from = \"00:00\", to = \"00:00\", tz = "
      "\"UTC\" }]\n");
  const Ran refused = Operator({"backfill", "public.t", "--set", "c = id"});
  EXPECT_EQ(refused.code, kRefused);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("no evidence of kind backup"), HasSubstr("no window is open")));
  SetPolicy("evidence = { backup = \"1 day\" }\n");
  Write("../backup", "all of it");
  ASSERT_EQ(Operator({"attest", "--kind", "backup", "--file", Path("../backup").string()}).code,
            kDone);
  const Ran done = Operator({"resume", LastRun()});
  EXPECT_EQ(done.code, kDone) << done.err;
  EXPECT_EQ(Changed(), "500");
}

TEST_F(GovernedRun, WindowsAreForWhatTakesLong) {
  SetPolicy(
      "windows = [{ days = [], from = \"02:00\", to = \"03:00\", tz = \"UTC\" }]\nwindows_over = "
      "\"1 hour\"\n");
  const Ran quick = Operator({"run", "--sql", "ALTER TABLE public.t ADD COLUMN d int"});
  EXPECT_EQ(quick.code, kDone) << quick.err;
  // Nobody knows how long this one takes.
  const Ran unknown = Operator({"rebuild", "public.t", "--alter", "ALTER c TYPE bigint"});
  EXPECT_EQ(unknown.code, kRefused);
  EXPECT_THAT(unknown.err, HasSubstr("no window is open"));
}

TEST_F(GovernedRun, BreakingTheGlassAndRoutine) {
  SetPolicy(std::string(kQuorum) +
            "break_glass = \"governed_oncall\"\nroutine = \"governed_cron\"\n");
  const Words backfill{"backfill", "public.t", "--set", "c = id", "--break-glass", "it burns"};
  EXPECT_THAT(Operator(backfill).err, HasSubstr("for members of governed_oncall"));
  database_.Sql("GRANT governed_oncall TO governed_operator");
  const Ran done = Operator({"resume", LastRun(), "--break-glass", "it burns"});
  EXPECT_EQ(done.code, kDone) << done.err;
  EXPECT_EQ(Changed(), "500");
  EXPECT_THAT(As("postgres", {"policy", "show"}).out,
              AllOf(HasSubstr("it burns"), HasSubstr("policy review 1")));
  EXPECT_EQ(Operator({"finish", LastRun()}).code, kDone);
  database_.Sql(
      "REVOKE governed_oncall FROM governed_operator; GRANT governed_cron TO governed_operator");
  const Ran routine = Operator({"run", "--sql", "ALTER TABLE public.t ADD COLUMN d int"});
  EXPECT_EQ(routine.code, kDone) << routine.err;
  // Of migrations it is no excuse.
  Write("1_a.sql", "CREATE TABLE public.a (id int);\n");
  EXPECT_EQ(Operator({"up", "--dir", directory_}).code, kRefused);
}

TEST_F(GovernedRun, WhatWasBegunBeforeThePolicyGoesOn) {
  ASSERT_EQ(Operator({"run", "--sql", "ALTER TABLE public.t RENAME COLUMN c TO n"}).code, kDone);
  SetPolicy(kQuorum);
  const Ran on = Operator({"resume", LastRun(), "--through", "contract"});
  EXPECT_EQ(on.code, kDone) << on.err;
  EXPECT_EQ(database_.Value("SELECT state FROM pgalter.run"), "done");
}

// ---- the application's own ledger

class AuditSink : public GovernedRun {
 protected:
  void MakeLedger() const {
    database_.Sql(
        "CREATE SCHEMA app; CREATE TABLE app.ledger (seq bigint PRIMARY KEY, at timestamptz, who "
        "text,"
        " what text, about text, payload jsonb, hash bytea)");
  }
  Ran Sink(const std::string& on_failure, const std::string& table = "app.ledger") const {
    return Configured("[env.test.audit]\nsink = \"INSERT INTO " + table +
                          " VALUES ($1, $2, $3, $7, $8, $9::jsonb, $10)\"\non_failure = \"" +
                          on_failure + "\"\n",
                      {"audit", "sink", "set"});
  }
  Ran Attest() const {
    Write("../evidence", "x");
    return Operator({"attest", "--kind", "test", "--file", Path("../evidence").string(), "--note",
                     "it's \"odd\"; $1"});
  }
};

TEST_F(AuditSink, EachEntryIsInTheLedgerOfTheApplicationToo) {
  MakeLedger();
  const Ran set = Sink("refuse");
  ASSERT_EQ(set.code, kDone) << set.err;
  ASSERT_EQ(Attest().code, kDone);
  Write("1_a.sql", "CREATE TABLE public.a (id int);\n");
  ASSERT_EQ(Operator({"up", "--dir", directory_}).code, kDone);
  EXPECT_EQ(
      database_.Value(
          "SELECT count(*) FROM pgalter.audit_log a FULL JOIN app.ledger l ON (a.seq, a.at, "
          "a.db_user,"
          " a.event, a.subject, a.payload::jsonb, a.hash) = (l.seq, l.at, l.who, l.what, l.about,"
          " l.payload, l.hash) WHERE a.seq IS NULL OR l.seq IS NULL"),
      "0");
  EXPECT_EQ(database_.Value("SELECT payload->>'note' FROM app.ledger WHERE what = 'policy.attest'"),
            "it's \"odd\"; $1");
  EXPECT_EQ(As("postgres", {"audit", "verify"}).code, kDone);
  EXPECT_THAT(As("postgres", {"audit", "sink", "show"}).out,
              AllOf(HasSubstr("app.ledger"), HasSubstr("refuse")));
  EXPECT_EQ(As("postgres", {"audit", "sink", "drop"}).code, kDone);
  ASSERT_EQ(Attest().code, kDone);
  EXPECT_EQ(database_.Value("SELECT count(*) FROM app.ledger WHERE what = 'policy.attest'"), "1");
}

// One transaction: neither without the other.
TEST_F(AuditSink, WithoutTheLedgerNothingIsDone) {
  MakeLedger();
  ASSERT_EQ(Sink("refuse").code, kDone);
  const std::string before = database_.Value("SELECT max(seq) FROM pgalter.audit_log");
  database_.Sql(
      "ALTER TABLE app.ledger ADD CHECK (what <> 'policy.attest' AND what <> 'migration.begin') "
      "NOT VALID");
  const Ran refused = Attest();
  EXPECT_EQ(refused.code, 1) << refused.err;
  Write("1_a.sql", "CREATE TABLE public.a (id int);\n");
  EXPECT_NE(Operator({"up", "--dir", directory_}).code, kDone);
  EXPECT_EQ(
      database_.Value(
          "SELECT to_regclass('public.a') IS NULL AND NOT EXISTS (SELECT FROM pgalter.evidence)"),
      "t");
  EXPECT_EQ(database_.Value("SELECT max(seq) FROM pgalter.audit_log"), before);
}

TEST_F(AuditSink, OrItIsNotedThatItWasNotWritten) {
  MakeLedger();
  ASSERT_EQ(Sink("note").code, kDone);
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE app.ledger");  // it waits for nobody for long, either
  const Ran ran = Attest();
  EXPECT_EQ(ran.code, kDone) << ran.err;
  holder.Exec("ROLLBACK");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM pgalter.evidence"), "1");
  EXPECT_EQ(database_.Value("SELECT payload::json->>'sqlstate' FROM pgalter.audit_log WHERE event "
                            "= 'audit.sink-failed'"),
            "55P03");
  EXPECT_EQ(As("postgres", {"audit", "verify"}).code, kDone);
}

TEST_F(AuditSink, OneThatCannotWriteIsNotTaken) {
  const Ran missing = Sink("note", "app.nowhere");
  EXPECT_NE(missing.code, kDone);
  EXPECT_THAT(missing.err, HasSubstr("app.nowhere"));
  EXPECT_THAT(As("postgres", {"audit", "sink", "show"}).out, HasSubstr("nowhere else"));
  EXPECT_EQ(Sink("shrug").code, kUsage);
  EXPECT_EQ(Configured("", {"audit", "sink", "set"}).code, kUsage);
  Session session(database_.conninfo() + " user=governed_operator");
  EXPECT_EQ(Refusal(session, "SELECT pgalter.set_audit_sink('SELECT 1', 'note')"), "42501");
}

}  // namespace
}  // namespace pgalter::test
