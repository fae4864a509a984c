#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "planner/locks/effects.h"

namespace pgalter::locks {
namespace {

constexpr int kVersion = 15;

sql::ast::Statement Read(std::string_view text) {
  auto statement = sql::ast::ReadStatement(text);
  if (statement.has_error())
    throw std::invalid_argument(std::string(text) + ": " + statement.error().message);
  return std::move(statement).value();
}

// The effects after these statements, of the last of them.
Effects After(const std::vector<std::string_view>& statements, int version = kVersion) {
  catalog::Schema schema;
  for (std::size_t i = 0; i + 1 < statements.size(); ++i) schema.Apply(Read(statements[i]));
  return EffectsOf(Read(statements.back()), schema, version);
}

std::string_view KindName(Work::Kind kind) {
  switch (kind) {
    case Work::Kind::kRewrite:
      return "rewrites";
    case Work::Kind::kScan:
      return "scans";
    case Work::Kind::kBuild:
      return "builds";
  }
  return "";
}

// "t: ACCESS EXCLUSIVE; scans t (reason); refuses …"
std::string Text(const Effects& effects) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  for (const Lock& lock : effects.locks)
    add(lock.relation.name + ": " + std::string(Name(lock.mode)));
  for (const Work& work : effects.works)
    add(std::string(KindName(work.kind)) + " " + work.relation.name +
        (work.certainty == Certainty::kCertain ? "" : "?"));
  for (const Failure& failure : effects.failures) add("fails: " + failure.detail);
  if (effects.outside_transaction) add("outside");
  return text;
}

constexpr std::string_view kTable =
    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int NOT NULL, v varchar(50), pid bigint)";

TEST(Effects, AddsAColumnWithoutReadingTheTable) {
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD COLUMN x int DEFAULT 5"})),
            "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD COLUMN x timestamptz DEFAULT now()"})),
            "t: ACCESS EXCLUSIVE");
}

TEST(Effects, RewritesForAVolatileDefault) {
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()"})),
            "t: ACCESS EXCLUSIVE; rewrites t");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD COLUMN x int DEFAULT mine()"})),
            "t: ACCESS EXCLUSIVE; rewrites t?");
}

TEST(Effects, ScansForNotNullUnlessItIsProven) {
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER a SET NOT NULL"})),
            "t: ACCESS EXCLUSIVE; scans t");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER b SET NOT NULL"})), "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)",
                        "ALTER TABLE t ALTER a SET NOT NULL"})),
            "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL)",
                        "ALTER TABLE t ALTER a SET NOT NULL, DROP CONSTRAINT c"})),
            "t: ACCESS EXCLUSIVE; scans t");
  EXPECT_EQ(Text(After({"ALTER TABLE t ALTER a SET NOT NULL"})), "t: ACCESS EXCLUSIVE; scans t?");
}

TEST(Effects, BuildsAnIndexUnderShare) {
  EXPECT_EQ(Text(After({kTable, "CREATE INDEX i ON t (a)"})), "t: SHARE; builds t");
  EXPECT_EQ(Text(After({kTable, "CREATE INDEX CONCURRENTLY i ON t (a)"})),
            "t: SHARE UPDATE EXCLUSIVE; builds t; outside");
}

TEST(Effects, KeepsTheRowsOfAWiderVarchar) {
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER v TYPE varchar(100)"})),
            "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER v TYPE varchar(20)"})),
            "t: ACCESS EXCLUSIVE; rewrites t");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER a TYPE bigint"})),
            "t: ACCESS EXCLUSIVE; rewrites t");
}

TEST(Effects, TakesAForeignKeyWithAColumnOfAPartitionedTable) {
  constexpr std::string_view kParent = "CREATE TABLE parent (id bigint PRIMARY KEY)";
  constexpr std::string_view kParts = "CREATE TABLE m (a int) PARTITION BY RANGE (a)";
  EXPECT_TRUE(After({kParent, kParts, "ALTER TABLE m ADD COLUMN p bigint REFERENCES parent"})
                  .failures.empty());
  EXPECT_FALSE(
      After({kParent, kParts, "ALTER TABLE m ADD FOREIGN KEY (a) REFERENCES parent NOT VALID"})
          .failures.empty());
}

