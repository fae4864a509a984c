// kill -9 anywhere in a rebuild: `resume` ends with every row right, and nothing is left behind.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/fault/rebuild_points.h"
#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

class RebuildKilledAt : public RebuildWorld, public ::testing::WithParamInterface<const char*> {};

TEST_P(RebuildKilledAt, ResumeEndsWithEveryRowRight) {
  MakeRebuilt();
  // One key to validate after the swap.
  database_.Sql(
      "CREATE TABLE kinds (a int PRIMARY KEY); INSERT INTO kinds SELECT -2000 + g FROM "
      "generate_series(1, 50000) g; CREATE TABLE child (item bigint REFERENCES items)");
  Rebuilders users(database_.conninfo(), 1);
  const Ran killed =
      Run(Rebuild({"--workers", "2"}), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  users.AwaitWrites(20);
  ResumeToTheEnd();
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  ExpectNew();
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(Points, RebuildKilledAt, ::testing::ValuesIn(kRebuildPoints),
                         [](const auto& point) {
                           std::string name = point.param;
                           for (char& c : name)
                             if (c == '-' || c == ':') c = '_';
                           return name;
                         });

class RebuildKilled : public RebuildWorld {};

TEST_F(RebuildKilled, AtRandomMoments) {
  const char* wanted = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = wanted == nullptr ? 3 : std::atoi(wanted);
  const char* given = std::getenv("PGALTER_TORTURE_SEED");
  const unsigned seed = given == nullptr ? 4711 : static_cast<unsigned>(std::atoi(given));
  MakeRebuilt();
  std::mt19937 dice(seed);
  Rebuilders users(database_.conninfo(), seed);
  for (int round = 0; round < rounds; ++round) {
    const unsigned moment = std::uniform_int_distribution(0U, 2000U)(dice);
    SCOPED_TRACE(fmt::format("seed {}, round {}: killed after {} ms", seed, round, moment));
    Program program = Start(Rebuild({"--workers", "2"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(moment));  // the moment under test
    program.Signal(SIGKILL);
    const Ran ran = program.Wait();
    ASSERT_TRUE(ran.code == kKilled || ran.code == 0) << ran.err;
    AwaitNoRunner();
    const bool begun = Number(
                           "SELECT CASE WHEN to_regclass('pgalter.run') IS NULL THEN 0 ELSE "
                           "(xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM "
                           "pgalter.run WHERE finished_at IS NULL', true, true, "
                           "'')))[1]::text::int END") > 0;
    if (!begun) continue;
    if (StateOfRun() != "done") ResumeToTheEnd();
    ExpectNothingLeft();
  }
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
}

TEST_F(RebuildKilled, AnAbortLeavesAllAsItWas) {
  MakeRebuilt();
  Rebuilders users(database_.conninfo(), 3);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=index-built"}).code, kKilled);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(StateOfRun(), "aborted");
  users.Stop();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgalter%'"), 0);
}

}  // namespace
}  // namespace pgalter::test
