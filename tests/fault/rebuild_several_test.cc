// Several tables in one cut-over: a parent, those that refer to it and to each other, under users
// who write all of them in one transaction. Each has a mirror that a trigger of the users' own
// writes; whatever the program does and however it dies, the tables hold what the mirrors hold, and
// every foreign key holds among them.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "tests/fault/rebuild_family.h"
#include "tests/fault/rebuild_points.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

constexpr const char* kPlain =
    "ALTER TABLE p ALTER id TYPE bigint, ALTER up TYPE bigint, ALTER last TYPE bigint;"
    "ALTER TABLE c ALTER id TYPE bigint, ALTER p TYPE bigint;"
    "ALTER TABLE \"G G\" ALTER p TYPE bigint, ALTER c TYPE bigint";

class Several : public Family {};

class SeveralKilledAt : public Several, public ::testing::WithParamInterface<const char*> {};

TEST_P(SeveralKilledAt, ResumeEndsWithEveryRowRight) {
  MakeFamily();
  Rebuilders users(database_.conninfo(), 1, &FamilyChange, "23503");
  const Ran killed =
      Run(RebuildFamily({"--workers", "2"}), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  users.AwaitWrites(20);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectRight("bigint");
  ExpectNothingLeft();
}

const auto kNameOfPoint = [](const auto& point) {
  std::string name = point.param;
  for (char& c : name)
    if (c == '-' || c == ':') c = '_';
  return name;
};

// All of them with PGALTER_TORTURE_ROUNDS; in the slice one of each kind.
template <std::size_t n>
std::vector<const char*> PointsOf(const std::array<const char*, n>& all,
                                  std::vector<const char*> slice) {
  if (std::getenv("PGALTER_TORTURE_ROUNDS") == nullptr) return slice;
  return {all.begin(), all.end()};
}

INSTANTIATE_TEST_SUITE_P(Points, SeveralKilledAt,
                         ::testing::ValuesIn(PointsOf(kSeveralPoints,
                                                      {"capture-in-ledger:2", "copy-committed:3",
                                                       "index-built:5", "compared:2", "swapped",
                                                       "key-validated:4"})),
                         kNameOfPoint);

class SeveralRevertedAt : public Several, public ::testing::WithParamInterface<const char*> {};

TEST_P(SeveralRevertedAt, AnotherRevertEndsWithEveryRowRight) {
  MakeFamily();
  Rebuilders users(database_.conninfo(), 41, &FamilyChange, "23503");
  ASSERT_EQ(Run(RebuildFamily()).code, 0);
  const long before = users.writes();
  ASSERT_TRUE(Within(kLimit, [&] { return users.writes() > before + 100; }));
  const Ran killed =
      Run({"revert", RunId(), "--yes"}, {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  AwaitNoRunner();
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  EXPECT_EQ(StateOfRun(), "reverted");
  ExpectRight("integer");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(Points, SeveralRevertedAt,
                         ::testing::ValuesIn(PointsOf(kRevertPoints, {"drained", "swapped-back"})),
                         kNameOfPoint);

TEST_F(Several, KilledAtRandomMomentsThereAndBack) {
  const char* wanted = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = wanted == nullptr ? 2 : std::atoi(wanted);
  const char* given = std::getenv("PGALTER_TORTURE_SEED");
  const unsigned seed = given == nullptr ? 4711 : static_cast<unsigned>(std::atoi(given));
  MakeFamily();
  std::mt19937 dice(seed);
  const auto kill = [&](const Words& words, unsigned longest) {
    const unsigned moment = std::uniform_int_distribution(0U, longest)(dice);
    Program program = Start(words);
    std::this_thread::sleep_for(std::chrono::milliseconds(moment));  // the moment under test
    program.Signal(SIGKILL);
    const Ran ran = program.Wait();
    EXPECT_TRUE(ran.code == kKilled || ran.code == 0) << moment << " ms: " << ran.err;
    AwaitNoRunner();
  };
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(fmt::format("seed {}, round {}", seed, round));
    Rebuilders users(database_.conninfo(), seed + static_cast<unsigned>(round), &FamilyChange,
                     "23503");
    kill(RebuildFamily({"--workers", "2"}), 3000);
    const bool begun = database_.Value("SELECT to_regclass('pgalter.run') IS NOT NULL") == "t" &&
                       Number(
                           "SELECT count(*) FROM pgalter.run WHERE state NOT IN ('reverted', "
                           "'aborted') AND finished_at "
                           "IS NULL") > 0;
    if (!begun) continue;
    if (StateOfRun() != "done") ResumeToTheEnd();
    kill({"revert", RunId(), "--yes"}, 500);
    if (StateOfRun() != "reverted") {
      const Ran reverted = Run({"revert", RunId(), "--yes"});
      ASSERT_EQ(reverted.code, 0) << reverted.err;
    }
    users.Stop();
    EXPECT_EQ(users.errors(), "");
    ExpectRight("integer");
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(Several, TheDumpIsThatOfThePlainStatements) {
  const FreshDatabase plain;
  MakeFamily();
  plain.Sql(kFamily);
  const auto before = Dump(database_);
  plain.Sql(kPlain);
  ASSERT_EQ(Run(RebuildFamily()).code, 0);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_THAT(Difference(before, Dump(database_)), ::testing::IsEmpty());
  ASSERT_EQ(Run(RebuildFamily()).code, 0);
  ExpectNothingLeft();
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), ::testing::IsEmpty());
}

TEST_F(Several, AnAbortLeavesAllAsItWas) {
  MakeFamily();
  Rebuilders users(database_.conninfo(), 3, &FamilyChange, "23503");
  ASSERT_EQ(Run(RebuildFamily(), {"PGALTER_FAIL_POINT=index-built:4"}).code, kKilled);
  AwaitNoRunner();
  EXPECT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectRight("integer");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

TEST_F(Several, ATruncateOfAllIsFollowedThereAndBack) {
  MakeFamily();
  constexpr const char* kAnew =
      "TRUNCATE p CASCADE; INSERT INTO p (id, kind, v) SELECT g, 1, 5 FROM generate_series(1, 40) "
      "g;"
      "INSERT INTO c (id, p) SELECT g, 1 FROM generate_series(1, 60) g";
  constexpr const char* kCounts =
      "SELECT concat_ws(' ', (SELECT count(*) FROM p), (SELECT count(*) FROM c), (SELECT count(*) "
      "FROM "
      "\"G G\"), (SELECT sum(v) FROM p))";
  ASSERT_EQ(Run(RebuildFamily(), {"PGALTER_FAIL_POINT=index-built:4"}).code, kKilled);
  AwaitNoRunner();
  database_.Sql(kAnew);
  ResumeToTheEnd();
  EXPECT_EQ(database_.Value(kCounts), "40 60 0 200");
  ExpectKeys();
  database_.Sql(std::string(kAnew) + "; DELETE FROM c WHERE id > 50; UPDATE p SET v = 6");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(kCounts), "40 50 0 240");
  ExpectKeys();
  EXPECT_EQ(Types(), "integer");
}

TEST_F(Several, OfTheSameNameInTwoSchemas) {
  database_.Sql(
      "CREATE SCHEMA one; CREATE SCHEMA two;"
      "CREATE TABLE one.t (id int PRIMARY KEY, v int); CREATE INDEX by_v ON one.t (v);"
      "CREATE TABLE two.t (id int PRIMARY KEY REFERENCES one.t, v int); CREATE INDEX by_v ON two.t "
      "(v);"
      "INSERT INTO one.t SELECT g, g FROM generate_series(1, 500) g; INSERT INTO two.t TABLE "
      "one.t");
  const Ran ran =
      Run({"rebuild", "two.t", "one.t", "--alter", "one.t: ALTER id TYPE bigint", "--alter",
           "two.t: ALTER id TYPE bigint, ADD w int", "--map", "two.t: w = v * 2", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT sum(w) || ' ' || pg_typeof(max(t.id)) || ' ' || "
                            "pg_typeof(max(o.id)) FROM two.t JOIN one.t o USING (id)"),
            "250500 bigint bigint");
  EXPECT_EQ(Run({"verify", RunId()}).code, 0);
  database_.Sql("UPDATE one.t SET v = 0 WHERE id = 5; INSERT INTO one.t VALUES (5000000000, 1)");
  const Ran status = Run({"status", RunId()});
  EXPECT_THAT(status.out, ::testing::HasSubstr("old table of one.t does not take the row (id) = "
                                               "(5000000000)"));
  const Ran unfit = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(unfit.code, 1);
  EXPECT_THAT(unfit.err,
              ::testing::HasSubstr("(id) = (5000000000) of one.t does not fit into the old "
                                   "table"));
  EXPECT_EQ(database_.Value("SELECT pg_typeof(max(id)) FROM two.t"), "bigint")
      << "all go back together, or none";
  const Ran second = Run({"rebuild", "one.t", "--yes"});
  EXPECT_EQ(second.code, 4) << "it keeps the way back\n" << second.err;
  database_.Sql("DELETE FROM one.t WHERE id = 5000000000");
  const Ran back = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(
      database_.Value("SELECT o.v || ' ' || pg_typeof(t.id) || ' ' || pg_typeof(o.id) FROM two.t "
                      "JOIN one.t o USING (id) WHERE id = 5"),
      "0 integer integer");
}

// A transaction that has written a parent and its child, and ends while the cut-over waits.
class SeveralDrained : public Several {
 protected:
  void CutOverBehindAWriter(const std::string& off) {
    MakeFamily();
    Words environment;
    if (!off.empty()) environment.push_back("PGALTER_SAFEGUARDS_OFF=" + off);
    Program program = Start(RebuildFamily({"--cutover", "wait"}), environment);
    database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
    database_.AwaitValue("SELECT string_agg(state, ' ') FROM pgalter.run", "waiting", kLimit);
    Session writer = database_.Connect();
    writer.Exec(
        "BEGIN; INSERT INTO p (id) VALUES (77777); INSERT INTO c (id, p) VALUES (77777, 77777);"
        "UPDATE \"G G\" SET p = 77777, c = 77777 WHERE id = 7; DELETE FROM p WHERE id = 70");
    EXPECT_EQ(Run({"cutover", RunId()}).code, 0);
    database_.AwaitValue(
        "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted", "t",
        kLimit);
    writer.Exec("COMMIT");
    const Ran ran = program.Wait(kLimit);
    swapped_ = ran.code;
    said_ = ran.err;
  }

  int swapped_ = -1;
  std::string said_;
};

TEST_F(SeveralDrained, WhatCameBeforeTheLockIsInAllTables) {
  CutOverBehindAWriter("");
  EXPECT_EQ(swapped_, 0) << said_;
  ExpectRight("bigint");
}

TEST_F(SeveralDrained, WithTheFirstTableDrainedAloneRowsAreLost) {
  CutOverBehindAWriter("drain-all");
  EXPECT_GT(Differences(), 0) << said_;
}

struct SeveralCase {
  const char* name;
  const char* schema;
  std::vector<std::string> arguments;
  int code;
  const char* says;
};

class SeveralRefused : public Several, public ::testing::WithParamInterface<SeveralCase> {};

TEST_P(SeveralRefused, BeforeAnythingIsWritten) {
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE NOT NULL);"
      "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, code text REFERENCES a (code));"
      "INSERT INTO a VALUES (1, '1'); INSERT INTO b VALUES (1, 1, '1')");
  database_.Sql(GetParam().schema);
  Words words{"rebuild", "--yes"};
  words.insert(words.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, SeveralRefused,
    ::testing::Values(
        SeveralCase{"Twice", "", {"a", "a"}, 2, "named twice"},
        SeveralCase{"TwiceByTwoNames", "", {"a", "public.a"}, 2, "public.a is named twice"},
        SeveralCase{"ForNoTable",
                    "",
                    {"a", "b", "--alter", "ALTER id TYPE bigint"},
                    2,
                    "does not say which table"},
        SeveralCase{"ForAnotherTable",
                    "",
                    {"a", "b", "--alter", "c: ALTER id TYPE bigint"},
                    2,
                    "'a: …' or 'b: …'"},
        SeveralCase{"TwoForOne",
                    "",
                    {"a", "b", "--alter", "b: ADD x int", "--alter", "b: ADD y int"},
                    2,
                    "two --alter for b"},
        SeveralCase{"Nothing", "", {"a", "b", "--alter", "b: "}, 2, "says nothing"},
        SeveralCase{
            "MapForNoTable", "", {"a", "b", "--map", "x = 1"}, 2, "does not say which table"},
        SeveralCase{
            "OrderForNoTable", "", {"a", "b", "--order-by", "id"}, 2, "does not say which table"},
        SeveralCase{"TwoOrders",
                    "",
                    {"a", "b", "--order-by", "b: id", "--order-by", "b: a"},
                    2,
                    "two --order-by for b"},
        SeveralCase{"OrderOfASecondWithoutIt",
                    "",
                    {"a", "b", "--order-by", "b: nope"},
                    2,
                    "public.b has no column nope"},
        SeveralCase{"OrderOfASecondWithoutIndex",
                    "ALTER TABLE b ALTER code SET NOT NULL",
                    {"a", "b", "--order-by", "b: code"},
                    4,
                    "no index of public.b begins with these columns"},
        SeveralCase{"OrderOfASecondByWorkers",
                    "",
                    {"a", "b", "--order-by", "b: id", "--workers", "2"},
                    2,
                    "--workers and --order-by"},
        SeveralCase{"TwoTablespaces",
                    "",
                    {"a", "b", "--tablespace", "x", "--tablespace", "y"},
                    2,
                    "two --tablespace for all tables"},
        SeveralCase{"Unknown", "", {"a", "nowhere"}, 2, "there is no table"},
        SeveralCase{"ViewOfAPartition",
                    "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE "
                    "part PARTITION OF parts DEFAULT; CREATE VIEW v AS SELECT id FROM part",
                    {"a", "parts"},
                    4,
                    "view public.v reads partition public.part"},
        SeveralCase{
            "SecondHasNoKey", "CREATE TABLE n (id int)", {"a", "n"}, 4, "add a primary key"},
        SeveralCase{"TypesThatDoNotFit",
                    "",
                    {"b", "a", "--alter", "a: ALTER code TYPE int USING code::int"},
                    4,
                    "foreign key b_code_fkey of"},
        SeveralCase{"KeyThatGoes",
                    "",
                    {"b", "a", "--alter", "a: DROP CONSTRAINT a_code_key"},
                    4,
                    "refers to (code), over which the new definition has no unique key"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Several, StorageIsOfOneOrOfAllOthers) {
  if (Number("SELECT count(*) FROM pg_tablespace WHERE spcname = 'several Space'") == 0) {
    Session session = database_.Connect();
    session.Exec("SET allow_in_place_tablespaces = on");
    session.Exec("CREATE TABLESPACE \"several Space\" LOCATION ''");
  }
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c "
      "(id int PRIMARY KEY); CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler");
  Words words{
      "rebuild",      "a", "b", "c", "--yes", "--tablespace", "several Space", "--tablespace",
      "b: pg_default"};
  const bool methods = Number("SHOW server_version_num") >= 150000;
  if (methods) words.insert(words.end(), {"--access-method", "c: pile"});
  const Ran ran = Run(words);
  ASSERT_EQ(ran.code, 0) << ran.err;
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(
                "SELECT string_agg(concat_ws(' ', c.relname, t.spcname, m.amname), ', ' ORDER "
                "BY c.relname) FROM pg_class c JOIN pg_am m ON m.oid = c.relam LEFT JOIN "
                "pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind = 'r' AND "
                "c.relnamespace = 'public'::regnamespace"),
            methods ? "a several Space heap, b heap, c several Space pile"
                    : "a several Space heap, b heap, c several Space heap");
}

TEST_F(Several, KeysOfOtherTypesChangeOnBothSides) {
  database_.Sql(
      "CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE NOT NULL);"
      "CREATE TABLE b (id int PRIMARY KEY, code text REFERENCES a (code));"
      "INSERT INTO a SELECT g, g FROM generate_series(1, 100) g; INSERT INTO b TABLE a");
  const Ran ran = Run({"rebuild", "b", "a", "--alter", "a: ALTER code TYPE int USING code::int",
                       "--alter", "b: ALTER code TYPE int USING code::int", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT sum(b.code) FROM b JOIN a USING (code)"), "5050");
  EXPECT_EQ(database_.Value("SELECT convalidated FROM pg_constraint WHERE conname = 'b_code_fkey'"),
            "t");
}

TEST_F(Several, TheOwnerOfAllIsNeeded) {
  const std::string role = fmt::format("several_{}", ::getpid());
  database_.Sql("CREATE ROLE " + role + " LOGIN");
  database_.Sql(
      fmt::format("GRANT ALL ON SCHEMA public TO {0}; CREATE TABLE a (id int PRIMARY KEY); CREATE "
                  "TABLE b (id int "
                  "PRIMARY KEY); ALTER TABLE a OWNER TO {0}",
                  role));
  database_.Sql(fmt::format(
      "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {}', current_database()); END $$",
      role));
  user_ = role;
  const Ran ran = Run({"rebuild", "a", "b", "--yes"});
  EXPECT_EQ(ran.code, 10) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr("public.b"));
  user_.clear();
  database_.Sql(fmt::format("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", role));
}

}  // namespace
}  // namespace pgalter::test
