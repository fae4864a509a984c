// Tables that are parted by several columns, or by expressions: made by others, and looked after
// all the same.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/backfill_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PartitionSeveral : public BackfillWorld {
 protected:
  void MakeRegions() const {
    database_.Sql(
        "CREATE TABLE t (region text NOT NULL, made date NOT NULL, id int NOT NULL, PRIMARY KEY "
        "(id, region, made)) PARTITION BY RANGE (region, made); CREATE INDEX t_made ON t (made);"
        "CREATE TABLE t_eu PARTITION OF t FOR VALUES FROM ('eu', '2026-01-01') TO ('eu', "
        "'2026-02-01'); CREATE TABLE t_default PARTITION OF t DEFAULT; INSERT INTO t SELECT 'eu', "
        "date '2026-01-01' + g, g FROM generate_series(0, 30) g; INSERT INTO t VALUES ('us', "
        "'2026-01-05', 100), ('us', '2026-02-05', 101), ('as', '2026-01-05', 102)");
  }

  Ran Partition(Words words) const {
    words.insert(words.begin(), "partition");
    words.emplace_back("--yes");
    return Run(words);
  }
  void Says(const Words& words, int code, const char* text) const {
    const Ran ran = Partition(words);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  }

  [[nodiscard]] std::string BoundOf(const std::string& partition) const {
    return database_.Value(fmt::format(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '{}'", partition));
  }
  [[nodiscard]] std::string Counts(const std::string& table) const {
    return database_.Value(
        fmt::format("SELECT string_agg(p || ' ' || n, ';' ORDER BY p) FROM (SELECT "
                    "tableoid::regclass::text AS p, count(*) AS n FROM {} GROUP BY 1) s",
                    table));
  }
  void ExpectNothingOfOurs() const {
    EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%pgalter%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  }
};

TEST_F(PartitionSeveral, RangesAreAddedAttachedAndDetached) {
  MakeRegions();
  const Ran added = Partition({"add", "t", "--from", "eu,2026-02-01", "--to", "eu,2026-03-01"});
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(BoundOf("t_peu_2026_02_01"),
            "FOR VALUES FROM ('eu', '2026-02-01') TO ('eu', '2026-03-01')");
  const Ran open =
      Partition({"add", "t", "--from", "MINVALUE,MINVALUE", "--to", "'a, b',MINVALUE"});
  ASSERT_EQ(open.code, 0) << open.err;
  EXPECT_EQ(BoundOf("t_until_a_b"), "FOR VALUES FROM (MINVALUE, MINVALUE) TO ('a, b', MINVALUE)");
  database_.Sql(
      "CREATE TABLE m (region text NOT NULL, made date NOT NULL, id int NOT NULL); INSERT INTO m "
      "SELECT 'eu', date '2026-03-01' + g, g FROM generate_series(0, 20) g");
  const Ran attached =
      Partition({"attach", "m", "--as", "t", "--from", "eu,2026-03-01", "--to", "eu,2026-04-01"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  EXPECT_EQ(Counts("t"), "m 21;t_default 3;t_eu 31");
  ExpectNothingOfOurs();
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Counts("t"), "t_default 3;t_eu 31");
  ExpectNothingOfOurs();
  ASSERT_EQ(Partition({"detach", "t_eu"}).code, 0);
  EXPECT_EQ(Counts("t"), "t_default 3");
  const Ran listed = Run({"partition", "list", "t"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("FROM ('eu', '2026-02-01') TO ('eu', '2026-03-01')"));
}

TEST_F(PartitionSeveral, WhatCannotBeIsRefused) {
  MakeRegions();
  Says({"add", "t", "--from", "eu,2026-01-15", "--to", "eu,2026-03-01"}, 4,
       "t_eu is FOR VALUES FROM ('eu', '2026-01-01') TO ('eu', '2026-02-01') already");
  Says({"add", "t", "--from", "us,2026-01-01", "--to", "us,2026-02-01"}, 4,
       "1 rows of public.t_default belong");
  Says({"add", "t", "--from", "eu,2026-04-01", "--to", "eu,2026-03-01"}, 2, "empty range");
  Says({"add", "t", "--from", "eu", "--to", "eu,2026-03-01"}, 2,
       "--from eu has 1 of the 2 values that public.t is parted by, RANGE (region, made)");
  Says({"add", "t", "--from", "eu,soon", "--to", "eu,2026-03-01"}, 2,
       "\"soon\" is no value of column made");
  Says({"add", "t", "--from", "MINVALUE,2026-01-01", "--to", "eu,2026-03-01"}, 2,
       "behind MINVALUE only the same can stand");
  Says({"add", "t", "--from", "eu,NULL", "--to", "eu,2026-03-01"}, 2, "no range holds NULL");
  Says({"add", "t", "--values", "eu"}, 2, "--from VALUE,VALUE --to VALUE,VALUE");
  database_.Sql(
      "CREATE TABLE m (region text NOT NULL, made date NOT NULL, id int NOT NULL); INSERT INTO m "
      "VALUES ('eu', '2026-03-01', 1), ('us', '2026-03-02', 2)");
  Says({"attach", "m", "--as", "t", "--from", "eu,2026-03-01", "--to", "eu,2026-04-01"}, 4,
       "it has rows that a partition FOR VALUES FROM ('eu', '2026-03-01')");
  Says({"split", "t_eu", "--every", "7 days"}, 2, "--every counts ranges of one column");
  Says({"split", "t_eu", "--at", "eu,2026-03-01"}, 2, "empty range");
  Says({"retain", "t", "--keep", "1 month"}, 2, "not parted by range of one column");
  Says({"maintain", "t"}, 2, "one column");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass"), 2);
  ExpectNothingOfOurs();
}

// What is shown as free is free: a partition of those bounds is made, and then nothing is missing.
TEST_F(PartitionSeveral, GapsAreShownInTheOrderOfTheBounds) {
  MakeRegions();
  database_.Sql(
      "DELETE FROM t_default; CREATE TABLE t_us PARTITION OF t FOR VALUES FROM ('us', MINVALUE) TO "
      "('us', MAXVALUE); "
      "CREATE TABLE t_april PARTITION OF t FOR VALUES FROM ('eu', '2026-04-01') TO ('eu', "
      "'2026-05-01')");
  const Ran listed = Run({"partition", "list", "t"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("between eu,2026-02-01 and eu,2026-04-01 there is no part"));
  EXPECT_THAT(listed.out, HasSubstr("between eu,2026-05-01 and us,MINVALUE there is no partition"));
  EXPECT_THAT(listed.out, HasSubstr("ranges end at us,MAXVALUE: pgalter partition add public.t "
                                    "--from \"us,MAXVALUE\" --to"));
  EXPECT_LT(listed.out.find("public.t_eu "), listed.out.find("public.t_april"));
  EXPECT_LT(listed.out.find("public.t_us "), listed.out.find("public.t_default"));
  const Ran seen = Run({"inspect", "partitions", "t", "--output", "json"});
  EXPECT_THAT(seen.out, HasSubstr(R"("gaps":[{"from":"eu,2026-02-01","to":"eu,2026-04-01"},)"
                                  R"({"from":"eu,2026-05-01","to":"us,MINVALUE"}])"));
  EXPECT_THAT(seen.out, HasSubstr(R"("until":"us,MAXVALUE")"));
  ASSERT_EQ(Partition({"add", "t", "--from", "eu,2026-02-01", "--to", "eu,2026-04-01"}).code, 0);
  ASSERT_EQ(Partition({"add", "t", "--from", "eu,2026-05-01", "--to", "us,MINVALUE"}).code, 0);
  const Ran full = Run({"inspect", "partitions", "t"});
  EXPECT_THAT(full.out, Not(HasSubstr("there is no partition")));
}

// The server's order, not that of the letters; and no gap where no key can be.
TEST_F(PartitionSeveral, OnlyGapsThatAreCertainAreShown) {
  database_.Sql(
      "CREATE TABLE n (a int, b date) PARTITION BY RANGE (a, b); CREATE TABLE n_2 PARTITION OF n "
      "FOR VALUES FROM (2, MINVALUE) TO (2, MAXVALUE); CREATE TABLE n_10 PARTITION OF n FOR VALUES "
      "FROM (10, MINVALUE) TO (MAXVALUE, MAXVALUE); CREATE TABLE n_1 PARTITION OF n FOR VALUES "
      "FROM (-1, '2026-01-01') TO (1, MAXVALUE); CREATE TABLE f (a bool, b int) PARTITION BY RANGE "
      "(a, b); CREATE TABLE f_0 PARTITION OF f FOR VALUES FROM (false, MINVALUE) TO (false, "
      "MAXVALUE); CREATE TABLE f_1 PARTITION OF f FOR VALUES FROM (true, MINVALUE) TO (true, 7); "
      "CREATE TABLE x (a text COLLATE \"C\") PARTITION BY RANGE (lower(a)); CREATE TABLE x_b "
      "PARTITION OF x FOR VALUES FROM ('b') TO ('c'); CREATE TABLE x_d PARTITION OF x FOR VALUES "
      "FROM ('d, e') TO (MAXVALUE); CREATE TABLE x_a PARTITION OF x FOR VALUES FROM ('a') TO "
      "('b')");
  const auto notes = [this](const char* table) {
    const Ran listed = Run({"partition", "list", table});
    EXPECT_EQ(listed.code, 0) << listed.err;
    const std::size_t at = listed.out.find("note: ");
    return at == std::string::npos ? std::string() : listed.out.substr(at);
  };
  EXPECT_EQ(notes("n"), "note: between 2,MAXVALUE and 10,MINVALUE there is no partition\n");
  EXPECT_EQ(notes("f"),
            "note: ranges end at true,7: pgalter partition add public.f --from \"true,7\" --to … "
            "makes the next one\n");
  EXPECT_EQ(notes("x"), "note: between c and 'd, e' there is no partition\n");
}

// Whoever evaluates the key while he keeps everybody out has read rows under the lock.
TEST_F(PartitionSeveral, NothingIsReadUnderTheLock) {
  database_.Sql(
      "CREATE FUNCTION kept(k int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF EXISTS "
      "(SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE l.pid = "
      "pg_backend_pid() AND l.mode = 'AccessExclusiveLock' AND c.relname IN ('m', 't_default')) "
      "THEN RAISE 'read under the lock'; END IF; RETURN k; END $$; CREATE TABLE t (region text NOT "
      "NULL, k int NOT NULL) PARTITION BY RANGE (region, (public.kept(k))); CREATE TABLE t_default "
      "PARTITION OF t DEFAULT; CREATE TABLE m (region text NOT NULL, k int NOT NULL)");
  database_.Sql(
      "INSERT INTO t VALUES ('us', 1); INSERT INTO m SELECT 'eu', g FROM generate_series(1, 9) g");
  // As it is without a proof.
  EXPECT_THROW(database_.Sql("ALTER TABLE t ATTACH PARTITION m FOR VALUES FROM ('eu', 0) TO ('eu', "
                             "10)"),
               SqlError);
  const Ran attached = Partition({"attach", "m", "--as", "t", "--from", "eu,0", "--to", "eu,10"});
  ASSERT_EQ(attached.code, 0) << attached.err;
  const Ran added = Partition({"add", "t", "--from", "eu,10", "--to", "eu,MAXVALUE"});
  ASSERT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(BoundOf("t_peu_10"), "FOR VALUES FROM ('eu', 10) TO ('eu', MAXVALUE)");
  EXPECT_EQ(Counts("t"), "m 9;t_default 1");
  ExpectNothingOfOurs();
}

// As the plan says, and NothingIsReadUnderTheLock has it from the server.
TEST_F(PartitionSeveral, ThePlanKnowsWhatTheChecksProve) {
  MakeRegions();
  database_.Sql(
      "CREATE TABLE m (region text NOT NULL, made date NOT NULL, id int NOT NULL); INSERT INTO m "
      "SELECT 'eu', date '2026-03-01' + g, g FROM generate_series(0, 20) g");
  for (const Words& words :
       {Words{"add", "t", "--from", "eu,2026-02-01", "--to", "eu,2026-03-01"},
        Words{"attach", "m", "--as", "t", "--from", "eu,2026-03-01", "--to", "eu,2026-04-01"}}) {
    SCOPED_TRACE(words.front());
    Words dry = words;
    dry.emplace_back("--dry-run");
    const Ran plan = Partition(dry);
    ASSERT_EQ(plan.code, 0) << plan.err;
    EXPECT_THAT(plan.out, Not(HasSubstr("not known")));
    EXPECT_THAT(plan.out, ::testing::ContainsRegex(
                              "t_default ACCESS EXCLUSIVE: all wait [|] instant [|][^\n]*\n *ALTER "
                              "TABLE public.t ATTACH PARTITION"));
    EXPECT_THAT(plan.out, ::testing::ContainsRegex(
                              "nobody waits [|] scan [|][^\n]*\n *ALTER TABLE public.t_default "
                              "VALIDATE"));
  }
}

TEST_F(PartitionSeveral, ExpressionsHaveBoundsThatAreGiven) {
  database_.Sql(
      "CREATE TABLE e (name text, id int) PARTITION BY LIST (lower(name)); CREATE TABLE e_a "
      "PARTITION OF e FOR VALUES IN ('a'); CREATE TABLE r (at timestamp NOT NULL) PARTITION BY "
      "RANGE (date_trunc('day', at)); CREATE TABLE m (at timestamp NOT NULL); INSERT INTO m VALUES "
      "('2026-01-31 23:00')");
  ASSERT_EQ(Partition({"add", "e", "--values", "b=b,NULL"}).code, 0);
  EXPECT_EQ(BoundOf("e_b"), "FOR VALUES IN ('b', NULL)");
  Says({"add", "e", "--values", "c=c,a"}, 4, "e_a is FOR VALUES IN ('a') already");
  database_.Sql("INSERT INTO e VALUES ('A', 1), ('B', 2), (NULL, 3)");
  const Ran merged = Partition({"merge", "e_a", "e_b"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(Counts("e"), "e_a 3");
  Says({"split", "e_a", "--values", "x=a", "--values", "y=b,NULL"}, 4, "lists of an expression");
  ASSERT_EQ(
      Partition({"attach", "m", "--as", "r", "--from", "2026-01-01", "--to", "2026-02-01"}).code,
      0);
  const Ran cut = Partition({"split", "m", "--at", "2026-01-15"});
  ASSERT_EQ(cut.code, 0) << cut.err;
  EXPECT_EQ(Counts("r"), "r_p2026_01_15 1");
  ExpectNothingOfOurs();
}

TEST_F(PartitionSeveral, ArePartedAnewAndMerged) {
  MakeRegions();
  const Ran split = Partition({"split", "t_eu", "--at", "eu,2026-01-11", "--at", "eu,2026-01-21"});
  ASSERT_EQ(split.code, 0) << split.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.step WHERE id = 'outside-validate'"), 1);
  EXPECT_EQ(Counts("t"), "t_default 3;t_peu_2026_01_01 10;t_peu_2026_01_11 10;t_peu_2026_01_21 11");
  const Ran out =
      Partition({"split", "t_default", "--from", "us,MINVALUE", "--to", "us,2026-02-01"});
  ASSERT_EQ(out.code, 0) << out.err;
  EXPECT_EQ(Counts("t"),
            "t_default 2;t_peu_2026_01_01 10;t_peu_2026_01_11 10;t_peu_2026_01_21 11;t_pus 1");
  Says({"merge", "t_peu_2026_01_01", "t_peu_2026_01_21"}, 2, "only neighbours become one range");
  const Ran merged = Partition(
      {"merge", "t_peu_2026_01_21", "t_peu_2026_01_01", "t_peu_2026_01_11", "--name", "t_eu"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(BoundOf("t_eu"), "FOR VALUES FROM ('eu', '2026-01-01') TO ('eu', '2026-02-01')");
  EXPECT_EQ(Counts("t"), "t_default 2;t_eu 31;t_pus 1");
  const Ran back = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(Counts("t"),
            "t_default 2;t_peu_2026_01_01 10;t_peu_2026_01_11 10;t_peu_2026_01_21 11;t_pus 1");
  ExpectNothingOfOurs();
}

// As texts, 10 stands before 5.
TEST_F(PartitionSeveral, NeighboursAreFoundByTheirEnds) {
  database_.Sql(
      "CREATE TABLE n (a text, k int) PARTITION BY RANGE (a, k); CREATE TABLE n1 PARTITION OF n "
      "FOR "
      "VALUES FROM ('eu', 1) TO ('eu', 5); CREATE TABLE n5 PARTITION OF n FOR VALUES FROM ('eu', "
      "5) "
      "TO ('eu', 10); CREATE TABLE n10 PARTITION OF n FOR VALUES FROM ('eu', 10) TO ('us', "
      "MINVALUE); INSERT INTO n SELECT 'eu', generate_series(1, 20)");
  const Ran merged = Partition({"merge", "n1", "n10", "n5"});
  ASSERT_EQ(merged.code, 0) << merged.err;
  EXPECT_EQ(BoundOf("n1"), "FOR VALUES FROM ('eu', 1) TO ('us', MINVALUE)");
  EXPECT_EQ(Counts("n"), "n1 20");
  ExpectNothingOfOurs();
}

}  // namespace
}  // namespace pgalter::test
