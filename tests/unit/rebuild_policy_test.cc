// Whether a rebuild keeps up with its users: the policy by tables, and a day of it by simulation,
// whose figures stand in docs/rebuild.md.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include "batcher/rebuild/convergence_policy.h"

namespace pgalter::rebuild {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr bool kUnfinished = false;

FollowedRound Of(std::int64_t keys, milliseconds took) { return {keys, keys, took, true}; }
FollowedRound Of(std::int64_t taken, std::int64_t applied, milliseconds took, bool whole) {
  return {taken, applied, took, whole};
}

struct Case {
  const char* name;
  std::vector<FollowedRound> rounds;
  Verdict last;  // the ones before it are kGoOn
};

class Rounds : public ::testing::TestWithParam<Case> {};

TEST_P(Rounds, EndIn) {
  Convergence convergence(ConvergenceOptions{});
  const auto& rounds = GetParam().rounds;
  for (std::size_t i = 0; i < rounds.size(); ++i)
    EXPECT_EQ(convergence.After(rounds[i]),
              i + 1 == rounds.size() ? GetParam().last : Verdict::kGoOn)
        << "round " << i + 1;
}

// 20,000 changes a second are 400 in a round that takes 20 ms: as many under the lock.
std::vector<FollowedRound> Steady(std::int64_t keys, milliseconds took, int rounds) {
  std::vector<FollowedRound> all;
  for (int i = 0; i < rounds; ++i) all.push_back(Of(keys + i % 3, took));
  return all;
}

// A backlog of hours: rounds that come to no end, of a minute each.
std::vector<FollowedRound> Backlog(std::int64_t coming, std::int64_t followed, int rounds) {
  std::vector<FollowedRound> all;
  for (int i = 0; i < rounds; ++i) all.push_back(Of(60 * coming, 60 * followed, 60s, kUnfinished));
  return all;
}

std::vector<FollowedRound> Then(std::vector<FollowedRound> rounds, FollowedRound last) {
  rounds.push_back(last);
  return rounds;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Rounds,
    ::testing::Values(
        Case{"Few", {Of(90, 10ms)}, Verdict::kClose},
        Case{"FewerAndFewer",
             {Of(200'000, 20s), Of(9'000, 1s), Of(500, 40ms), Of(80, 9ms)},
             Verdict::kClose},
        Case{"ShortRoundsThatStayAsTheyAre", Steady(400, 20ms, 11), Verdict::kClose},
        Case{"ShortRoundsFewOfThem", Steady(400, 20ms, 10), Verdict::kGoOn},
        Case{"LongRoundsThatStayAsTheyAre", Steady(500'000, 55s, 12), Verdict::kNever},
        Case{"LongRoundsAreGivenTime", Steady(500'000, 55s, 11), Verdict::kGoOn},
        // The first tells nothing of what comes.
        Case{"ABacklogThatGrows", Backlog(20'000, 15'000, 11), Verdict::kNever},
        Case{"ABacklogThatGrowsIsGivenTime", Backlog(20'000, 15'000, 10), Verdict::kGoOn},
        Case{"ABacklogThatShrinks", Then(Backlog(10'000, 15'000, 500), Of(60, 4ms)),
             Verdict::kClose},
        Case{"ABacklogThatHardlyShrinks", Backlog(14'900, 15'000, 11), Verdict::kNever},
        Case{"ABurst",
             {Of(9'000, 50s), Of(90'000, 15'000, 60s, kUnfinished),
              Of(90'000, 15'000, 60s, kUnfinished), Of(0, 15'000, 60s, kUnfinished), Of(7'000, 50s),
              Of(90, 1s)},
             Verdict::kClose}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Convergence, TellsBothSpeeds) {
  Convergence convergence(ConvergenceOptions{});
  convergence.After(Of(60'000, 4s));
  convergence.After(Of(80'000, 5s));
  EXPECT_EQ(convergence.coming(), 20'000);
  EXPECT_EQ(convergence.followed(), 16'000);
}

// What was measured (design, measurements; one core each, all in memory): copy by two sessions,
// keys followed by one, a round that has nothing to do. Key and indexes are taken to last as long
// as the copy. Users change rows evenly over the whole table, which is the worst for the dirty
// keys.
constexpr double kCopied = 400e3;   // rows a second
constexpr double kFollowed = 15e3;  // keys a second
constexpr double kEmptyRound = 0.008;
constexpr double kRowBytes = 200;
constexpr double kLogBytes = 90;   // of a log row with its index
constexpr double kFoldEvery = 10;  // seconds
constexpr double kRound = 60;      // seconds, at most

// Different rows among `changes` of `rows`.
double Different(double changes, double rows) { return rows * -std::expm1(-changes / rows); }

std::string Hours(double seconds) { return fmt::format("{:.1f} h", seconds / 3600); }

// A row of the table in docs/rebuild.md.
std::string Row(double bytes, double changes, const std::string& end) {
  const double seconds = 2 * bytes / kRowBytes / kCopied;
  return fmt::format(
      "| {} | {:.0f},000 | {} | {:.0f} M | {:.0f} GB | {:.0f} MB | {} |",
      bytes < 1e12 ? fmt::format("{:.0f} GB", bytes / 1e9) : fmt::format("{:.0f} TB", bytes / 1e12),
      changes / 1000, Hours(seconds / 2), Different(changes * seconds, bytes / kRowBytes) / 1e6,
      changes * seconds * kLogBytes / 1e9, changes * kFoldEvery * kLogBytes / 1e6, end);
}

std::string Day(double bytes, double changes) {
  const double rows = bytes / kRowBytes;
  const double copy = rows / kCopied;
  const double dirty = Different(changes * 2 * copy, rows);
  double left = dirty;
  double taken = dirty;
  double time = 2 * copy;
  Convergence convergence(ConvergenceOptions{});
  for (Verdict verdict = Verdict::kGoOn;;) {
    const double applied = std::min(left, kRound * kFollowed);
    const double took = kEmptyRound + applied / kFollowed;
    left -= applied;
    time += took;
    FollowedRound round;
    round.taken = std::llround(taken);
    round.applied = std::llround(applied);
    round.took = milliseconds(std::llround(took * 1000));
    round.whole = left < 1;
    verdict = convergence.After(round);
    if (verdict == Verdict::kNever)
      return Row(bytes, changes, "stops, and says so, after " + Hours(time));
    if (verdict == Verdict::kClose) return Row(bytes, changes, "ready after " + Hours(time));
    taken = Different(changes * took, rows) * (1 - left / rows);  // the others are dirty already
    left += taken;
  }
}

std::string Documentation() {
  std::ifstream file(std::string(PGALTER_SOURCE_DIR) + "/docs/rebuild.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ADay, IsWhatTheDocumentationSays) {
  const std::string text = Documentation();
  for (const double bytes : {100e9, 1e12, 5e12})
    for (const double changes : {1e3, 5e3, 10e3, 20e3, 50e3})
      EXPECT_THAT(text, ::testing::HasSubstr(Day(bytes, changes)));
}

}  // namespace
}  // namespace pgalter::rebuild
