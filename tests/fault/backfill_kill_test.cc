// kill -9 anywhere: `resume` ends with every row right, and nothing is left behind.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <sstream>

#include "tests/fault/backfill_world.h"
#include "tests/fault/rebuild_points.h"
#include "tests/fault/run_points.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;

// The point, and at which of its passings the process dies: once of each step, and in the middle of
// the chunks.
constexpr const char* kPoints[] = {
    "lease-taken",       "step-started",         "trigger-in-ledger",
    "trigger-made",      "step-recorded",        "step-started:2",
    "chunk-checked:9",   "chunk-updated:9",      "chunk-recorded:9",
    "chunk-committed:9", "group-done",           "scan-done",
    "step-recorded:2",   "step-done-unrecorded", "step-done-unrecorded:2"};

class KilledAt : public BackfillWorld, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledAt, ResumeEndsWithEveryRowRight) {
  MakeItems();
  Writers writers(database_.conninfo(), 1);
  const Ran killed =
      Run(Backfill({"--workers", "2"}), {fmt::format("PGALTER_FAIL_POINT={}", GetParam())});
  ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
  ResumeToTheEnd();
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
  ExpectFinishLeavesNothing();
}

INSTANTIATE_TEST_SUITE_P(Points, KilledAt, ::testing::ValuesIn(kPoints), [](const auto& point) {
  return std::regex_replace(std::string(point.param), std::regex("[-:]"), "_");
});

TEST(FailPoints, AllAreTested) {
  std::set<std::string> tested;
  for (const std::string point : kPoints) tested.insert(point.substr(0, point.find(':')));
  for (const Words& points : {ForwardPoints(), ContractPoints(), BackwardPoints(), OtherPoints()})
    for (const std::string& point : points) tested.insert(point.substr(0, point.find(':')));
  for (const std::string point : kRebuildPoints) tested.insert(point.substr(0, point.find(':')));
  for (const std::string point : kSlicePoints) tested.insert(point.substr(0, point.find(':')));
  for (const std::string point : kLeafPoints) tested.insert(point.substr(0, point.find(':')));
  for (const std::string point : kMatviewPoints) tested.insert(point.substr(0, point.find(':')));
  for (const std::string point : kRevertPoints) tested.insert(point.substr(0, point.find(':')));
  std::set<std::string> found;
  const std::regex call("FailPoint\\(\"([a-z-]+)\"\\)");
  for (const char* room : {"engine", "batcher"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(PGALTER_SOURCE_DIR) / room)) {
      if (entry.path().extension() != ".cc") continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const std::string source = text.str();
      for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it)
        found.insert((*it)[1]);
    }
  }
  EXPECT_EQ(found, tested);
}

class Killed : public BackfillWorld {};

TEST_F(Killed, AtRandomMoments) {
  const char* wanted = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = wanted == nullptr ? 4 : std::atoi(wanted);
  MakeItems();
  std::mt19937 dice(4711);
  Writers writers(database_.conninfo(), 2);
  for (int round = 0; round < rounds; ++round) {
    const unsigned moment = std::uniform_int_distribution(0U, 600U)(dice);
    SCOPED_TRACE(fmt::format("round {}: killed {} ms after its lease", round, moment));
    database_.Sql("UPDATE items SET b = NULL");
    const long runs = round == 0 ? 0 : Number("SELECT count(*) FROM pgalter.run");
    {
      Program program = Start(Backfill({"--workers", "2"}));
      database_.AwaitValue("SELECT to_regclass('pgalter.lease') IS NOT NULL", "t",
                           std::chrono::seconds(30));
      database_.AwaitValue(
          fmt::format("SELECT count(*) > {} FROM pgalter.lease WHERE epoch > 0", runs), "t",
          std::chrono::seconds(30));
      std::this_thread::sleep_for(std::chrono::milliseconds(moment));  // the moment under test
      program.Signal(SIGKILL);
      const Ran ran = program.Wait();
      ASSERT_TRUE(ran.code == kKilled || ran.code == 0) << ran.err;
    }
    ResumeToTheEnd();
    EXPECT_EQ(Number("SELECT count(*) FROM items WHERE b IS DISTINCT FROM a * 2"), 0);
    ExpectFinishLeavesNothing();
  }
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
}

TEST_F(Killed, TwiceAtDifferentPoints) {
  MakeItems();
  Writers writers(database_.conninfo(), 3);
  ASSERT_EQ(Run(Backfill({"--workers", "2"}), {"PGALTER_FAIL_POINT=chunk-recorded:20"}).code,
            kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=lease-taken"}).code, kKilled);
  AwaitNoRunner();
  ASSERT_EQ(Run({"resume", RunId()}, {"PGALTER_FAIL_POINT=chunk-committed:12"}).code, kKilled);
  ResumeToTheEnd();
  writers.Stop();
  EXPECT_EQ(writers.errors(), "");
  ExpectRight();
}

TEST_F(Killed, AnAbortTakesTheTriggerAway) {
  MakeItems();
  ASSERT_EQ(Run(Backfill(), {"PGALTER_FAIL_POINT=chunk-committed:3"}).code, kKilled);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'items'::regclass"), 1);
  AwaitNoRunner();
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_THAT(aborted.out, ::testing::HasSubstr("values that a backfill has set stay"));
  EXPECT_EQ(StateOfRun(), "aborted");
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'items'::regclass"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgalter'::regnamespace AND "
                   "proname LIKE 'sync%'"),
            0);
  EXPECT_EQ(Run({"resume", RunId()}).code, 4);
}

}  // namespace
}  // namespace pgalter::test
