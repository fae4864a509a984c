// Plans of statements: what they are rewritten to, that no step holds others up, and that they end
// in the same schema as the plain statement.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "planner/plan/json.h"
#include "planner/plan/planner.h"
#include "planner/plan/recipe.h"
#include "planner/plan/render/format.h"
#include "planner/sql/column_text.h"
#include "planner/sql/script.h"
#include "planner/sql/words.h"

namespace pgalter::plan {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kTables =
    "CREATE TABLE p (k int PRIMARY KEY);"
    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);";

catalog::Schema SchemaOf(const std::string& script) {
  catalog::Schema schema;
  for (const sql::Piece& piece : sql::SplitScript(script)) {
    const auto statement = sql::ast::ReadStatement(piece.sql);
    EXPECT_TRUE(statement.has_value()) << piece.sql;
    if (statement) schema.Apply(*statement);
  }
  schema.SetComplete();
  return schema;
}

Plan PlanOf(const std::string& statement, const std::string& tables = kTables, int version = 15) {
  return MakePlan(statement, SchemaOf(tables), {version, Knowledge::kDump});
}

// "kind: sql; sql", one a step.
std::vector<std::string> StepsOf(const Plan& plan) {
  std::vector<std::string> steps;
  for (const Step& step : plan.steps) {
    std::string text = std::string(Name(step.kind)) + ":";
    for (const std::string& sql : step.sql) text += " " + sql + ";";
    steps.push_back(std::move(text));
  }
  return steps;
}

std::vector<std::string_view> KindsOf(const Plan& plan) {
  std::vector<std::string_view> kinds;
  for (const Step& step : plan.steps) kinds.push_back(Name(step.kind));
  return kinds;
}

constexpr const char* kWide =
    "CREATE TABLE t (id bigint PRIMARY KEY, a int NOT NULL, b text, c int, d int NOT NULL);";

// The first step that stands behind a gate.
std::size_t FirstGate(const Plan& plan) {
  const auto gate = std::ranges::find(plan.steps, StepKind::kGate, &Step::kind);
  return static_cast<std::size_t>(gate - plan.steps.begin());
}

TEST(SeveralActions, DoNotWaitForTheGateOfADrop) {
  const Plan plan = PlanOf(
      "ALTER TABLE t DROP COLUMN a, ADD COLUMN e int, ADD CHECK (c > 0), DROP COLUMN d, ALTER b "
      "SET NOT NULL",
      kWide);
  EXPECT_THAT(StepsOf(plan),
              ElementsAre("ddl: ALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
                          "ddl: ALTER TABLE t ALTER COLUMN d DROP NOT NULL;",
                          "ddl: ALTER TABLE t ADD COLUMN e int;", HasSubstr("IS NOT NULL"),
                          HasSubstr("VALIDATE"), HasSubstr("SET NOT NULL"), HasSubstr("NOT VALID"),
                          HasSubstr("VALIDATE"), "gate:",
                          "ddl: ALTER TABLE t RENAME COLUMN a TO pgalter_dropped_a; ALTER TABLE t "
                          "RENAME COLUMN d TO pgalter_dropped_d;",
                          "gate:",
                          "ddl: ALTER TABLE t DROP COLUMN pgalter_dropped_a, DROP COLUMN "
                          "pgalter_dropped_d;"));
  EXPECT_EQ(plan.steps[FirstGate(plan)].gate->name, "unused-a-and-d");
  EXPECT_EQ(plan.steps[FirstGate(plan)].gate->reason,
            "no program reads or writes t.a, t.d any more");
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    EXPECT_EQ(plan.steps[i].phase == Phase::kContract, i >= FirstGate(plan)) << plan.steps[i].id;
}

TEST(SeveralActions, NameOneGateForManyColumns) {
  const Plan plan = PlanOf("ALTER TABLE t DROP COLUMN a, DROP b, DROP c", kWide);
  EXPECT_EQ(plan.steps[FirstGate(plan)].gate->name, "unused-a-and-2-more");
}

TEST(Gates, HaveNamesThatAShellTakesAsTheyAre) {
  const Plan plan = PlanOf("ALTER TABLE t DROP COLUMN \"it's a b\"",
                           "CREATE TABLE t (id bigint PRIMARY KEY, \"it's a b\" int)");
  EXPECT_EQ(plan.steps[FirstGate(plan)].gate->name, "unused-it_s_a_b");
}

TEST(SeveralActions, KeepTheOrderWhereOneNeedsTheOther) {
  const Plan plan =
      PlanOf("ALTER TABLE t DROP COLUMN a, ADD COLUMN a text, ADD COLUMN e int", kWide);
  const std::vector<std::string> steps = StepsOf(plan);
  EXPECT_EQ(steps[1], "ddl: ALTER TABLE t ADD COLUMN e int;");
  EXPECT_THAT(steps[FirstGate(plan)], "gate:");
  EXPECT_EQ(steps.back(), "ddl: ALTER TABLE t ADD COLUMN a text;");
  EXPECT_THAT(steps[steps.size() - 2], HasSubstr("DROP COLUMN pgalter_dropped_a"));
}

// A table is never without a key, whatever else is to be done.
TEST(SeveralActions, ReplaceAKeyInOneMoment) {
  const Plan plan = PlanOf(
      "ALTER TABLE t DROP CONSTRAINT t_pkey, DROP COLUMN b, ADD COLUMN e int NOT NULL DEFAULT 1, "
      "ADD PRIMARY KEY (a, e), ALTER c TYPE bigint",
      kWide);
  const std::vector<std::string> steps = StepsOf(plan);
  const auto exchange =
      std::ranges::find(steps,
                        "ddl: ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT "
                        "t_pkey PRIMARY KEY USING INDEX pgalter_new_t_pkey;") -
      steps.begin();
  EXPECT_LT(static_cast<std::size_t>(exchange), FirstGate(plan));
  std::vector<std::string> gates;
  for (const Step& step : plan.steps)
    if (step.gate) gates.push_back(step.gate->name);
  EXPECT_THAT(gates, ElementsAre("swap-c", "unique-t_pkey", "unused-b", "missed-b"));
}

