// Backfills that cannot be: each is refused before anything is written, with its exit code. And
// tables of every shape that can be.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kShapes = R"sql(
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 1, b int, n int NOT NULL DEFAULT 0,
                g int GENERATED ALWAYS AS (a + 1) STORED, i int GENERATED ALWAYS AS IDENTITY);
INSERT INTO t (id) SELECT generate_series(1, 500);
CREATE VIEW v AS SELECT * FROM t;
CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
CREATE SEQUENCE s;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE f (id int, b int) SERVER nowhere;
CREATE TABLE p (k int, b int) PARTITION BY RANGE (k);
)sql";

struct Refused {
  const char* name;
  const char* table;
  const char* set;
  int code;
  const char* says;
  const char* where = nullptr;
};

using RefusedByALock = BackfillWorld;

class RefusedInput : public BackfillWorld, public ::testing::WithParamInterface<Refused> {};

TEST_P(RefusedInput, WritesNothing) {
  const Refused& input = GetParam();
  database_.Sql(kShapes);
  Words words{"backfill", input.table, "--set", input.set, "--yes"};
  if (input.where != nullptr) words.insert(words.end(), {"--where", input.where});
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, input.code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(input.says));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE b IS NULL AND a = 1"), 500);
}

constexpr Refused kRefused[] = {
    {"UnknownTable", "nowhere", "b = 1", 2, "nowhere"},
    {"UnknownSchema", "nowhere.t", "b = 1", 2, "nowhere"},
    {"UnknownColumn", "t", "c = 1", 2, "has no column c"},
    {"UnknownColumnInTheExpression", "t", "b = c + 1", 2, "42703"},
    {"UnknownFunction", "t", "b = nothing(a)", 2, "42883"},
    {"NoSyntax", "t", "b = = 1", 2, "--set"},
    {"NoSyntaxInWhere", "t", "b = 1", 2, "--where", "a >"},
    {"SecondStatement", "t", "b = 1; DROP TABLE t", 2, "--set"},
    {"WrongType", "t", "b = 'x'::text", 2, "42804"},
    {"ConditionIsNoBoolean", "t", "b = 1", 2, "42804", "a + 1"},
    {"Aggregate", "t", "b = count(*)", 2, "42803"},
    {"View", "v", "b = 1", 4, "it is a view"},
    {"MaterializedView", "m", "b = 1", 4, "materialized view"},
    {"Sequence", "s", "last_value = 1", 4, "not a table"},
    {"ForeignTable", "f", "b = 1", 4, "foreign table"},
    {"SystemCatalog", "pg_catalog.pg_class", "relpages = 1", 4, "system"},
    {"GeneratedColumn", "t", "g = 1", 4, "generated"},
    {"IdentityColumn", "t", "i = 1", 4, "IDENTITY"},
    {"PartitionKey", "p", "k = 1", 4, "partition key"},
    {"AppliedTwiceIsWrong", "t", "a = a * 100", 4, "--where"},
    {"NothingTellsADoneRow", "t", "n = (random() * 9)::int", 4, "--where"},
};
INSTANTIATE_TEST_SUITE_P(Inputs, RefusedInput, ::testing::ValuesIn(kRefused),
                         [](const auto& input) { return input.param.name; });

// Asked before there is a run, which would name him as it waits.
TEST_F(RefusedByALock, NamesWhoKeepsOthersOut) {
  database_.Sql(kShapes);
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE t IN SHARE MODE");
  const Ran ran = Run({"backfill", "t", "--set", "b = a", "--yes"});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("cannot try the expression on public.t: writers have been kept "
                                 "from it for 10 s (SQLSTATE 55P03): pid " +
                                 std::to_string(holder.backend_pid())));
  EXPECT_THAT(ran.err, HasSubstr("holds SHARE on public.t. Nothing was changed"));
  holder.Exec("LOCK TABLE t");
  for (const Words& words :
       {Words{"rebuild", "t", "--yes"},
        Words{"partition", "convert", "t", "--by", "range(id)", "--every", "100", "--yes"}}) {
    const Ran other = Run(words);
    EXPECT_EQ(other.code, 5) << other.err;
    EXPECT_THAT(other.err, HasSubstr("even readers have been kept from it for 10 s"));
    EXPECT_THAT(other.err, HasSubstr("holds ACCESS EXCLUSIVE on public.t"));
  }
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

