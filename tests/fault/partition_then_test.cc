// Parts that are parted again: by copy, by attaching for the ranges to come, and by `maintain` as
// the last one is.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/fault/partition_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class PartitionThen : public Partitioned {
 protected:
  // "RANGE (made)>HASH (id)x2, …": the ways of the partitions of `events`, each once.
  [[nodiscard]] std::string Ways() const {
    return database_.Value(
        "SELECT string_agg(DISTINCT CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) || 'x' "
        "|| (SELECT count(*) FROM pg_inherits WHERE inhparent = c.oid) ELSE 'plain' END, ', ') "
        "FROM "
        "pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = "
        "'events'::regclass");
  }
  [[nodiscard]] long Divided() const {
    return Number(
        "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE "
        "i.inhparent = 'events'::regclass AND c.relkind = 'p'");
  }
  [[nodiscard]] std::string Key() const {
    return database_.Value(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'events'::regclass "
        "AND contype = 'p'");
  }
};

TEST_F(PartitionThen, AnAttachedTablesRangesToComeAndBack) {
  MakeEvents();
  Users users(database_.conninfo(), 41);
  const Ran converted = Run(Convert({"--then", "hash(kind)", "--modulus", "2", "--premake", "2"}));
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Ways(), "HASH (kind)x2, plain");
  EXPECT_EQ(Divided(), 2);
  EXPECT_EQ(Key(), "PRIMARY KEY (id, made, kind)");
  EXPECT_EQ(
      database_.Value("SELECT pg_relation_filenode(inhrelid) FROM pg_inherits WHERE inhparent = "
                      "'events'::regclass AND inhrelid::regclass::text LIKE 'events_until_%'"),
      file_);
  users.ahead = true;
  users.AwaitWrites(300);
  EXPECT_GT(Number("SELECT count(*) FROM events e JOIN pg_class c ON c.oid = e.tableoid WHERE "
                   "c.relname LIKE '%\\_h_'"),
            0);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain("reverted");
  ExpectSame();
}

TEST_F(PartitionThen, AnAbortLeavesNothing) {
  MakeEvents(500);
  ASSERT_EQ(Run(Convert({"--then", "list(kind)", "--values", "low=0,1,2,3,4", "--values",
                         "high=5,6,7,8,9"}),
                {"PGALTER_FAIL_POINT=attached"})
                .code,
            kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  ExpectPlain("aborted");
}

TEST_F(PartitionThen, MaintainMakesMoreOfTheSame) {
  MakeEvents(500);
  ASSERT_EQ(Run(Convert({"--then", "hash(kind)", "--modulus", "3", "--premake", "1"})).code, 0);
  database_.Sql("INSERT INTO events (made, kind) VALUES (now() + interval '20 days', 1)");
  const long before = Divided();
  Users users(database_.conninfo(), 42);
  const Ran ran = Run({"partition", "maintain", "events", "--premake", "6", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_GT(Divided(), before + 3);
  EXPECT_EQ(Ways(), "HASH (kind)x3, plain");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'pgalter%'"), 0);
  // Each leaf has each index, valid, and rows find their place.
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_partition_tree('events') t CROSS JOIN pg_index x WHERE "
             "t.isleaf AND x.indrelid = 'events'::regclass AND NOT EXISTS (SELECT FROM "
             "pg_partition_tree(x.indexrelid) p JOIN pg_index y ON y.indexrelid = p.relid WHERE "
             "y.indrelid = t.relid)"),
      0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_partition_tree('events') t WHERE t.isleaf AND NOT "
                   "EXISTS (SELECT FROM pg_constraint f WHERE f.conrelid = t.relid AND f.contype = "
                   "'f' AND f.convalidated)"),
            0);
  database_.Sql(
      "INSERT INTO events (made, kind) SELECT now() + interval '5 months', g FROM "
      "generate_series(0, 9) g");
  EXPECT_EQ(Number("SELECT count(*) FROM events_default"), 0);
  ExpectSame();
}