TEST(SeveralActions, ReplaceAKeyByOneOfAColumnThatIsMadeAnew) {
  const Plan plan = PlanOf(
      "ALTER TABLE t DROP CONSTRAINT t_pkey, DROP COLUMN id, ADD COLUMN id uuid NOT NULL DEFAULT "
      "gen_random_uuid(), ADD PRIMARY KEY (id)",
      kWide);
  const std::vector<std::string> steps = StepsOf(plan);
  const auto place = [&](const char* text) {
    return std::ranges::find_if(
               steps,
               [&](const std::string& step) { return step.find(text) != std::string::npos; }) -
           steps.begin();
  };
  EXPECT_LT(place("DROP COLUMN pgalter_dropped_id"), place("PRIMARY KEY USING INDEX"));
}

// The names that the server gives are those that it would give.
TEST(SeveralActions, KeepTheOrderWhereANameDependsOnIt) {
  const Plan plan =
      PlanOf("ALTER TABLE t DROP COLUMN a, ADD CHECK (c > 0)",
             "CREATE TABLE t (id bigint PRIMARY KEY, a int CONSTRAINT t_c_check CHECK "
             "(a > 0), c int)");
  EXPECT_THAT(StepsOf(plan)[0], "gate:");
  EXPECT_THAT(StepsOf(plan).back(), HasSubstr("VALIDATE CONSTRAINT t_c_check"));
}

TEST(SeveralActions, LetAChangeOfTypeComeBeforeTheDayThatADropWaits) {
  const Plan plan = PlanOf(
      "ALTER TABLE t DROP COLUMN a, ALTER c TYPE bigint, ADD COLUMN e int, ADD CHECK (c < 5)",
      kWide);
  std::vector<std::string> gates;
  for (const Step& step : plan.steps)
    if (step.gate) gates.push_back(step.gate->name);
  EXPECT_THAT(gates, ElementsAre("swap-c", "unused-a", "missed-a"));
  const std::vector<std::string> steps = StepsOf(plan);
  const auto place = [&](const char* text) {
    return std::ranges::find_if(
               steps,
               [&](const std::string& step) { return step.find(text) != std::string::npos; }) -
           steps.begin();
  };
  EXPECT_LT(place("ADD COLUMN e int"), place("backfill"));
  EXPECT_LT(place("backfill"), static_cast<std::ptrdiff_t>(FirstGate(plan)));
  // Of the column's new type.
  EXPECT_GT(place("CHECK (c < 5)"), place("DROP COLUMN pgalter_dropped_a"));
}

// The server reads the old row for USING, also a column that goes in the same statement.
TEST(SeveralActions, ReadAColumnForAnotherOneBeforeItGoes) {
  const Plan plan =
      PlanOf("ALTER TABLE t DROP COLUMN b, ALTER c TYPE bigint USING b::bigint", kWide);
  std::vector<std::string> gates;
  for (const Step& step : plan.steps)
    if (step.gate) gates.push_back(step.gate->name);
  EXPECT_THAT(gates, ElementsAre("swap-c", "unused-b", "missed-b"));
}

TEST(SeveralActions, AreNotMixedWhereAnIndexHasBothColumns) {
  const Plan plan = PlanOf("ALTER TABLE t DROP COLUMN a, ALTER c TYPE bigint",
                           std::string(kWide) + "CREATE INDEX two_idx ON t (a, c)");
  EXPECT_EQ(plan.steps[FirstGate(plan)].gate->name, "unused-a");
  for (const std::string& step : StepsOf(plan))
    EXPECT_THAT(step, Not(HasSubstr("pgalter_new_two_idx")));
}

TEST(ReplaceKey, KeepsWhatOnConflictOfOldProgramsReliesOn) {
  const Plan plan = PlanOf(
      "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pk PRIMARY KEY (id, a)", kWide);
  EXPECT_THAT(
      StepsOf(plan),
      ElementsAre(
          "concurrent-index: CREATE UNIQUE INDEX CONCURRENTLY pgalter_new_t_pk ON t (id, a);",
          "concurrent-index: CREATE UNIQUE INDEX CONCURRENTLY pgalter_old_t_pkey ON t (id);",
          "ddl: ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY "
          "KEY "
          "USING INDEX pgalter_new_t_pk;",
          "gate:", "drop-index: DROP INDEX CONCURRENTLY pgalter_old_t_pkey;"));
  EXPECT_TRUE(plan.steps[2].backward_compatible);
  EXPECT_FALSE(plan.steps[2].point_of_no_return);
  EXPECT_THAT(plan.steps[2].undo,
              ElementsAre("ALTER TABLE t DROP CONSTRAINT IF EXISTS t_pk",
                          "ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX "
                          "pgalter_old_t_pkey"));
  EXPECT_EQ(plan.steps[3].gate->name, "unique-t_pkey");
  EXPECT_FALSE(plan.steps[4].backward_compatible);
  EXPECT_THAT(plan.steps[4].explain, HasSubstr("42P10"));
}

TEST(ReplaceKey, HasItsGateFirstWhereTheOldKeyIsNotKnown) {
  const Plan plan =
      MakePlan("ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT l UNIQUE (a, b)", {}, {15});
  ASSERT_THAT(KindsOf(plan), ElementsAre("concurrent-index", "gate", "ddl"));
  EXPECT_FALSE(plan.steps[2].backward_compatible);
  EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("42P10")));
}

