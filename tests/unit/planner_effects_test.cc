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

}  // namespace
}  // namespace pgalter::locks
