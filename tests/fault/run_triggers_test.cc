// Triggers of users while `pgalter run` fills rows for a statement that fires none: no value of
// theirs changes, nothing is queued twice; and where that cannot be had, somebody is asked first.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kGrantsSettings = 150000;
constexpr const char* kWider = "ALTER TABLE t ALTER c TYPE bigint";
constexpr const char* kColumn = "ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid()";

class RunTriggers : public RunWorld {
 protected:
  static constexpr int kRows = 20'000;

  // A time, a version and a queue, as programs have them.
  void MakeTable(const std::string& partitioned = "") const {
    database_.Sql(fmt::format(
        "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(0, 29999);"
        "CREATE TABLE outbox (id int);"
        "CREATE TABLE t (id int PRIMARY KEY, c int NOT NULL, note text,"
        " updated_at timestamptz NOT NULL DEFAULT '2020-01-01', version int NOT NULL DEFAULT 1){}",
        partitioned.empty() ? "" : " PARTITION BY RANGE (id); " + partitioned));
    database_.Sql(
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " new.updated_at := now(); new.version := old.version + 1; RETURN new; END $$;"
        "CREATE FUNCTION queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO public.outbox VALUES (new.id); RETURN NULL; END $$;"
        "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();"
        "CREATE TRIGGER queue AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION queue();");
    database_.Sql(
        fmt::format("INSERT INTO t (id, c) SELECT n, n FROM generate_series(1, {}) n", kRows));
    database_.Sql("VACUUM ANALYZE t");
  }
  // The owner, who may not set session_replication_role.
  void ActAsOwner() {
    database_.Sql(
        "DO $$ BEGIN IF to_regrole('run_triggers') IS NULL THEN CREATE ROLE run_triggers LOGIN;"
        " END IF; END $$");
    if (GrantsSettings())
      database_.Sql("REVOKE SET ON PARAMETER session_replication_role FROM run_triggers");
    database_.Sql(
        fmt::format("GRANT CREATE ON DATABASE {} TO run_triggers;"
                    "GRANT CREATE ON SCHEMA public TO run_triggers;"
                    "ALTER TABLE t OWNER TO run_triggers; GRANT INSERT ON outbox TO PUBLIC",
                    database_.name()));
    user_ = "run_triggers";
  }
  [[nodiscard]] bool GrantsSettings() const {
    return Number("SELECT current_setting('server_version_num')") >= kGrantsSettings;
  }
  [[nodiscard]] Ran Begin(const std::string& sql, const Words& more = {},
                          const Words& environment = {}) const {
    Words words{"run", "--sql", sql, "--yes", "--through", "contract"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, environment);
  }
  [[nodiscard]] Ran Resume() const { return Run({"resume", RunId(), "--through", "contract"}); }
  void StandInTheMiddle() const {
    AwaitWindows(1);
    Stand();
    ASSERT_EQ(Number("SELECT count(*) FROM pgalter.run WHERE state = 'running'"), 1);
  }
  void ExpectDone(const Ran& ran) const {
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(StateOfRun(), "done");
  }
  void ExpectFired(long times) const {
    EXPECT_EQ(Number("SELECT sum(version - 1) FROM t"), times);
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE updated_at <> '2020-01-01'") > 0, times > 0);
    EXPECT_EQ(Number("SELECT count(*) FROM outbox"), times);
  }
  void ExpectWider() const {
    EXPECT_EQ(database_.Value("SELECT pg_typeof(c) FROM t LIMIT 1"), "bigint");
    EXPECT_EQ(Number("SELECT count(*) FROM t WHERE c <> id"), 0);
  }
  void ExpectFilled() const { EXPECT_EQ(Number("SELECT count(DISTINCT x) FROM t"), kRows); }
  // Before anything is written; and `plan` says the same.
  void ExpectRefused(const std::string& sql, const std::string& why) const {
    const std::string before = Dump();
    const Ran ran = Begin(sql);
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, AllOf(HasSubstr(why), HasSubstr("--fire-triggers")));
    const Ran planned = Run({"plan", "--sql", sql});
    EXPECT_EQ(planned.code, 4) << planned.err;
    EXPECT_THAT(planned.out, AllOf(HasSubstr("REFUSED"), HasSubstr(why)));
    EXPECT_EQ(Dump(), before);
    EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL OR (SELECT count(*) FROM "
                              "pg_class WHERE relname = 'run') = 0"),
              "t");
    ExpectFired(0);
  }
};

TEST_F(RunTriggers, NoneFiresWhereTheRoleMayKeepThemSilent) {
  MakeTable();
  const Ran planned = Run({"plan", "--sql", kWider});
  EXPECT_THAT(planned.out, HasSubstr("do not fire for the rows that are filled"));
  ExpectDone(Begin(kWider));
  ExpectWider();
  ExpectFired(0);
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  ExpectDone(Begin(kColumn));
  ExpectFilled();
  ExpectFired(0);
}

