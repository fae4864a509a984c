// Values as they are written in options: quoted as in SQL, by all verbs, with NULL among them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionValues : public BackfillWorld {
 protected:
  Ran Partition(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }

  // "l_eu 'de', NULL;…", in the order of their names.
  [[nodiscard]] std::string Bounds(const std::string& table) const {
    return database_.Value(fmt::format(
        "SELECT string_agg(c.relname || ' ' || regexp_replace(pg_get_expr(c.relpartbound, c.oid), "
        "'FOR VALUES IN \\((.*)\\)$', '\\1'), ';' ORDER BY c.relname) FROM pg_inherits i JOIN "
        "pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{}'::regclass",
        table));
  }
  [[nodiscard]] std::string Rows(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT string_agg(p || ' ' || n, ';' ORDER BY p) FROM (SELECT "
                    "tableoid::regclass::text AS p, count(*) AS n FROM {} GROUP BY 1) s",
                    table));
  }
  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_%'"), 0);
  }
};

TEST_F(PartitionValues, ANullOfAListHasAPlace) {
  database_.Sql(
      "CREATE TABLE l (c text, id int) PARTITION BY LIST (c); CREATE TABLE l_rest PARTITION OF l "
      "DEFAULT; CREATE UNIQUE INDEX l_key ON l (id, c)");
  ASSERT_EQ(Partition({"add", "l", "--values", "n=NULL,none"}).code, 0);
  const Ran word = Partition({"add", "l", "--values", "w='null','NULL'"});
  ASSERT_EQ(word.code, 0) << word.err;
  EXPECT_EQ(Bounds("l"), "l_n NULL, 'none';l_rest DEFAULT;l_w 'null', 'NULL'");
  const Ran unclear = Partition({"add", "l", "--values", "x=null"});
  EXPECT_EQ(unclear.code, 2);
  EXPECT_THAT(unclear.err, HasSubstr("is null no value, or a text?"));
  const Ran again = Partition({"add", "l", "--values", "x=y,NULL"});
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr("l_n is FOR VALUES IN (NULL, 'none') already"));
  EXPECT_EQ(Partition({"add", "l", "--values", "x=y,y"}).code, 2);
  ExpectNothingOfOurs();
}

