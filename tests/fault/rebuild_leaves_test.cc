// A comparison leaf by leaf: of two trees of partitions with the same bounds.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Ranges of days, each with rows all over the key; one of them parted by hash, and a default one.
constexpr const char* kTree = R"sql(
CREATE FUNCTION plant(name text) RETURNS void LANGUAGE plpgsql AS $$BEGIN
  EXECUTE format('CREATE TABLE %I (id bigint, day int NOT NULL, n int, note text,
    PRIMARY KEY (id, day)) PARTITION BY RANGE (day)', name);
  EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', name || '_rest', name);
  EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (500) TO (600)
    PARTITION BY HASH (id)', name || '_h', name);
  FOR i IN 0..2 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 3, REMAINDER %s)',
                   name || '_h' || i, name || '_h', i);
  END LOOP;
  FOR i IN REVERSE 79..0 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                   name || '_' || i, name, i, i + 1);
  END LOOP;
END$$;
SELECT plant('one');
INSERT INTO one SELECT g, g % 80, g, 'note ' || g FROM generate_series(1, 8000) g;
INSERT INTO one SELECT g, 500 + g % 100, g, 'hash ' || g FROM generate_series(8001, 8900) g;
INSERT INTO one SELECT g, 9000 + g, g, 'rest ' || g FROM generate_series(8901, 9000) g;
ANALYZE one;
)sql";

class Leaves : public RebuildWorld {
 protected:
  void MakePair() {
    database_.Sql(kTree);
    database_.Sql("SELECT plant('two'); INSERT INTO two TABLE one; ANALYZE two");
  }
  [[nodiscard]] Ran Compare() const { return Run({"verify", "one", "two"}); }
  void ExpectFound(const std::string& change, const std::string& what) const {
    SCOPED_TRACE(change);
    database_.Sql(change);
    const Ran ran = Compare();
    EXPECT_EQ(ran.code, 7) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(what));
    database_.Sql("TRUNCATE two; INSERT INTO two TABLE one");
  }
};

TEST_F(Leaves, OneRowWhereverItIs) {
  MakePair();
  const Ran same = Compare();
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  const std::string not_same = "1 rows of public.one are absent or not the same in public.two";
  const std::string surplus = "1 rows of public.two are not in public.one";
  ExpectFound("DELETE FROM two WHERE id = 42", not_same + "; keys 42, 42\n");
  ExpectFound("UPDATE two SET n = NULL WHERE id = 8000", not_same + "; keys 8000, 0\n");
  ExpectFound("UPDATE two SET note = 'Note 7' WHERE id = 7", not_same + "; keys 7, 7\n");
  ExpectFound("INSERT INTO two VALUES (9999, 79)", surplus + "; keys 9999, 79\n");
  ExpectFound("DELETE FROM two WHERE id = 8500", not_same + "; keys 8500, 500\n");
  ExpectFound("INSERT INTO two VALUES (-1, 555)", surplus + "; keys -1, 555\n");
  ExpectFound("DELETE FROM two WHERE id = 9000", not_same + "; keys 9000, 18000\n");
  ExpectFound("INSERT INTO two VALUES (1, 77777)", surplus + "; keys 1, 77777\n");
  ExpectFound("TRUNCATE two_33; DELETE FROM one_33 WHERE id <> 33", not_same + "; keys 33, 33\n");
}

TEST_F(Leaves, RowsThatAreInAnotherOne) {
  MakePair();
  database_.Sql("UPDATE two SET day = 78 WHERE id = 5; UPDATE two SET day = 600 WHERE id = 8501");
  const Ran ran = Compare();
  EXPECT_EQ(ran.code, 7) << ran.err;
  for (const char* key : {"5, 5", "5, 78", "8501, 501", "8501, 600"})
    EXPECT_THAT(ran.out, HasSubstr(key));
}

TEST_F(Leaves, OfTwentyThousandRowsAndMoreEachByItself) {
  MakePair();
  database_.Sql(
      "INSERT INTO one SELECT g, 3, g, 'more' FROM generate_series(100001, 160000) g;"
      "INSERT INTO two SELECT g, 3, g, 'more' FROM generate_series(160000, 100001, -1) g;"
      "INSERT INTO one SELECT g, 4, g, 'more' FROM generate_series(200001, 260000) g;"
      "INSERT INTO two SELECT g, 4, g, 'more' FROM generate_series(200001, 260000) g;"
      "ANALYZE one, two");
  for (const char* workers : {"1", "3"}) {
    const Ran same = Run({"verify", "one", "two", "--workers", workers});
    EXPECT_EQ(same.code, 0) << same.out << same.err;
  }
  database_.Sql(
      "DELETE FROM two WHERE id = 130000; UPDATE two SET n = 0 WHERE id = 230000;"
      "INSERT INTO two VALUES (300000, 4); UPDATE two SET day = 4 WHERE id = 160000");
  const Ran ran = Compare();
  EXPECT_EQ(ran.code, 7) << ran.err;
  for (const char* key : {"130000, 3", "230000, 4", "300000, 4", "160000, 3", "160000, 4"})
    EXPECT_THAT(ran.out, HasSubstr(key));
}