TEST_F(RunTriggers, TheColumnsOwnTriggerIsAtWorkBesideThem) {
  MakeTable();
  Words words{"run", "--sql", kWider, "--yes"};
  for (const std::string& word : Slowly()) words.push_back(word);
  Program program = Start(words);
  StandInTheMiddle();
  // Of rows that are filled, and of others.
  database_.Sql("UPDATE t SET c = c + 100000 WHERE id % 100 = 0");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE id % 100 = 0 AND pgalter_new_c <> c"), 0);
  EXPECT_GT(Number("SELECT count(*) FROM t WHERE pgalter_new_c IS NULL"), 0);
  LetGo();
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql("UPDATE t SET c = c + 100000 WHERE id % 100 = 1");
  ExpectDone(Resume());
  EXPECT_EQ(
      Number(
          "SELECT count(*) FROM t WHERE c <> id + CASE WHEN id % 100 < 2 THEN 100000 ELSE 0 END"),
      0);
  ExpectFired(kRows / 50);  // what users did
}

TEST_F(RunTriggers, NoneFiresForARunThatIsKilledAndGoesOn) {
  MakeTable();
  int columns = 0;
  for (const char* point : {"chunk-checked", "chunk-updated:2", "chunk-committed:2"}) {
    const Ran killed =
        Begin(fmt::format("ALTER TABLE t ADD x{} uuid DEFAULT gen_random_uuid()", ++columns),
              {"--chunk-time", "5ms"}, {fmt::format("PGALTER_FAIL_POINT={}", point)});
    EXPECT_EQ(killed.code, kKilled) << point << killed.err;
    AwaitNoRunner();
    ExpectDone(Resume());
    EXPECT_EQ(Number(fmt::format("SELECT count(DISTINCT x{}) FROM t", columns)), kRows);
  }
  ExpectFired(0);
}

TEST_F(RunTriggers, ARoleThatWasGivenTheRightKeepsThemSilent) {
  MakeTable();
  ActAsOwner();
  if (!GrantsSettings()) GTEST_SKIP() << "superusers alone may";
  database_.Sql("GRANT SET ON PARAMETER session_replication_role TO run_triggers");
  ExpectDone(Begin(kColumn));
  ExpectFilled();
  ExpectFired(0);
}

TEST_F(RunTriggers, WithoutTheRightSomebodyIsAsked) {
  MakeTable();
  ActAsOwner();
  ExpectRefused(kColumn, GrantsSettings() ? "GRANT SET ON PARAMETER session_replication_role"
                                          : "before PostgreSQL 15 superusers alone");
  const Ran ran = Begin(kColumn, {"--fire-triggers"});
  EXPECT_THAT(ran.err, HasSubstr("every row that is filled fires"));
  ExpectDone(ran);
  ExpectFilled();
  ExpectFired(kRows);
}

TEST_F(RunTriggers, WithoutTheRightATypeChangeCopiesTheTable) {
  MakeTable();
  ActAsOwner();
  const Ran ran = Begin(kWider);
  EXPECT_THAT(ran.err, HasSubstr("copied beside itself, which fires no trigger"));
  ExpectDone(ran);
  ExpectWider();
  ExpectFired(0);
}

TEST_F(RunTriggers, NobodyIsAskedForTriggersThatDoNotFire) {
  MakeTable();
  database_.Sql(
      "DROP TRIGGER touch ON t; DROP TRIGGER queue ON t;"
      "CREATE TRIGGER of_note BEFORE UPDATE OF note ON t FOR EACH ROW EXECUTE FUNCTION touch();"
      "CREATE TRIGGER inserted AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION queue();"
      "CREATE TRIGGER off BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();"
      "ALTER TABLE t DISABLE TRIGGER off;"
      "CREATE TRIGGER replayed BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();"
      "ALTER TABLE t ENABLE REPLICA TRIGGER replayed");
  ActAsOwner();
  ExpectDone(Begin(kColumn));
  ExpectFilled();
  ExpectFired(0);
}

TEST_F(RunTriggers, OneThatFiresAlwaysIsAskedFor) {
  MakeTable();
  database_.Sql("ALTER TABLE t ENABLE ALWAYS TRIGGER queue");
  ExpectRefused(kColumn, "queue fires under session_replication_role = replica, too");
  const Ran ran = Begin(kWider);
  EXPECT_THAT(ran.err, HasSubstr("copied beside itself, which fires no trigger"));
  ExpectDone(ran);
  ExpectFired(0);
}

TEST_F(RunTriggers, OneOfAStatementIsAskedFor) {
  MakeTable();
  database_.Sql(
      "DROP TRIGGER touch ON t; DROP TRIGGER queue ON t;"
      "CREATE FUNCTION queue_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " INSERT INTO public.outbox SELECT id FROM fresh; RETURN NULL; END $$;"
      "CREATE TRIGGER queue AFTER UPDATE ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"
      " EXECUTE FUNCTION queue_all()");
  ExpectDone(Begin(kColumn));
  ExpectFired(0);
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  ActAsOwner();
  const Ran ran = Begin("ALTER TABLE t ADD y uuid DEFAULT gen_random_uuid()");
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("would fire trigger queue"));
}

