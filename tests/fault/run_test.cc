// What `pgalter run` does and refuses on a table in use: gates, locks, rights, leftovers.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/run_world.h"
#include "tests/support/scene.h"

namespace pgalter::test {
namespace {

using plan::Phase;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class PlanRun : public RunWorld {
 protected:
  [[nodiscard]] static plan::Step AddNote() {
    return DdlStep("1.1-ddl", Phase::kExpand, {"ALTER TABLE orders ADD COLUMN more text"},
                   {"ALTER TABLE orders DROP COLUMN more"});
  }
  [[nodiscard]] static plan::Step Alone(std::string id, plan::StepKind kind, std::string sql) {
    plan::Step step;
    step.id = std::move(id);
    step.kind = kind;
    step.sql = {std::move(sql)};
    step.transaction = plan::Transaction::kNone;
    step.undo_transaction = plan::Transaction::kNone;
    return step;
  }
  [[nodiscard]] bool HasColumn(const std::string& name) const {
    return Number(
               fmt::format("SELECT count(*) FROM pg_attribute WHERE attname = '{}' AND attrelid ="
                           " 'orders'::regclass AND NOT attisdropped",
                           name)) == 1;
  }
  // A refusal: that exit code, and no trace.
  void ExpectRefused(const plan::Plan& plan, int code, const std::string& said) const {
    const std::string before = Dump();
    const Ran ran = Run(RunPlan(plan));
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(said));
    EXPECT_EQ(Dump(), before);
    EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  }
  void RunBehindAReader();
  [[nodiscard]] long InvalidIndexes() const {
    return Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid");
  }
};

TEST_F(PlanRun, WaitsAtItsGateWithoutARunner) {
  MakeOrders();
  const Ran ran = Run(RunOrders());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--gate total-old-unused"));
  EXPECT_THAT(ran.err, HasSubstr("Behind it, step 4.3-ddl is the point of no return"));
  EXPECT_EQ(StateOfRun(), "waiting");
  AwaitNoRunner();
  const Ran status = Run({"status", RunId()});
  EXPECT_THAT(status.out, HasSubstr("total-old-unused"));
  EXPECT_THAT(status.out, HasSubstr("pgalter revert"));
  EXPECT_THAT(status.out, HasSubstr("4.3-ddl"));  // the point of no return
  const Ran watch = Run({"watch", RunId()});
  EXPECT_EQ(watch.code, 0) << watch.err;
  EXPECT_THAT(Run({"ps"}).out, HasSubstr("waiting (gate)"));
  const Ran again = Run({"resume", RunId()});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(Run({"resume", RunId(), "--gate", "other"}).code, 2);
  EXPECT_TRUE(HasColumn("total_old"));
  const Ran on = Run({"resume", RunId(), "--through", "contract"});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Dump(), PlainDump());
}

