// `pgalter verify`: of a rebuild while users write, and of any two tables.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Verified : public RebuildWorld {
 protected:
  [[nodiscard]] std::string Schema() const { return "pgalter_" + RunId().substr(0, 8); }
  void AwaitReady() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue(
        "SELECT count(*) FROM pgalter.run WHERE state = 'waiting' AND progress::text LIKE '%kept "
        "up to date%'",
        "1", kLimit);
  }
};

TEST_F(Verified, ARebuildThatWaitsWhileItsUsersWrite) {
  MakeRebuilt(5'000);
  Rebuilders users(database_.conninfo(), 21);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  for (int i = 0; i < 3; ++i) {
    const Ran same = Run({"verify", RunId()});
    EXPECT_EQ(same.code, 0) << same.out << same.err;
    EXPECT_THAT(same.out, HasSubstr("hold the same rows"));
  }
  users.Stop();
  database_.Sql(
      fmt::format("UPDATE {}.items SET a = a + 1 WHERE id = 4999; DELETE FROM {}.items "
                  "WHERE id = 4998; INSERT INTO {}.items VALUES (9999999, 1)",
                  Schema(), Schema(), Schema()));
  const Ran differs = Run({"verify", RunId()});
  EXPECT_EQ(differs.code, 7) << differs.err;
  EXPECT_THAT(differs.out, HasSubstr("4999"));
  EXPECT_THAT(differs.out, HasSubstr("4998"));
  EXPECT_THAT(differs.out, HasSubstr("9999999"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 6);
}

// Ranges of rows of several sessions, and one that goes on after a kill.
class VerifiedInRanges : public Verified {
 protected:
  // Killed when the first of three ranges or so is compared.
  void KillInTheMidst() {
    MakeRebuilt(50'000);
    const Ran killed = Run({"rebuild", "items", "--yes"}, {"PGALTER_FAIL_POINT=range-compared",
                                                           "PGALTER_LIMITS=compared-kept-every=0"});
    ASSERT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
  }
  void Spoil(int id) const {
    database_.Sql(fmt::format("UPDATE {}.items SET a = a + 1 WHERE id = {}", Schema(), id));
  }
};

TEST_F(VerifiedInRanges, WhatIsNotComparedYetIsComparedAfterAKill) {
  KillInTheMidst();
  Spoil(49'000);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("49000"));
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

// Nobody but a test changes the copy: it stays as it was compared.
TEST_F(VerifiedInRanges, WhatIsComparedIsNotComparedAgain) {
  KillInTheMidst();
  Spoil(7);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(VerifiedInRanges, EachOfSeveralSessionsTellsWhatItFinds) {
  MakeRebuilt(100'000);
  ASSERT_EQ(
      Run({"rebuild", "items", "--workers", "3", "--yes"}, {"PGALTER_FAIL_POINT=index-built:3"})
          .code,
      kKilled);
  AwaitNoRunner();
  Spoil(99'000);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 7) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("99000"));
}

TEST_F(Verified, AgainAndAgainUntilTheCutOver) {
  MakeRebuilt(5'000);
  Rebuilders users(database_.conninfo(), 24);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  Program verifying = Start({"verify", RunId(), "--continuous", "--workers", "2"});
  ASSERT_TRUE(Within(kLimit, [&] {
    return verifying.SoFar().out.find("hold the same rows") != std::string::npos;
  })) << verifying.SoFar().err;
  ASSERT_EQ(Run({"cutover", RunId()}).code, 0);
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  const Ran ended = verifying.Wait(kLimit);
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("hold the same rows"));
  EXPECT_THAT(ended.err, HasSubstr("the tables have changed places"));
  users.Stop();
}

TEST_F(Verified, AgainAndAgainUntilTheyDiffer) {
  MakeRebuilt(5'000);
  Program program = Start(Rebuild({"--cutover", "wait"}));
  AwaitReady();
  Program verifying = Start({"verify", RunId(), "--continuous"});
  AwaitBeats(2);
  database_.Sql(fmt::format("UPDATE {}.items SET a = a + 1 WHERE id = 4999", Schema()));
  const Ran differs = verifying.Wait(kLimit);
  EXPECT_EQ(differs.code, 7) << differs.err;
  EXPECT_THAT(differs.out, HasSubstr("4999"));
  // Nor does the cut-over take them, until they are found the same.
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  const Ran refused = program.Wait(kLimit);
  EXPECT_EQ(refused.code, 7) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("pgalter verify has found rows of public.items"));
  database_.Sql(fmt::format("UPDATE {}.items SET a = a - 1 WHERE id = 4999", Schema()));
  EXPECT_EQ(Run({"verify", RunId()}).code, 0);
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectNew();
  ExpectSame();
}

TEST_F(Verified, AfterTheCutOverAgainstTheOldTable) {
  MakeRebuilt(5'000);
  Rebuilders users(database_.conninfo(), 22, 2, Uses::kAnyKey);
  ASSERT_EQ(Run(Partition()).code, 0);
  for (int i = 0; i < 3; ++i) {
    const Ran same = Run({"verify", RunId()});
    EXPECT_EQ(same.code, 0) << same.out << same.err;
  }
  users.Stop();
  database_.Sql(fmt::format("INSERT INTO {}_old.items VALUES (9999999, 1)", Schema()));
  const Ran differs = Run({"verify", RunId(), "--output", "json"});
  EXPECT_EQ(differs.code, 7) << differs.err;
  EXPECT_THAT(differs.out, HasSubstr("\"kind\":\"absent\""));
  const int valid =
      std::system(fmt::format("'{0}/tests/schemas/validate' '{0}/docs/schemas/verify.json' '{1}'",
                              PGALTER_SOURCE_DIR, File(differs.out))
                      .c_str());
  EXPECT_THAT(WEXITSTATUS(valid), ::testing::AnyOf(0, 77)) << "77: no npm here";
  EXPECT_THAT(differs.out, HasSubstr("[\"9999999\"]"));
  database_.Sql("TRUNCATE items_mid");
  const Ran moved = Run({"verify", RunId()});
  EXPECT_EQ(moved.code, 4) << moved.err;
  EXPECT_THAT(moved.err, HasSubstr("partitions of public.items"));
}

TEST_F(Verified, NotBeforeThereIsSomethingToCompare) {
  MakeRebuilt(2'000);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=copy-committed"}).code, kKilled);
  const Ran early = Run({"verify", RunId()});
  EXPECT_EQ(early.code, 4) << early.err;
  EXPECT_THAT(early.err, HasSubstr("has not copied its table yet"));
}

TEST_F(Verified, TwoTables) {
  database_.Sql(
      "CREATE TABLE one (id int PRIMARY KEY, n numeric, j json); CREATE TABLE \"Two\" (j json, n "
      "numeric, id bigint NOT NULL) PARTITION BY HASH (id); CREATE TABLE two_0 PARTITION OF "
      "\"Two\" FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE two_1 PARTITION OF \"Two\" "
      "FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE INDEX ON \"Two\" (id);"
      "INSERT INTO one SELECT g, g, '{}' FROM generate_series(1, 3000) g;"
      "INSERT INTO \"Two\" SELECT j, n, id FROM one");
  const Ran same = Run({"verify", "one", "\"Two\""});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  database_.Sql("UPDATE \"Two\" SET n = 17.0 WHERE id = 17");
  const Ran differs = Run({"verify", "one", "\"Two\""});
  EXPECT_EQ(differs.code, 7) << differs.err;
  EXPECT_THAT(differs.out, HasSubstr("keys 17\n"));
  database_.Sql("UPDATE \"Two\" SET n = 17 WHERE id = 17; ALTER TABLE one ADD COLUMN more int");
  const Ran wider = Run({"verify", "one", "\"Two\""});
  EXPECT_EQ(wider.code, 7) << wider.err;
  EXPECT_THAT(wider.out, HasSubstr("column more of public.one"));
  EXPECT_THAT(
      wider.out,
      HasSubstr("by the columns of both, public.one and public.\"Two\" hold the same rows"));
  database_.Sql("UPDATE \"Two\" SET n = 5.5 WHERE id = 5");
  const Ran both = Run({"verify", "one", "\"Two\""});
  EXPECT_EQ(both.code, 7) << both.err;
  EXPECT_THAT(both.out, AllOf(HasSubstr("column more of public.one"), HasSubstr("keys 5\n"),
                              Not(HasSubstr("hold the same"))));
  EXPECT_EQ(Run({"verify", "one", "nowhere"}).code, 2);
  database_.Sql(
      "CREATE VIEW seen AS SELECT * FROM one; CREATE MATERIALIZED VIEW kept AS SELECT * FROM one");
  const Ran view = Run({"verify", "one", "seen"});
  EXPECT_EQ(view.code, 4);
  EXPECT_THAT(view.err, HasSubstr("cannot compare public.seen: it is a view"));
  EXPECT_THAT(Run({"verify", "kept", "one"}).err,
              HasSubstr("cannot compare public.kept: it is a materialized view"));
  database_.Sql("CREATE TABLE keyless (id int)");
  EXPECT_EQ(Run({"verify", "keyless", "one"}).code, 4);
}

TEST_F(Verified, RowsThatAreThereTwice) {
  database_.Sql(
      "CREATE TABLE one (id int PRIMARY KEY, n int); CREATE TABLE two (id int, n int);"
      "INSERT INTO one SELECT g, g FROM generate_series(1, 1000) g; INSERT INTO two TABLE one");
  EXPECT_EQ(Run({"verify", "one", "two"}).code, 0);
  database_.Sql("INSERT INTO two SELECT * FROM one WHERE id > 700");
  const Ran twice = Run({"verify", "one", "two"});
  EXPECT_EQ(twice.code, 7) << twice.err;
  EXPECT_THAT(twice.out, HasSubstr("300 rows of public.two are there more than once"));
  EXPECT_THAT(twice.out, HasSubstr("keys 701; 702"));
  EXPECT_THAT(Run({"verify", "one", "two", "--output", "json"}).out,
              HasSubstr("\"kind\":\"twice\""));
}

// Side by side in ranges of the key, and, without an index of the second table, by looking rows up:
// either way every difference is found, at both ends and between.
TEST_F(Verified, EveryDifferenceWhateverTheWay) {
  database_.Sql(
      "CREATE TABLE one (a int, b text, n int, PRIMARY KEY (a, b));"
      "INSERT INTO one SELECT g % 50, md5(g::text), g FROM generate_series(1, 70000) g;"
      "CREATE TABLE two (n int, b text, a bigint) PARTITION BY RANGE (a);"
      "CREATE TABLE two_low PARTITION OF two FOR VALUES FROM (0) TO (20);"
      "CREATE TABLE two_rest PARTITION OF two DEFAULT; INSERT INTO two SELECT n, b, a FROM one;"
      "ALTER TABLE two ADD PRIMARY KEY (a, b); ANALYZE one, two");
  const auto found = [](const Ran& ran) {
    long absent = 0;
    long differing = 0;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const long rows = std::strtol(line.c_str(), nullptr, 10);
      (line.find("are not in") == std::string::npos ? differing : absent) += rows;
    }
    // A row whose new version lies elsewhere is met from either side.
    const bool likely = differing >= 18 && differing < 2 * 18;
    return fmt::format("{} {}", absent, likely ? "18" : std::to_string(differing));
  };
  EXPECT_EQ(Run({"verify", "one", "two"}).code, 0);
  database_.Sql(
      "DELETE FROM two WHERE n % 7001 = 0; UPDATE two SET n = -1 WHERE n % 9001 = 0;"
      "DELETE FROM two WHERE (a, b) = (SELECT a, b FROM two ORDER BY a, b LIMIT 1);"
      "DELETE FROM two WHERE (a, b) = (SELECT a, b FROM two ORDER BY a DESC, b DESC LIMIT 1);"
      "INSERT INTO two VALUES (1, '', -5), (1, 'z', 5000000000), (1, '', 7), (1, '~', 19)");
  const std::string expected = "4 18";
  EXPECT_EQ(found(Run({"verify", "one", "two"})), expected);
  database_.Sql("ALTER TABLE two DROP CONSTRAINT two_pkey");
  EXPECT_EQ(found(Run({"verify", "one", "two"})), expected);
  database_.Sql(
      "ALTER TABLE two ALTER a DROP NOT NULL; CREATE INDEX ON two (a, b); "
      "INSERT INTO two VALUES (1, '', NULL)");
  EXPECT_EQ(found(Run({"verify", "one", "two"})), "5 18");
}

struct Width {
  int columns;
  const char* key;
  const char* of_row;
};

// No row of a query has more than 1664 columns, and a comparison needs those of both tables.
class VerifiedWide : public Verified, public ::testing::WithParamInterface<Width> {
 protected:
  void MakeWide() const {
    std::string columns;
    for (int i = 1; i <= GetParam().columns; ++i) columns += fmt::format(", c{} int", i);
    database_.Sql(
        fmt::format("CREATE TABLE one (id {} PRIMARY KEY{}); INSERT INTO one (id, c1, c{}) SELECT "
                    "{}, g, g FROM "
                    "generate_series(1, 2000) g; ANALYZE one",
                    GetParam().key, columns, GetParam().columns, GetParam().of_row));
  }
};

TEST_P(VerifiedWide, EveryDifferenceAndNoOther) {
  MakeWide();
  database_.Sql(
      "CREATE TABLE two (LIKE one INCLUDING ALL); INSERT INTO two TABLE one ORDER BY c1 DESC;"
      "ANALYZE two");
  const Ran same = Run({"verify", "one", "two"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  database_.Sql(
      fmt::format("UPDATE two SET c{} = -1 WHERE c1 = 700; DELETE FROM two WHERE c1 = 3;"
                  "DELETE FROM one WHERE c1 = 1999; UPDATE one SET c1 = c1 WHERE c1 > 1000",
                  GetParam().columns));
  const Ran differs = Run({"verify", "one", "two"});
  EXPECT_EQ(differs.code, 7) << differs.err;
  for (const char* row : {"c1 = 3", "c1 = 700"})
    EXPECT_THAT(differs.out,
                HasSubstr(database_.Value(fmt::format("SELECT id::text FROM one WHERE {}", row))));
  EXPECT_THAT(differs.out, HasSubstr(database_.Value("SELECT id::text FROM two WHERE c1 = 1999")));
  EXPECT_THAT(differs.out,
              Not(HasSubstr(database_.Value("SELECT id::text FROM one WHERE c1 = 1500"))));
}

TEST_P(VerifiedWide, ARebuildThereAndBack) {
  MakeWide();
  const Ran rebuilt = Run({"rebuild", "one", "--alter", "ALTER c1 TYPE bigint", "--yes"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  database_.Sql("UPDATE one SET c2 = 5 WHERE c1 < 100");
  const Ran verified = Run({"verify", RunId()});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM one WHERE c2 = 5 OR c1 >= 100"), 2000);
}

INSTANTIATE_TEST_SUITE_P(Widths, VerifiedWide,
                         ::testing::Values(Width{560, "uuid", "md5(g::text)::uuid"},
                                           Width{900, "uuid", "md5(g::text)::uuid"},
                                           Width{1590, "uuid", "md5(g::text)::uuid"},
                                           Width{1590, "bigint", "g + 100000"}),
                         [](const auto& param) {
                           return fmt::format("{}{}", param.param.key, param.param.columns);
                         });

// Ranges that end where a sample of blocks says. A sample of more blocks has those of fewer in it.
class VerifiedByASample : public Verified {
 protected:
  static constexpr const char* kSampled =
      "SELECT id FROM one TABLESAMPLE system (40) REPEATABLE (1)";

  // In the order of the key, more than a few ranges; of `two` one partition is empty.
  void MakePair() {
    database_.Sql(
        "CREATE TABLE one (id bigint PRIMARY KEY, made int, n int);"
        "INSERT INTO one SELECT g, g, g FROM generate_series(1, 90000) g;"
        "CREATE TABLE two (id bigint, made int, n int, PRIMARY KEY (id, made)) PARTITION BY RANGE "
        "(made);"
        "CREATE TABLE two_low PARTITION OF two FOR VALUES FROM (0) TO (30000);"
        "CREATE TABLE two_empty PARTITION OF two FOR VALUES FROM (1000000) TO (2000000);"
        "CREATE TABLE two_rest PARTITION OF two DEFAULT;"
        "INSERT INTO two SELECT * FROM one; ANALYZE one, two");
  }
  // That are told to be different, in all.
  static long RowsOf(const Ran& ran) {
    constexpr std::string_view kRows = "\"rows\":";
    long rows = 0;
    for (auto at = ran.out.find(kRows); at != std::string::npos; at = ran.out.find(kRows, at + 1))
      rows += std::strtol(ran.out.c_str() + at + kRows.size(), nullptr, 10);
    return rows;
  }
  [[nodiscard]] Ran Compare() const { return Run({"verify", "one", "two", "--output", "json"}); }
  // Of those that are the same but for one row.
  void ExpectFound(const std::string& sql, const std::string& key) const {
    SCOPED_TRACE(sql);
    database_.Sql(sql);
    const Ran ran = Compare();
    EXPECT_EQ(ran.code, 7) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr(fmt::format("[\"{}\"]", key)));
    EXPECT_EQ(RowsOf(ran), 1) << ran.out;
    database_.Sql("TRUNCATE two; INSERT INTO two SELECT * FROM one");
  }
};

TEST_F(VerifiedByASample, OneRowWhereverItIs) {
  MakePair();
  const Ran same = Compare();
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  ExpectFound("UPDATE two SET n = -1 WHERE id = 1", "1");
  ExpectFound("DELETE FROM two WHERE id = 1", "1");
  ExpectFound("UPDATE two SET n = -1 WHERE id = 44444", "44444");
  ExpectFound("UPDATE two SET n = NULL WHERE id = 90000", "90000");
  ExpectFound("DELETE FROM two WHERE id = 90000", "90000");
  ExpectFound("INSERT INTO two VALUES (0, 0, 0)", "0");
  ExpectFound("INSERT INTO two VALUES (90001, 90001, 0)", "90001");
  ExpectFound("INSERT INTO two VALUES (50000, 1000000, 0)",
              "50000");  // once more, in the empty one
  ExpectFound("INSERT INTO two VALUES (90001, 1000000, 0)", "90001");
  ExpectFound("INSERT INTO two VALUES (-5, -5, 0)", "-5");
}

TEST_F(VerifiedByASample, EachRowThatARangeMayEndAt) {
  MakePair();
  database_.Sql(fmt::format("UPDATE two SET n = -1 WHERE id IN ({})", kSampled));
  const long sampled = Number(fmt::format("SELECT count(*) FROM ({}) s", kSampled));
  ASSERT_GT(sampled, 0);
  const Ran ran = Compare();
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_EQ(RowsOf(ran), sampled) << ran.out;
}

// The sample is read by now, and no range is compared.
TEST_F(VerifiedByASample, WhatChangesBehindTheSample) {
  MakePair();
  database_.Sql(
      "CREATE TABLE two_late (LIKE two INCLUDING ALL); INSERT INTO two_late VALUES (140003, "
      "3000003, 0)");
  Session holder = database_.Connect();
  holder.Exec("BEGIN; LOCK TABLE two");
  Program comparing = Start({"verify", "one", "two", "--output", "json"});
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
      "'LOCK TABLE%'",
      "t", kLimit);
  // Rows at which ranges end are gone, or come again in one table; there are rows behind the last
  // one; and a partition.
  holder.Exec(
      fmt::format("CREATE TEMP TABLE ends AS {}; DELETE FROM one WHERE id IN (SELECT id "
                  "FROM ends); DELETE FROM two WHERE id IN (SELECT id FROM ends)",
                  kSampled));
  const std::string first = holder.Value("SELECT min(id) FROM ends");
  const std::string last = holder.Value("SELECT max(id) FROM ends");
  holder.Exec(fmt::format(
      "INSERT INTO two VALUES ({0}, {0}, {0}); INSERT INTO one VALUES ({1}, {1}, {1});"
      "INSERT INTO one SELECT g, g, g FROM generate_series(90001, 140000) g;"
      "INSERT INTO two SELECT g, g, g FROM generate_series(90001, 140000) g;"
      "INSERT INTO one VALUES (140001, 1, 1); INSERT INTO two VALUES (140002, 5000000, 1);"
      "ALTER TABLE two ATTACH PARTITION two_late FOR VALUES FROM (3000000) TO (4000000);"
      "COMMIT",
      first, last));
  const Ran ran = comparing.Wait(kLimit);
  EXPECT_EQ(ran.code, 7) << ran.err;
  for (const std::string& key :
       {first, last, std::string("140001"), std::string("140002"), std::string("140003")})
    EXPECT_THAT(ran.out, HasSubstr(fmt::format("\"{}\"", key)));
  EXPECT_EQ(RowsOf(ran), 5) << ran.out;
}

}  // namespace
}  // namespace pgalter::test