TEST(ReplaceKey, IsNotTheOnlyOneThatOnConflictMisses) {
  const Plan plan = PlanOf("ALTER TABLE t DROP CONSTRAINT t_pkey", kWide);
  EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("ON CONFLICT (id) fail")));
}

// ON CONFLICT finds the new key as it found the old one.
TEST(ReplaceKey, KeepsNothingForTheSameColumns) {
  EXPECT_THAT(KindsOf(PlanOf(
                  "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id) INCLUDE (a)", kWide)),
              ElementsAre("concurrent-index", "ddl"));
}

TEST(Plan, LetsTheOldTableGoBeforeALaterStepChangesTheNewOne) {
  const Plan plan = PlanOf("VACUUM FULL t; CREATE INDEX ON t (a); VACUUM FULL p");
  EXPECT_THAT(KindsOf(plan),
              ElementsAre("rebuild", "gate", "release", "concurrent-index", "rebuild"));
  EXPECT_EQ(plan.steps[1].gate->name, "release-t");
  EXPECT_TRUE(plan.steps[2].point_of_no_return);
  EXPECT_EQ(plan.steps[0].rebuild->table, "public.t");
}

TEST(Plan, KeepsTheOldTableBesideStepsOfOthers) {
  EXPECT_THAT(KindsOf(PlanOf("ALTER TABLE t SET UNLOGGED; ALTER TABLE p ADD c int")),
              ElementsAre("ddl", "rebuild"));
}

TEST(Plan, HasOneRebuildAtATime) {
  EXPECT_THAT(KindsOf(PlanOf("VACUUM FULL t, p")),
              ElementsAre("rebuild", "gate", "release", "rebuild"));
}

TEST(Plan, CopiesATableOnceForSeveralActions) {
  const Plan plan = PlanOf("ALTER TABLE t SET UNLOGGED, SET TABLESPACE elsewhere");
  ASSERT_THAT(KindsOf(plan), ElementsAre("rebuild"));
  EXPECT_THAT(plan.steps[0].rebuild->alter, HasSubstr("SET TABLESPACE elsewhere"));
  EXPECT_THAT(plan.steps[0].rebuild->alter, HasSubstr("SET UNLOGGED"));
}

constexpr const char* kParts = R"sql(
CREATE TABLE pt (id int, at date NOT NULL, n int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE pt_1 PARTITION OF pt FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
  PARTITION BY HASH (id);
CREATE TABLE pt_1_0 PARTITION OF pt_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE pt_rest PARTITION OF pt DEFAULT;
)sql";

TEST(RebuildPartitioned, TakesTheWholeTreeAlong) {
  const Plan plan = PlanOf("ALTER TABLE pt ALTER n TYPE bigint", kParts);
  EXPECT_EQ(plan.statements[0].answer, Answer::kRewritten);
  ASSERT_THAT(KindsOf(plan), ElementsAre("gate", "rebuild"));
  EXPECT_EQ(plan.steps[1].rebuild->table, "public.pt");
  EXPECT_EQ(plan.steps[1].rebuild->alter, "ALTER n TYPE bigint");
  for (const char* statement :
       {"ALTER TABLE pt ADD c int GENERATED ALWAYS AS (n * 2) STORED", "VACUUM FULL pt"})
    EXPECT_THAT(KindsOf(PlanOf(statement, kParts)), ElementsAre("rebuild")) << statement;
}

TEST(RebuildPartitioned, ChangesTheTypeOfAKeyWhoseBoundsStayAsTheyAre) {
  const Plan plan = PlanOf("ALTER TABLE pt ALTER id TYPE bigint", kParts);
  ASSERT_THAT(KindsOf(plan), ElementsAre("gate", "rebuild"));
  EXPECT_EQ(plan.steps[1].rebuild->alter, "ALTER id TYPE bigint");
  EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("pt is partitioned by id")));
}

TEST(RebuildPartitioned, SaysWhichKeyTheServerDoesNotAlter) {
  const Plan whole = PlanOf("ALTER TABLE pt ALTER at TYPE timestamp", kParts);
  EXPECT_EQ(whole.statements[0].answer, Answer::kFails);
  EXPECT_THAT(whole.statements[0].remarks,
              ElementsAre("the server refuses it: it is part of the partition key",
                          HasSubstr("pgalter rebuild TABLE --definition FILE")));
  const Plan below = PlanOf("ALTER TABLE pt ALTER id TYPE text", kParts);
  EXPECT_EQ(below.statements[0].answer, Answer::kFails);
  EXPECT_THAT(below.statements[0].remarks,
              Contains("the server refuses it: it is part of the partition key of pt_1"));
}

TEST(RebuildPartitioned, MakesViewsOfTheColumnAnew) {
  const std::string tables = std::string(kParts) +
                             "CREATE VIEW v AS SELECT id, n FROM pt;"
                             "CREATE VIEW w AS SELECT id, n FROM v;";
  for (const char* column : {"n", "id"}) {
    const Plan plan = PlanOf(fmt::format("ALTER TABLE pt ALTER {} TYPE bigint", column), tables);
    ASSERT_THAT(KindsOf(plan), ElementsAre("gate", "rebuild")) << column;
    EXPECT_THAT(plan.steps[1].explain,
                HasSubstr("dropped and made anew, with its rights: views v, w."));
  }
}