TEST(Effects, ReadsBothSidesOfAForeignKey) {
  constexpr std::string_view kParent = "CREATE TABLE parent (id bigint PRIMARY KEY)";
  EXPECT_EQ(Text(After({kParent, kTable,
                        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (pid) REFERENCES parent"})),
            "t: SHARE ROW EXCLUSIVE; parent: SHARE ROW EXCLUSIVE; scans t; scans parent");
  EXPECT_EQ(
      Text(After({kParent, kTable,
                  "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (pid) REFERENCES parent NOT VALID"})),
      "t: SHARE ROW EXCLUSIVE; parent: SHARE ROW EXCLUSIVE");
}

// ---- a schema that is not known completely -----------------------------------------------------

std::string Unknown(const Effects& effects) {
  for (const Work& work : effects.works)
    if (work.certainty == Certainty::kPossible) return work.unknown;
  return {};
}

TEST(Effects, SayWhatDecides) {
  EXPECT_EQ(Unknown(After({"ALTER TABLE t ALTER a SET NOT NULL"})),
            "whether a valid CHECK proves a IS NOT NULL is not known");
  EXPECT_EQ(Unknown(After({"ALTER TABLE app.t ALTER a TYPE bigint"})),
            "the type of app.t.a is not known");
  EXPECT_EQ(Unknown(After({"ALTER TABLE t ADD x int DEFAULT mine()"})),
            "whether mine() is volatile is not known");
  EXPECT_EQ(Unknown(After({"ALTER TABLE t ADD x shop.price"})),
            "whether shop.price is a domain with a CHECK is not known");
  EXPECT_EQ(Unknown(After({"CREATE TABLE p (a int) PARTITION BY LIST (a)",
                           "ALTER TABLE p ADD CHECK (a > 0)"})),
            "the partitions of p are not known");
  EXPECT_EQ(Unknown(After({"ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1)"})),
            "whether a valid CHECK of q proves the bound is not known");
  EXPECT_EQ(Unknown(After({kTable, "ALTER TABLE t ADD ts timestamp",
                           "ALTER TABLE t ALTER ts TYPE timestamptz"})),
            "the rows stay only where TimeZone is UTC");
}

// What `pgalter partition` makes of the server's own words for a bound of several columns.
TEST(Effects, TakeOurCheckOfSeveralColumnsForWhatItIs) {
  constexpr std::string_view kParted =
      "CREATE TABLE p (a text NOT NULL, b int NOT NULL) PARTITION BY RANGE (a, b)";
  constexpr std::string_view kPart = "CREATE TABLE q (a text NOT NULL, b int NOT NULL)";
  constexpr std::string_view kRest = "CREATE TABLE r PARTITION OF p DEFAULT";
  constexpr std::string_view kAttach =
      "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM ('eu', 1) TO ('eu', MAXVALUE)";
  constexpr std::string_view kInside =
      "ALTER TABLE q ADD CONSTRAINT pgalter_bound CHECK (a = 'eu'::text AND b >= 1)";
  constexpr std::string_view kOutside =
      "ALTER TABLE r ADD CONSTRAINT pgalter_outside CHECK (NOT (a = 'eu'::text AND b >= 1))";
  const auto works = [](const std::vector<std::string_view>& statements) {
    return After(statements).works.size();
  };
  EXPECT_EQ(works({kParted, kPart, kRest, kInside, kOutside, kAttach}), 0U);
  EXPECT_EQ(works({kParted, kPart, kRest, kInside, kAttach}), 1U);
  EXPECT_EQ(works({kParted, kPart, kRest, kOutside, kAttach}), 1U);
  // Of another bound, of another name, or not valid.
  EXPECT_EQ(works({kParted, kPart, kInside,
                   "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM ('us', 1) TO ('us', 2)"}),
            1U);
  EXPECT_EQ(works({kParted, kPart, "ALTER TABLE q ADD CONSTRAINT c CHECK (a = 'eu' AND b >= 1)",
                   kAttach}),
            1U);
  EXPECT_EQ(works({kParted, kPart,
                   "ALTER TABLE q ADD CONSTRAINT pgalter_bound CHECK (a = 'eu' AND b >= 1) NOT "
                   "VALID",
                   kAttach}),
            1U);
}

TEST(Effects, DoNotDoubtTypesInWideUse) {
  for (const std::string_view type : {"citext", "public.geometry", "extensions.vector(3)", "xid8",
                                      "int[]", "timestamp(3) with time zone", "\"char\""})
    EXPECT_EQ(Text(After({"ALTER TABLE t ADD x " + std::string(type)})), "t: ACCESS EXCLUSIVE")
        << type;
}

TEST(Effects, SpeakOfOneWorkForAllPartitions) {
  const Effects effects =
      After({"CREATE TABLE p (a int) PARTITION BY LIST (a)",
             "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a)",
             "CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1)", "CREATE INDEX i ON p (a)"});
  EXPECT_EQ(Text(effects), "p: SHARE; p1: SHARE; p11: SHARE; builds p");
  ASSERT_EQ(effects.works.size(), 1U);
  ASSERT_EQ(effects.works[0].parts.size(), 1U);
  EXPECT_EQ(effects.works[0].parts[0].name, "p11");
}

TEST(Effects, NameTheCommandTheyBelongTo) {
  const Effects effects =
      After({kTable, "ALTER TABLE t ADD x int, ALTER a TYPE bigint, ALTER v SET NOT NULL"});
  ASSERT_EQ(effects.works.size(), 2U);
  EXPECT_EQ(effects.works[0].command, 1);
  EXPECT_EQ(effects.works[0].subject, "a");
  EXPECT_EQ(effects.works[1].command, 2);
  EXPECT_EQ(effects.works[1].subject, "v");
}

TEST(Effects, TakeTheStrongestLockOfAllCommands) {
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER v SET STATISTICS 10, ADD x int"})),
            "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({kTable, "ALTER TABLE t ALTER v SET STATISTICS 10"})),
            "t: SHARE UPDATE EXCLUSIVE");
}

TEST(Effects, DetachLetsReadersOfThePartitionGoOnIn13) {
  const std::vector<std::string_view> statements = {
      "CREATE TABLE p (a int) PARTITION BY LIST (a)",
      "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", "ALTER TABLE p DETACH PARTITION p1"};
  EXPECT_EQ(Text(After(statements, 13)), "p: ACCESS EXCLUSIVE; p1: SHARE UPDATE EXCLUSIVE");
  EXPECT_EQ(Text(After(statements, 14)), "p: ACCESS EXCLUSIVE; p1: ACCESS EXCLUSIVE");
}

TEST(Effects, RefuseWhatAnOlderServerDoesNotKnow) {
  const auto refused = [](std::string_view statement, int version) {
    const Effects effects = After({statement}, version);
    return !effects.failures.empty() && effects.failures[0].refusal == Refusal::kVersion;
  };
  EXPECT_TRUE(refused("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", 13));
  EXPECT_FALSE(refused("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", 14));
  EXPECT_TRUE(refused("ALTER TABLE t SET ACCESS METHOD columnar", 14));
  EXPECT_TRUE(refused("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", 14));
  EXPECT_FALSE(refused("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", 19));
}

TEST(Effects, OfRowSecurityAndTriggersReadNothing) {
  EXPECT_EQ(Text(After({"ALTER TABLE t ENABLE ROW LEVEL SECURITY"})), "t: ACCESS EXCLUSIVE");
  EXPECT_EQ(Text(After({"ALTER TABLE t DISABLE TRIGGER ALL"})), "t: SHARE ROW EXCLUSIVE");
}

TEST(Effects, AreNoneForWhatTouchesNoRelation) {
  for (const std::string_view statement :
       {"CREATE TYPE e AS ENUM ('a')", "SET lock_timeout = '1s'", "BEGIN", "CREATE SCHEMA s",
        "DO $$ BEGIN END $$", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"})
    EXPECT_EQ(Text(After({statement})), "") << statement;
}

TEST(Effects, BelieveACheckThatKeepsRowsOutOfANewPartition) {
  const auto attach = [](std::string_view check) {
    const std::string constraint =
        "ALTER TABLE d ADD CONSTRAINT c CHECK (" + std::string(check) + ")";
    return Text(After({"CREATE TABLE p (a int, b int) PARTITION BY RANGE (a)",
                       "CREATE TABLE d PARTITION OF p DEFAULT", constraint,
                       "CREATE TABLE n PARTITION OF p FOR VALUES FROM (10) TO (20)"}));
  };
  const std::string proven = "p: ACCESS EXCLUSIVE; d: ACCESS EXCLUSIVE";
  for (const std::string_view check :
       {"a >= 20", "a > 20", "a < 10", "a <= 9", "a = 30", "NOT (a >= 10 AND a < 20)",
        "a IS NULL OR NOT ((a >= 10) AND (a < 20))", "a < 10 OR a >= 20", "a IS NULL",
        "NOT (a IS NOT NULL AND a >= 10 AND a < 20)", "(a) >= 20::bigint AND b > 0", "\"a\" < -5"})
    EXPECT_EQ(attach(check), proven) << check;
  for (const std::string_view check :
       {"a >= 19", "a > 15", "a < 11", "NOT (a >= 11 AND a < 20)", "NOT a >= 11 AND a < 20",
        "a < 10 OR b > 20", "b >= 20", "f(a) >= 20", "a + 5 >= 20", "a >= 20 OR true",
        "NOT (a >= 10 OR b < 20) OR a > 0"})
    EXPECT_EQ(attach(check), proven + "; scans d?") << check;
}

// ---- the judgements ----------------------------------------------------------------------------

VolatilityVerdict Judge(const std::string& expression,
                        const std::vector<std::string_view>& before = {}) {
  catalog::Schema schema;
  for (const std::string_view statement : before) schema.Apply(Read(statement));
  const auto statement = Read("ALTER TABLE t ADD x int DEFAULT " + expression);
  const auto& column = *statement.As<sql::ast::AlterTable>()->commands[0].column;
  return JudgeVolatility(*column.Find(sql::ast::ConstraintKind::kDefault)->expression, schema);
}

TEST(JudgeVolatility, LooksAtEveryCall) {
  using catalog::Truth;
  EXPECT_EQ(Judge("5").is_volatile, Truth::kNo);
  EXPECT_EQ(Judge("now() + interval '1 day'").is_volatile, Truth::kNo);
  EXPECT_EQ(Judge("current_user::text").is_volatile, Truth::kNo);
  EXPECT_EQ(Judge("(now() AT TIME ZONE 'UTC')").is_volatile, Truth::kNo);
  EXPECT_EQ(Judge("coalesce(NULL, (random() * 5)::int)").is_volatile, Truth::kYes);
  EXPECT_EQ(Judge("coalesce(mine(), (random() * 5)::int)").is_volatile, Truth::kYes);
  EXPECT_EQ(Judge("coalesce(mine(), (random() * 5)::int)").function, "random");
  EXPECT_EQ(Judge("lower(mine())").is_volatile, Truth::kUnknown);
  EXPECT_EQ(Judge("lower(mine())").function, "mine");
  EXPECT_EQ(Judge("extensions.uuid_generate_v4()").is_volatile, Truth::kYes);
  EXPECT_EQ(Judge("app.random()").is_volatile, Truth::kUnknown);
}

TEST(JudgeVolatility, KnowsTheFunctionsOfTheSchema) {
  using catalog::Truth;
  EXPECT_EQ(Judge("f()", {"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql IMMUTABLE AS ''"})
                .is_volatile,
            Truth::kNo);
  EXPECT_EQ(Judge("f()", {"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS ''"}).is_volatile,
            Truth::kYes);
  // May be put in its place, and is then no call at all.
  EXPECT_EQ(
      Judge("f()", {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"}).is_volatile,
      Truth::kUnknown);
  EXPECT_EQ(Judge("f()", {"CREATE FUNCTION f() RETURNS float8 LANGUAGE sql AS 'SELECT random()'"})
                .is_volatile,
            Truth::kYes);
}

TypeChange JudgeType(std::string_view from, std::string_view to, int version = kVersion) {
  const auto type = [](std::string_view text) {
    return *Read("ALTER TABLE t ALTER a TYPE " + std::string(text))
                .As<sql::ast::AlterTable>()
                ->commands[0]
                .type;
  };
  return JudgeTypeChange(type(from), type(to), version);
}

TEST(JudgeTypeChange, TellsRowsFromIndexes) {
  EXPECT_EQ(JudgeType("varchar(5)", "text"), TypeChange::kNothing);
  EXPECT_EQ(JudgeType("varchar(5)", "citext"), TypeChange::kIndexRebuild);
  EXPECT_EQ(JudgeType("citext", "varchar(5)"), TypeChange::kRewrite);
  EXPECT_EQ(JudgeType("int", "bigint"), TypeChange::kRewrite);
  EXPECT_EQ(JudgeType("text", "int"), TypeChange::kNeedsUsing);
  EXPECT_EQ(JudgeType("json", "int"), TypeChange::kImpossible);
  EXPECT_EQ(JudgeType("int", "serial"), TypeChange::kImpossible);
  EXPECT_EQ(JudgeType("mine", "theirs"), TypeChange::kUnknown);
  EXPECT_EQ(JudgeType("bytea", "int", 17), TypeChange::kImpossible);
  EXPECT_EQ(JudgeType("bytea", "int", 18), TypeChange::kNeedsUsing);
}

}  // namespace
}  // namespace pgalter::locks