// A column that may be NULL is in no key: rows are moved while users wait.
TEST_F(PartitionValues, NullIsSplitOffMergedAndLeavesTheDefaultPartition) {
  database_.Sql(
      "CREATE TABLE l (c text, id int) PARTITION BY LIST (c); CREATE TABLE l_a PARTITION OF l FOR "
      "VALUES IN ('a, b', NULL, 'o''clock'); CREATE TABLE l_rest PARTITION OF l DEFAULT; INSERT "
      "INTO l VALUES ('a, b', 1), (NULL, 2), (NULL, 3), ('o''clock', 4), ('x', 5)");
  const Ran uncovered =
      Partition({"split", "l_a", "--values", "n='a, b'", "--values", "m=o'clock"});
  EXPECT_EQ(uncovered.code, 2);
  EXPECT_THAT(uncovered.err, HasSubstr("no --values has NULL, which public.l_a holds"));
  const Ran more =
      Partition({"split", "l_a", "--values", "n='a, b',NULL,y", "--values", "m=o'clock"});
  EXPECT_EQ(more.code, 2);
  EXPECT_THAT(more.err, HasSubstr("public.l_a holds no 'y'"));
  const Ran split =
      Partition({"split", "l_a", "--values", "n='a, b'", "--values", "m='o''clock',NULL"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Bounds("l"), "l_m 'o''clock', NULL;l_n 'a, b';l_rest DEFAULT");
  EXPECT_EQ(Rows("l"), "l_m 3;l_n 1;l_rest 1");
  const Ran merged = Partition({"merge", "l_m", "l_n", "--name", "l_all"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Rows("l"), "l_all 4;l_rest 1");
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Rows("l"), "l_m 3;l_n 1;l_rest 1");
  // What has no partition is in the default one, with NULL.
  database_.Sql("DROP TABLE l_m; INSERT INTO l VALUES (NULL, 6), ('z', 7)");
  const Ran out = Partition({"split", "l_rest", "--values", "null=NULL"});
  ASSERT_EQ(out.code, 0) << out.err;
  EXPECT_EQ(Rows("l"), "l_n 1;l_null 1;l_rest 2");
  ExpectNothingOfOurs();
}

struct BlindText {
  const char* name;
  const char* columns;
};

class PartitionBlindValues : public PartitionValues,
                             public ::testing::WithParamInterface<BlindText> {};

// By the operators of text, 'de' would be another value than 'De'.
TEST_P(PartitionBlindValues, OfAListAreSplitAsTheServerComparesThem) {
  if (Number("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") == 0)
    GTEST_SKIP() << "this server has no citext";
  database_.Sql(
      fmt::format("CREATE EXTENSION citext; CREATE COLLATION blind (provider = icu, locale = "
                  "'und-u-ks-level2', deterministic = false); CREATE TABLE l ({}) PARTITION BY "
                  "LIST (c); CREATE TABLE l_a PARTITION OF l FOR VALUES IN ('De', 'Fr'); "
                  "INSERT INTO l VALUES ('DE', 1), ('fr', 2), ('De', 3)",
                  GetParam().columns));
  const Ran uncovered = Partition({"split", "l_a", "--values", "x=de"});
  EXPECT_EQ(uncovered.code, 2);
  EXPECT_THAT(uncovered.err, HasSubstr("no --values has 'Fr', which public.l_a holds"));
  const Ran more = Partition({"split", "l_a", "--values", "x=de", "--values", "y=fr,It"});
  EXPECT_EQ(more.code, 2);
  EXPECT_THAT(more.err, HasSubstr("public.l_a holds no 'It'"));
  const Ran split = Partition({"split", "l_a", "--values", "x=de", "--values", "y=fr"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Bounds("l"), "l_x 'de';l_y 'fr'");
  EXPECT_EQ(Rows("l"), "l_x 2;l_y 1");
  ExpectNothingOfOurs();
}

INSTANTIATE_TEST_SUITE_P(Types, PartitionBlindValues,
                         ::testing::Values(BlindText{"Citext",
                                                     "c citext, id int, PRIMARY KEY (c, id)"},
                                           BlindText{"Collation", "c text COLLATE blind, id int"}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_F(PartitionValues, OfListsOfNumbersAreSplitAndAdded) {
  database_.Sql(
      "CREATE TABLE l (c bigint, id int) PARTITION BY LIST (c); CREATE TABLE l_a PARTITION OF l "
      "FOR VALUES IN (-1, 2, NULL)");
  const Ran again = Partition({"add", "l", "--values", "x=3,-1"});
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr("l_a is FOR VALUES IN ('-1', '2', NULL) already"));
  ASSERT_EQ(Partition({"add", "l", "--values", "x=3"}).code, 0);
  const Ran uncovered = Partition({"split", "l_a", "--values", "n=NULL,02"});
  EXPECT_EQ(uncovered.code, 2);
  EXPECT_THAT(uncovered.err, HasSubstr("no --values has '-1', which public.l_a holds"));
  const Ran split = Partition({"split", "l_a", "--values", "n=NULL,02", "--values", "m=-1"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Bounds("l"), "l_m '-1';l_n NULL, '2';l_x '3'");
}

// All rows but those of NULL are in the range.
TEST_F(PartitionValues, ARangeWithoutEndsIsSplitBesideADefaultPartition) {
  database_.Sql(
      "CREATE TABLE t (\"The Key\" int, id int) PARTITION BY RANGE (\"The Key\"); CREATE TABLE "
      "t_all "
      "PARTITION OF t FOR VALUES FROM (MINVALUE) TO (MAXVALUE); CREATE TABLE t_rest PARTITION OF t "
      "DEFAULT; INSERT INTO t SELECT g, g FROM generate_series(1, 9) g; INSERT INTO t VALUES "
      "(NULL, "
      "0)");
  const Ran split = Partition({"split", "t_all", "--at", "5"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Rows("t"), "t_p5 5;t_rest 1;t_until_5 4");
  ExpectNothingOfOurs();
}

// The CHECKs say to the server what it would read under the lock, of lists with NULL, too.
TEST_F(PartitionValues, AttachProvesAListWithNull) {
  database_.Sql(
      "CREATE TABLE l (c text, id int) PARTITION BY LIST (c); CREATE TABLE l_rest PARTITION OF l "
      "DEFAULT; CREATE TABLE m (c text, id int); INSERT INTO m VALUES (NULL, 1), ('a', 2)");
  const Ran misfit = Partition({"attach", "m", "--as", "l", "--values", "NULL,b"});
  EXPECT_EQ(misfit.code, 4);
  EXPECT_THAT(misfit.err, HasSubstr("it has rows that a partition FOR VALUES IN (NULL, 'b')"));
  const Ran dry = Run({"partition", "attach", "m", "--as", "l", "--values", "NULL,a", "--dry-run"});
  EXPECT_THAT(dry.out, HasSubstr("CHECK (c IS NULL OR c = 'a') NOT VALID"));
  EXPECT_THAT(dry.out, HasSubstr("CHECK (c IS NOT NULL AND c <> 'a') NOT VALID"));
  ASSERT_EQ(Partition({"attach", "m", "--as", "l", "--values", "NULL,a"}).code, 0);
  EXPECT_EQ(Bounds("l"), "l_rest DEFAULT;m NULL, 'a'");
  EXPECT_EQ(Rows("l"), "m 2");
  ExpectNothingOfOurs();
}

TEST_F(PartitionValues, AreConvertedByListsAndRanges) {
  database_.Sql(
      "CREATE TABLE l (id int NOT NULL UNIQUE, c text); INSERT INTO l VALUES (1, 'a,b'), (2, "
      "'o''clock'), (3, NULL), (4, ' x '), (5, '')");
  const Ran lists = Partition({"convert", "l", "--by", "list(c)", "--values", "one='a,b',NULL",
                               "--values", "two=o'clock,''", "--values", "three=' x '", "--default",
                               "no", "--allow-weaker-keys", "--dry-run"});
  EXPECT_THAT(lists.err + lists.out, HasSubstr("FOR VALUES IN ('a,b', NULL)"));
  EXPECT_THAT(lists.err + lists.out, HasSubstr("FOR VALUES IN ('o''clock', '')"));
  EXPECT_THAT(lists.err + lists.out, HasSubstr("FOR VALUES IN (' x ')"));
  database_.Sql(
      "CREATE TABLE r (id int PRIMARY KEY, c text NOT NULL); INSERT INTO r VALUES (1, 'a,a'), (2, "
      "'b'), (3, 'maxvalue')");
  const Ran null = Partition({"convert", "r", "--by", "range(c)", "--values", "a,NULL"});
  EXPECT_EQ(null.code, 2);
  EXPECT_THAT(null.err, HasSubstr("no range holds NULL"));
  const Ran ranges = Partition(
      {"convert", "r", "--by", "range(c)", "--values", "'a,b','b'''", "--values", "'maxvalue'"});
  ASSERT_EQ(ranges.code, 0) << ranges.err;
  EXPECT_EQ(Rows("r"), "r_pa_b 1;r_pmaxvalue 1;r_until_a_b 1");
}

TEST_F(PartitionValues, OfRangesAreQuotedToo) {
  database_.Sql("CREATE TABLE t (k text COLLATE \"C\") PARTITION BY RANGE (k)");
  ASSERT_EQ(Partition({"add", "t", "--from", "'a, b'", "--to", "'m''s'"}).code, 0);
  EXPECT_EQ(Bounds("t"), "t_pa_b FOR VALUES FROM ('a, b') TO ('m''s')");
  const Ran several = Partition({"add", "t", "--from", "n,o", "--to", "p"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err,
              HasSubstr("--from n,o has 2 values, and public.t is parted by one column, k"));
  const Ran null = Partition({"add", "t", "--from", "NULL", "--to", "p"});
  EXPECT_EQ(null.code, 2);
  EXPECT_THAT(null.err, HasSubstr("no range holds NULL"));
  // A word in quotes is a value.
  ASSERT_EQ(Partition({"add", "t", "--from", "'MAXVALUE'", "--to", "a", "--name", "z"}).code, 0);
  EXPECT_EQ(Bounds("t"),
            "t_pa_b FOR VALUES FROM ('a, b') TO ('m''s');z FOR VALUES FROM ('MAXVALUE') TO ('a')");
  database_.Sql("DROP TABLE z; INSERT INTO t SELECT 'b' FROM generate_series(1, 3)");
  ASSERT_EQ(Partition({"split", "t_pa_b", "--at", "'b,c'"}).code, 0);
  EXPECT_EQ(
      Bounds("t"),
      "t_pa_b FOR VALUES FROM ('a, b') TO ('b,c');t_pb_c FOR VALUES FROM ('b,c') TO ('m''s')");
  EXPECT_EQ(Rows("t"), "t_pa_b 3");
}

TEST_F(PartitionValues, ATypeOfTheNameOfAPartitionIsNamedBeforeTheCopy) {
  database_.Sql(
      "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL); INSERT INTO t SELECT g, g FROM "
      "generate_series(0, 99) g; CREATE TYPE t_p50 AS ENUM ('x')");
  const Words convert{"convert", "t", "--by", "range(k)", "--values", "50", "--strategy", "copy"};
  const Ran taken = Partition(convert);
  EXPECT_EQ(taken.code, 4) << taken.err;
  EXPECT_THAT(taken.err, HasSubstr("type public.t_p50 stands where"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  database_.Sql("ALTER TYPE t_p50 RENAME TO other");
  const Ran converted = Partition(convert);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Rows("t"), "t_p50 50;t_until_50 50");
}

// The condition of a partition of a partition has the bounds above it, too.
TEST_F(PartitionValues, OfPartsOfPartsAreComparedAlone) {
  database_.Sql(
      "CREATE TABLE t (k int, c text) PARTITION BY RANGE (k); CREATE TABLE t_p0 PARTITION OF t FOR "
      "VALUES FROM (0) TO (10) PARTITION BY LIST (c); CREATE TABLE t_p0_a PARTITION OF t_p0 FOR "
      "VALUES IN ('a', NULL)");
  ASSERT_EQ(Partition({"add", "t_p0", "--values", "b=b"}).code, 0);
  EXPECT_EQ(Bounds("t_p0"), "t_p0_a 'a', NULL;t_p0_b 'b'");
  const Ran again = Partition({"add", "t_p0", "--values", "x=x,NULL"});
  EXPECT_EQ(again.code, 4);
  EXPECT_THAT(again.err, HasSubstr("t_p0_a is FOR VALUES IN ('a', NULL) already"));
}

// A name is one that the server takes as it is, whatever the value.
TEST_F(PartitionValues, NamesOfThemAreShortAndTellThemApart) {
  database_.Sql("CREATE TABLE l (c text) PARTITION BY LIST (c)");
  const auto added = [&](const std::string& values, const std::string& name) {
    const Ran ran = Partition({"add", "l", "--values", values});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM pg_class WHERE relname = '{}'", name)), 1)
        << name;
  };
  added("'a, b'", "l_pa_b");
  added("NULL", "l_null");
  added("''", "l_p");
  added("'NULL'", "l_pnull");
  added("'Größe \"x\"'", "l_pgröße_x");
  added(std::string(100, 'x'), "l_p" + std::string(40, 'x'));
  added("long" + std::string(44, 'y') + "=y", "l_long" + std::string(44, 'y'));
  const Ran longer = Partition({"add", "l", "--values", std::string(70, 'n') + "=z"});
  EXPECT_EQ(longer.code, 2);
  EXPECT_THAT(longer.err, HasSubstr("the name has 70 bytes"));
  const Ran name = Partition({"add", "l", "--values", "z", "--name", std::string(64, 'n')});
  EXPECT_EQ(name.code, 2);
  EXPECT_THAT(name.err, HasSubstr("has 64 bytes, and the server keeps 63"));
}

}  // namespace
}  // namespace pgalter::test
