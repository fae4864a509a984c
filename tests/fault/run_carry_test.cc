// What `pgalter run` makes again of what reads a column, and what it makes for users to go on with
// meanwhile: definitions mean what they meant, and everybody may do what he might.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

class RunCarries : public RunWorld {
 protected:
  void RunSql(const std::string& sql, const Words& more = {}) const {
    Words words{"run", "--sql", sql, "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
};

// Trap: "CST" as written in Shanghai is read as that of Chicago.
TEST_F(RunCarries, ConstantsMeanTheSameMomentInAnyStyle) {
  database_.Sql(fmt::format(
      "CREATE TABLE t (id int PRIMARY KEY, s varchar(5), made timestamptz, c int DEFAULT 1,"
      " d timestamptz DEFAULT {0});"
      "CREATE VIEW v AS SELECT id, s, c, interval '-1 day +2 hours' AS i FROM t WHERE made > {0};"
      "CREATE POLICY p ON t USING (s <> 'q' AND c > 0 AND made > {0});"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
      "CREATE TRIGGER fires BEFORE UPDATE OF s, c ON t FOR EACH ROW WHEN (new.made > {0})"
      " EXECUTE FUNCTION f()",
      "timestamptz '2026-02-01 08:00+08'"));
  for (const char* setting : {"datestyle = 'Postgres, DMY'", "timezone = 'Asia/Shanghai'",
                              "intervalstyle = sql_standard"})
    database_.Sql(fmt::format("ALTER DATABASE {} SET {}", database_.name(), setting));
  Session session = database_.Connect();
  session.Exec("SET datestyle = ISO; SET timezone = 'UTC'; SET intervalstyle = postgres");
  const std::string definitions =
      "SELECT pg_get_viewdef('v') || (SELECT pg_get_expr(polqual, polrelid) FROM pg_policy) ||"
      " (SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'fires')";
  const std::string before = session.Value(definitions);
  RunSql("ALTER TABLE t ALTER s TYPE varchar(20)");
  EXPECT_EQ(session.Value(definitions), before) << "in place";
  RunSql("ALTER TABLE t ALTER c TYPE bigint", {"--through", "contract"});
  EXPECT_EQ(session.Value(definitions), before) << "by a second column";
}

TEST_F(RunCarries, APlanSaysWhichSequencesMoveWithATable) {
  database_.Sql("CREATE SCHEMA app; CREATE TABLE t (id serial PRIMARY KEY)");
  EXPECT_THAT(Run({"plan", "--sql", "ALTER TABLE public.t SET SCHEMA app"}).out,
              ::testing::HasSubstr("ALTER SEQUENCE public.t_id_seq OWNED BY NONE"));
  EXPECT_THAT(Run({"plan", "--sql", "ALTER TABLE public.t RENAME TO u"}).out,
              ::testing::Not(::testing::HasSubstr("t_id_seq")));
  // What the remark says to do.
  database_.Sql("ALTER SEQUENCE t_id_seq OWNED BY NONE");
  RunSql("ALTER TABLE public.t SET SCHEMA app");
  EXPECT_EQ(database_.Value("SELECT nextval('public.t_id_seq')"), "1");
  EXPECT_EQ(database_.Value("INSERT INTO public.t DEFAULT VALUES RETURNING id"), "2");
}

// As the server does it, at the end of all the copying.
TEST_F(RunCarries, WhatALoggedTableRefersToStaysLogged) {
  database_.Sql(
      "CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p); CREATE TABLE c (id int PRIMARY "
      "KEY, p int CONSTRAINT to_p REFERENCES p)");
  const Ran refused = Run({"run", "--sql", "ALTER TABLE p SET UNLOGGED", "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("referred to by the logged table c"));
  EXPECT_THROW(database_.Sql("ALTER TABLE p SET UNLOGGED"), SqlError);
  database_.Sql("ALTER TABLE c SET UNLOGGED; ALTER TABLE p SET UNLOGGED");
  EXPECT_EQ(Run({"run", "--sql", "ALTER TABLE c SET LOGGED", "--yes"}).code, 4);
  EXPECT_THROW(database_.Sql("ALTER TABLE c SET LOGGED"), SqlError);
  RunSql("ALTER TABLE p SET LOGGED");
}

// The role that runs is not the owner, as whom programs connect.
class OfAnotherOwner : public RunCarries {
 protected:
  void SetUp() override {
    database_.Sql(
        "DROP ROLE IF EXISTS b_owner, b_part, b_all, b_none;"
        "CREATE ROLE b_owner; CREATE ROLE b_part; CREATE ROLE b_all; CREATE ROLE b_none;"
        "CREATE SCHEMA app AUTHORIZATION b_owner; GRANT USAGE ON SCHEMA app TO PUBLIC;"
        "SET ROLE b_owner; CREATE TABLE app.t (id int PRIMARY KEY, a int, secret text);"
        "INSERT INTO app.t VALUES (1, 1, 'x'); GRANT SELECT (id, a), UPDATE (a) ON app.t TO b_part;"
        "GRANT SELECT, INSERT ON app.t TO b_all WITH GRANT OPTION; RESET ROLE;"
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO b_none");
  }
  void TearDown() override {
    database_.Sql("DROP OWNED BY b_owner, b_part, b_all, b_none CASCADE");
    RunCarries::TearDown();
  }
  // "" or the SQLSTATE.
  [[nodiscard]] std::string Of(const std::string& role, const std::string& sql) const {
    Session session = database_.Connect();
    session.Exec("SET ROLE " + role);
    try {
      session.Exec(sql);
    } catch (const SqlError& error) {
      return error.sqlstate();
    }
    return "";
  }
  [[nodiscard]] std::string Has(const std::string& role, const std::string& right) const {
    return database_.Value(
        fmt::format("SELECT has_table_privilege('{}', 'app.t', '{}')", role, right));
  }
  void ExpectSameRights() const {
    EXPECT_EQ(Of("b_owner", "INSERT INTO app.t (id) SELECT max(id) + 1 FROM app.t"), "");
    EXPECT_EQ(Of("b_owner", "DELETE FROM app.t WHERE id > 1"), "");
    EXPECT_EQ(Of("b_part", "UPDATE app.t SET a = 2 WHERE id = 1"), "");
    EXPECT_EQ(Of("b_part", "SELECT secret FROM app.t"), "42501");
    EXPECT_EQ(Of("b_part", "UPDATE app.t SET id = 2"), "42501");
    EXPECT_EQ(Of("b_all", "SELECT secret FROM app.t"), "");
    EXPECT_EQ(Of("b_all", "DELETE FROM app.t"), "42501");
    EXPECT_EQ(Has("b_all", "SELECT WITH GRANT OPTION"), "t");
    EXPECT_EQ(Has("b_none", "SELECT"), "f") << "default privileges";
  }
};

TEST_F(OfAnotherOwner, ARenamedTableHasItsRightsByItsOldName) {
  ExpectSameRights();
  RunSql("ALTER TABLE app.t RENAME TO u");
  ExpectSameRights();
  const Ran done = Run({"resume", RunId(), "--gate", "renamed-t"});
  ASSERT_EQ(done.code, 0) << done.err;
  ASSERT_EQ(StateOfRun(), "done");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectSameRights();
}

TEST_F(OfAnotherOwner, ARenamedColumnHasItsRightsByBothNames) {
  RunSql("ALTER TABLE app.t RENAME COLUMN a TO b");
  ExpectSameRights();
  EXPECT_EQ(Of("b_part", "UPDATE app.t SET b = 2 WHERE b > 0"), "");
}

TEST_F(OfAnotherOwner, RowSecurityHoldsThroughTheOldName) {
  database_.Sql("ALTER TABLE app.t ENABLE ROW LEVEL SECURITY");
  const Ran ran = Run({"run", "--sql", "ALTER TABLE app.t RENAME TO u", "--yes"});
  if (Number("SHOW server_version_num") < 150000) {
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, ::testing::HasSubstr("has row security, which would not hold"));
    return;
  }
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SET ROLE b_all; SELECT count(*) FROM app.t"), "0");
}

TEST_F(OfAnotherOwner, APlanSaysWhatBecomesOfRightsThatAreGivenMeanwhile) {
  for (const char* sql : {"ALTER TABLE app.t RENAME TO u", "ALTER TABLE app.t RENAME a TO b"})
    EXPECT_THAT(Run({"plan", "--sql", sql}).out, ::testing::HasSubstr("GRANT, REVOKE and COMMENT"))
        << sql;
}

TEST_F(OfAnotherOwner, WhoMayInsertMayDoSoWhileAnIdentityIsMade) {
  RunSql("ALTER TABLE app.t ADD n bigint GENERATED ALWAYS AS IDENTITY", {"--through", "expand"});
  EXPECT_EQ(Of("b_all", "INSERT INTO app.t (id) VALUES (2)"), "");
  EXPECT_EQ(Of("b_owner", "INSERT INTO app.t (id) VALUES (3)"), "");
  ASSERT_EQ(Run({"resume", RunId(), "--through", "contract"}).code, 0);
  EXPECT_EQ(Of("b_all", "INSERT INTO app.t (id) VALUES (4)"), "");
  EXPECT_EQ(Number("SELECT count(DISTINCT n) FROM app.t"), 4);
}

TEST_F(OfAnotherOwner, ASerialsSequenceHasTheTablesOwner) {
  RunSql("ALTER TABLE app.t ADD n serial", {"--through", "contract"});
  EXPECT_EQ(database_.Value("SELECT relowner::regrole FROM pg_class WHERE oid = "
                            "pg_get_serial_sequence('app.t', 'n')::regclass"),
            "b_owner");
  EXPECT_EQ(Of("b_owner", "INSERT INTO app.t (id) VALUES (2)"), "");
}

}  // namespace
}  // namespace pgalter::test
