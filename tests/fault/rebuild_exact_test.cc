// Values that a type of fewer digits would round, or trim, without a word: a key that is not the
// same in both tables finds no row there, and a revert must not change what users wrote.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_world.h"
#include "tests/support/scratch_folder.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Exact : public RebuildWorld {
 protected:
  // t is rebuilt up to its cut-over; users are let write then.
  void RebuildUntilCompared(const Words& more) {
    Words words{"rebuild", "t", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    ASSERT_EQ(Run(words, {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
    AwaitNoRunner();
  }
  void ExpectNoSuchRow(const std::string& key, const std::string& type) const {
    const Ran ran = Run({"resume", RunId(), "--yes"});
    EXPECT_EQ(ran.code, 1) << ran.err;
    EXPECT_THAT(ran.err, AllOf(HasSubstr("the row " + key + " of public.t does not fit"),
                               HasSubstr("would have another value as " + type)));
  }
};

struct KeyCase {
  const char* name;
  const char* columns;
  const char* narrow;
  const char* rows;
  const char* wrong;
  const char* key;
  const char* type;
};

class ExactKey : public Exact, public ::testing::WithParamInterface<KeyCase> {};

// What the last of them says would be rounded; before, its deletion would not have been found.
TEST_P(ExactKey, IsTheSameInBothTablesOrTheRowDoesNotFit) {
  const KeyCase& of = GetParam();
  database_.Sql(fmt::format("CREATE TABLE t ({}); INSERT INTO t VALUES {}", of.columns, of.rows));
  RebuildUntilCompared({"--alter", of.narrow});
  database_.Sql(fmt::format("INSERT INTO t VALUES {}", of.wrong));
  ExpectNoSuchRow(of.key, of.type);
  database_.Sql("DELETE FROM t WHERE v = 9");
  const std::string all = "SELECT string_agg(v::text, ' ' ORDER BY v) FROM t";
  const std::string before = database_.Value(all);
  const Ran ran = Run({"resume", RunId(), "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value(all), before);
}

INSTANTIATE_TEST_SUITE_P(
    Types, ExactKey,
    ::testing::Values(KeyCase{"Moments", "at timestamptz PRIMARY KEY, v int",
                              "ALTER at TYPE timestamptz(0)", "('2026-01-01 00:00:00+00', 1)",
                              "('2026-01-01 00:00:05.7+00', 9)",
                              "(at) = (2026-01-01 00:00:05.7+00)", "timestamp(0) with time zone"},
                      KeyCase{"Numbers", "n numeric(10,2), v int, PRIMARY KEY (v, n)",
                              "ALTER n TYPE numeric(10,1)", "(1.1, 1), (1.2, 2)", "(1.25, 9)",
                              "(v, n) = (9, 1.25)", "numeric(10,1)"},
                      KeyCase{"Blanks", "code text PRIMARY KEY, v int",
                              "ALTER code TYPE varchar(3)", "('abc', 1), ('ab ', 2)",
                              "('abd  ', 9)", "(code) = (abd  )", "character varying(3)"}),
    [](const auto& of) { return of.param.name; });

// A row is looked for by its key and the column that says in which partition it is.
TEST_F(Exact, ThePartitionKeyToo) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL);"
      "INSERT INTO t VALUES (1, '2026-01-01 00:00:00+00')");
  RebuildUntilCompared(
      {"--definition",
       SharedFolder().File("CREATE TABLE t (id int, at timestamptz(0) NOT NULL, PRIMARY KEY (id, "
                           "at)) PARTITION BY RANGE (at); CREATE TABLE t_all PARTITION OF t "
                           "DEFAULT"),
       "--allow-weaker-keys"});
  database_.Sql("INSERT INTO t VALUES (2, '2026-01-01 00:00:05.7+00')");
  ExpectNoSuchRow("(id, at) = (2, 2026-01-01 00:00:05.7+00)", "timestamp(0) with time zone");
  database_.Sql("DELETE FROM t WHERE id = 2");
  EXPECT_EQ(Run({"resume", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 1);
}

struct BackCase {
  const char* name;
  const char* old_type;
  const char* new_type;
  const char* fits;
  const char* not_any_more;
  const char* shown;
};

class ExactBack : public Exact, public ::testing::WithParamInterface<BackCase> {};

TEST_P(ExactBack, OrTheRevertIsRefusedWithTheKey) {
  const BackCase& of = GetParam();
  database_.Sql(
      fmt::format("CREATE TABLE t (id int PRIMARY KEY, \"a V\" {});"
                  "INSERT INTO t VALUES (1, {}), (2, {}), (3, NULL)",
                  of.old_type, of.fits, of.fits));
  const Ran ran =
      Run({"rebuild", "t", "--alter", fmt::format("ALTER \"a V\" TYPE {}", of.new_type), "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(fmt::format("would be another one as \"a V\" {}", of.shown)));
  database_.Sql("INSERT INTO t VALUES (4, NULL); UPDATE t SET id = id + 10 WHERE id = 3");
  database_.Sql(fmt::format("UPDATE t SET \"a V\" = {} WHERE id = 2", of.not_any_more));
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("the row (id) = (2) of public.t does not fit into the old table"),
                    HasSubstr(fmt::format("\"a V\" would have another value as {}", of.shown))));
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM t WHERE \"a V\"::text = ({})::{}::text",
                               of.not_any_more, of.new_type)),
            1);
  database_.Sql(fmt::format("UPDATE t SET \"a V\" = {} WHERE id = 2", of.fits));
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM t WHERE \"a V\"::text = ({})::{}::text",
                               of.fits, of.old_type)),
            2);
  EXPECT_EQ(Number("SELECT count(*) FROM t"), 4);
}

INSTANTIATE_TEST_SUITE_P(
    Types, ExactBack,
    ::testing::Values(
        BackCase{"Digits", "numeric(10,2)", "numeric(12,4)", "1.25", "1.2345", "numeric(10,2)"},
        BackCase{"NoDigits", "int", "numeric", "7", "7.5", "integer"},
        BackCase{"Moments", "timestamptz(0)", "timestamptz", "'2026-01-01 00:00:00+00'",
                 "'2026-01-01 00:00:00.7+00'", "timestamp(0) with time zone"},
        BackCase{"Days", "date", "timestamp", "'2026-01-01'", "'2026-01-01 12:00:00'", "date"},
        BackCase{"Floats", "real", "float8", "0.5", "0.1234567890123", "real"},
        BackCase{"Blanks", "varchar(5)", "text", "'abcde'", "'abcde '", "character varying(5)"},
        BackCase{"Characters", "char(3)", "text", "'abc'", "'abc  '", "character(3)"}),
    [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace pgalter::test