TEST_F(PlanRun, GoesThroughTheWholePlanWhenAskedTo) {
  MakeOrders();
  const Ran ran = Run(RunOrders({"--through", "contract"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Dump(), PlainDump());
  ExpectRowsRight();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("4.3-ddl"));
  EXPECT_EQ(Dump(), PlainDump());
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
}

TEST_F(PlanRun, StopsBehindExpandWhenAskedTo) {
  MakeOrders();
  ASSERT_EQ(Run(RunOrders({"--through", "expand"})).code, 0);
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_GT(Number("SELECT count(*) FROM orders WHERE total IS NULL"), 0);
  const Ran on = Run({"resume", RunId(), "--through", "migrate"});
  ASSERT_EQ(on.code, 0) << on.err;
  ExpectRowsRight();
  EXPECT_EQ(StateOfRun(), "waiting");
}

TEST_F(PlanRun, ADryRunWritesNothing) {
  MakeOrders();
  const std::string before = Dump();
  const Ran ran = Run(RunOrders({"--dry-run"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("4.3-ddl"));
  EXPECT_EQ(Dump(), before);
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
}

TEST_F(PlanRun, AGateStaysShutForItsSoakTimeUnlessItIsNamed) {
  MakeOrders();
  plan::Step gate = GateStep("2.1-gate", "soaked");
  gate.gate->soak_s = 3600;
  ASSERT_EQ(Run(RunPlan(PlanOf({AddNote(), gate}), {"--through", "contract"})).code, 0);
  EXPECT_EQ(StateOfRun(), "waiting");
  const Ran again = Run({"resume", RunId(), "--through", "contract"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("stays shut"));
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(Run({"resume", RunId(), "--gate", "soaked"}).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
}

TEST_F(PlanRun, OffersNoWayBackBehindThePointOfNoReturn) {
  MakeOrders();
  const std::string sql =
      "ALTER TABLE orders DROP COLUMN total_old; ALTER TABLE orders DROP COLUMN note";
  EXPECT_THAT(Run({"run", "--sql", sql, "--yes"}).err, HasSubstr("to take all back"));
  EXPECT_THAT(Run({"resume", RunId(), "--gate", "unused-total_old"}).err,
              HasSubstr("to take all back"));
  const Ran behind = Run({"resume", RunId(), "--gate", "missed-total_old"});
  EXPECT_EQ(behind.code, 0) << behind.err;
  EXPECT_THAT(behind.err, HasSubstr("waits at gate unused-note"));
  EXPECT_THAT(behind.err, Not(HasSubstr("to take all back")));
}

// New programs have been told that the column goes, and write none.
TEST_F(PlanRun, AWayBackThatRowsContradictKeepsNobodyFromWritingThem) {
  MakeOrders();
  database_.Sql("UPDATE orders SET note = 'x'");
  database_.Sql("ALTER TABLE orders ALTER note DROP DEFAULT, ALTER note SET NOT NULL");
  ASSERT_EQ(Run({"run", "--sql", "ALTER TABLE orders DROP COLUMN note", "--yes"}).code, 0);
  ASSERT_EQ(Run({"resume", RunId(), "--gate", "unused-note"}).code, 0);
  database_.Sql("UPDATE orders SET pgalter_dropped_note = NULL WHERE id = 3");
  const Words revert{"revert", RunId(), "--yes"};
  ASSERT_EQ(Run(revert, {"PGALTER_FAIL_POINT=contradicted-back"}).code, kKilled);
  AwaitNoRunner();
  const Ran refused = Run(revert);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("SELECT * FROM public.orders WHERE"));
  EXPECT_THAT(refused.err, HasSubstr("pgalter revert " + RunId() + " --yes"));
  database_.Sql("UPDATE orders SET note = NULL WHERE id = 2");
  database_.Sql("UPDATE orders SET note = 'x' WHERE note IS NULL");
  EXPECT_EQ(Run(revert).code, 0);
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(database_.Value("SELECT attnotnull FROM pg_attribute WHERE attrelid = "
                            "'orders'::regclass AND attname = 'note'"),
            "t");
}

// The plain statement would fail and leave nothing.
TEST_F(PlanRun, AConstraintThatRowsContradictGoesAgain) {
  const std::string kept = "SELECT count(*) FROM pg_constraint WHERE conname = 'new_one'";
  const std::vector<std::pair<std::string, std::string>> constraints{
      {"CHECK (id <> 3)", "SELECT * FROM public.orders WHERE NOT ((id <> 3))"},
      {"FOREIGN KEY (id) REFERENCES known",
       "SELECT * FROM public.orders WHERE orders.id IS NOT NULL AND NOT EXISTS (SELECT FROM "
       "public.known AS referred WHERE referred.id = orders.id)"}};
  for (const auto& [definition, query] : constraints) {
    SCOPED_TRACE(definition);
    database_.Sql(
        "DROP SCHEMA IF EXISTS pgalter CASCADE; DROP TABLE IF EXISTS orders, known; "
        "DROP SEQUENCE IF EXISTS order_id");
    MakeOrders();
    database_.Sql("CREATE TABLE known AS SELECT id FROM orders WHERE id <> 3");
    database_.Sql("ALTER TABLE known ADD PRIMARY KEY (id)");
    const std::string sql = "ALTER TABLE orders ADD CONSTRAINT new_one " + definition;
    const Ran refused = Run({"run", "--sql", sql, "--yes"});
    EXPECT_EQ(refused.code, 4) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("are in the way: " + query));
    EXPECT_EQ(database_.Value(kept), "0");
    EXPECT_EQ(database_.Value("WITH gone AS (DELETE FROM orders WHERE NOT id IN (SELECT id FROM "
                              "known) RETURNING 1) SELECT count(*) FROM gone"),
              "1");
    EXPECT_EQ(Run({"resume", RunId()}).code, 0);
    EXPECT_EQ(database_.Value(kept + " AND convalidated"), "1");
  }
}

TEST_F(PlanRun, AGateAsksItsCheckWhoeverOpensIt) {
  MakeOrders();
  plan::Step gate = GateStep("2.1-gate", "checked");
  gate.gate->check = "SELECT count(*) = 0 FROM orders WHERE note IS NULL";
  database_.Sql("UPDATE orders SET note = NULL WHERE id = 3");
  ASSERT_EQ(Run(RunPlan(PlanOf({AddNote(), gate}))).code, 0);
  EXPECT_THAT(Run({"resume", RunId(), "--gate", "checked"}).err, HasSubstr("its check says no"));
  EXPECT_EQ(StateOfRun(), "waiting");
  database_.Sql("UPDATE orders SET note = 'x' WHERE id = 3");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
}

void PlanRun::RunBehindAReader() {
  database_.Sql(
      "DROP SCHEMA IF EXISTS pgalter CASCADE; DROP TABLE IF EXISTS orders; DROP SEQUENCE "
      "IF EXISTS order_id");
  MakeOrders();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM orders");
  Programs users(database_.conninfo(), Programs::Form::kOld);
  const Ran blocked = Run(RunOrders({"--lock-budget", "3s"}));
  EXPECT_EQ(blocked.code, 5) << blocked.err;
  EXPECT_THAT(blocked.err, HasSubstr(fmt::format("pid {}", reader.backend_pid())));
  EXPECT_EQ(StateOfRun(), "failed");
  EXPECT_FALSE(HasColumn("total"));
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_LT(users.longest(), 3s);
  reader.Exec("ROLLBACK");
  const Ran on = Run({"resume", RunId()});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "waiting");
}
TEST_F(PlanRun, AReaderInTheWayCostsUsersAnAttemptAtMost) {
  PlayUntilRight(4, [this] { RunBehindAReader(); });
}

TEST_F(PlanRun, APlanForAnotherSchemaIsRefused) {
  MakeOrders();
  plan::Plan plan = OrdersPlan();
  plan.fingerprint = "0123456789abcdef";
  ExpectRefused(plan, 4, "not the one that the plan was made for");
}

TEST_F(PlanRun, WhatTheServerWouldRefuseIsRefusedBeforeAnythingIsChanged) {
  MakeOrders();
  plan::Plan failing = PlanOf({AddNote()});
  failing.statements.front().answer = plan::Answer::kFails;
  failing.statements.front().remarks = {"column more exists already"};
  ExpectRefused(failing, 4, "column more exists already");
}

TEST_F(PlanRun, ATableOfAnotherRoleIsRefused) {
  MakeOrders();
  database_.Sql("DROP ROLE IF EXISTS run_other; CREATE ROLE run_other LOGIN");
  user_ = "run_other";
  plan::Step step = AddNote();
  step.locks.push_back(plan::StepLock{{"public", "orders"}, locks::LockMode::kAccessExclusive});
  ExpectRefused(PlanOf({step}), 10, "42501");
}

TEST_F(PlanRun, SqlMeansWhatItMeansToTheRole) {
  database_.Sql(
      "CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY);"
      "DROP ROLE IF EXISTS run_shop; CREATE ROLE run_shop LOGIN;"
      "ALTER ROLE run_shop SET search_path = shop; ALTER SCHEMA shop OWNER TO run_shop;"
      "ALTER TABLE shop.orders OWNER TO run_shop");
  database_.Sql(fmt::format("GRANT CREATE ON DATABASE {} TO run_shop", database_.name()));
  user_ = "run_shop";
  plan::Plan plan = PlanOf(
      {AddNote(),
       IndexStep("2.1-index", "CREATE INDEX CONCURRENTLY more_idx ON orders (more)", "more_idx")});
  const Ran ran = Run(RunPlan(plan));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT to_regclass('shop.more_idx') IS NOT NULL"), "t");
  database_.Sql("DROP OWNED BY run_shop CASCADE");
}

TEST_F(PlanRun, AnIndexThatIsThereAlreadyIsNotTouched) {
  MakeOrders();
  database_.Sql("CREATE INDEX orders_note_idx ON orders (id, note)");
  const Ran ran = Run(RunOrders());
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("orders_note_idx"));
  EXPECT_EQ(StateOfRun(), "failed");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'orders_note_idx'"), 1);
}

TEST_F(PlanRun, AFailedUniqueIndexLeavesNothingBehind) {
  MakeOrders();
  database_.Sql("UPDATE orders SET note = 'twice' WHERE id IN (1, 2)");
  const plan::Plan plan = PlanOf(
      {IndexStep("1.1-index", "CREATE UNIQUE INDEX CONCURRENTLY once ON orders (note)", "once")});
  const Ran ran = Run(RunPlan(plan));
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("23505"));
  EXPECT_EQ(InvalidIndexes(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'once'"), 0);
  database_.Sql("UPDATE orders SET note = 'once' WHERE id = 1");
  const Ran on = Run({"resume", RunId()});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'once'"), 1);
}

TEST_F(PlanRun, CleanupDropsTheIndexThatWasNotFinished) {
  MakeOrders();
  const Ran killed = Run(RunOrders(), {"PGALTER_FAIL_POINT=index-in-ledger"});
  ASSERT_EQ(killed.code, kKilled);
  // As a build leaves it that was cut off.
  database_.Sql(
      "CREATE INDEX orders_note_idx ON orders (note);"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_note_idx'::regclass;"
      "UPDATE pgalter.run SET state = 'failed'");
  AwaitNoRunner();
  const Ran cleaned = Run({"cleanup", "--yes"});
  EXPECT_EQ(cleaned.code, 0) << cleaned.err;
  EXPECT_EQ(InvalidIndexes(), 0);
  EXPECT_TRUE(HasColumn("total")) << "what the plan has done stays";
  const Ran on = Run({"resume", RunId()});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "waiting");
}

TEST_F(PlanRun, AnIndexIsRebuiltAndWhatAnOldAttemptLeftIsDropped) {
  MakeOrders();
  const plan::Plan plan = PlanOf({Alone("1.1-reindex", plan::StepKind::kConcurrentIndex,
                                        "REINDEX INDEX CONCURRENTLY orders_old_idx")});
  const std::string before = database_.Value("SELECT 'orders_old_idx'::regclass::oid");
  ASSERT_EQ(Run(RunPlan(plan), {"PGALTER_FAIL_POINT=index-built"}).code, kKilled);
  const std::string after = database_.Value("SELECT 'orders_old_idx'::regclass::oid");
  EXPECT_NE(before, after);
  AwaitNoRunner();
  ASSERT_EQ(Run({"resume", RunId()}).code, 0);
  EXPECT_EQ(database_.Value("SELECT 'orders_old_idx'::regclass::oid"), after)
      << "it was rebuilt before, which the ledger told";
  EXPECT_EQ(InvalidIndexes(), 0);
}

TEST_F(PlanRun, AStatementByItselfIsRunAgainAfterACrash) {
  MakeOrders();
  const plan::Plan plan =
      PlanOf({Alone("1.1-autocommit", plan::StepKind::kAutocommit, "VACUUM orders")});
  ASSERT_EQ(Run(RunPlan(plan), {"PGALTER_FAIL_POINT=autocommit-ran"}).code, kKilled);
  AwaitNoRunner();
  const Ran on = Run({"resume", RunId()});
  EXPECT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "done");
}

