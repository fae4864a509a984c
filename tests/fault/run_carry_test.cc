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

}  // namespace
}  // namespace pgalter::test