TEST(RebuildPartitioned, IsNotForWhatHasNoKeyOrAnotherSchema) {
  const Plan unkeyed = PlanOf("VACUUM FULL t",
                              "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t_1 "
                              "PARTITION OF t DEFAULT");
  EXPECT_EQ(unkeyed.statements[0].answer, Answer::kLeastBad);
  const Plan elsewhere = PlanOf("VACUUM FULL t",
                                "CREATE SCHEMA s; CREATE TABLE t (a int PRIMARY KEY) PARTITION BY "
                                "LIST (a); CREATE TABLE s.t_1 PARTITION OF t DEFAULT");
  EXPECT_EQ(elsewhere.statements[0].answer, Answer::kLeastBad);
  EXPECT_THAT(elsewhere.statements[0].remarks,
              Contains(HasSubstr("its partition s.t_1 is in another schema")));
}

Plan WithMatviews(const std::string& statement, Matviews matviews,
                  Preference prefer = Preference::kRebuild) {
  PlanOptions options{15, Knowledge::kDump, prefer};
  options.matviews = matviews;
  return MakePlan(statement,
                  SchemaOf(std::string(kTables) +
                           "CREATE MATERIALIZED VIEW \"M\" AS SELECT a FROM t; CREATE MATERIALIZED "
                           "VIEW over_m AS SELECT a FROM \"M\";"),
                  options);
}

TEST(RebuildMatviews, IsNamedWhereTheyAreInTheWay) {
  const Plan plan = WithMatviews("VACUUM FULL t", Matviews::kInTheWay);
  EXPECT_EQ(plan.statements[0].answer, Answer::kLeastBad);
  EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("--rebuild-matviews")));
  EXPECT_THAT(KindsOf(plan), Not(Contains("rebuild")));
}

TEST(RebuildMatviews, MakesThemAnewWithTheTable) {
  const Plan plan = WithMatviews("VACUUM FULL t", Matviews::kMadeAnew);
  ASSERT_THAT(KindsOf(plan), ElementsAre("rebuild"));
  const Step& step = plan.steps[0];
  EXPECT_TRUE(step.rebuild->rebuild_matviews);
  EXPECT_THAT(step.explain, HasSubstr("materialized views M, over_m."));
  std::vector<std::string> locked;
  for (const StepLock& lock : step.locks) locked.push_back(lock.relation.name);
  EXPECT_THAT(locked, ElementsAre("t", "M", "over_m"));
  EXPECT_THAT(FindFormat("sql")->render(plan), HasSubstr(" --rebuild-matviews"));
  const auto read = FromJson(boost::json::parse(boost::json::serialize(ToJson(plan))));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->steps, plan.steps);
}

// Their columns follow those of a copy, and of nothing else.
TEST(RebuildMatviews, LetsAColumnThatTheyReadChangeInACopyAlone) {
  constexpr const char* kChange = "ALTER TABLE t ALTER a TYPE bigint";
  for (const Preference prefer : {Preference::kInPlace, Preference::kRebuild}) {
    const Plan copied = WithMatviews(kChange, Matviews::kMadeAnew, prefer);
    EXPECT_THAT(KindsOf(copied), ElementsAre("gate", "rebuild"));
    EXPECT_TRUE(copied.steps.back().rebuild->rebuild_matviews);
    const Plan plan = WithMatviews(kChange, Matviews::kInTheWay, prefer);
    EXPECT_EQ(plan.statements[0].answer, Answer::kFails);
    EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("--rebuild-matviews")));
    EXPECT_THAT(plan.steps, IsEmpty());
  }
  PlanOptions options{15, Knowledge::kDump, Preference::kInPlace};
  options.matviews = Matviews::kMadeAnew;
  const Plan longer = MakePlan("ALTER TABLE s ALTER c TYPE varchar(20)",
                               SchemaOf("CREATE TABLE s (id int PRIMARY KEY, c varchar(10));"
                                        "CREATE MATERIALIZED VIEW of_s AS SELECT c FROM s;"),
                               options);
  EXPECT_THAT(KindsOf(longer), ElementsAre("gate", "rebuild"));
  const Plan over_view = MakePlan("ALTER TABLE s ALTER id TYPE bigint",
                                  SchemaOf("CREATE TABLE s (id int PRIMARY KEY, c varchar(10));"
                                           "CREATE VIEW v AS SELECT id FROM s;"
                                           "CREATE MATERIALIZED VIEW of_v AS SELECT id FROM v;"),
                                  options);
  EXPECT_EQ(over_view.statements[0].answer, Answer::kFails);
  const Plan widened = WithMatviews("ALTER TABLE t ALTER b TYPE varchar", Matviews::kMadeAnew);
  EXPECT_THAT(KindsOf(widened), Not(Contains("rebuild")));
}

constexpr const char* kFamily =
    "CREATE TABLE parent (id int PRIMARY KEY);"
    "CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);"
    "CREATE TABLE stranger (id int PRIMARY KEY);";

Plan Preferring(const std::string& statement, Preference prefer = Preference::kRebuild) {
  return MakePlan(statement, SchemaOf(kFamily), {15, Knowledge::kDump, prefer});
}

