// Users change the type of the key while their changes are logged: to a wider one, which is
// followed, or to one that the log does not take. They notice nothing of either.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

struct KeyChange {
  const char* name;
  const char* was;
  const char* is;
  const char* key;   // of row g, as it was
  const char* wide;  // a value of what it is
};

class KeyType : public RebuildWorld, public ::testing::WithParamInterface<KeyChange> {
 protected:
  // Its rows, by their keys as they are printed, are in twin, too.
  void SetUp() override {
    RebuildWorld::SetUp();
    database_.Sql(fmt::format(
        "CREATE TABLE t (k {0} PRIMARY KEY, v int); INSERT INTO t SELECT {1}, g FROM "
        "generate_series(1, 500) g; CREATE TABLE twin (LIKE t); INSERT INTO twin TABLE t",
        GetParam().was, GetParam().key));
  }
  static void Both(Session& user, const char* sql) {
    for (const char* table : {"t", "twin"}) user.Exec(fmt::format(fmt::runtime(sql), table));
  }
  // By a session that has been at it before.
  static void Write(Session& user) {
    Both(user, "UPDATE {} SET v = v + 1 WHERE v % 7 = 0");
    Both(user, "DELETE FROM {} WHERE v % 11 = 0");
  }
  void Change(Session& user) const {
    for (const char* table : {"t", "twin"})
      user.Exec(fmt::format("ALTER TABLE {} ALTER k TYPE {} USING k::{}", table, GetParam().is,
                            GetParam().is));
    for (const char* table : {"t", "twin"})
      user.Exec(fmt::format("INSERT INTO {} VALUES ({}, 1)", table, GetParam().wide));
    Both(user, "UPDATE {} SET v = v + 1 WHERE v % 5 = 0");
    Both(user, "DELETE FROM {} WHERE v % 13 = 0");
  }
  void TakeBack(Session& user) const {
    for (const char* table : {"t", "twin"}) {
      user.Exec(fmt::format("DELETE FROM {} WHERE k = {}", table, GetParam().wide));
      user.Exec(fmt::format("ALTER TABLE {} ALTER k TYPE {}", table, GetParam().was));
    }
    Both(user, "UPDATE {} SET v = v + 1 WHERE v % 3 = 0");
  }
  void ExpectTwins() const {
    EXPECT_EQ(Number("SELECT count(*) FROM ((TABLE t EXCEPT TABLE twin) UNION ALL (TABLE twin "
                     "EXCEPT TABLE t)) d"),
              0);
    EXPECT_GT(Number("SELECT count(*) FROM t"), 300);
  }
  [[nodiscard]] static Words RebuildIt(const Words& more = {}) {
    Words words{"rebuild", "t", "--alter", "ALTER v TYPE bigint", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void KillWhenReady() const {
    const Ran killed = Run(RebuildIt({"--cutover", "wait"}), {"PGALTER_FAIL_POINT=cutover-waits"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  }
};

class KeyWidened : public KeyType {};

TEST_P(KeyWidened, AfterTheSwap) {
  const Ran rebuilt = Run(RebuildIt());
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  Session user = database_.Connect();
  Write(user);
  ASSERT_NO_THROW(Change(user));
  const Ran altered = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(altered.code, 4) << altered.err;
  ASSERT_NO_THROW(TakeBack(user));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectTwins();
}

TEST_P(KeyWidened, BeforeTheSwap) {
  KillWhenReady();
  Session user = database_.Connect();
  Write(user);
  ASSERT_NO_THROW(Change(user));
  const Ran altered = Run({"resume", RunId()});
  EXPECT_EQ(altered.code, 4) << altered.err;
  ASSERT_NO_THROW(TakeBack(user));
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectTwins();
}

INSTANTIATE_TEST_SUITE_P(
    Types, KeyWidened,
    ::testing::Values(KeyChange{"SmallintToInteger", "smallint", "integer", "g", "70000"},
                      KeyChange{"IntegerToBigint", "integer", "bigint", "g", "3000000000"},
                      KeyChange{"Varchar", "varchar(5)", "varchar(20)", "g", "'0123456789'"},
                      KeyChange{"VarcharToText", "varchar(5)", "text", "g", "'0123456789'"},
                      KeyChange{"Char", "char(4)", "char(12)", "g", "'0123456789'"},
                      KeyChange{"Numeric", "numeric(4,1)", "numeric(12,3)", "g", "1234567.125"},
                      KeyChange{"Bit", "varbit(12)", "varbit(40)", "g::bit(12)::varbit",
                                "B'1010101010101010101010'"}),
    [](const auto& param) { return std::string(param.param.name); });

class KeyRetyped : public KeyType {};

TEST_P(KeyRetyped, EndsTheWayBackAndSaysSo) {
  ASSERT_EQ(Run(RebuildIt()).code, 0);
  Session user = database_.Connect();
  Write(user);
  ASSERT_NO_THROW(Change(user));
  const std::string status = Run({"status", RunId()}).out;
  EXPECT_THAT(status, HasSubstr("back:       no more"));
  EXPECT_THAT(status, HasSubstr("the type of its key was changed"));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 4) << reverted.err;
  EXPECT_THAT(reverted.err, HasSubstr("the type of its key was changed"));
  ExpectTwins();
  EXPECT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  ExpectTwins();
}

TEST_P(KeyRetyped, EndsTheWayThereAndSaysSo) {
  KillWhenReady();
  Session user = database_.Connect();
  Write(user);
  ASSERT_NO_THROW(Change(user));
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 4) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("the type of its key was changed"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectTwins();
}

INSTANTIATE_TEST_SUITE_P(
    Types, KeyRetyped,
    ::testing::Values(KeyChange{"IntegerToText", "integer", "text", "g", "'some'"},
                      KeyChange{"IntegerToNumeric", "integer", "numeric", "g", "1.5"},
                      KeyChange{"TextToUuid", "text", "uuid", "md5(g::text)",
                                "'00000000-0000-0000-0000-000000000000'"},
                      KeyChange{"DateToTimestamp", "date", "timestamp", "date '2026-01-01' + g",
                                "'2026-01-01 12:30'"}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace pgalter::test
