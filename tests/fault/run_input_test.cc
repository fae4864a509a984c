// What `pgalter run` is given: SQL, a plan that was kept; and what it takes for itself meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

using plan::Phase;
using ::testing::HasSubstr;

class RunInput : public RunWorld {
 protected:
  [[nodiscard]] Ran RunSql(const std::string& sql, const Words& more = {}) const {
    Words words{"run", "--sql", sql, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  [[nodiscard]] static plan::Step On(plan::Step step, const std::string& table) {
    step.locks.push_back(plan::StepLock{{"public", table}, locks::LockMode::kAccessExclusive});
    return step;
  }
};

TEST_F(RunInput, SqlIsPlannedAndCarriedOut) {
  MakeOrders();
  const Ran ran =
      RunSql("ALTER TABLE orders ALTER note SET NOT NULL; CREATE INDEX note_idx ON orders (note)");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_THAT(ran.err, HasSubstr("CONCURRENTLY"));
  FreshDatabase plain;
  MakeOrders(plain, 10);
  plain.Sql("ALTER TABLE orders ALTER note SET NOT NULL; CREATE INDEX note_idx ON orders (note)");
  EXPECT_EQ(Dump(), DumpOf(plain));
}

TEST_F(RunInput, SqlComesFromStandardInput) {
  MakeOrders();
  const std::string file = WriteText("in.sql", "CREATE INDEX note_idx ON orders (note)");
  const std::string command =
      fmt::format("exec '{}' run - --yes --dsn \"$DSN\" < '{}'", PGALTER_BINARY, file);
  Program program("/bin/sh", {"-c", command}, {"DSN=" + database_.conninfo()});
  const Ran ran = program.Wait(kLimit);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'note_idx'"), 1);
}

TEST_F(RunInput, AFileOfSqlRestsBeforeWhatOldProgramsUse) {
  MakeOrders();
  const std::string before = Dump();
  const std::string file = WriteText("drop.sql", "ALTER TABLE orders DROP COLUMN total_old;\n");
  const Ran ran = Run({"run", file, "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(Dump(), before);
  const Ran hidden = Run({"resume", RunId(), "--through", "contract"});
  ASSERT_EQ(hidden.code, 0) << hidden.err;
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_THAT(hidden.err, HasSubstr("stays shut"));
  const Ran on = Run({"resume", RunId(), "--gate", "missed-total_old"});
  ASSERT_EQ(on.code, 0) << on.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_attribute WHERE attname = 'total_old'"), 0);
}

TEST_F(RunInput, ADetachedRunnerGoesToTheGateByItself) {
  MakeOrders();
  const Ran ran =
      RunSql("ALTER TABLE orders ADD CHECK (amount >= 0); ALTER TABLE orders DROP COLUMN total_old",
             {"--detach"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.AwaitValue("SELECT state FROM pgalter.run", "waiting", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE progress->>'gate' <> ''", "1",
                       kLimit);
  AwaitNoRunner();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND convalidated"
                   " AND conrelid = 'orders'::regclass"),
            1);
}

TEST_F(RunInput, AGateStaysShutWhileWhatGoesIsUsedUnlessItIsNamed) {
  MakeOrders();
  const Ran ran = RunSql("DROP TABLE orders");
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Words contract{"resume", RunId(), "--through", "contract"};
  database_.Sql("INSERT INTO orders VALUES (900001, 1)");
  // The server tells its counts once the session has ended.
  database_.AwaitValue("SELECT n_tup_ins > 3000 FROM pg_stat_all_tables WHERE relname = 'orders'",
                       "t", kLimit);
  const Ran shut = Run(contract);
  EXPECT_EQ(shut.code, 0) << shut.err;
  EXPECT_THAT(shut.err, HasSubstr("1 of its rows were written"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'orders'"), 1);
  const Ran open = Run({"resume", RunId(), "--gate", "unused-orders"});
  ASSERT_EQ(open.code, 0) << open.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'orders'"), 0) << "hidden";
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM orders"), 3001);
}

TEST_F(RunInput, AGateIsNamedOnceMoreWhenItsTableHasChangedMeanwhile) {
  MakeOrders();
  ASSERT_EQ(RunSql("ALTER TABLE orders ALTER amount TYPE bigint").code, 0);
  database_.Sql("CREATE INDEX by_note ON orders (note)");
  const Words name{"resume", RunId(), "--gate", "swap-amount"};
  const Ran shut = Run(name);
  EXPECT_EQ(shut.code, 0) << shut.err;
  EXPECT_THAT(shut.err, HasSubstr("may take away"));
  EXPECT_EQ(StateOfRun(), "waiting");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
  EXPECT_EQ(StateOfRun(), "waiting") << "the name that was given counts no more";
  EXPECT_EQ(Run(name).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
}

TEST_F(RunInput, GatesStayShutForAsLongAsIsAskedFor) {
  MakeOrders();
  const Ran ran = RunSql("ALTER TABLE orders ALTER amount TYPE bigint",
                         {"--soak", "1h", "--through", "contract"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("stays shut"));
  EXPECT_EQ(StateOfRun(), "waiting");
}

TEST_F(RunInput, WhatTheServerWouldRefuseChangesNothing) {
  MakeOrders();
  const std::string before = Dump();
  const Ran ran = RunSql("ALTER TABLE orders ADD COLUMN more int; ALTER TABLE orders DROP nothing");
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("nothing"));
  EXPECT_EQ(Dump(), before);
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
}

TEST_F(RunInput, OneInputIsWanted) {
  EXPECT_EQ(Run({"run", "--yes"}).code, 2);
  EXPECT_EQ(Run({"run", "no-such-file.sql", "--yes"}).code, 2);
  EXPECT_EQ(Run({"run", WriteText("bad.json", "{\"version\":"), "--yes"}).code, 2);
}

TEST_F(RunInput, AKeptPlanIsRefusedOnceItsTableIsAnother) {
  MakeOrders();
  const Ran kept = Run({"run", "--sql", "ALTER TABLE orders ALTER note SET NOT NULL", "--dry-run",
                        "--output", "json"});
  ASSERT_EQ(kept.code, 0) << kept.err;
  const std::string file = WriteText("kept.json", kept.out);
  database_.Sql("CREATE INDEX amount_idx ON orders (amount)");
  const Ran refused = Run({"run", file, "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("not the one that the plan was made for"));
  database_.Sql("DROP INDEX amount_idx");
  const Ran ran = Run({"run", file, "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
}

// Trap: 04/03 is another day where the style is another, and the plan kept it as it was shown.
TEST_F(RunInput, APlanMeansTheSameInASessionOfAnotherStyle) {
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY, n int DEFAULT 5, d date DEFAULT '2026-03-04', t "
      "timestamptz DEFAULT '2026-03-04 00:00+00'); CREATE INDEX ON a (id) WHERE d > '2026-03-04';"
      "CREATE VIEW \"0 first\" AS SELECT n FROM a");
  const std::string kept = WriteText("kept.json", "");
  const Ran plan = Run(
      {"plan", "--sql", "ALTER TABLE a ALTER d TYPE timestamp, ALTER n TYPE bigint", "--out", kept},
      {"PGOPTIONS=-c DateStyle=SQL,DMY -c TimeZone=Asia/Tokyo"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  const Ran ran = Run({"run", kept, "--yes", "--through", "contract"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql("INSERT INTO a (id) VALUES (1)");
  EXPECT_EQ(database_.Value("SELECT d = '2026-03-04' AND t = '2026-03-04 00:00+00' FROM a"), "t");
  // Not the view, whose name comes first.
  EXPECT_EQ(database_.Value("SELECT target FROM pgalter.run"), "public.a");
}

TEST_F(RunInput, EveryTableOfAPlanIsItsOwnUntilItEnds) {
  MakeOrders();
  database_.Sql("CREATE TABLE items (id int)");
  const auto add = [](const std::string& table) {
    return On(DdlStep("1-" + table, Phase::kExpand,
                      {fmt::format("ALTER TABLE {} ADD COLUMN more text", table)},
                      {fmt::format("ALTER TABLE {} DROP COLUMN more", table)}),
              table);
  };
  const plan::Plan both = PlanOf({add("orders"), add("items"), GateStep("2-gate", "later")});
  ASSERT_EQ(Run(RunPlan(both)).code, 0);
  const std::string first = RunId();
  plan::Plan other = PlanOf({add("items")});
  other.relations = {{"public", "items"}};
  const Ran second = Run(RunPlan(other));
  EXPECT_EQ(second.code, 4) << second.err;
  EXPECT_THAT(second.err, HasSubstr(first));
  EXPECT_THAT(second.err, HasSubstr("public.items"));
  ASSERT_EQ(Run({"revert", first, "--yes"}).code, 0);
  const Ran third = Run(RunPlan(other));
  EXPECT_EQ(third.code, 0) << third.err;
}

TEST_F(RunInput, AFailedRunGoesOnOnlyWhileItsTablesAreFree) {
  MakeOrders();
  database_.Sql("CREATE TABLE items (id int)");
  plan::Plan fails = PlanOf({On(DdlStep("1-ddl", Phase::kExpand, {"SELECT 1/0"}, {}), "items")});
  fails.relations = {{"public", "items"}};
  ASSERT_EQ(Run(RunPlan(fails)).code, 1);
  const std::string failed = RunId();
  const plan::Step rests = On(DdlStep("1-ddl", Phase::kExpand, {"SELECT 1"}, {}), "items");
  ASSERT_EQ(Run(RunPlan(PlanOf({rests, GateStep("2-gate", "later")}))).code, 0);
  const Ran refused = Run({"resume", failed});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("public.items"));
}

TEST_F(RunInput, ADroppedIndexComesBackAsItWas) {
  MakeOrders();
  Session owner = database_.Connect();
  owner.Exec("SET allow_in_place_tablespaces = on");
  owner.Exec("CREATE TABLESPACE apart LOCATION ''");
  database_.Sql(
      "CREATE INDEX words_idx ON orders USING gist (to_tsvector('simple', note) "
      "tsvector_ops(siglen=100)) WITH (buffering = off) TABLESPACE apart WHERE note <> '';"
      "CREATE INDEX apart_idx ON orders (note COLLATE \"C\" DESC NULLS LAST) TABLESPACE apart;"
      "CREATE UNIQUE INDEX partial_idx ON orders (lower(note) text_pattern_ops DESC) INCLUDE "
      "(amount) WITH (fillfactor = 70) WHERE amount > 5 AND id > 0 AND note <> 'n6';"
      "COMMENT ON INDEX partial_idx IS 'it''s ours';"
      "ALTER INDEX partial_idx ALTER COLUMN 1 SET STATISTICS 300;"
      "ALTER TABLE orders CLUSTER ON orders_old_idx");
  const std::string before = Dump();
  const Ran ran = RunSql("DROP INDEX partial_idx, words_idx, apart_idx; DROP INDEX orders_old_idx",
                         {"--through", "contract"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(StateOfRun(), "done");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'partial_idx'"), 0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Dump(), before);
  database_.Sql("DROP INDEX words_idx, apart_idx");
  owner.Exec("DROP TABLESPACE apart");
}

// CST is the time of China where the index is read, and of Chicago where it is made again.
TEST_F(RunInput, ADroppedIndexComesBackUnderDatesOfAnotherStyle) {
  database_.Sql(
      "CREATE TABLE made (id int, at timestamptz);"
      "CREATE INDEX made_idx ON made (id) WHERE at > '2026-02-02 08:00+08'");
  const std::string predicate =
      "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'made_idx'::regclass";
  database_.Sql(fmt::format(
      "ALTER DATABASE {0} SET DateStyle = 'SQL, DMY'; ALTER DATABASE {0} SET TimeZone = "
      "'Asia/Shanghai'",
      database_.name()));
  const Ran ran = RunSql("DROP INDEX made_idx", {"--through", "contract"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  Session session = database_.Connect();
  session.Exec("SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'");
  EXPECT_EQ(session.Value(predicate), "(at > '2026-02-02 00:00:00+00'::timestamp with time zone)");
}

class SyncedBackfill : public RunInput {
 protected:
  void SetUp() override {
    MakeOrders();
    before_ = Dump();
    plan::Step fill;
    fill.id = "1.2-backfill";
    fill.phase = Phase::kMigrate;
    fill.kind = plan::StepKind::kBackfill;
    fill.transaction = plan::Transaction::kNone;
    fill.backfill =
        plan::Backfill{"public.orders", "total = amount * 2", "", plan::Backfill::Sync::kKeep};
    const Ran ran = Run(RunPlan(
        PlanOf({DdlStep("1.1-ddl", Phase::kExpand, {"ALTER TABLE orders ADD COLUMN total int"},
                        {"ALTER TABLE orders DROP COLUMN total"}),
                fill})));
    ASSERT_EQ(ran.code, 0) << ran.err;
    database_.Sql("INSERT INTO orders (id, amount) VALUES (900001, 21)");
  }
  [[nodiscard]] long Triggers() const {
    return Number(
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid NOT IN (SELECT oid "
        "FROM pg_class WHERE relnamespace = to_regnamespace('pgalter'))");
  }
  std::string before_;
};

TEST_F(SyncedBackfill, KeepsNewRowsRightUntilItIsFinished) {
  EXPECT_EQ(Number("SELECT total FROM orders WHERE id = 900001"), 42);
  EXPECT_EQ(Number("SELECT count(*) FROM orders WHERE total IS DISTINCT FROM amount * 2"), 0);
  EXPECT_EQ(Triggers(), 1);
  const Ran finished = Run({"finish", RunId(), "--yes"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(Triggers(), 0);
}

TEST_F(SyncedBackfill, IsRevertedWithItsTrigger) {
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Triggers(), 0);
  EXPECT_EQ(Dump(), before_);
}

}  // namespace
}  // namespace pgalter::test