TEST(PreferRebuild, LetsTablesThatAKeyJoinsChangePlacesInOneMoment) {
  const Plan plan = Preferring(
      "ALTER TABLE child ALTER p TYPE bigint; BEGIN; ALTER TABLE parent ALTER id TYPE bigint;"
      "ALTER TABLE child ALTER id TYPE bigint; COMMIT");
  ASSERT_THAT(KindsOf(plan), ElementsAre("gate", "rebuild"));
  EXPECT_EQ(plan.steps[0].gate->reason,
            "programs take bigint for child.p; programs take bigint for parent.id; programs take "
            "bigint for child.id");
  const Rebuild& rebuild = *plan.steps[1].rebuild;
  EXPECT_EQ(rebuild.table, "public.child");
  EXPECT_EQ(rebuild.alter, "ALTER p TYPE bigint, ALTER id TYPE bigint");
  EXPECT_THAT(rebuild.companions,
              ElementsAre(Rebuild::Companion{"public.parent", "ALTER id TYPE bigint"}));
  EXPECT_THAT(RebuiltTables(plan.steps[1]), ElementsAre(sql::QualifiedName{"public", "child"},
                                                        sql::QualifiedName{"public", "parent"}));
  for (const StepLock& lock : plan.steps[1].locks)
    EXPECT_EQ(lock.mode, locks::LockMode::kAccessExclusive);
  const auto read = FromJson(boost::json::parse(boost::json::serialize(ToJson(plan))));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->steps, plan.steps);
  EXPECT_THAT(FindFormat("sql")->render(plan),
              HasSubstr("pgalter rebuild 'public.child' 'public.parent' --alter 'public.child: "
                        "ALTER p TYPE bigint, ALTER id TYPE bigint' --alter 'public.parent: ALTER "
                        "id TYPE bigint'"));
}

TEST(PreferRebuild, KeepsTablesApartThatNoKeyJoins) {
  EXPECT_THAT(KindsOf(Preferring("ALTER TABLE parent ALTER id TYPE bigint;"
                                 "ALTER TABLE stranger ALTER id TYPE bigint")),
              ElementsAre("gate", "rebuild", "gate", "gate", "release", "rebuild"));
}

TEST(PreferRebuild, ReleasesAllTablesBeforeOneOfThemChanges) {
  const Plan plan = Preferring(
      "ALTER TABLE parent ALTER id TYPE bigint; ALTER TABLE child ALTER p TYPE bigint;"
      "ALTER TABLE child ADD n int");
  ASSERT_THAT(KindsOf(plan), ElementsAre("gate", "rebuild", "gate", "release", "ddl"));
  EXPECT_EQ(plan.steps[2].gate->reason,
            "the new parent, child prove themselves: behind this gate the old ones are dropped");
}

TEST(PreferRebuild, IsNamedWhereItIsNotPreferred) {
  const Plan plan = Preferring("ALTER TABLE parent ALTER id TYPE bigint", Preference::kInPlace);
  EXPECT_THAT(KindsOf(plan), ::testing::Contains("backfill"));
  EXPECT_THAT(plan.statements[0].remarks, ::testing::Contains(HasSubstr("--prefer rebuild")));
}

TEST(PreferRebuild, SaysWhyATableIsNotCopied) {
  const Plan plan =
      MakePlan("ALTER TABLE k ALTER a TYPE bigint", SchemaOf("CREATE TABLE k (a int)"),
               {15, Knowledge::kDump, Preference::kRebuild});
  EXPECT_THAT(KindsOf(plan), ::testing::Contains("backfill"));
  EXPECT_THAT(plan.statements[0].remarks,
              ::testing::Contains(HasSubstr("k is not rebuilt: it has no unique key")));
}

TEST(Plan, ReplacesAViewInOneTransaction) {
  const Plan plan = PlanOf("DROP VIEW v; CREATE VIEW v AS SELECT b FROM t",
                           std::string(kTables) + "CREATE VIEW v AS SELECT a FROM t;");
  ASSERT_THAT(KindsOf(plan), ElementsAre("ddl", "ddl"));
  EXPECT_EQ(plan.steps[1].transaction, Transaction::kShared);
}

TEST(Plan, LeavesAHarmlessStatementAlone) {
  const Plan plan = PlanOf("ALTER TABLE t ADD COLUMN c int DEFAULT 5, ALTER b SET DEFAULT 'x'");
  EXPECT_THAT(StepsOf(plan),
              ElementsAre("ddl: ALTER TABLE t ADD COLUMN c int DEFAULT 5, ALTER b SET DEFAULT "
                          "'x';"));
  EXPECT_EQ(plan.statements.at(0).answer, Answer::kAsIs);
}

TEST(Plan, LeavesATableAloneThatTheScriptMakes) {
  const Plan plan = PlanOf(
      "CREATE TABLE n (a int); CREATE INDEX i ON n (a);"
      "ALTER TABLE n ADD CHECK (a > 0)");
  EXPECT_THAT(StepsOf(plan),
              ElementsAre("ddl: CREATE TABLE n (a int);", "ddl: CREATE INDEX i ON n (a);",
                          "ddl: ALTER TABLE n ADD CHECK (a > 0);"));
}

TEST(Plan, NamesWhatTheServerWouldName) {
  EXPECT_THAT(StepsOf(PlanOf("CREATE INDEX ON t (a, lower(b))")),
              ElementsAre("concurrent-index: CREATE INDEX CONCURRENTLY t_a_lower_idx ON t (a, "
                          "lower(b));"));
  EXPECT_THAT(StepsOf(PlanOf("ALTER TABLE t ADD CHECK (a > 0)")),
              ElementsAre("ddl: ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a > 0) NOT VALID;",
                          "validate: ALTER TABLE t VALIDATE CONSTRAINT t_a_check;"));
}

TEST(Plan, UsesNotNullConstraintsFrom18On) {
  EXPECT_THAT(StepsOf(PlanOf("ALTER TABLE t ALTER a SET NOT NULL", kTables, 18)),
              ElementsAre("ddl: ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL a NOT VALID;",
                          "validate: ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null;"));
}

TEST(Plan, SaysWhoWaits) {
  const Plan plan = PlanOf("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p");
  ASSERT_EQ(plan.steps.size(), 2U);
  EXPECT_THAT(plan.steps[0].locks,
              ::testing::UnorderedElementsAre(
                  StepLock{{"public", "t"}, locks::LockMode::kShareRowExclusive},
                  StepLock{{"public", "p"}, locks::LockMode::kShareRowExclusive}));
  EXPECT_FALSE(plan.steps[0].table_scan);
  EXPECT_TRUE(plan.steps[1].table_scan);
}