class Shapes : public BackfillWorld {
 protected:
  Ran Fill(const std::string& table, const std::string& set, const Words& more = {}) const {
    Words words{"backfill", table, "--set", set, "--yes", "--xmin-wait", "0s"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
};

TEST_F(Shapes, ARoleWithoutTheRightIsToldWhichGrantHelps) {
  database_.Sql(kShapes);
  database_.Sql(
      "DO $$ BEGIN IF to_regrole('fault_poor') IS NULL THEN CREATE ROLE fault_poor LOGIN; END IF;"
      " END $$; GRANT SELECT ON t TO fault_poor");
  Program program(PGALTER_BINARY, {"backfill", "t", "--set", "b = 1", "--yes", "--dsn",
                                   database_.conninfo() + " user=fault_poor"});
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("42501"));
  EXPECT_THAT(ran.err, HasSubstr("GRANT SELECT, UPDATE ON"));
  EXPECT_EQ(database_.Value("SELECT to_regnamespace('pgalter') IS NULL"), "t");
}

TEST_F(Shapes, AConditionThatStaysTrueIsRolledBack) {
  database_.Sql(kShapes);
  const Ran ran = Fill("t", "a = a + 1", {"--where", "a > 0"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--where"));
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE a = 1"), 500);
}

TEST_F(Shapes, AConditionThatBecomesFalseMakesAnIncrementSafe) {
  database_.Sql(kShapes);
  const Ran ran = Fill("t", "a = a * 100", {"--where", "a < 100"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM t WHERE a = 100"), 500);
}

// As in an UPDATE; and with no cast to varchar(4), which would cut it off.
TEST_F(Shapes, ALiteralTakesTheTypeOfItsColumn) {
  database_.Sql(
      "CREATE TABLE lit (id int PRIMARY KEY, n int, d date, code char(3), short varchar(4));"
      "INSERT INTO lit SELECT g, g FROM generate_series(1, 100) g");
  const Ran ran = Fill("lit", "n = NULL, d = '2026-11-22', code = 'abc', short = 'four'");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM lit WHERE n IS NULL AND d = DATE '2026-11-22' AND code = "
                   "'abc' AND short = 'four'"),
            100);
  const Ran long_one = Fill("lit", "short = 'fives'");
  EXPECT_NE(long_one.code, 0);
  EXPECT_THAT(long_one.err, HasSubstr("22001"));
  EXPECT_EQ(Number("SELECT count(*) FROM lit WHERE short = 'four'"), 100);
}

TEST_F(Shapes, APartitionedTableIsDoneLeafByLeaf) {
  database_.Sql(
      "CREATE TABLE part (id int, a int, b int, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
      "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);"
      "CREATE TABLE part_2 (b int, junk int, id int NOT NULL, a int);"
      "ALTER TABLE part_2 DROP COLUMN junk;"
      "ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM (1000) TO (2000);"
      "CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM (2000) TO (9000)"
      " PARTITION BY RANGE (id);"
      "CREATE TABLE part_31 PARTITION OF part_3 DEFAULT;"
      "INSERT INTO part SELECT g, g FROM generate_series(1, 5000) g");
  const Ran ran = Fill("part", "b = a * 2", {"--workers", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  database_.Sql("INSERT INTO part VALUES (0, 21), (8000, 4)");
  EXPECT_EQ(Number("SELECT count(*) FROM part WHERE b = a * 2"), 5002);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.backfill_relation"), 3);
  ExpectFinishLeavesNothing();
}

// Of what is on another server nobody may say that it is done.
TEST_F(Shapes, AForeignPartitionIsRefused) {
  database_.Sql(
      "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far;"
      "CREATE TABLE part (id int, a int, b int) PARTITION BY RANGE (id);"
      "CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);"
      "CREATE FOREIGN TABLE part_2 PARTITION OF part FOR VALUES FROM (1000) TO (2000) SERVER far;"
      "INSERT INTO part SELECT g, g FROM generate_series(1, 900) g");
  const Ran ran = Fill("part", "b = a * 2");
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("its partition public.part_2 is a foreign table"));
  const Ran update = Run({"run", "--sql", "UPDATE part SET b = a * 2", "--yes"});
  EXPECT_EQ(update.code, 4) << update.err;
  EXPECT_THAT(update.err, HasSubstr("its partition public.part_2 is a foreign table"));
  EXPECT_EQ(Fill("part_1", "b = a * 2").code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM part_1 WHERE b = a * 2"), 900);
}

TEST_F(Shapes, ATableWithoutAKeyIsDone) {
  database_.Sql(
      "CREATE TABLE keyless AS SELECT g % 7 AS a, NULL::int AS b"
      " FROM generate_series(1, 20000) g");
  const Ran ran = Fill("keyless", "b = a * 2", {"--workers", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM keyless WHERE b = a * 2"), 20000);
}

TEST_F(Shapes, AnEmptyTableIsDone) {
  database_.Sql("CREATE TABLE empty (id int PRIMARY KEY, a int, b int)");
  const Ran ran = Fill("empty", "b = a * 2");
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(Shapes, AVolatileValueIsRemarkedAndSetOnce) {
  database_.Sql(
      "CREATE TABLE u (id int PRIMARY KEY, token uuid);"
      "INSERT INTO u SELECT generate_series(1, 3000)");
  const Ran ran = Fill("u", "token = gen_random_uuid()");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("gen_random_uuid"));
  EXPECT_EQ(Number("SELECT count(DISTINCT token) FROM u"), 3000);
}

}  // namespace
}  // namespace pgalter::test