class Detach : public PlanRun {
 protected:
  void SetUp() override {
    database_.Sql(
        "CREATE TABLE orders (id int, at int) PARTITION BY RANGE (at);"
        "CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM (10) TO (20)");
  }
  [[nodiscard]] static plan::Plan DetachPlan() {
    plan::Step step = Alone("1.1-detach", plan::StepKind::kDetach,
                            "ALTER TABLE orders DETACH PARTITION orders_1 CONCURRENTLY");
    step.undo = {"ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES FROM (0) TO (10)"};
    step.undo_transaction = plan::Transaction::kOwn;
    return PlanOf({step});
  }
  [[nodiscard]] long Partitions() const {
    return Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'orders'::regclass");
  }
};

TEST_F(Detach, IsEndedByFinalizeWhereAReaderStopsIt) {
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM orders_1");
  Program program = Start(RunPlan(DetachPlan()));
  database_.AwaitValue("SELECT count(*) FROM pg_inherits WHERE inhdetachpending", "1", kLimit);
  Session other = database_.Connect();
  other.Exec("SET statement_timeout = '30s'; INSERT INTO orders VALUES (1, 15)");
  reader.Exec("ROLLBACK");
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Partitions(), 1);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Partitions(), 2);
}

TEST_F(Detach, GoesOnAfterACrashInItsMiddle) {
  ASSERT_EQ(Run(RunPlan(DetachPlan()), {"PGALTER_FAIL_POINT=detach-pending"}).code, kKilled);
  AwaitNoRunner();
  const Ran on = Run({"resume", RunId()});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(Partitions(), 1);
}