TEST(Plan, TakesBackWhatRunsAsItIs) {
  const Plan plan = PlanOf("ALTER TABLE t ADD COLUMN c int, ALTER b SET DEFAULT 'x'");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_THAT(plan.steps[0].undo, ElementsAre("ALTER TABLE t ALTER COLUMN b DROP DEFAULT",
                                              "ALTER TABLE t DROP COLUMN IF EXISTS c"));
  EXPECT_FALSE(plan.steps[0].point_of_no_return);
}

TEST(Plan, HasNoWayBackToWhatIsNotKnown) {
  const Plan plan = MakePlan("ALTER TABLE t ALTER b SET DEFAULT 'x'", catalog::Schema(), {});
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_THAT(plan.steps[0].undo, IsEmpty());
  EXPECT_TRUE(plan.steps[0].point_of_no_return);
}

TEST(Plan, KnowsNoTimeForCodeThatSomebodyWrote) {
  const Plan plan = PlanOf("DO $$ BEGIN PERFORM 1; END $$");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_FALSE(plan.steps[0].duration.has_value());
  EXPECT_TRUE(plan.steps[0].point_of_no_return);
  EXPECT_THAT(plan.statements.at(0).remarks, ElementsAre(HasSubstr("not known")));
}

TEST(Plan, CallsATableInAStepByTheNameThatItBeganWith) {
  const Plan plan = PlanOf("ALTER TABLE t RENAME COLUMN a TO z");
  ASSERT_EQ(plan.steps.size(), 3U);
  const auto exclusive = locks::LockMode::kAccessExclusive;
  EXPECT_THAT(plan.steps[0].locks, ElementsAre(StepLock{{"public", "t"}, exclusive}));
  EXPECT_THAT(plan.steps[2].locks,
              ::testing::UnorderedElementsAre(StepLock{{"public", "t"}, exclusive},
                                              StepLock{{"public", "pgalter_base_t"}, exclusive}));
  EXPECT_THAT(plan.relations, ElementsAre(sql::QualifiedName{"public", "t"}));
}

TEST(Plan, SaysWhatCannotBeDoneOnline) {
  const Plan plan = PlanOf("ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING btree (a WITH =)",
                           "CREATE TABLE t (a int);");
  EXPECT_EQ(plan.statements.at(0).answer, Answer::kLeastBad);
  EXPECT_THAT(plan.statements.at(0).remarks, ::testing::Not(IsEmpty()));
}

TEST(Plan, HasNoStepsForWhatTheServerRefuses) {
  const Plan plan = PlanOf("ALTER TABLE t DROP COLUMN nothing");
  EXPECT_EQ(plan.statements.at(0).answer, Answer::kFails);
  EXPECT_THAT(plan.steps, IsEmpty());
}

TEST(Plan, TellsLinesAndWhatItLeavesOut) {
  const Plan plan = PlanOf("BEGIN;\nSET lock_timeout = '1s';\n\nCREATE INDEX i ON t (a);\nCOMMIT;");
  ASSERT_EQ(plan.statements.size(), 4U);
  EXPECT_EQ(plan.statements[2].line, 4);
  EXPECT_EQ(plan.steps.size(), 1U);
  EXPECT_THAT(plan.statements[0].remarks, ElementsAre(HasSubstr("transactions of their own")));
}

TEST(UpdatedRows, AreUpdatedOnceEach) {
  const auto sync = [](const char* sql) {
    const auto backfill = PlanOf(sql).steps.at(0).backfill;
    return backfill ? std::string(Name(backfill->sync)) : std::string("one statement");
  };
  EXPECT_EQ(sync("UPDATE t SET a = 1"), "once");
  EXPECT_EQ(sync("UPDATE t SET a = a + 1 WHERE b > 2"), "once");
  EXPECT_EQ(sync("UPDATE t SET a = (SELECT 1)"), "one statement");
  EXPECT_EQ(sync("UPDATE ONLY t SET a = 1"), "one statement");
}

// In chunks its new values would meet old ones.
TEST(UpdatedRows, OfAUniqueColumnGoInOneStatement) {
  const std::string tables =
      std::string(kTables) + "CREATE UNIQUE INDEX one ON t (lower(b)) WHERE a > 1;";
  for (const char* sql : {"UPDATE t SET b = b || 'x'", "UPDATE t SET a = a + 1"}) {
    const Plan plan = PlanOf(sql, tables);
    EXPECT_FALSE(plan.steps.at(0).backfill) << sql;
    EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("which is unique, would meet")));
  }
}

// ALTER TABLE fires none.
TEST(Backfills, NameTheTriggersThatTheyFire) {
  const std::string tables =
      std::string(kTables) +
      "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER of_b AFTER UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION f();";
  const auto remarks =
      PlanOf("ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid()", tables).statements[0].remarks;
  EXPECT_THAT(remarks, Contains(HasSubstr("every row that is filled fires")));
  EXPECT_THAT(remarks, Contains(HasSubstr(": touch. What they change")));
  EXPECT_THAT(PlanOf("ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid()").statements[0].remarks,
              Not(Contains(HasSubstr("fires"))));
}

constexpr const char* kTouched =
    "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
    "CREATE TRIGGER of_b AFTER UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION f();";

Plan PlanUnder(Firing firing, const std::string& statement,
               const std::string& tables = std::string(kTables) + kTouched) {
  PlanOptions options{15, Knowledge::kLive};
  options.firing = std::move(firing);
  return MakePlan(statement, SchemaOf(tables), options);
}

Backfill::Triggers TriggersIn(const Plan& plan) {
  for (const Step& step : plan.steps)
    if (step.backfill) return step.backfill->triggers;
  ADD_FAILURE() << "no backfill";
  return Backfill::Triggers::kFire;
}

