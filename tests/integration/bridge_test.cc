// A view that has the name of a renamed table, or of one with a renamed column, on a real server:
// what old programs' statements do with it is what the plan says; functions that would fail with
// its rows are refused, and nothing is changed then.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "planner/plan/planner.h"
#include "planner/sql/ast/statement.h"
#include "tests/support/postgres.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr int kMergesIntoViews = 17;
constexpr const char* kTable =
    "CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT one_a UNIQUE, b text)";
constexpr const char* kColumn = "ALTER TABLE t RENAME b TO bb";
constexpr const char* kRename = "ALTER TABLE t RENAME TO t2";

class Bridge : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.Sql(fmt::format("{}; INSERT INTO t VALUES (1, 1, 'x')", kTable));
  }

  [[nodiscard]] int Version() const {
    return std::stoi(database_.Value("SELECT current_setting('server_version_num')")) / 10000;
  }
  // Its first step, in one transaction.
  void Expand(const std::string& statement) const {
    catalog::Schema schema;
    schema.Apply(*sql::ast::ReadStatement(kTable));
    const plan::Plan plan = plan::MakePlan(statement, schema, {Version(), plan::Knowledge::kDump});
    Session session = database_.Connect();
    session.Exec("BEGIN");
    for (const std::string& sql : plan.steps.at(0).sql) session.Exec(sql);
    session.Exec("COMMIT");
  }
  // Empty: it was not.
  [[nodiscard]] std::string WhyRefused(const std::string& statement) const {
    try {
      Expand(statement);
    } catch (const SqlError& error) {
      EXPECT_EQ(error.sqlstate(), "55000") << error.what();
      return error.what();
    }
    return "";
  }
  [[nodiscard]] bool Works(const std::string& statement) const {
    try {
      Session session = database_.Connect();
      session.Exec(statement);
      return true;
    } catch (const SqlError&) {
      return false;
    }
  }

  // Of old programs.
  void ExpectStatements() const {
    for (const char* statement :
         {"SELECT id, a, b FROM t", "INSERT INTO t (id, a) VALUES (2, 2)",
          "INSERT INTO t (id, a, b) VALUES (3, 2, 'y') ON CONFLICT (a) DO UPDATE SET b = 'z'",
          "UPDATE t SET b = 'y' WHERE id = 1", "DELETE FROM t WHERE id = 2", "VACUUM t",
          "BEGIN; DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE; FETCH c; COMMIT"})
      EXPECT_TRUE(Works(statement)) << statement;
    for (const char* statement :
         {"COPY t FROM '/dev/null'", "TRUNCATE t", "CREATE INDEX ON t (a)", "SELECT ctid FROM t",
          "SELECT tableoid FROM t",
          "BEGIN; DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE; FETCH c;"
          " UPDATE t SET b = 'c' WHERE CURRENT OF c; COMMIT",
          "INSERT INTO t (id, a) VALUES (3, 1) ON CONFLICT ON CONSTRAINT one_a DO NOTHING"})
      EXPECT_FALSE(Works(statement)) << statement;
    EXPECT_EQ(
        Works("MERGE INTO t USING (VALUES (1)) s (x) ON t.a = s.x WHEN MATCHED THEN UPDATE SET"
              " b = 'm'"),
        Version() >= kMergesIntoViews);
  }

  FreshDatabase database_;
};

TEST_F(Bridge, OfATableBearsTheStatementsThatThePlanNames) {
  Expand(kRename);
  ExpectStatements();
}

TEST_F(Bridge, OfAColumnBearsTheStatementsThatThePlanNames) {
  Expand(kColumn);
  ExpectStatements();
}

TEST_F(Bridge, IsNotMadeOverFunctionsThatTakeRows) {
  for (const char* function : {"one(t) RETURNS int LANGUAGE sql AS 'SELECT $1.a'",
                               "several(t[]) RETURNS int LANGUAGE sql AS 'SELECT 1'"}) {
    database_.Sql(fmt::format("CREATE FUNCTION {}", function));
    for (const char* change : {kColumn, kRename})
      EXPECT_THAT(WhyRefused(change), HasSubstr("takes or gives back rows of t")) << change;
    database_.Sql("DROP FUNCTION IF EXISTS one(t); DROP FUNCTION IF EXISTS several(t[])");
  }
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 't'::regclass"), "r");
}

TEST_F(Bridge, IsMadeWhereFunctionsGiveRowsBackThatItHas) {
  database_.Sql("CREATE FUNCTION all_of() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t'");
  EXPECT_THAT(WhyRefused(kColumn), HasSubstr("function all_of()"));
  EXPECT_EQ(WhyRefused(kRename), "");
  EXPECT_EQ(database_.Value("SELECT count(*) FROM all_of()"), "1");
}

TEST_F(Bridge, IsMadeBesideFunctionsOfItsColumns) {
  database_.Sql(
      "CREATE FUNCTION ids() RETURNS TABLE (id int) LANGUAGE sql AS 'SELECT id FROM t';"
      "CREATE FUNCTION first() RETURNS int LANGUAGE plpgsql AS"
      " 'DECLARE r t; BEGIN SELECT * INTO r FROM t; RETURN r.a; END'");
  EXPECT_EQ(WhyRefused(kColumn), "");
  EXPECT_EQ(database_.Value("SELECT first() + count(*) FROM ids()"), "2");
}

}  // namespace
}  // namespace pgalter::test
