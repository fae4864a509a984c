// A swap that takes longer than users may wait is rolled back, however often it is tried; it is
// done once they may.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;

class RebuildHold : public RebuildWorld {
 protected:
  void ExpectTooLong(const Ran& ran, const std::string& state) {
    EXPECT_EQ(ran.code, 5) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("held its lock for longer than the hold budget"));
    EXPECT_THAT(ran.err, HasSubstr("for longer than 1 ms, there and back: --hold-budget 1s"));
    EXPECT_EQ(database_.Value("SELECT swapped_at IS NULL FROM pgalter.rebuild"), state);
    ExpectSame();
  }
};

TEST_F(RebuildHold, IsRolledBackUntilUsersMayWait) {
  MakeRebuilt(500);
  ExpectTooLong(Run(Rebuild({"--hold-budget", "1ms"})), "t");
  ExpectTooLong(Run({"resume", RunId()}), "t");  // it is kept with the run
  const Ran there = Run({"resume", RunId(), "--hold-budget", "5min"});
  EXPECT_EQ(there.code, 0) << there.err;
  ExpectNew();
  ExpectSame();
  ExpectTooLong(Run({"revert", RunId(), "--yes", "--hold-budget", "1ms"}), "f");
  const Ran back = Run({"revert", RunId(), "--yes", "--hold-budget", "5min"});
  EXPECT_EQ(back.code, 0) << back.err;
  ExpectSame();
}

// What nobody uses may be locked for as long as its dropping takes.
TEST_F(RebuildHold, WhatWasMadeIsDroppedHoweverMuchItIs) {
  database_.Sql(
      "CREATE TABLE logs (id bigint, made date NOT NULL, PRIMARY KEY (id, made));"
      "CREATE INDEX ON logs (made);"
      "INSERT INTO logs SELECT n, date '2026-01-01' + n % 200 FROM generate_series(1, 2000) n;");
  const Words convert{"partition", "convert",       "logs",       "--by", "range(made)",
                      "--every",   "1 day",         "--strategy", "copy", "--premake",
                      "1",         "--hold-budget", "30ms",       "--yes"};
  ASSERT_EQ(Run(convert, {"PGALTER_FAIL_POINT=compared"}).code, kKilled);
  const Ran aborted = Run({"abort", RunId(), "--yes"});
  EXPECT_EQ(aborted.code, 0) << aborted.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'logs'::regclass"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM logs"), 2'000);
}

TEST_F(RebuildHold, OfWhatIsNoDurationNothingIsBegun) {
  MakeRebuilt(500);
  const std::string none = std::filesystem::temp_directory_path().string();
  for (const Words& command :
       {Rebuild(), Words{"run", "--sql", "ALTER TABLE items ALTER u SET NOT NULL", "--yes"},
        Words{"up", "--dir", none, "--yes"}, Words{"down", "--dir", none, "--yes"}}) {
    for (const std::string text : {"soon", "0s", "0.1ms"}) {
      Words words = command;
      words.insert(words.end(), {"--hold-budget", text});
      const Ran ran = Run(words);
      EXPECT_EQ(ran.code, 2) << command.front() << ": " << ran.err;
      EXPECT_THAT(ran.err, HasSubstr("--hold-budget \"" + text + "\" is no duration"));
    }
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL"), "t");
}

}  // namespace
}  // namespace pgalter::test