TEST_F(RunTriggers, TriggersOfPartitionsAreSeen) {
  MakeTable(
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);"
      "CREATE TABLE t2 PARTITION OF t DEFAULT");
  ExpectDone(Begin(kColumn));
  ExpectFilled();
  ExpectFired(0);
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  ActAsOwner();
  database_.Sql("DROP SCHEMA pgalter CASCADE");  // of another role
  database_.Sql("ALTER TABLE t1 OWNER TO run_triggers; ALTER TABLE t2 OWNER TO run_triggers");
  const char* const kAnother = "ALTER TABLE t ADD y uuid DEFAULT gen_random_uuid()";
  const Ran refused = Begin(kAnother);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("would fire triggers queue, touch"));
  ExpectDone(Begin(kAnother, {"--fire-triggers"}));
  ExpectFired(kRows);
}

TEST_F(RunTriggers, OneThatIsSwitchedOnMeanwhileStopsTheRun) {
  MakeTable();
  Words words{"run", "--sql", kColumn, "--yes"};
  for (const std::string& word : Slowly()) words.push_back(word);
  Program program = Start(words);
  StandInTheMiddle();
  database_.Sql("ALTER TABLE t ENABLE ALWAYS TRIGGER touch");
  LetGo();
  const Ran stopped = program.Wait(kLimit);
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("each would fire touch"));
  AwaitNoRunner();
  const Ran again = Resume();
  EXPECT_EQ(again.code, 4) << again.err;
  EXPECT_THAT(again.err, HasSubstr("ENABLE ALWAYS or REPLICA"));
  ExpectFired(0);
  database_.Sql("ALTER TABLE t ENABLE TRIGGER touch");
  ExpectDone(Resume());
  ExpectFilled();
  ExpectFired(0);
}

TEST_F(RunTriggers, AKeyThatComesMeanwhileIsCheckedForEveryRow) {
  MakeTable();
  database_.Sql("CREATE SEQUENCE far START 100000");
  Words words{"run", "--sql", "ALTER TABLE t ADD x int DEFAULT nextval('far')", "--yes"};
  for (const std::string& word : Slowly()) words.push_back(word);
  Program program = Start(words);
  StandInTheMiddle();
  database_.Sql("INSERT INTO p SELECT x FROM t WHERE x IS NOT NULL");
  database_.Sql("ALTER TABLE t ADD CONSTRAINT x_of_p FOREIGN KEY (x) REFERENCES p");
  LetGo();
  const Ran stopped = program.Wait(kLimit);
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("x_of_p"));
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE x IS NOT NULL AND x NOT IN (SELECT id FROM p)"),
            0);
}

// Its own writes would pass by other tables' triggers and keys.
TEST_F(RunTriggers, AFunctionThatMayWriteElsewhereIsAskedFor) {
  MakeTable();
  database_.Sql(
      "CREATE FUNCTION number() RETURNS int LANGUAGE plpgsql AS"
      " 'BEGIN INSERT INTO p VALUES (50000); RETURN 1; END'");
  ExpectRefused("ALTER TABLE t ADD y int DEFAULT number()", "what number may write");
}

// Rows that are compared behind the gate, when foreign keys are proven: hardly any is written.
TEST_F(RunTriggers, ForeignKeysSeeWhatIsMendedBehindTheGate) {
  MakeTable();
  database_.Sql("ALTER TABLE t ADD CONSTRAINT of_p FOREIGN KEY (c) REFERENCES p");
  ASSERT_EQ(Run({"run", "--sql", kWider, "--yes"}).code, 0);
  ExpectFired(0);
  database_.Sql(
      "BEGIN; ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET c = 9000 WHERE id <= 3;"
      "ALTER TABLE t ENABLE TRIGGER USER; COMMIT");
  ExpectDone(Resume());
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE c <> CASE WHEN id <= 3 THEN 9000 ELSE id END"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_p' AND convalidated"),
            1);
  ExpectFired(3);
}

TEST_F(RunTriggers, SubscribersAreSentWhatIsFilledInSilence) {
  MakeTable();
  database_.Sql("CREATE PUBLICATION pub FOR TABLE t");
  database_.Value("SELECT pg_create_logical_replication_slot('filled', 'pgoutput')");
  ExpectDone(Begin(kColumn));
  // 'U' of protocol 1: an update.
  const long updates = Number(
      "SELECT count(*) FROM pg_logical_slot_get_binary_changes('filled', NULL, NULL,"
      " 'proto_version', '1', 'publication_names', 'pub') WHERE get_byte(data, 0) = ascii('U')");
  database_.Value("SELECT pg_drop_replication_slot('filled')");
  EXPECT_EQ(updates, kRows);
  ExpectFired(0);
}

}  // namespace
}  // namespace pgalter::test
