// What a rebuild takes of the server: refused before, or held within a budget.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class Budgeted : public RebuildWorld {};

TEST_F(Budgeted, OneThatIsTooSmallIsRefusedBefore) {
  MakeRebuilt(20'000);
  const std::string file = File(
      "CREATE TABLE items (id bigint PRIMARY KEY, a int NOT NULL, u int, pad text, big text) "
      "PARTITION BY RANGE (id); CREATE TABLE items_all PARTITION OF items DEFAULT");
  const Words convert{"partition",  "convert",   "items", "--by",
                      "hash(id)",   "--modulus", "2",     "--allow-weaker-keys",
                      "--strategy", "copy"};
  for (const Words& command : {Words{"rebuild", "items"}, convert}) {
    for (const char* how : {"--yes", "--dry-run"}) {
      Words words = command;
      words.insert(words.end(), {"--throttle", "extra-bytes=1MB", how});
      const Ran refused = Run(words);
      EXPECT_EQ(refused.code, 4) << refused.err;
      EXPECT_THAT(refused.err, AllOf(HasSubstr("that takes up to"),
                                     HasSubstr("extra-bytes=1MB is allowed. Nothing was changed"),
                                     ContainsRegex("--throttle extra-bytes=[0-9]+MB")));
    }
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  EXPECT_EQ(Run({"rebuild", "items", "--definition", file, "--allow-weaker-keys", "--throttle",
                 "extra-bytes=1GB", "--yes"})
                .code,
            0);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
  const Ran undo = Run({"partition", "undo", "items", "--throttle", "extra-bytes=1MB", "--yes"});
  EXPECT_EQ(undo.code, 4) << undo.err;
  EXPECT_THAT(undo.err, HasSubstr("extra-bytes=1MB is allowed"));
}

// A rebuild that is a step of a plan is, too, also where an earlier step changes the table.
TEST_F(Budgeted, OneThatIsTooSmallForAPlanIsRefusedBefore) {
  MakeRebuilt(20'000);
  for (const char* before : {"", "ALTER TABLE items ADD COLUMN more int; "}) {
    const std::string sql = std::string(before) + "VACUUM FULL items";
    for (const char* how : {"--yes", "--dry-run"}) {
      const Ran refused = Run({"run", "--sql", sql, "--throttle", "extra-bytes=1MB", how});
      EXPECT_EQ(refused.code, 4) << refused.err;
      EXPECT_THAT(refused.err, AllOf(HasSubstr("cannot rebuild public.items: that takes up to"),
                                     HasSubstr("extra-bytes=1MB is allowed. Nothing was changed"),
                                     ContainsRegex("--throttle extra-bytes=[0-9]+MB")));
    }
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  const Ran ran =
      Run({"run", "--sql", "VACUUM FULL items", "--throttle", "extra-bytes=1GB", "--yes"});
  EXPECT_EQ(ran.code, 0) << ran.err;
}

// By what it has written, not by what is read once in a second.
class BudgetedOnItsWay : public Budgeted, public ::testing::WithParamInterface<const char*> {};

TEST_P(BudgetedOnItsWay, StopsWhenItIsSpentAndGoesOnWhenItIsRaised) {
  MakeRebuilt(60'000);
  Words words = Slowly();
  if (*GetParam() != '\0') words.insert(words.end(), {"--order-by", GetParam()});
  Program program = Start(Rebuild(words));
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE done_rows > 0", "1", kLimit);
  Throttle("extra-bytes=2MB");
  AwaitBeats(3);
  LetGo();
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE progress::text LIKE '%extra-bytes%'",
                       "1", kLimit);
  AwaitBeats(2);
  EXPECT_LT(Number("SELECT pg_relation_size(shadow) FROM pgalter.rebuild"), 2 * 1024 * 1024);
  Throttle("extra-bytes=1GB");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Copies, BudgetedOnItsWay, ::testing::Values("", "id"),
                         [](const auto& order) {
                           return std::string(*order.param == '\0' ? "AsTheyLie" : "InAnOrder");
                         });

// Long values lie beside the blocks that a chunk is counted by.
TEST_F(Budgeted, LongValuesAreSpentWithTheirBlocks) {
  constexpr long kBudget = 24 * 1024 * 1024;  // of twice 48 MB
  MakeRebuilt(12'000);
  database_.Sql(
      "ALTER TABLE items ALTER pad SET STORAGE EXTERNAL; UPDATE items SET pad = repeat('p', 4000)");
  database_.Sql("VACUUM FULL items");
  database_.Sql("ANALYZE items");
  // All of it is copied between two readings, if nobody counts.
  Program program = Start(Rebuild(Slowly()), {"PGALTER_LIMITS=throttle-interval=3000"});
  database_.AwaitValue("SELECT to_regclass('pgalter.rebuild') IS NOT NULL", "t", kLimit);
  database_.AwaitValue("SELECT count(*) FROM pgalter.run WHERE done_rows > 0", "1", kLimit);
  Throttle("extra-bytes=24MB");
  AwaitBeats(3);
  LetGo();
  database_.AwaitValue(
      "SELECT progress ->> 'throttle_reason' LIKE 'extra-bytes%' OR state <> 'running' FROM "
      "pgalter.run",
      "t", kLimit);
  ASSERT_EQ(StateOfRun(), "running");
  AwaitBeats(2);
  EXPECT_LT(Number("SELECT pg_table_size(shadow) FROM pgalter.rebuild"), kBudget);
  Throttle("extra-bytes=1GB");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  ExpectSame();
}

struct FewLocks {
  FewLocks() {
    options.max_connections = 20;
    options.settings.emplace_back("max_locks_per_transaction = 10");
  }
  sandbox::Options options = TestServerOptions();
};
struct ServerWithFewLocks : FewLocks {
  sandbox::Sandbox server = sandbox::Sandbox::Start(options);
};

class LockPool : private ServerWithFewLocks, public BackfillWorld {
 protected:
  LockPool() : BackfillWorld(ServerWithFewLocks::server) {}
};

TEST_F(LockPool, OfTheServerIsTooSmallForManyPartitions) {
  database_.Sql("CREATE TABLE items (id int PRIMARY KEY, a int)");
  const auto definition = [](int parts) {
    std::string text = "CREATE TABLE items (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);";
    for (int i = 0; i < parts; ++i)
      text += fmt::format(
          "CREATE TABLE items_{0} PARTITION OF items FOR VALUES FROM ({0}) TO ({1});", i, i + 1);
    return text + "CREATE INDEX ON items (a);";
  };
  const auto rebuild = [&](int parts) {
    const std::string file = ::testing::TempDir() + fmt::format("few-locks-{}.sql", parts);
    std::ofstream(file) << definition(parts);
    return Run({"rebuild", "items", "--definition", file, "--yes"});
  };
  const Ran refused = rebuild(80);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("would lock 245 tables, partitions and indexes"),
                                 HasSubstr("about 300 locks"),
                                 HasSubstr("max_locks_per_transaction to 17 or more")));
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run')"), "NULL");
  EXPECT_EQ(rebuild(5).code, 0);
}

// Before the server is asked to make what it would have to throw away.
TEST_F(LockPool, IsAskedBeforeAnythingIsMade) {
  database_.Sql(
      "CREATE TABLE days (id int PRIMARY KEY, made date NOT NULL); CREATE INDEX ON days (made); "
      "INSERT INTO days SELECT g, date '2026-01-01' + g FROM generate_series(1, 200) g; CREATE "
      "FUNCTION none_made() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a table was "
      "made'; END $$; CREATE EVENT TRIGGER none_made ON ddl_command_start WHEN TAG IN ('CREATE "
      "TABLE') EXECUTE FUNCTION none_made()");
  const Ran refused = Run({"partition", "convert", "days", "--by", "range(made)", "--every",
                           "1 day", "--to", "2026-07-20", "--strategy", "copy", "--dry-run"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, AllOf(HasSubstr("tables, partitions and indexes at once"),
                                 HasSubstr("about 300 locks")));
  const Ran tried = Run({"partition", "convert", "days", "--by", "range(made)", "--every",
                         "1 month", "--strategy", "copy", "--dry-run"});
  EXPECT_THAT(tried.err, HasSubstr("a table was made"));
}

}  // namespace
}  // namespace pgalter::test