// A range is whole before it is attached: no kill leaves one that refuses rows.
TEST_F(PartitionThen, AMaintainThatIsKilledGoesOnOrGoesAway) {
  MakeEvents(500);
  ASSERT_EQ(Run(Convert({"--then", "hash(kind)", "--modulus", "2", "--premake", "1"})).code, 0);
  const Words maintain{"partition", "maintain", "events", "--premake", "3", "--yes"};
  const char* const tables =
      "SELECT count(*) FROM pg_class WHERE relname LIKE 'events\\_%' AND relkind IN ('r', 'p')";
  const long before = Number(tables);
  const char* const torn =
      "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent "
      "= "
      "'events'::regclass AND c.relkind = 'p' AND (SELECT count(*) FROM pg_inherits s WHERE "
      "s.inhparent = c.oid) <> 2";
  Users users(database_.conninfo(), 44);
  for (const char* point : {"ddl-committed", "ddl-committed:3", "ddl-committed:5"}) {
    SCOPED_TRACE(point);
    ASSERT_EQ(Run(maintain, {fmt::format("PGALTER_FAIL_POINT={}", point)}).code, kKilled);
    AwaitNoRunner();
    EXPECT_EQ(Number(torn), 0);
    const Ran aborted = Run({"abort", RunId(), "--yes"});
    EXPECT_EQ(aborted.code, 0) << aborted.err;
    EXPECT_EQ(Number(tables), before);
  }
  ASSERT_EQ(Run(maintain, {"PGALTER_FAIL_POINT=ddl-committed:2"}).code, kKilled);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(Number(torn), 0);
  EXPECT_GE(Divided(), 3);
  EXPECT_EQ(Ways(), "HASH (kind)x2, plain");
}

// What tells partitions apart stands at the end of their names.
TEST_F(PartitionThen, LongNamesStayApart) {
  const std::string name(58, 'x');
  database_.Sql(
      fmt::format("CREATE TABLE {0} (id int, made timestamptz NOT NULL, k int NOT NULL, PRIMARY "
                  "KEY (id)); INSERT INTO {0} VALUES (1, now(), 1)",
                  name));
  for (const char* strategy : {"attach", "copy"}) {
    const Ran ran =
        Run({"partition", "convert", name, "--by", "range(made)", "--every", "1 month", "--premake",
             "3", "--then", "hash(k)", "--modulus", "2", "--strategy", strategy, "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_GE(Number(fmt::format(
                  "SELECT count(*) FROM pg_partition_tree('{}') WHERE isleaf AND level = 2", name)),
              6);
    ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  }
}

TEST_F(PartitionThen, MaintainMovesNoRowsIntoThem) {
  MakeEvents(500);
  ASSERT_EQ(Run(Convert({"--then", "hash(kind)", "--modulus", "2", "--premake", "1"})).code, 0);
  database_.Sql("INSERT INTO events (made, kind) VALUES (now() + interval '4 months', 1)");
  const Ran ran = Run({"partition", "maintain", "events", "--premake", "4", "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("these are to be partitioned themselves"));
  EXPECT_THAT(ran.err, HasSubstr("1 of the 7 ranges that are due"));
  EXPECT_EQ(Divided(), 1 + 6);
}

struct ThenCase {
  const char* name;
  Words by;
  const char* ways;
  const char* key;
};
class PartitionThenCopied : public PartitionThen, public ::testing::WithParamInterface<ThenCase> {};

TEST_P(PartitionThenCopied, UnderItsUsersAndBack) {
  MakeEvents(3000);
  Users users(database_.conninfo(), 43);
  Words words{"partition", "convert", "events", "--yes", "--strategy", "copy"};
  words.insert(words.end(), GetParam().by.begin(), GetParam().by.end());
  const Ran converted = Run(words);
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_EQ(Ways(), GetParam().ways);
  EXPECT_EQ(Key(), GetParam().key);
  users.ahead = true;
  users.AwaitWrites(200);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  EXPECT_EQ(database_.Value("SELECT relkind::text FROM pg_class WHERE oid = 'events'::regclass"),
            "r");
}

INSTANTIATE_TEST_SUITE_P(
    Divisions, PartitionThenCopied,
    ::testing::Values(ThenCase{"RangeHash",
                               {"--by", "range(made)", "--every", "1 year", "--premake", "1",
                                "--then", "hash(id)", "--modulus", "2"},
                               "HASH (id)x2, plain",
                               "PRIMARY KEY (id, made)"},
                      ThenCase{"HashList",
                               {"--by", "hash(id)", "--modulus", "2", "--then", "list(kind)",
                                "--values", "low=0,1,2,3,4", "--values", "high=5,6,7,8,9"},
                               "LIST (kind)x2",
                               "PRIMARY KEY (id, kind)"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(PartitionThen, RefusesWhatItDoesNotDo) {
  MakeEvents(10);
  const auto says = [&](const Words& more, int code, const char* text) {
    const Ran ran = Run(Convert(more));
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(text));
  };
  says({"--then", "range(id)"}, 2, "is not done");
  says({"--then", "hash(kind)", "--dry-run"}, 0, "without --modulus: each part into 4");
  says({"--then", "list(kind)"}, 2, "--values is missing");
  says({"--then", "hash(none)", "--modulus", "2"}, 2, "has no column");
  says({"--then", "hash(note)", "--modulus", "2"}, 4, "may be NULL");
  says({"--then", "hash(kind)", "--modulus", "0"}, 2, "out of range");
  says({"--modulus", "2"}, 2, "--modulus is for another --by");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

}  // namespace
}  // namespace pgalter::test