TEST_F(Detach, IsPlainBesideADefaultPartition) {
  database_.Sql("CREATE TABLE orders_rest PARTITION OF orders DEFAULT");
  const Ran ran = Run(RunPlan(DetachPlan()));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Partitions(), 2);
}

TEST_F(PlanRun, IsPausedAndAborted) {
  MakeOrders();
  const std::string before = Dump();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM orders");
  Program program = Start(RunOrders());
  database_.AwaitValue("SELECT to_regclass('pgalter.heartbeat') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.step WHERE state = 'running'", "1", kLimit);
  const Ran paused = Run({"pause"});
  EXPECT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(program.Wait(kLimit).code, 6);
  reader.Exec("ROLLBACK");
  ASSERT_EQ(Run({"resume", RunId()}).code, 0);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");
  EXPECT_THAT(aborted.out, HasSubstr("values that a backfill has set stay"));
  EXPECT_EQ(Dump(), before);
}

// The column that it was to fill has gone with the first step.
TEST_F(PlanRun, AnAbortSpeaksOfABackfillOnlyWhereOneWasBegun) {
  MakeOrders();
  const Ran killed = Run(RunOrders(), {"PGALTER_FAIL_POINT=step-recorded"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(aborted.out, RunId() + " aborted; what it made is gone\n");
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).out, aborted.out);
}