constexpr const char* kVolatile = "ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid()";

TEST(Firing, IsKeptFromHappeningWhereTheRoleMay) {
  const Plan plan = PlanUnder({false, true}, kVolatile);
  EXPECT_EQ(TriggersIn(plan), Backfill::Triggers::kNone);
  EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("do not fire for the rows")));
  EXPECT_EQ(TriggersIn(PlanUnder({true, true}, kVolatile)), Backfill::Triggers::kNone)
      << "a yes that is not needed";
}

TEST(Firing, IsRefusedWhereTheRoleMayNotAndNobodySaysYes) {
  const Plan plan = PlanUnder({false, false}, std::string(kVolatile) + "; CREATE INDEX ON t (x)");
  EXPECT_EQ(plan.statements[0].answer, Answer::kRefused);
  EXPECT_THAT(plan.statements[0].remarks[0],
              AllOf(HasSubstr("would fire trigger touch, and the role may not set"),
                    HasSubstr("--fire-triggers")));
  EXPECT_EQ(plan.statements[1].answer, Answer::kRewritten) << "as if it had been done";
  const Plan agreed = PlanUnder({true, false}, kVolatile);
  EXPECT_EQ(TriggersIn(agreed), Backfill::Triggers::kAccepted);
  EXPECT_THAT(agreed.statements[0].remarks, Contains(HasSubstr("every row that is filled fires")));
  const auto read = FromJson(boost::json::parse(boost::json::serialize(ToJson(agreed))));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->steps, agreed.steps);
}

TEST(Firing, IsNotAskedForWhereNoneFires) {
  for (const char* statement :
       {"ALTER TABLE t ADD x int DEFAULT 1", "UPDATE t SET b = 'x' WHERE a > 1"})
    EXPECT_TRUE(HasSteps(PlanUnder({false, false}, statement).statements[0].answer)) << statement;
  EXPECT_EQ(TriggersIn(PlanUnder({false, false}, kVolatile, kTables)), Backfill::Triggers::kNone);
  EXPECT_EQ(TriggersIn(PlanUnder({false, std::nullopt}, kVolatile)), Backfill::Triggers::kNone)
      << "nobody has asked the server";
}

TEST(Firing, IsWhatTheDatabaseSaysOfEachTrigger) {
  struct Case {
    TriggerState state;
    Answer answer;
  };
  for (const Case& one : {Case{{false, false}, Answer::kRewritten},  // DISABLE
                          Case{{false, true}, Answer::kRewritten},   // ENABLE REPLICA
                          Case{{true, false}, Answer::kRewritten},   // silenced
                          Case{{true, true}, Answer::kRefused}}) {   // ENABLE ALWAYS
    Firing firing{false, true, {{{"public.t", "touch"}, one.state}}};
    EXPECT_EQ(PlanUnder(firing, kVolatile).statements[0].answer, one.answer);
  }
  Firing none{false, false, {{{"public.t", "touch"}, {false, true}}}};
  EXPECT_EQ(PlanUnder(none, kVolatile).statements[0].answer, Answer::kRewritten);
}

TEST(Firing, IsRefusedWhereTheValueIsMadeByAFunctionThatMayWrite) {
  for (const auto& [language, refused] : {std::pair("plpgsql", true), std::pair("c", false)}) {
    const Plan plan = PlanUnder(
        {false, true}, "ALTER TABLE t ADD x int DEFAULT made()",
        std::string(kTables) + kTouched +
            fmt::format("CREATE FUNCTION made() RETURNS int LANGUAGE {} AS 'x', 'y';", language));
    EXPECT_EQ(plan.statements[0].answer == Answer::kRefused, refused) << language;
  }
}

TEST(Firing, MakesATypeChangeACopy) {
  const char* const change = "ALTER TABLE t ALTER a TYPE bigint";
  const Plan copied = PlanUnder({false, false}, change);
  EXPECT_THAT(KindsOf(copied), ElementsAre("gate", "rebuild"));
  EXPECT_THAT(copied.statements[0].remarks, Contains(HasSubstr("--fire-triggers")));
  EXPECT_THAT(KindsOf(PlanUnder({false, true}, change)), Contains("backfill"));
  EXPECT_THAT(KindsOf(PlanUnder({true, false}, change)), Contains("backfill"));
  const std::string keyless = "CREATE TABLE t (a int, b text);" + std::string(kTouched);
  EXPECT_EQ(PlanUnder({false, false}, change, keyless).statements[0].answer, Answer::kRefused);
}

// What keeps users' triggers silent keeps those of foreign keys silent.
TEST(Firing, IsAsEverWhereProvenForeignKeysHaveToSeeTheRow) {
  const auto behind = [](const std::string& tables) {
    std::vector<Backfill::Triggers> triggers;
    for (const Step& step :
         PlanUnder({false, true}, "ALTER TABLE t ALTER a TYPE bigint", tables).steps)
      if (step.backfill) triggers.push_back(step.backfill->triggers);
    return triggers;
  };
  using enum Backfill::Triggers;
  EXPECT_THAT(behind(std::string(kTables) + kTouched), ElementsAre(kNone, kNone));
  EXPECT_THAT(
      behind(std::string(kTables) + "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p;" + kTouched),
      ElementsAre(kNone, kFire));
  EXPECT_THAT(behind(std::string(kTables) +
                     "ALTER TABLE t ADD UNIQUE (a);"
                     "CREATE TABLE child (a int REFERENCES t (a));" +
                     kTouched),
              ElementsAre(kNone, kFire));
}

