// refused-statement, and what is read of text that is broken: forms beside tests/lint/corpus.
#include <gmock/gmock.h>

#include "planner/lint/linter.h"
#include "tests/support/lint_case.h"

namespace pgalter::lint {
namespace {

using ::testing::Contains;
using ::testing::Not;

// "rule: what it points at", up to the end of the line.
std::vector<std::string> Found(const std::string& sql) {
  File base;
  base.name = "base.sql";
  base.text = test::ReadLintBase();
  base.judged = false;
  File file;
  file.name = "script.sql";
  file.text = sql;
  std::vector<std::string> found;
  for (const Finding& finding : Lint({base, file}, Options{}).findings) {
    const std::string at = sql.substr(finding.span.begin, finding.span.end - finding.span.begin);
    found.push_back(finding.rule + ": " + at.substr(0, at.find('\n')));
  }
  return found;
}

struct Case {
  std::string name;
  std::string sql;
  std::string severity;  // "": silent
};

void PrintTo(const Case& given, std::ostream* out) { *out << given.sql; }

class LintRefused : public ::testing::TestWithParam<Case> {};

TEST_P(LintRefused, IsJudged) {
  File base;
  base.name = "base.sql";
  base.text = test::ReadLintBase();
  base.judged = false;
  File file;
  file.name = "script.sql";
  file.text = GetParam().sql;
  std::string severity;
  for (const Finding& finding : Lint({base, file}, Options{}).findings)
    if (finding.rule == "refused-statement") severity = Name(finding.severity);
  EXPECT_EQ(severity, GetParam().severity);
}

const std::vector<Case> kCases = {
    {"DefaultOfPlaceholder", "ALTER TABLE orders ADD COLUMN a integer DEFAULT ${start}", ""},
    {"DefaultWithPlaceholder", "ALTER TABLE orders ADD COLUMN a integer DEFAULT '${start}'", ""},
    {"DefaultOfVariable", "ALTER TABLE orders ADD COLUMN a integer DEFAULT :start", ""},
    {"DefaultOfQuotedVariable", "ALTER TABLE orders ADD COLUMN a integer DEFAULT :'start'", ""},
    {"DefaultComputed",
     "DO $$ BEGIN EXECUTE format('ALTER TABLE orders ADD COLUMN a integer DEFAULT %L', 1); END $$",
     ""},
    {"DefaultTooLarge", "ALTER TABLE orders ALTER COLUMN amount SET DEFAULT '3000000000'", "error"},
    {"DefaultOfRetyped",
     "ALTER TABLE orders ALTER COLUMN amount TYPE text, ALTER COLUMN amount SET DEFAULT 'x'", ""},
    {"DefaultCastToText", "CREATE TABLE n (a integer DEFAULT '1'::text)", "error"},
    {"DefaultCastFits", "CREATE TABLE n (a text DEFAULT 1::integer, b bigint DEFAULT '1'::int)",
     ""},
    {"DefaultOfUnknownType", "CREATE TABLE n (a shop.colour DEFAULT 'x', b colour DEFAULT 5)", ""},
    {"DefaultOfArray", "CREATE TABLE n (a text[] DEFAULT '')", "error"},
    {"DefaultByOwnNow",
     "CREATE FUNCTION random() RETURNS integer LANGUAGE sql AS 'SELECT 1';"
     "CREATE TABLE n (a boolean DEFAULT random())",
     ""},
    {"CheckByOwnCount",
     "CREATE FUNCTION count(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
     "ALTER TABLE orders ADD CONSTRAINT c CHECK (count(amount) > 0) NOT VALID",
     ""},
    {"DomainCheckWithSubquery", "CREATE DOMAIN d AS integer CHECK (VALUE IN (SELECT 1))", "error"},
    {"IndexWhereWithSubquery",
     "CREATE INDEX CONCURRENTLY i ON orders (amount) WHERE id IN (SELECT id FROM archive)",
     "error"},
    {"ArgumentGetsName",
     "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
     "CREATE OR REPLACE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
     ""},
    {"ResultOfColumnType",
     "CREATE FUNCTION f() RETURNS orders.amount%TYPE LANGUAGE sql AS 'SELECT 1';"
     "CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
     ""},
    {"ProcedureOfFunction",
     "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS '';"
     "CREATE OR REPLACE PROCEDURE f() LANGUAGE sql AS ''",
     "error"},
    {"OutArgumentRenamed",
     "CREATE FUNCTION f(OUT a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1, 2';"
     "CREATE OR REPLACE FUNCTION f(OUT a integer, OUT c integer) LANGUAGE sql AS 'SELECT 1, 2'",
     "error"},
    {"NullBehindCondition", "UPDATE orders SET status = NULL WHERE id = 1", "warning"},
    {"NullEverywhere", "UPDATE orders SET status = NULL", "error"},
    {"NullBesideTrigger",
     "CREATE TRIGGER t BEFORE INSERT ON archive EXECUTE FUNCTION touch();"
     "INSERT INTO archive (id, body) VALUES (NULL, 'x')",
     "warning"},
    {"ValueByTrigger",
     "CREATE TRIGGER t BEFORE INSERT ON archive FOR EACH ROW EXECUTE FUNCTION touch();"
     "INSERT INTO archive (body) VALUES ('x')",
     ""},
    {"NoValueForKey", "INSERT INTO archive (body) SELECT 'x'", "warning"},
    {"ViewOrderedByItsColumn",
     "CREATE VIEW v AS SELECT amount AS total FROM orders o JOIN customers c ON c.id = "
     "o.customer_id WHERE o.ctid IS NOT NULL ORDER BY total, c.name",
     ""},
    {"ViewOfFunctionRows",
     "CREATE VIEW v AS SELECT part FROM orders, unnest(string_to_array(status, ' ')) AS part", ""},
    {"ViewByAlias", "CREATE VIEW v AS SELECT o.total FROM orders AS o", "error"},
    {"ViewOfWholeRow", "CREATE VIEW v AS SELECT o FROM orders AS o", ""},
    {"TemporaryTwice", "CREATE TEMP SEQUENCE s; CREATE TEMP SEQUENCE s", "error"},
    {"LoggedToUnlogged", "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES sessions",
     "error"},
    {"UnloggedToLogged",
     "CREATE UNLOGGED TABLE n (order_id bigint REFERENCES orders, customer_id bigint)", ""},
    {"UnloggedReferredTo", "ALTER TABLE customers SET UNLOGGED", "error"},
    {"UnloggedBySelf",
     "ALTER TABLE archive ADD up bigint REFERENCES archive; ALTER TABLE archive SET UNLOGGED", ""},
    {"UnloggedOnceNobodyRefers", "ALTER TABLE shelves SET UNLOGGED; ALTER TABLE racks SET UNLOGGED",
     ""},
    {"LoggedOverUnlogged",
     "CREATE UNLOGGED TABLE n (id bigint REFERENCES sessions); ALTER TABLE n SET LOGGED", "error"},
    {"PartitionBeside",
     "CREATE TABLE e PARTITION OF events FOR VALUES FROM ('2026-01-01') TO (MAXVALUE)", ""},
    {"PartitionAcross",
     "CREATE TABLE e PARTITION OF events FOR VALUES FROM ('2025-06-01') TO (MAXVALUE)", "error"},
    {"PartitionUnlikeWritten",
     "CREATE TABLE e PARTITION OF events FOR VALUES FROM ('2025-12-31 12:00') TO ('2027-01-01')",
     ""},
    {"SecondDefault", "CREATE TABLE l PARTITION OF logs DEFAULT", "error"},
    {"CommentOnColumnOfUnknown", "COMMENT ON COLUMN elsewhere.total IS 'x'", ""},
};

INSTANTIATE_TEST_SUITE_P(Forms, LintRefused, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(LintBroken, StatementsAroundAMissingSemicolonAreJudged) {
  const auto found = Found(
      "CREATE INDEX i ON orders (amount)\n"
      "ALTER TABLE customers ALTER COLUMN name SET NOT NULL;\n"
      "DROP TABLE archive;\n");
  EXPECT_THAT(found, Contains("parse-error: CREATE INDEX i ON orders (amount)"));
  EXPECT_THAT(found, Contains("create-index-non-concurrent: CREATE INDEX i ON orders (amount)"));
  EXPECT_THAT(found,
              Contains("set-not-null: ALTER TABLE customers ALTER COLUMN name SET NOT NULL"));
  EXPECT_THAT(found, Contains("drop-table: DROP TABLE archive"));
}

TEST(LintBroken, WhatFollowsIsReadAsFarAsItGoes) {
  const auto found = Found(
      "ALTER TABEL orders ADD COLUMN x integer\n"
      "  CREATE TABLE copy AS\n"
      "  SELECT * FROM orders\n"
      "  UNION ALL\n"
      "  SELECT * FROM orders;");
  EXPECT_THAT(found, Contains("parse-error: ALTER TABEL orders ADD COLUMN x integer"));
  EXPECT_THAT(found, Not(Contains("parse-error:   CREATE TABLE copy AS")));
}

TEST(LintBroken, BodiesAndCommentsAreNotTakenForStatements) {
  const auto found = Found(
      "CREATE FUNCTOIN f() AS $$\nBEGIN\nDELETE FROM orders;\nEND $$\n"
      "/*\nDROP TABLE orders\n*/ + '\nDROP TABLE items\n';");
  for (const std::string& finding : found) EXPECT_THAT(finding, ::testing::StartsWith("parse-e"));
}

}  // namespace
}  // namespace pgalter::lint
