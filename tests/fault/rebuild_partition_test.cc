// A plain table becomes a partitioned one under its users, who move rows from partition to
// partition all the time.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string NameOf(const char* point) {
  std::string name = point;
  for (char& c : name)
    if (c == '-' || c == ':') c = '_';
  return name;
}

class Partitioned : public RebuildWorld {
 protected:
  void MakePartitionable(int rows = 20'000) {
    MakeRebuilt(rows);
    // What the new table does not promise any more, the users' own books do.
    database_.Sql("CREATE UNIQUE INDEX ON mirror (u)");
  }

  void AwaitWaiting() const {
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE state = 'waiting'", "1", kLimit);
  }

  // Killed at the point, then `meanwhile` happens, then it goes on.
  Ran GoOn(const std::string& point, const std::string& meanwhile) {
    const Ran killed = Run(Partition(), {"PGALTER_FAIL_POINT=" + point});
    EXPECT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    database_.Sql(meanwhile);
    return Run({"resume", RunId()});
  }

  void ExpectOld() const {
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items'::regclass"), "r");
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'items\\_low%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }

  [[nodiscard]] bool HasUndoneRun() const {
    if (database_.Value("SELECT to_regclass('pgalter.run') IS NULL") == "t") return false;
    return Number("SELECT count(*) FROM pgalter.run WHERE state <> 'reverted'") > 0;
  }
};

TEST_F(Partitioned, UnderItsUsers) {
  MakePartitionable();
  Rebuilders users(database_.conninfo(), 5, 2, Uses::kAnyKey);
  const Ran ran = Run(Partition({"--workers", "2"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("that no two rows have the same (id) is not kept"));
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectPartitioned();
  ExpectNothingLeft();
}

TEST_F(Partitioned, WeakerKeysNeedConsent) {
  MakePartitionable(100);
  Words words = Partition();
  std::erase(words, "--allow-weaker-keys");
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the same (id) is not kept"));
  EXPECT_THAT(ran.err, HasSubstr("the same (u) is not kept"));
  EXPECT_THAT(ran.err, HasSubstr("--allow-weaker-keys"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

TEST_F(Partitioned, RowsThatMoveWhileTheyAreCopiedAreThereOnce) {
  MakePartitionable();
  const Ran ran = GoOn("copy-committed:2",
                       "UPDATE items SET a = (a + 500) % 1000, pad = repeat('q', 200) WHERE id <= "
                       "15000");
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  ExpectPartitioned();
}

TEST_F(Partitioned, RowsThatMoveAfterTheCopyLeaveTheirPartition) {
  MakePartitionable();
  const Ran ran = GoOn("index-built:4",
                       "UPDATE items SET a = (a + 500) % 1000 WHERE id % 3 = 0; DELETE FROM items "
                       "WHERE id % 7 = 0; UPDATE items SET id = id + 1000000 WHERE id % 11 = 0");
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  ExpectPartitioned();
}

TEST_F(Partitioned, ATruncateEmptiesAllPartitions) {
  MakePartitionable();
  const Ran ran = GoOn("index-built:6",
                       "TRUNCATE items; INSERT INTO items SELECT g, g * 20, g FROM "
                       "generate_series(5, 50) g");
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 46);
}

// What nobody uses yet is locked and put where it belongs before users are kept waiting.
TEST_F(Partitioned, ItsPartitionsAreInPlaceBeforeUsersWait) {
  MakePartitionable(500);
  Program program = Start(Partition({"--cutover", "wait"}));
  AwaitWaiting();
  Session reader = database_.Connect();
  reader.Exec("BEGIN; SELECT count(*) FROM items");
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  const std::string ours =
      "FROM pg_locks u JOIN pg_locks p USING (pid) JOIN pg_class c ON c.oid = "
      "p.relation WHERE u.relation = 'items'::regclass AND NOT u.granted "
      "AND p.granted AND c.relname = 'items_low' AND "
      "p.mode = 'AccessExclusiveLock' AND u.mode = p.mode";
  database_.AwaitValue("SELECT count(*) > 0 " + ours, "t", kLimit);
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  ExpectPartitioned();
}

// Where somebody looks at one of them, the one who does is named, as of users' tables.
TEST_F(Partitioned, WhoeverHasALockOnAPartitionToBeIsNamed) {
  MakePartitionable(500);
  Program program = Start(Partition({"--cutover", "wait"}));
  AwaitWaiting();
  Session reader = database_.Connect();
  reader.Exec("SET application_name = 'curious'; BEGIN; LOCK TABLE pgalter_" +
              RunId().substr(0, 8) + ".items_low IN ACCESS SHARE MODE");
  EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%curious%'",
                       "1", kLimit);
  reader.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  ExpectPartitioned();
}

// A name that is taken by an index of the table that leaves is free once that has left.
TEST_F(Partitioned, APartitionMayBeCalledAsAnIndexOfTheOldTable) {
  MakePartitionable(500);
  database_.Sql("CREATE INDEX items_low ON items (pad)");
  const Ran ran = Run(Partition());
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items_low'::regclass"), "r");
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  ExpectSame();
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items_low'::regclass"), "i");
}

// Tables bear their row types along, and the types of arrays of these.
class TypeInTheWay : public Partitioned, public ::testing::WithParamInterface<const char*> {};

TEST_P(TypeInTheWay, OfAPartitionIsNamedBeforeTheCopy) {
  MakePartitionable(200);
  database_.Sql(fmt::format("CREATE TYPE {} AS ENUM ('x')", GetParam()));
  for (const Words& how : {Words{"--dry-run"}, Words{}}) {
    const Ran ran = Run(Partition(how));
    EXPECT_EQ(ran.code, 4) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(fmt::format("type public.{} stands where", GetParam())));
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  database_.Sql(fmt::format("DROP TYPE {}", GetParam()));
  const Ran ran = Run(Partition());
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectPartitioned();
}

TEST_P(TypeInTheWay, OfAPartitionIsNamedBeforeTheSwap) {
  MakePartitionable(500);
  const Ran stopped = GoOn("drained", fmt::format("CREATE TYPE {} AS ENUM ('x')", GetParam()));
  EXPECT_EQ(stopped.code, 4) << stopped.err;
  EXPECT_THAT(stopped.err, AllOf(HasSubstr(fmt::format("type public.{} stands where", GetParam())),
                                 HasSubstr("pgalter resume")));
  database_.Sql(fmt::format("DROP TYPE {}", GetParam()));
  ResumeToTheEnd();
  ExpectSame();
  ExpectPartitioned();
}

INSTANTIATE_TEST_SUITE_P(Names, TypeInTheWay, ::testing::Values("items_low", "_items_low"),
                         [](const auto& name) {
                           return std::string(*name.param == '_' ? "OfItsArrays" : "OfItsRows");
                         });

// Of the arrays of a table that leaves, and so free once that has left.
TEST_F(Partitioned, APartitionMayBeCalledAsTheArraysOfTheOldTable) {
  MakePartitionable(500);
  const std::string file = File(
      "CREATE TABLE items (id bigint, a int NOT NULL, u int, pad text, big text, PRIMARY KEY (id, "
      "a)) PARTITION BY RANGE (a); CREATE TABLE _items PARTITION OF items DEFAULT");
  const Ran ran = Run({"rebuild", "items", "--definition", file, "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM _items"), 500);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
}

TEST_F(Partitioned, APartitionIsNotCalledAsTheArraysOfAnotherTable) {
  MakePartitionable(100);
  database_.Sql("CREATE TABLE \"Seen\" (id int)");
  const std::string file = File(
      "CREATE TABLE items (id bigint, a int NOT NULL, u int, pad text, big text, PRIMARY KEY (id, "
      "a)) PARTITION BY RANGE (a); CREATE TABLE \"_Seen\" PARTITION OF items DEFAULT");
  const Ran ran = Run({"rebuild", "items", "--definition", file, "--allow-weaker-keys", "--yes"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err,
              HasSubstr("type public.\"_Seen\", of arrays of public.\"Seen\", stands where"));
}

struct Before {
  const char* name;
  const char* sql;
};

class ArraysThatGaveWay : public Partitioned, public ::testing::WithParamInterface<Before> {};

// Those of the old table have another name, and those of the new one that.
TEST_P(ArraysThatGaveWay, ToATypeNameIt) {
  database_.Sql(GetParam().sql);
  MakePartitionable(100);
  const Ran ran = Run(Rebuild());
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("type public._items stands where"));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
}

INSTANTIATE_TEST_SUITE_P(To, ArraysThatGaveWay,
                         ::testing::Values(Before{"AType", "CREATE TYPE _items AS ENUM ('x')"},
                                           Before{"ATable", "CREATE TABLE _items (id int)"}),
                         [](const auto& before) { return std::string(before.param.name); });

constexpr const char* kWithoutRest =
    "CREATE TABLE items (id bigint, a int NOT NULL, u int, pad text, big text, PRIMARY KEY (id, a))"
    " PARTITION BY RANGE (a); CREATE TABLE items_all PARTITION OF items FOR VALUES FROM (0) TO "
    "(1000)";

TEST_F(Partitioned, ARowThatFitsNoPartitionIsNamedBeforeTheSwap) {
  MakePartitionable(5'000);
  database_.Sql("UPDATE items SET a = 5000 WHERE id = 4321");
  const Ran ran =
      Run({"rebuild", "items", "--definition", File(kWithoutRest), "--allow-weaker-keys", "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the row (id, a) = (4321, 5000) of public.items"));
  EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items'::regclass"), "r");
  ExpectSame();
  database_.Sql("UPDATE items SET a = 7 WHERE id = 4321");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM items_all"), 5'000);
}

TEST_F(Partitioned, ARowThatComesLaterAndFitsNoPartitionIsNamedToo) {
  MakePartitionable(5'000);
  const Ran killed =
      Run({"rebuild", "items", "--definition", File(kWithoutRest), "--allow-weaker-keys", "--yes"},
          {"PGALTER_FAIL_POINT=index-built"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  database_.Sql(
      "UPDATE items SET a = a + 1 WHERE id <= 3000 AND a < 900; UPDATE items SET a = -1 WHERE id = "
      "77");
  const Ran ran = Run({"resume", RunId()});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("the row (id, a) = (77, -1) of public.items"));
  ExpectSame();
  database_.Sql("DELETE FROM items WHERE id = 77");
  const Ran resumed = Run({"resume", RunId()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  ExpectSame();
}

TEST_F(Partitioned, RevertedWithWhatUsersWroteSince) {
  MakePartitionable();
  Rebuilders users(database_.conninfo(), 31, 2, Uses::kAnyKey);
  const Ran rebuilt = Run(Partition());
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  ExpectPartitioned();
  users.AwaitWrites(300);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectOld();
}

// What fires no trigger, ours or the mirror's: the mirror is told by hand.
constexpr const char* kPartsChange =
    "TRUNCATE items_mid; DELETE FROM mirror WHERE a >= 10 AND a < 300;"
    "INSERT INTO items VALUES (5000001, 20, 5000001);"
    "ALTER TABLE items DETACH PARTITION items_high; DELETE FROM mirror WHERE a >= 300 AND a < 700;"
    "CREATE TABLE brought (LIKE items INCLUDING ALL);"
    "INSERT INTO brought SELECT g, 350, g FROM generate_series(6000001, 6000010) g;"
    "INSERT INTO mirror SELECT * FROM brought;"
    "ALTER TABLE items ATTACH PARTITION brought FOR VALUES FROM (300) TO (700);"
    "UPDATE items SET a = 351 WHERE id = 6000003";

TEST_F(Partitioned, RevertedAfterPartitionsCameAndWent) {
  MakePartitionable();
  ASSERT_EQ(Run(Partition()).code, 0);
  database_.Sql(kPartsChange);
  database_.Sql("VACUUM FULL items_low");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a BETWEEN 10 AND 699"), 11);
}
TEST_F(Partitioned, WithoutTheListOfPartsRowsAreLost) {
  MakePartitionable();
  ASSERT_EQ(Run(Partition()).code, 0);
  database_.Sql(
      "CREATE TABLE brought (LIKE items INCLUDING ALL); INSERT INTO brought VALUES (6000001, 350); "
      "ALTER TABLE items DETACH PARTITION items_high; ALTER TABLE items ATTACH PARTITION brought "
      "FOR VALUES FROM (300) TO (700)");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}, {"PGALTER_SAFEGUARDS_OFF=parts"}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE id = 6000001"), 0);
  EXPECT_GT(Number("SELECT count(*) FROM items WHERE a BETWEEN 300 AND 699"), 0);
}

TEST_F(Partitioned, ARevertThatMeetsTwoRowsOfOneKeyNamesThem) {
  MakePartitionable(1'000);
  ASSERT_EQ(Run(Partition()).code, 0);
  database_.Sql(
      "ALTER TABLE items DISABLE TRIGGER mirrored; INSERT INTO items VALUES (5, 800, 2000005)");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("the row (id) = (5) of public.items"));
  ExpectPartitioned();
  database_.Sql("DELETE FROM items WHERE id = 5 AND a = 800");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  ExpectSame();
  ExpectOld();
}

TEST_F(Partitioned, ACaptureThatIsOffOnOnePartitionStopsTheRevert) {
  MakePartitionable(1'000);
  ASSERT_EQ(Run(Partition()).code, 0);
  database_.Sql(
      "ALTER TABLE items_low DISABLE TRIGGER ALL; UPDATE items SET pad = 'unseen' WHERE id = 3; "
      "ALTER TABLE items_low ENABLE TRIGGER ALL");
  const Ran refused = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  ExpectPartitioned();
}

class PartitionedKilledAt : public Partitioned,
                            public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionedKilledAt, ResumeEndsWithEveryRowRight) {
  MakePartitionable();
  database_.Sql(
      "CREATE TABLE kinds (a int PRIMARY KEY); INSERT INTO kinds SELECT -2000 + g FROM "
      "generate_series(1, 50000) g; ALTER TABLE items ADD CONSTRAINT kind FOREIGN KEY (a) "
      "REFERENCES kinds");
  Rebuilders users(database_.conninfo(), 1, 2, Uses::kAnyKey);
  const Ran killed =
      Run(Partition({"--workers", "2"}), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  users.AwaitWrites(20);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectPartitioned();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND "
                   "conrelid IN (SELECT relid FROM pg_partition_tree('items')) AND (conparentid = "
                   "0) = (conrelid = 'items'::regclass)"),
            5);
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionedKilledAt, ::testing::ValuesIn(kPartitionPoints),
                         [](const auto& point) { return NameOf(point.param); });

class PartitionedRevertKilledAt : public Partitioned,
                                  public ::testing::WithParamInterface<const char*> {};

TEST_P(PartitionedRevertKilledAt, AnotherRevertEndsWithEveryRowRight) {
  MakePartitionable();
  Rebuilders users(database_.conninfo(), 41, 2, Uses::kAnyKey);
  ASSERT_EQ(Run(Partition()).code, 0);
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectOld();
}

INSTANTIATE_TEST_SUITE_P(Points, PartitionedRevertKilledAt, ::testing::ValuesIn(kRevertPoints),
                         [](const auto& point) { return NameOf(point.param); });

// There and back again, killed at some moment each time.
TEST_F(Partitioned, AtRandomMoments) {
  const char* wanted = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = wanted == nullptr ? 2 : std::atoi(wanted);
  const char* given = std::getenv("PGALTER_TORTURE_SEED");
  const unsigned seed = given == nullptr ? 815 : static_cast<unsigned>(std::atoi(given));
  MakePartitionable();
  std::mt19937 dice(seed);
  Rebuilders users(database_.conninfo(), seed, 2, Uses::kAnyKey);
  for (int round = 0; round < rounds; ++round) {
    const unsigned there = std::uniform_int_distribution(0U, 3000U)(dice);
    const unsigned back = std::uniform_int_distribution(0U, 800U)(dice);
    SCOPED_TRACE(fmt::format("seed {}, round {}: killed after {} ms, and back after {} ms", seed,
                             round, there, back));
    Program program = Start(Partition({"--workers", "2"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(there));  // the moment under test
    program.Signal(SIGKILL);
    const Ran ran = program.Wait();
    ASSERT_TRUE(ran.code == kKilled || ran.code == 0) << ran.err;
    AwaitNoRunner();
    if (!HasUndoneRun()) continue;
    if (StateOfRun() != "done") ResumeToTheEnd();
    ExpectPartitioned();
    Program revert = Start({"revert", RunId(), "--yes"});
    std::this_thread::sleep_for(std::chrono::milliseconds(back));  // the moment under test
    revert.Signal(SIGKILL);
    const Ran reverting = revert.Wait();
    ASSERT_TRUE(reverting.code == kKilled || reverting.code == 0) << reverting.err;
    AwaitNoRunner();
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    ExpectOld();
  }
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
}

// The other way round: partitioned already, made plain.
class FromPartitions : public Partitioned {
 protected:
  void MakeParts(int rows = 8'000) {
    MakePartitionable(rows);
    ASSERT_EQ(Run(Partition()).code, 0);
    ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    first_ = RunId();
  }
  [[nodiscard]] static Words Plain(const Words& more = {}) {
    Words words{"rebuild",
                "items",
                "--definition",
                File("CREATE TABLE items (id bigint, a int NOT NULL, u int, pad text, big text, "
                     "PRIMARY KEY (id, a), UNIQUE (u, a)); CREATE INDEX items_a ON items (a)"),
                "--yes",
                "--chunk-time",
                "10ms"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Ran GoOnPlain(const std::string& point, const std::string& meanwhile,
                const Words& environment = {}) {
    const Ran killed = Run(Plain(), {"PGALTER_FAIL_POINT=" + point});
    EXPECT_EQ(killed.code, kKilled) << killed.err;
    AwaitNoRunner();
    database_.Sql(meanwhile);
    return Run({"resume", RunId()}, environment);
  }
  void ExpectPlain() const {
    EXPECT_EQ(database_.Value("SELECT relkind FROM pg_class WHERE oid = 'items'::regclass"), "r");
    ExpectSame();
    const Ran finished = Run({"finish", RunId(), "--yes"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname LIKE 'items\\_%' AND relkind IN "
                     "('r', 'p')"),
              0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
    EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
  }

  std::string first_;  // the run that made the partitions
};

TEST_F(FromPartitions, BackToAPlainTableUnderItsUsers) {
  MakeParts();
  Rebuilders users(database_.conninfo(), 61, 2, Uses::kAnyKey);
  const Ran ran = Run(Plain({"--workers", "2"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain();
}

TEST_F(FromPartitions, IsTakenBackWithWhatUsersWroteSince) {
  MakeParts(5'000);
  Rebuilders users(database_.conninfo(), 62, 2, Uses::kAnyKey);
  ASSERT_EQ(Run(Plain()).code, 0);
  const long before = users.writes();
  ASSERT_TRUE(Within(kLimit, [&] { return users.writes() > before + 200; }));
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectPartitioned();
}

TEST_F(FromPartitions, RefusesWhatReadsOnePartition) {
  MakeParts(100);
  database_.Sql("CREATE VIEW low AS SELECT * FROM items_low");
  const Ran read = Run(Plain());
  EXPECT_EQ(read.code, 4) << read.err;
  EXPECT_THAT(read.err, HasSubstr("view public.low reads partition public.items_low"));
  database_.Sql("DROP VIEW low; CREATE VIEW typed AS SELECT NULL::items_low IS NULL AS a");
  const Ran typed = Run(Plain());
  EXPECT_EQ(typed.code, 4) << typed.err;
  EXPECT_THAT(typed.err, HasSubstr(": view public.typed depends on partition public.items_low"));
}

class PartsChangeAt : public FromPartitions, public ::testing::WithParamInterface<const char*> {};

// As they do every night: emptied, detached, brought, rewritten, renamed; and one that was changed
// while it was away.
TEST_P(PartsChangeAt, EveryRowIsFollowed) {
  MakeParts();
  const Ran ran = GoOnPlain(
      GetParam(),
      std::string(kPartsChange) +
          ";CLUSTER items_low USING items_low_pkey; ALTER TABLE items_low RENAME TO items_least;"
          "ALTER TABLE items DETACH PARTITION items_rest;"
          "UPDATE items_rest SET pad = 'away' WHERE id % 2 = 0;"
          "UPDATE mirror SET pad = 'away' WHERE id % 2 = 0 AND a >= 700;"
          "ALTER TABLE items ATTACH PARTITION items_rest DEFAULT");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM items WHERE a BETWEEN 10 AND 699"), 11);
  EXPECT_GT(Number("SELECT count(*) FROM items WHERE pad = 'away'"), 1'000);
  database_.Sql("DROP TABLE items_high");
  ExpectPlain();
}

INSTANTIATE_TEST_SUITE_P(Points, PartsChangeAt, ::testing::Values("copy-committed:2", "compared"),
                         [](const auto& point) { return NameOf(point.param); });

TEST_F(FromPartitions, WithoutTheListOfPartsTheComparisonFindsWhatIsMissing) {
  MakeParts();
  const Ran ran = GoOnPlain("index-built", kPartsChange, {"PGALTER_SAFEGUARDS_OFF=parts"});
  EXPECT_EQ(ran.code, 7) << ran.err;
}

class FromPartitionsKilledAt : public FromPartitions,
                               public ::testing::WithParamInterface<const char*> {};

TEST_P(FromPartitionsKilledAt, ResumeEndsWithEveryRowRight) {
  MakeParts();
  Rebuilders users(database_.conninfo(), 63, 2, Uses::kAnyKey);
  const Ran killed =
      Run(Plain({"--workers", "2"}), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectPlain();
}

INSTANTIATE_TEST_SUITE_P(Points, FromPartitionsKilledAt,
                         ::testing::Values("copy-recorded:3", "purged"),
                         [](const auto& point) { return NameOf(point.param); });

// Into a plain table and back, killed at some moment each time, while partitions come and go.
TEST_F(FromPartitions, AtRandomMoments) {
  const char* wanted = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = wanted == nullptr ? 1 : std::atoi(wanted);
  const char* given = std::getenv("PGALTER_TORTURE_SEED");
  const unsigned seed = given == nullptr ? 816 : static_cast<unsigned>(std::atoi(given));
  MakeParts();
  std::mt19937 dice(seed);
  Rebuilders users(database_.conninfo(), seed, 2, Uses::kAnyKey);
  for (int round = 0; round < rounds; ++round) {
    const unsigned there = std::uniform_int_distribution(0U, 3000U)(dice);
    const unsigned back = std::uniform_int_distribution(0U, 800U)(dice);
    SCOPED_TRACE(fmt::format("seed {}, round {}: killed after {} ms, and back after {} ms", seed,
                             round, there, back));
    Program program = Start(Plain({"--workers", "2"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(there));  // the moment under test
    program.Signal(SIGKILL);
    const Ran ran = program.Wait();
    ASSERT_TRUE(ran.code == kKilled || ran.code == 0) << ran.err;
    AwaitNoRunner();
    if (RunId() == first_ || StateOfRun() == "reverted") continue;
    if (StateOfRun() != "done") {
      database_.Sql("CLUSTER items_high USING items_high_pkey");
      database_.Sql("ALTER TABLE items_mid RENAME TO mid");
      database_.Sql("ALTER TABLE mid RENAME TO items_mid");
      ResumeToTheEnd();
    }
    Program revert = Start({"revert", RunId(), "--yes"});
    std::this_thread::sleep_for(std::chrono::milliseconds(back));  // the moment under test
    revert.Signal(SIGKILL);
    const Ran reverting = revert.Wait();
    ASSERT_TRUE(reverting.code == kKilled || reverting.code == 0) << reverting.err;
    AwaitNoRunner();
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    ExpectPartitioned();
  }
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
}

constexpr const char* kOld = R"sql(
CREATE TABLE customer (id int PRIMARY KEY);
INSERT INTO customer SELECT generate_series(1, 100);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE payment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  n serial,
  customer int NOT NULL CONSTRAINT paid_by REFERENCES customer ON DELETE CASCADE,
  amount numeric(10,2) CHECK (amount >= 0),
  made timestamptz NOT NULL);
INSERT INTO payment (customer, amount, made) SELECT 1 + g % 100, g, timestamptz
  '2024-01-01 00:00+00' + g * interval '1 hour' FROM generate_series(1, 2000) g;
)sql";

constexpr const char* kMonthly = R"sql(
CREATE TABLE payment (
  id bigint GENERATED ALWAYS AS IDENTITY,
  n int NOT NULL DEFAULT nextval('payment_n_seq'),
  customer int NOT NULL,
  amount numeric(10,2) CHECK (amount >= 0),
  made timestamptz NOT NULL,
  CONSTRAINT payment_key PRIMARY KEY (id, made)
) PARTITION BY RANGE (made);
CREATE TABLE payment_2024_01 PARTITION OF payment FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE payment_2024_02 PARTITION OF payment FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')
  PARTITION BY HASH (id);
CREATE TABLE payment_2024_02_0 PARTITION OF payment_2024_02 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE payment_2024_02_1 PARTITION OF payment_2024_02 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE payment_rest PARTITION OF payment DEFAULT;
CREATE INDEX by_customer ON payment (customer, amount DESC) INCLUDE (n);
CREATE UNIQUE INDEX once ON payment (n, made, id);
CREATE INDEX big ON payment_2024_01 (amount) WHERE amount > 100;
)sql";

constexpr const char* kHanging = R"sql(
COMMENT ON TABLE payment IS 'paid';
COMMENT ON COLUMN payment.amount IS 'in euros';
ALTER TABLE payment ALTER amount SET STATISTICS 55;
CREATE VIEW large AS SELECT id, amount FROM payment WHERE amount > 1000;
CREATE TRIGGER touched BEFORE UPDATE ON payment FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER off AFTER INSERT ON payment FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE payment DISABLE TRIGGER off;
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON payment FOR SELECT USING (amount > 0);
GRANT SELECT ON payment TO PUBLIC;
GRANT UPDATE (amount) ON payment TO PUBLIC;
)sql";

TEST_F(Partitioned, IsWhatTheServerMakesOfTheDefinition) {
  const FreshDatabase plain;
  plain.Sql(kOld);
  plain.Sql("ALTER SEQUENCE payment_n_seq OWNED BY NONE; DROP TABLE payment CASCADE");
  plain.Sql(kMonthly);
  plain.Sql(
      "ALTER SEQUENCE payment_n_seq OWNED BY payment.n; ALTER TABLE payment ADD CONSTRAINT paid_by "
      "FOREIGN KEY (customer) REFERENCES customer ON DELETE CASCADE");
  plain.Sql(kHanging);
  database_.Sql(kOld);
  database_.Sql(kHanging);
  const char* const rows =
      "SELECT md5(string_agg(format('%s %s %s %s %s', id, n, customer, amount, made), ',' ORDER BY "
      "id)) FROM payment";
  const std::string were = database_.Value(rows);
  const Ran ran =
      Run({"rebuild", "payment", "--definition", File(kMonthly), "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value(rows), were);
  EXPECT_EQ(
      database_.Value("INSERT INTO payment (customer, amount, made) VALUES (1, 1, '2024-02-02') "
                      "RETURNING id || ' ' || n"),
      "2101 2001");  // a sandbox takes a hundred connections: so many are left out
  ExpectNothingLeft();
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), IsEmpty());
}

TEST_F(Partitioned, AndBackItIsWhatItWas) {
  database_.Sql(kOld);
  database_.Sql(kHanging);
  const auto before = Dump(database_);
  const Ran ran =
      Run({"rebuild", "payment", "--definition", File(kMonthly), "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql("INSERT INTO payment (customer, amount, made) VALUES (1, 1, '2024-02-02')");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), IsEmpty());
  EXPECT_EQ(
      database_.Value("INSERT INTO payment (customer, amount, made) VALUES (1, 1, '2024-02-02') "
                      "RETURNING id || ' ' || n"),
      "2202 2002");
}

struct RefusedDefinition {
  const char* name;
  const char* before;
  const char* definition;
  int code;
  const char* says;
};

class DefinitionRefused : public Partitioned,
                          public ::testing::WithParamInterface<RefusedDefinition> {};

TEST_P(DefinitionRefused, WritesNothing) {
  database_.Sql(GetParam().before);
  const Ran ran = Run({"rebuild", "t", "--definition", File(GetParam().definition),
                       "--allow-weaker-keys", "--yes"});
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

constexpr const char* kT = "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL)";

INSTANTIATE_TEST_SUITE_P(
    Inputs, DefinitionRefused,
    ::testing::Values(
        RefusedDefinition{"NoSyntax", kT, "CREATE TABEL t ()", 2, "CREATE TABEL"},
        RefusedDefinition{"AnotherTable", kT, "CREATE TABLE s (a int)", 2, "only public.t"},
        RefusedDefinition{"AnotherSchema", kT, "CREATE TABLE pg_temp.t (a int)", 2,
                          "in the schema of the table"},
        RefusedDefinition{"AnotherStatement", kT, "CREATE TABLE t (a int); DROP TABLE t", 2,
                          "\"DROP TABLE t\""},
        RefusedDefinition{"Nothing", kT, "-- nothing", 2, "no CREATE TABLE public.t"},
        RefusedDefinition{"ForeignKey", kT,
                          "CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t)", 4, "NOT VALID"},
        RefusedDefinition{"WhatTheServerRefuses", kT,
                          "CREATE TABLE t (a int PRIMARY KEY, b int) PARTITION BY RANGE (b)", 2,
                          "unique constraint on partitioned table"},
        RefusedDefinition{"NoIndexToFindRowsBy", kT,
                          "CREATE TABLE t (a int, b int, PRIMARY KEY (b, a)) PARTITION BY RANGE "
                          "(b)",
                          4, "CREATE INDEX ON t (a)"},
        RefusedDefinition{"ANameThatIsTaken",
                          "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL); CREATE VIEW t_1 AS "
                          "SELECT 1",
                          "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) PARTITION BY RANGE "
                          "(b); CREATE TABLE t_1 PARTITION OF t DEFAULT",
                          4, "t_1 is taken"},
        RefusedDefinition{"ReferencesToTheOldKey",
                          "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL); CREATE TABLE c (a "
                          "int REFERENCES t)",
                          "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) PARTITION BY RANGE "
                          "(b)",
                          4, "c_a_fkey of public.c refers to (a)"},
        RefusedDefinition{"ASequenceOfItsOwn", kT,
                          "CREATE TABLE t (a serial PRIMARY KEY, b int NOT NULL)", 4,
                          "DEFAULT nextval"},
        RefusedDefinition{"APublication",
                          "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL); CREATE PUBLICATION "
                          "p FOR TABLE t",
                          "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) PARTITION BY RANGE "
                          "(b)",
                          4, "publish_via_partition_root"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Partitioned, ForeignKeysToTheNewKeyComeAlong) {
  database_.Sql(
      "CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b)); INSERT INTO t SELECT g, g % 10, g "
      "FROM generate_series(1, 100) g; CREATE TABLE c (a int, b int, CONSTRAINT of_t FOREIGN KEY "
      "(a, b) REFERENCES t ON DELETE CASCADE); INSERT INTO c SELECT a, b FROM t");
  const Ran ran = Run({"rebuild", "t", "--definition",
                       File("CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b)) PARTITION BY "
                            "LIST (b); CREATE TABLE t_0 PARTITION OF t FOR VALUES IN (0, 1, 2); "
                            "CREATE TABLE t_1 PARTITION OF t DEFAULT"),
                       "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_constraint WHERE conname = 'of_t' AND convalidated AND "
                   "confrelid = 't'::regclass"),
            1);
  database_.Sql("DELETE FROM t WHERE b = 1");
  EXPECT_EQ(Number("SELECT count(*) FROM c"), 90);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  database_.Sql("DELETE FROM t WHERE b = 2");
  EXPECT_EQ(Number("SELECT count(*) FROM c"), 80);
}

// A definition need not be partitioned.
TEST_F(Partitioned, ColumnsCanBePutInAnotherOrder) {
  database_.Sql(
      "CREATE TABLE t (a int PRIMARY KEY, b text, c bigint); INSERT INTO t SELECT g, 'b' || g, g "
      "FROM generate_series(1, 100) g");
  const Ran ran =
      Run({"rebuild", "t", "--definition",
           File("CREATE TABLE t (c bigint, a int PRIMARY KEY, b text, d int DEFAULT 4)"), "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT t::text FROM t WHERE a = 7"), "(7,7,b7,4)");
}

}  // namespace
}  // namespace pgalter::test