// What old programs can no more while something of ours stands in the way of their statements.
TEST(Remarks, SayWhatFailsByTheOldName) {
  for (const char* statement : {"ALTER TABLE t RENAME TO t2", "ALTER TABLE t RENAME b TO bb"}) {
    const auto remarks = [&](int version) {
      return PlanOf(statement, kTables, version).statements[0].remarks;
    };
    EXPECT_THAT(remarks(15),
                Contains(AllOf(HasSubstr("ON CONFLICT ON CONSTRAINT, MERGE, WHERE CURRENT OF"),
                               HasSubstr("VACUUM and ANALYZE"))));
    EXPECT_THAT(remarks(17), Contains(HasSubstr("ON CONFLICT ON CONSTRAINT, WHERE CURRENT OF")));
    EXPECT_THAT(remarks(15), Contains(HasSubstr("GRANT, REVOKE and COMMENT")));
  }
}

TEST(Remarks, SayWhichRowsADefaultPartitionRefusesBeforeAnotherIsAttached) {
  const std::string tables =
      "CREATE TABLE q (d int NOT NULL) PARTITION BY RANGE (d);"
      "CREATE TABLE rest PARTITION OF q DEFAULT; CREATE TABLE n (d int NOT NULL);";
  for (const char* statement : {"ALTER TABLE q ATTACH PARTITION n FOR VALUES FROM (1) TO (2)",
                                "CREATE TABLE m PARTITION OF q FOR VALUES FROM (1) TO (2)"}) {
    const Plan plan = PlanOf(statement, tables);
    EXPECT_THAT(plan.statements[0].remarks, Contains(HasSubstr("into rest fails (23514)")));
    EXPECT_TRUE(std::ranges::any_of(plan.steps, [](const Step& step) {
      return step.explain.find("fails (23514)") != std::string::npos;
    })) << statement;
  }
}

TEST(PlanJson, ComesBackTheSame) {
  const Plan plan = PlanOf("CREATE INDEX ON t (a); ALTER TABLE t ALTER a SET NOT NULL");
  const auto back = FromJson(boost::json::parse(boost::json::serialize(ToJson(plan))));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->steps, plan.steps);
  EXPECT_EQ(back->relations, plan.relations);
  EXPECT_EQ(back->statements.size(), plan.statements.size());
}

TEST(PlanJson, SaysWhatIsWrong) {
  const auto bad = FromJson(boost::json::parse(R"({"version":1,"server_version":15,"schema":null,
      "statements":[],"steps":[{"id":"x","phase":"sideways"}]})"));
  ASSERT_FALSE(bad.has_value());
  EXPECT_THAT(bad.error().message, HasSubstr("steps[0].phase"));
}

TEST(PlanFormats, AreAllRendered) {
  const Plan plan = PlanOf("CREATE INDEX i ON t (a)");
  for (const Format& format : AllFormats()) {
    EXPECT_THAT(format.render(plan), HasSubstr("CONCURRENTLY")) << format.name;
    EXPECT_TRUE(format.render(plan).ends_with('\n')) << format.name;
  }
}

TEST(Recipes, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Recipe* recipe : AllRecipes()) {
    EXPECT_TRUE(names.insert(recipe->name).second) << recipe->name;
    EXPECT_FALSE(recipe->forms.empty() || recipe->steps.empty()) << recipe->name;
  }
}

std::string RecipeList() {
  std::string list = "| recipe | for | steps |\n|---|---|---|\n";
  for (const Recipe* recipe : AllRecipes())
    list += fmt::format("| `{}` | {} | {} |\n", recipe->name, recipe->forms, recipe->steps);
  return list;
}

TEST(Recipes, AreListedInTheDocumentation) {
  const std::string path = PGALTER_SOURCE_DIR "/docs/plan.md";
  std::ifstream file(path);
  std::string page(std::istreambuf_iterator<char>(file), {});
  const std::string mark = "<!-- recipes: written by planner_plan_test -->\n";
  const std::size_t begin = page.find(mark) + mark.size();
  const std::size_t end = page.find("<!-- end of recipes -->");
  ASSERT_TRUE(begin >= mark.size() && end != std::string::npos && begin <= end);
  if (std::getenv("PGALTER_UPDATE_SNAPSHOTS") != nullptr) {
    page.replace(begin, end - begin, RecipeList());
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(begin, end - begin), RecipeList());
}

TEST(ColumnText, IsCutInItsParts) {
  const auto cut = sql::CutAddColumn(
      "ADD COLUMN \"c d\" numeric(10, 2) DEFAULT (1 + 2)::numeric COLLATE \"C\" NOT NULL "
      "CONSTRAINT x CHECK (\"c d\" > 0) REFERENCES p (k) ON DELETE CASCADE DEFERRABLE INITIALLY "
      "DEFERRED");
  ASSERT_TRUE(cut.has_value()) << cut.error().message;
  EXPECT_EQ(cut->definition, "\"c d\" numeric(10, 2) COLLATE \"C\"");
  EXPECT_THAT(
      cut->constraints,
      ElementsAre("DEFAULT (1 + 2)::numeric", "NOT NULL", "CONSTRAINT x CHECK (\"c d\" > 0)",
                  "REFERENCES p (k) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"));
}

TEST(Words, AreReplacedAndCut) {
  const auto words = sql::Words::Read("ALTER TABLE a.b /* x */ ADD c int, DROP d; ");
  ASSERT_TRUE(words.has_value());
  EXPECT_EQ(words->AfterName(2), 5U);
  EXPECT_THAT(words->Parts(5, words->size()), ElementsAre("ADD c int", "DROP d"));
  EXPECT_EQ(words->Replace(2, 5, "z"), "ALTER TABLE z /* x */ ADD c int, DROP d");
}

}  // namespace
}  // namespace pgalter::plan
