// Programs of both forms at once, a split that is killed at random points, and a book that says
// what should be there. PGALTER_TORTURE_ROUNDS asks for more rounds, PGALTER_TORTURE_SEED for one.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "tests/fault/split_world.h"

namespace pgalter::test {
namespace {

class SplitTorture : public SplitWorld {
 protected:
  static unsigned Seed(int round) {
    const char* given = std::getenv("PGALTER_TORTURE_SEED");
    return given != nullptr ? static_cast<unsigned>(std::stoul(given))
                            : 20261122U + static_cast<unsigned>(round);
  }
  // Killed after a while, again and again, until it is done.
  void CarryThrough(const Words& words, std::mt19937& dice, const Words& environment = {}) const {
    Words next = words;
    for (int deaths = 0;; ++deaths) {
      Program program = Start(next, environment);
      const auto life = std::chrono::milliseconds(deaths < 4 ? dice() % 400 : 60'000);
      const auto end = std::chrono::steady_clock::now() + life;
      while (program.running() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (program.running()) program.Signal(9);
      const Ran ran = program.Wait(kLimit);
      AwaitNoRunner();
      if (ran.code != kKilled) {
        ASSERT_EQ(ran.code, 0) << ran.err;
        return;
      }
      if (database_.Value("SELECT to_regclass('pgalter.run')") == "NULL") continue;
      if (Number("SELECT count(*) FROM pgalter.run") == 0) continue;
      next = {"resume", RunId()};
      if (words.front() == "resume") next.insert(next.end(), {"--gate", kGate});
      if (StateOfRun() == "done") return;
    }
  }
};

TEST_F(SplitTorture, LosesNothing) {
  const char* asked = std::getenv("PGALTER_TORTURE_ROUNDS");
  const int rounds = asked == nullptr ? 3 : std::atoi(asked);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    const unsigned seed = Seed(round);
    SCOPED_TRACE(fmt::format("PGALTER_TORTURE_SEED={}", seed));
    std::mt19937 dice(seed);
    if (round > 0)
      database_.Sql(
          "DROP TABLE IF EXISTS order_note; DROP TABLE orders, book; DROP SEQUENCE order_id;"
          "DROP SCHEMA pgalter CASCADE");
    MakeTable(20'000);
    SplitUsers old_form(database_.conninfo(), SplitUsers::Form::kOld, seed, 3);
    CarryThrough(Split(), dice);
    SplitUsers new_form(database_.conninfo(), SplitUsers::Form::kNew, seed + 100, 3);
    ASSERT_TRUE(
        Within(kLimit, [&] { return new_form.writes() > 200 || !new_form.errors().empty(); }));
    old_form.Stop();
    if (dice() % 3 == 0) {
      ASSERT_EQ(Run({"resume", RunId(), "--gate", kGate}).code, 0);
    } else {
      CarryThrough({"resume", RunId(), "--gate", kGate}, dice);
    }
    new_form.Stop();
    EXPECT_EQ(old_form.errors(), "");
    EXPECT_EQ(new_form.errors(), "");
    ExpectBooksRight();
  }
}

// What the rounds above are worth: without the lock on a chunk's rows, one that is deleted
// meanwhile comes back, which the comparison finds, or a user whose value that row has. Every row
// is one that users change, and nobody is killed: most rounds fail.
TEST_F(SplitTorture, WithoutTheLockOnAChunkItFailsWithinTenRounds) {
  int failed_in = 0;
  for (int round = 1; round <= 10 && failed_in == 0; ++round) {
    if (round > 1)
      database_.Sql(
          "DROP VIEW IF EXISTS order_note; DROP TABLE orders, book, pgalter_new_order_note; DROP "
          "SEQUENCE order_id; DROP SCHEMA pgalter CASCADE; DROP FUNCTION pgalter_put_order_note, "
          "pgalter_sync_order_note");
    MakeTable(3'000);
    SplitUsers users(database_.conninfo(), SplitUsers::Form::kOld,
                     Seed(0) + static_cast<unsigned>(round), 4);
    const Ran ran = Run(Split(), {"PGALTER_SAFEGUARDS_OFF=split-lock"});
    users.Stop();
    if (ran.code == 7 || users.errors().find("23505") != std::string::npos) failed_in = round;
  }
  EXPECT_GT(failed_in, 0);
  RecordProperty("failed_in", failed_in);
}

}  // namespace
}  // namespace pgalter::test