TEST_F(PlanRun, ARevertCancelsTheBuildThatIsAtWork) {
  MakeOrders();
  const std::string before = Dump();
  Session reader = database_.Connect();
  reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  Program program = Start(RunOrders());
  database_.AwaitValue("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "1", kLimit);
  Program revert = Start({"revert", RunId(), "--yes"});
  database_.AwaitValue(
      "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'"
      " AND state = 'active'",
      "0", kLimit);
  reader.Exec("ROLLBACK");
  const Ran reverted = revert.Wait(kLimit);
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(program.Wait(kLimit).code, 6);
  EXPECT_EQ(StateOfRun(), "reverted");
  EXPECT_EQ(Dump(), before);
}

TEST_F(PlanRun, ASecondRunnerIsRefusedAndATakeoverEndsTheFirst) {
  MakeOrders();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM orders");
  Program first = Start(RunOrders());
  database_.AwaitValue("SELECT to_regclass('pgalter.heartbeat') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.heartbeat", "1", kLimit);
  EXPECT_EQ(Run({"resume", RunId()}).code, 4);
  EXPECT_EQ(Run(RunOrders()).code, 4) << "one run a table";
  Program second = Start({"resume", RunId(), "--take-over"});
  EXPECT_EQ(first.Wait(kLimit).code, 6);
  reader.Exec("ROLLBACK");
  const Ran ran = second.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "waiting");
}

TEST_F(PlanRun, IsRevertedWithItsRowsWhenItIsDone) {
  MakeOrders();
  const std::string before = Dump();
  plan::Plan plan = OrdersPlan();
  plan.steps.pop_back();  // without its point of no return
  const Ran ran = Run(RunPlan(plan, {"--through", "contract"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
  const std::string rows =
      "SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM (SELECT id, amount,"
      " note, total_old FROM orders) o";
  const std::string content = database_.Value(rows);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Dump(), before);
  EXPECT_EQ(database_.Value(rows), content);
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0) << "again is nothing";
  EXPECT_EQ(Run({"resume", RunId()}).code, 4);
}

}  // namespace
}  // namespace pgalter::test
