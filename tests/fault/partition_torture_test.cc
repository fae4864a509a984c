// Conversions both ways, by ranges of many widths and time zones, by hash and into a plain table
// again, splits and merges under their users, beside tables that refer to them, killed at random
// moments, even while they are resumed and taken back: every row is right afterwards, and nothing
// of ours is left. A round is its seed: `./dev torture parts 1 SEED` plays it again.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "tests/fault/partition_world.h"
#include "tests/fault/referring.h"
#include "tests/torture/ledger.h"

namespace pgalter::test {
namespace {

int NumberOf(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

// A partition takes a lock, and so does each of its indexes: of hundreds, users' statements, too.
sandbox::Sandbox& RoomyServer() {
  static sandbox::Sandbox server = [] {
    sandbox::Options options = TestServerOptions();
    options.settings.emplace_back("max_locks_per_transaction = 512");
    return sandbox::Sandbox::Start(options);
  }();
  return server;
}

class PartitionTorture : public Partitioned, public ::testing::WithParamInterface<int> {
 protected:
  PartitionTorture() : Partitioned(RoomyServer()) {}

  static constexpr int kKinds = 7;
  static constexpr std::array kNames{"attach", "copy", "split", "merge", "undo", "hash", "default"};

  // Where clocks are put back an hour, half an hour, or never.
  void ChooseRanges(int kind) {
    zone_ = std::array{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                       "Asia/Kolkata"}
                .at(Moment(4));
    width_ = std::array{"1month", "1month", "1week", "3days", "1day"}.at(Moment(4));
    // Up to 750 partitions: users put rows into the last 500 days.
    if (kind == 1 && Moment(11) == 0) width_ = "16hours";
  }
  [[nodiscard]] Words Ranges(const Words& more = {}) const {
    Words words{"--every", width_, "--time-zone", zone_};
    words.insert(words.end(), more.begin(), more.end());
    return Convert(words);
  }
  [[nodiscard]] unsigned Moment(unsigned most) {
    return std::uniform_int_distribution(0U, most)(dice_);
  }

  [[nodiscard]] long Runs() const {
    if (database_.Value("SELECT to_regclass('pgalter.run') IS NULL") == "t") return 0;
    return Number("SELECT count(*) FROM pgalter.run");
  }

  // Whether it was killed before its end.
  bool Kill(const Words& words) {
    const unsigned moment = Moment(1500);
    Program program = Start(words, environment_);
    std::this_thread::sleep_for(std::chrono::milliseconds(moment));  // the moment under test
    program.Signal(SIGKILL);
    const Ran ran = program.Wait(kLimit);
    EXPECT_TRUE(ran.code == kKilled || ran.code == 0 || ran.code == 5)
        << "after " << moment << " ms: " << ran.code << "\n"
        << ran.err;
    AwaitNoRunner();
    return ran.code != 0;
  }

  // Too busy for a swap (5) is no wrong row: what it says to do at a quieter time is done.
  void End(const Words& words, const Words& again = {}) {
    Ran ran = Start(words, environment_).Wait(kLong);
    for (int times = 0; ran.code == 5 && times < 5; ++times)
      ran = Start(again.empty() ? Words{"resume", RunId()} : again, environment_).Wait(kLong);
    ASSERT_EQ(ran.code, 0) << ran.err;
  }

  // To its end, with a kill, and another one while it is resumed.
  void Torture(const Words& words) {
    const long before = Runs();
    if (!Kill(words)) return;
    if (Runs() == before) return End(words);
    if (StateOfRun() == "done") return;
    if (dice_() % 2 == 0) Kill({"resume", RunId()});
    if (StateOfRun() == "done") return;
    AwaitNoRunner();
    End({"resume", RunId()});
    EXPECT_EQ(StateOfRun(), "done");
  }

  // `revert` is asked for again until it says that it is done.
  void Revert() {
    const Words words{"revert", RunId(), "--yes"};
    Kill(words);
    if (StateOfRun() != "reverted") End(words, words);
  }

  void Prepare(int kind) {
    MakeEvents(1500);
    if (kind == 2) {
      ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
    }
    if (kind == 6) {
      ASSERT_EQ(Run(Convert({"--premake", "1"})).code, 0);
      database_.Sql(
          "INSERT INTO events (made, kind, note) SELECT now() + g * interval '1 day', g % 10, "
          "'ahead' FROM generate_series(1, 400) g");
    }
    if (kind == 3 || kind == 4) {
      ASSERT_EQ(Run(Convert({"--strategy", "copy"})).code, 0);
      ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
    }
  }

  [[nodiscard]] Words WordsOf(int kind) const {
    if (kind == 0) return Ranges();
    if (kind == 1) return Ranges({"--strategy", "copy", "--workers", "2", "--hold-budget", "60s"});
    if (kind == 4) return {"partition", "undo", "events", "--yes"};
    if (kind == 5)
      return {"partition", "convert", "events", "--by", "hash(id)", "--modulus", "7", "--yes"};
    if (kind == 6)
      return {"partition",
              "split",
              database_.Value("SELECT relname FROM pg_class WHERE pg_get_expr(relpartbound, oid) = "
                              "'DEFAULT'"),
              "--every",
              "1 month",
              "--yes"};
    const Rows names = database_.Connect().Exec(
        "SELECT relname FROM pg_class WHERE relname ~ '^events_(p|until_)' AND relkind = 'r' ORDER "
        "BY relname");
    if (kind == 2) return {"partition", "split", names.back().at(0), "--every", "1 month", "--yes"};
    return {"partition", "merge", names.at(0).at(0), names.at(1).at(0), names.at(2).at(0), "--yes"};
  }

  static constexpr std::chrono::minutes kLong{5};  // of hundreds of partitions
  void TearDown() override {
    played_.version = database_.server().server_version_major();
    played_.right = !HasFailure();
    Enter(played_);
  }

  Played played_;
  std::mt19937 dice_;
  std::string zone_ = "UTC";
  std::string width_ = "1month";
  Words environment_;  // of the program
};

TEST_P(PartitionTorture, EveryRowIsRight) {
  const auto seed = static_cast<unsigned>(NumberOf("PGALTER_TORTURE_SEED", 1000) + GetParam());
  const int kind = static_cast<int>(seed % kKinds);
  SCOPED_TRACE(fmt::format("seed {}: {}", seed, kNames.at(static_cast<std::size_t>(kind))));
  dice_.seed(seed);
  ChooseRanges(kind);
  played_.seed = seed;
  played_.begun = std::chrono::steady_clock::now();
  played_.story =
      fmt::format("parts {}: {} {}", kNames.at(static_cast<std::size_t>(kind)), zone_, width_);
  Prepare(kind);
  if (HasFatalFailure()) return;
  // Half of those whose partitions change places.
  const bool referred = (kind == 2 || kind == 3 || kind == 6) && seed / kKinds % 2 == 1;
  if (referred) {
    database_.Sql(Referring(dice_() % 2 == 0 ? kPlainLine : kPartedLine));
    played_.story += " referred";
  }
  // Every second one as if it were too large for the lock.
  if (kind == 3 && dice_() % 2 == 0) {
    environment_ = {"PGALTER_LIMITS=moved-bytes-a-ms=1"};
    played_.story += " by copy";
  }
  Users users(database_.conninfo(), seed, zone_);
  users.ahead = kind == 6;
  Torture(WordsOf(kind));
  if (HasFatalFailure()) return;
  EXPECT_EQ(StateOfRun(), "done");
  users.ahead = true;
  users.AwaitWrites(50);
  const bool copied = kind == 1 || kind == 4 || kind == 5;
  if ((kind == 0 || copied) && dice_() % 2 == 0) {
    Revert();
    EXPECT_EQ(StateOfRun(), "reverted");
    played_.story += " back";
  }
  users.Stop();
  played_.writes = users.writes();
  EXPECT_EQ(users.errors(), "");
  ExpectSame();
  if (referred) {
    EXPECT_EQ(Number(kUnreferred), 0);
    EXPECT_EQ(database_.Value(kReferringKey), "of_event t");
  }
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  if (!copied) ExpectNothingOfOurs();  // a copy keeps the way back until `finish`
}

// One of each kind, or as many as are asked for.
INSTANTIATE_TEST_SUITE_P(Rounds, PartitionTorture,
                         ::testing::Range(0, std::max(7, NumberOf("PGALTER_TORTURE_ROUNDS", 7))));

}  // namespace
}  // namespace pgalter::test