// A function of the user's has come to send rows elsewhere: the bounds are the same, the rows not.
TEST_F(Leaves, WhoseRowsLieNotAsTheBoundsSayAreComparedOtherwise) {
  database_.Sql(
      "CREATE FUNCTION place(int, bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT "
      "$1::bigint';"
      "CREATE OPERATOR CLASS placed FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 2 place(int, "
      "bigint);"
      "CREATE TABLE one (id int PRIMARY KEY, n int) PARTITION BY HASH (id placed);"
      "CREATE TABLE one_0 PARTITION OF one FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
      "CREATE TABLE one_1 PARTITION OF one FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
      "CREATE TABLE two (id int PRIMARY KEY, n int) PARTITION BY HASH (id placed);"
      "CREATE TABLE two_0 PARTITION OF two FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
      "CREATE TABLE two_1 PARTITION OF two FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
      "INSERT INTO one SELECT g, g FROM generate_series(1, 60000) g");
  Session other = database_.Connect();
  other.Exec(
      "CREATE OR REPLACE FUNCTION place(int, bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS "
      "'SELECT $1::bigint + 1'; INSERT INTO two TABLE one; ANALYZE one, two");
  ASSERT_EQ(Number("SELECT count(*) FROM one_0 JOIN two_1 USING (id)"), 30'000);
  const Ran same = Compare();
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  database_.Sql("UPDATE two_0 SET n = 0 WHERE id = 30000; UPDATE two_1 SET n = 0 WHERE id = 30000");
  const Ran ran = Compare();
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("keys 30000\n"), Not(HasSubstr("; 3"))));
}

// When the leaves of the one are read, and not those of the other.
TEST_F(Leaves, OfWhichOneIsAttachedMeanwhile) {
  MakePair();
  database_.Sql(
      "CREATE TABLE late (LIKE two INCLUDING ALL); INSERT INTO late VALUES (77001, 701);"
      "DELETE FROM two_rest; DELETE FROM one_rest");
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE two_40");
  Program comparing = Start({"verify", "one", "two"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
      "'%pg_get_partkeydef%'",
      "t", kLimit);
  database_.Sql(
      "SET lock_timeout = '5s'; ALTER TABLE one ATTACH PARTITION late FOR VALUES FROM (700) TO "
      "(710)");
  holder.Exec("COMMIT");
  const Ran ran = comparing.Wait(kLimit);
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("77001, 701"));
}

// A rebuild of such a tree, with few rows in each statement.
class RebuiltLeaves : public Leaves {
 protected:
  [[nodiscard]] static Words Rebuilding(const Words& more = {}) {
    Words words{"rebuild", "one", "--alter", "ALTER n TYPE bigint", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void KillInTheMidst() {
    database_.Sql(kTree);
    const Ran killed = Run(Rebuilding(), {"PGALTER_FAIL_POINT=leaves-compared",
                                          "PGALTER_LIMITS=compared-kept-every=0"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
  }
  // In the order of the partitions' making the first are compared first.
  void Lose(long id) const {
    database_.Sql(
        fmt::format("DELETE FROM pgalter_{}.one WHERE id = {}", RunId().substr(0, 8), id));
  }
};

TEST_F(RebuiltLeaves, WhatIsNotComparedYetIsComparedAfterAKill) {
  KillInTheMidst();
  Lose(2);  // of the last but two
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("keys 2, 2"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
}

// Nobody but a test changes the copy: it stays as it was compared.
TEST_F(RebuiltLeaves, WhatIsComparedIsNotComparedAgain) {
  KillInTheMidst();
  Lose(79);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

class LeavesKilledAt : public RebuiltLeaves, public ::testing::WithParamInterface<const char*> {};

TEST_P(LeavesKilledAt, ResumeEndsWithEveryRowRight) {
  MakePair();
  const Change change = [](std::mt19937& dice) {
    const long id = std::uniform_int_distribution<long>(1, 9'000)(dice);
    return fmt::format(
        "UPDATE one SET n = n + 1, day = (day + 1) % 600 WHERE id = {0};"
        "INSERT INTO one VALUES ({0} + 100000, {1}, 0) ON CONFLICT DO NOTHING;"
        "DELETE FROM one WHERE id = {0} + 100001",
        id, id % 80);
  };
  database_.Sql(
      "CREATE TABLE mirror (LIKE one INCLUDING ALL); INSERT INTO mirror TABLE one;"
      "CREATE FUNCTION mirrored() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN"
      " IF TG_OP <> 'INSERT' THEN DELETE FROM public.mirror WHERE (id, day) = (old.id, old.day);"
      " END IF;"
      " IF TG_OP <> 'DELETE' THEN INSERT INTO public.mirror VALUES (new.*); RETURN new; END IF;"
      " RETURN old; END$$;"
      "CREATE TRIGGER mirror AFTER INSERT OR UPDATE OR DELETE ON one FOR EACH ROW EXECUTE FUNCTION "
      "mirrored()");
  Rebuilders users(database_.conninfo(), 41, change, "40001");
  const Ran killed = Run(
      Rebuilding({"--workers", "2"}),
      {fmt::format("PGALTER_FAIL_POINT={}", GetParam()), "PGALTER_LIMITS=compared-kept-every=0"});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.AwaitWrites(50);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Number("SELECT count(*) FROM (SELECT id, day, n, note FROM one EXCEPT ALL SELECT id, "
                   "day, n, note FROM mirror) f"),
            0);
  EXPECT_EQ(Number("SELECT count(*) FROM one") - Number("SELECT count(*) FROM mirror"), 0);
  const Ran verified = Run({"verify", RunId()});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
}

INSTANTIATE_TEST_SUITE_P(Points, LeavesKilledAt, ::testing::ValuesIn(kLeafPoints),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace pgalter::test
