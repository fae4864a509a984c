// The pure half of pace: readings to ratio, chunk outcomes to chunk sizes, values and settings.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "batcher/throttle/budget_gate.h"
#include "batcher/throttle/chunk_size_policy.h"
#include "batcher/throttle/lag_gate.h"
#include "batcher/throttle/settings.h"
#include "batcher/throttle/snapshot.h"
#include "batcher/throttle/throttle.h"
#include "batcher/throttle/utilisation_policy.h"
#include "engine/watch/counter_history.h"
#include "engine/watch/signals.h"
#include "engine/watch/standbys.h"

namespace pgalter::throttle {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using watch::Reading;
using watch::Seen;

constexpr Time kStart{};

Reading Measured(double utilisation, std::string signal = "blocked-sessions") {
  Reading reading;
  reading.signal = std::move(signal);
  reading.unit = watch::Unit::kSessions;
  reading.seen = Seen::kMeasured;
  reading.limit = 100;
  reading.value = utilisation * 100;
  return reading;
}

Reading Unreadable(std::string signal = "replay-lag-bytes") {
  Reading reading;
  reading.signal = std::move(signal);
  reading.seen = Seen::kUnreadable;
  reading.text = "the standby is gone";
  return reading;
}

// One round a second with these utilisations.
Verdict After(std::vector<double> rounds, UtilisationOptions options = {}) {
  UtilisationPolicy policy(options);
  Time now = kStart;
  for (const double utilisation : rounds) {
    const Reading reading = Measured(utilisation);
    policy.Step({&reading, 1}, now);
    now += 1s;
  }
  return policy.At(now);
}

struct PaceCase {
  const char* name;
  std::vector<double> rounds;
  Action action;
  double ratio;
};

class Pace : public ::testing::TestWithParam<PaceCase> {};

TEST_P(Pace, FollowsTheTable) {
  const Verdict verdict = After(GetParam().rounds);
  EXPECT_EQ(Name(verdict.action), Name(GetParam().action));
  EXPECT_NEAR(verdict.ratio, GetParam().ratio, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Pace,
    ::testing::Values(
        PaceCase{"StartsAtFullSpeedWhenIdle", {0}, Action::kGrow, 1},
        PaceCase{"StartsAtHalfWhenBusy", {0.4}, Action::kHold, 0.5},
        PaceCase{"StartsAtTheFloorWhenNearlyFull", {0.9}, Action::kShed, 0.05},
        PaceCase{"StartsStoppedWhenFull", {1}, Action::kStop, 0},
        PaceCase{"GrowsByATenthASecond", {0.5, 0.1, 0.1}, Action::kGrow, 0.7},
        PaceCase{"NeverGrowsPastFullSpeed", {0, 0, 0, 0}, Action::kGrow, 1},
        PaceCase{"HoldsBetween", {0, 0.5, 0.69}, Action::kHold, 1},
        PaceCase{"ShedsAFifthASecond", {0, 0.7, 0.99}, Action::kShed, 0.64},
        PaceCase{"NeverShedsBelowTheFloor", std::vector<double>(40, 0.8), Action::kShed, 0.05},
        PaceCase{"StopsAtTheLimit", {0, 1}, Action::kStop, 0},
        PaceCase{"StaysStoppedJustBelowTheLimit", {0, 1, 0.95, 0.95}, Action::kShed, 0},
        PaceCase{"ComesBackAtHalf", {0, 1, 0.8}, Action::kShed, 0.5},
        PaceCase{"ASecondStopHalvesAgain", {0, 1, 0.5, 1, 0.5}, Action::kHold, 0.25},
        PaceCase{"CoolsDownBeforeItGrows", {0, 1, 0.1, 0.1, 0.1, 0.1}, Action::kGrow, 0.5},
        PaceCase{"GrowsOnceCool", {0, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, Action::kGrow, 0.7}),
    [](const auto& test) { return test.param.name; });

TEST(UtilisationPolicy, NamesTheHighestSignalAsTheReason) {
  UtilisationPolicy policy;
  const std::vector<Reading> readings{Measured(0.1, "xmin-age"), Measured(0.8, "archive-backlog"),
                                      Measured(0.5, "commit-latency")};
  const Verdict& verdict = policy.Step(readings, kStart);
  EXPECT_THAT(verdict.reason, HasSubstr("archive-backlog 80 sessions of 100 sessions"));
  EXPECT_DOUBLE_EQ(verdict.utilisation, 0.8);
}

TEST(UtilisationPolicy, HasNoReasonAtFullSpeed) { EXPECT_EQ(After({0.2, 0.3}).reason, ""); }

TEST(UtilisationPolicy, ALateRoundIsNotManySteps) {
  UtilisationPolicy policy;
  Reading reading = Measured(0.5);
  policy.Step({&reading, 1}, kStart);
  reading = Measured(0);
  EXPECT_NEAR(policy.Step({&reading, 1}, kStart + 1h).ratio, 0.8, 1e-9);
}

TEST(UtilisationPolicy, AnUnreadableSignalHoldsAndStopsAfterTheGrace) {
  UtilisationPolicy policy;
  const Reading fine = Measured(0, "replay-lag-bytes");
  const Reading gone = Unreadable();
  policy.Step({&fine, 1}, kStart);
  EXPECT_EQ(policy.Step({&gone, 1}, kStart + 1s).action, Action::kHold);
  EXPECT_EQ(policy.Step({&gone, 1}, kStart + 15s).action, Action::kHold);
  const Verdict& verdict = policy.Step({&gone, 1}, kStart + 16s);
  EXPECT_EQ(verdict.action, Action::kStop);
  EXPECT_EQ(verdict.ratio, 0);
  EXPECT_EQ(verdict.reason, "replay-lag-bytes cannot be read: the standby is gone");
  EXPECT_GT(policy.Step({&fine, 1}, kStart + 17s).ratio, 0);
}

TEST(UtilisationPolicy, DuringTheGraceTheLastKnownValueCounts) {
  UtilisationPolicy policy;
  const Reading nearly = Measured(0.9, "replay-lag-bytes");
  const Reading gone = Unreadable();
  policy.Step({&nearly, 1}, kStart);
  EXPECT_EQ(policy.Step({&gone, 1}, kStart + 1s).action, Action::kShed);
}

TEST(UtilisationPolicy, AMomentOfReadabilityBeginsANewGrace) {
  UtilisationPolicy policy;
  const Reading fine = Measured(0, "replay-lag-bytes");
  const Reading gone = Unreadable();
  policy.Step({&gone, 1}, kStart);
  policy.Step({&fine, 1}, kStart + 10s);
  EXPECT_NE(policy.Step({&gone, 1}, kStart + 20s).action, Action::kStop);
}

TEST(UtilisationPolicy, StopsWhenNoRoundComesForTheGrace) {
  UtilisationPolicy policy;
  const Reading fine = Measured(0);
  policy.Step({&fine, 1}, kStart);
  EXPECT_EQ(policy.At(kStart + 15s).ratio, 1);
  EXPECT_EQ(policy.At(kStart + 16s).ratio, 0);
  EXPECT_THAT(policy.At(kStart + 16s).reason, HasSubstr("no signal has been read for 16 s"));
}

TEST(UtilisationPolicy, StandsStillBeforeTheFirstRound) {
  EXPECT_EQ(UtilisationPolicy().At(kStart).ratio, 0);
}

TEST(UtilisationPolicy, TheOperatorsCeilingNeverLiftsAStop) {
  UtilisationPolicy policy;
  Reading reading = Measured(0);
  policy.Step({&reading, 1}, kStart);
  policy.SetCeiling(0.5);
  EXPECT_EQ(policy.At(kStart).ratio, 0.5);
  EXPECT_THAT(policy.At(kStart).reason, HasSubstr("0.5 by the operator"));
  reading = Measured(2);
  EXPECT_EQ(policy.Step({&reading, 1}, kStart + 1s).ratio, 0);
  EXPECT_THAT(policy.At(kStart + 1s).reason, HasSubstr("blocked-sessions"));
  reading = Measured(0);
  policy.Step({&reading, 1}, kStart + 2s);
  policy.SetCeiling(std::nullopt);
  EXPECT_EQ(policy.At(kStart + 2s).ratio, 0.5);
}

TEST(UtilisationPolicy, ABudgetHasNoEffectUntilItIsSpent) {
  UtilisationPolicy policy;
  Reading budget = Measured(0.99, "extra-bytes");
  budget.effect = watch::Effect::kBudget;
  EXPECT_EQ(policy.Step({&budget, 1}, kStart).ratio, 1);
  budget.value = 100;
  EXPECT_EQ(policy.Step({&budget, 1}, kStart + 1s).ratio, 0);
}

TEST(BudgetGate, ShutsByWhatWasWrittenSinceTheLastReading) {
  BudgetGate gate;
  gate.Spend(1e12);
  EXPECT_EQ(gate.left(), std::nullopt);  // there is no limit
  EXPECT_EQ(gate.WhyShut(), std::nullopt);
  Reading budget = Measured(0.4, "extra-bytes");  // of 100
  gate.Begin();
  gate.Note({&budget, 1});
  EXPECT_EQ(gate.left(), 60);
  gate.Spend(50);
  EXPECT_EQ(gate.WhyShut(), std::nullopt);
  gate.Spend(10);
  EXPECT_THAT(gate.WhyShut(), ::testing::Optional(HasSubstr("extra-bytes 100 B/100 B")));
  // Rounds in which it is not read change nothing.
  gate.Begin();
  gate.Note({&budget, 1});
  EXPECT_EQ(gate.left(), 0);
  // What is written while it is read may not be in what is read.
  gate.Begin();
  gate.Spend(5);
  budget.value = 70;
  gate.Note({&budget, 1});
  EXPECT_EQ(gate.left(), 25);
  budget.limit = 1000;
  gate.Note({&budget, 1});
  EXPECT_EQ(gate.left(), 925);
}

TEST(PauseAfter, KeepsTheRatioOfWorkToTime) {
  EXPECT_EQ(PauseAfter(100ms, 1), 0ms);
  EXPECT_EQ(PauseAfter(100ms, 0.5), 100ms);
  EXPECT_EQ(PauseAfter(100ms, 0.25), 300ms);
  EXPECT_EQ(PauseAfter(100ms, 0), 10s);
  EXPECT_EQ(PauseAfter(1h, 0.001), 10s);
  EXPECT_EQ(PauseAfter(0ms, 0.5), 0ms);
}

// A table of blocks, each with rows to change, and a server with simple costs.
struct Server {
  std::vector<int> density;
  double per_chunk_ms = 1;
  double per_block_ms = 0.005;
  double per_row_ms = 0.02;
  double noise = 0;  // a chunk takes up to this share longer or shorter
  std::mt19937 random{7};

  ChunkOutcome Run(std::size_t from, const ChunkSize& size) {
    ChunkOutcome outcome;
    outcome.asked = size;
    const auto blocks = static_cast<std::size_t>(size.blocks);
    for (std::size_t block = from; block < from + blocks && block < density.size(); ++block) {
      outcome.rows += density[block];
      ++outcome.blocks;
    }
    double ms = per_chunk_ms + per_block_ms * static_cast<double>(outcome.blocks) +
                per_row_ms * static_cast<double>(outcome.rows);
    ms *= std::uniform_real_distribution<double>(1 - noise, 1 + noise)(random);
    outcome.duration = std::chrono::nanoseconds(static_cast<std::int64_t>(ms * 1e6));
    return outcome;
  }
};

double Ms(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Walk {
  double longest_ms = 0;
  int chunks = 0;
  std::vector<double> durations;
};

Walk WalkAll(Server server, ChunkSizePolicy policy) {
  Walk walk;
  for (std::size_t block = 0; block < server.density.size();) {
    const ChunkOutcome outcome = server.Run(block, policy.Next());
    policy.Done(outcome);
    block += static_cast<std::size_t>(outcome.blocks);
    walk.durations.push_back(Ms(outcome.duration));
    walk.longest_ms = std::max(walk.longest_ms, Ms(outcome.duration));
    ++walk.chunks;
  }
  return walk;
}

std::vector<int> Stretches(const std::vector<std::pair<int, int>>& blocks_and_density) {
  std::vector<int> density;
  for (const auto& [blocks, rows] : blocks_and_density)
    density.insert(density.end(), static_cast<std::size_t>(blocks), rows);
  return density;
}

ChunkSizeOptions Options(double rows_per_block) {
  ChunkSizeOptions options;
  options.rows_per_block = rows_per_block;
  return options;
}

struct TableCase {
  const char* name;
  std::vector<std::pair<int, int>> stretches;
  double rows_per_block;
  double noise;
};

class Tables : public ::testing::TestWithParam<TableCase> {};

TEST_P(Tables, NoChunkLastsLongerThanTwoTargets) {
  Server server;
  server.density = Stretches(GetParam().stretches);
  server.noise = GetParam().noise;
  const Walk walk = WalkAll(server, ChunkSizePolicy(Options(GetParam().rows_per_block)));
  EXPECT_LE(walk.longest_ms, 200);
}

INSTANTIATE_TEST_SUITE_P(
    Chunks, Tables,
    ::testing::Values(
        TableCase{"Even", {{50'000, 40}}, 40, 0},
        TableCase{"EvenWithNoise", {{50'000, 40}}, 40, 0.3},
        TableCase{"DeadThenDense", {{500'000, 0}, {20'000, 40}}, 40, 0},
        TableCase{"DenseDeadDense", {{20'000, 40}, {500'000, 0}, {20'000, 40}}, 40, 0.1},
        TableCase{"DeadWithHalfTheEstimate", {{9'000, 40}, {400'000, 0}, {9'000, 40}}, 20, 0},
        TableCase{"NearlyDeadThenDense", {{20'000, 40}, {300'000, 1}, {20'000, 40}}, 40, 0},
        TableCase{"SparseThenDense", {{30'000, 12}, {20'000, 40}}, 40, 0.1},
        TableCase{"ManyShortStretches",
                  {{900, 40}, {9'000, 0}, {900, 40}, {9'000, 0}, {900, 40}, {9'000, 2}, {900, 40}},
                  40,
                  0.1}),
    [](const auto& test) { return test.param.name; });

TEST(ChunkSizePolicy, ComesNearItsAimWithinTwentyChunks) {
  for (const double per_row_ms : {0.002, 0.01, 0.05, 0.2, 0.5}) {
    Server server;
    server.density.assign(2'000'000, 40);
    server.per_row_ms = per_row_ms;
    ChunkSizePolicy policy(Options(40));
    ChunkOutcome outcome;
    for (int chunk = 0; chunk < 20; ++chunk) {
      outcome = server.Run(0, policy.Next());
      policy.Done(outcome);
    }
    outcome = server.Run(0, policy.Next());
    EXPECT_GE(Ms(outcome.duration), 40) << per_row_ms;
    EXPECT_LE(Ms(outcome.duration), 80) << per_row_ms;
  }
}

TEST(ChunkSizePolicy, StaysNearItsAimUnderNoise) {
  Server server;
  server.density.assign(400'000, 40);
  server.noise = 0.2;
  const Walk walk = WalkAll(server, ChunkSizePolicy(Options(40)));
  ASSERT_GT(walk.chunks, 100);
  for (std::size_t chunk = 20; chunk + 1 < walk.durations.size(); ++chunk) {
    EXPECT_GE(walk.durations[chunk], 25);
    EXPECT_LE(walk.durations[chunk], 110);
  }
}

ChunkOutcome Took(const ChunkSize& asked, std::int64_t rows, std::chrono::milliseconds duration) {
  return {asked, rows, asked.blocks, duration};
}

TEST(ChunkSizePolicy, GrowsByAtMostAQuarterAStep) {
  ChunkSizePolicy policy(Options(10));
  for (int step = 0; step < 10; ++step) {
    const ChunkSize before = policy.Next();
    policy.Done(Took(before, before.rows, 1ms));
    EXPECT_LE(static_cast<double>(policy.Next().rows), static_cast<double>(before.rows) * 1.25 + 1);
    EXPECT_GT(policy.Next().rows, before.rows);
  }
}

TEST(ChunkSizePolicy, ManyQuickChunksOfOneSizeAreOneStep) {
  ChunkSizePolicy policy(Options(10));
  const ChunkSize asked = policy.Next();
  for (int pass = 0; pass < 16; ++pass) policy.Done(Took(asked, asked.rows, 5ms));
  EXPECT_EQ(policy.Next().rows, 1'250);
}

TEST(ChunkSizePolicy, ManySlowChunksOfOneSizeAreOneStep) {
  ChunkSizePolicy policy(Options(10));
  const ChunkSize asked = policy.Next();
  for (int pass = 0; pass < 16; ++pass) policy.Done(Took(asked, asked.rows, 120ms));
  EXPECT_EQ(policy.Next().rows, 500);
}

TEST(ChunkSizePolicy, ShrinksAtOnceInProportionButNotBelowAQuarter) {
  ChunkSizePolicy policy(Options(10));
  policy.Done(Took(policy.Next(), 1'000, 120ms));
  EXPECT_EQ(policy.Next().rows, 500);
  policy.Done(Took(policy.Next(), 500, 60s));
  EXPECT_EQ(policy.Next().rows, 125);
}

TEST(ChunkSizePolicy, HalvesACancelledChunk) {
  ChunkSizePolicy policy(Options(10));
  const ChunkSize asked = policy.Next();
  policy.Cancelled(asked);
  policy.Cancelled(asked);
  EXPECT_EQ(policy.Next().rows, 500);
  EXPECT_EQ(policy.Next().blocks, 50);
}

TEST(ChunkSizePolicy, EmptyChunksNeverRaiseRowsAndBlocksOnlyThreefold) {
  ChunkSizePolicy policy(Options(40));
  const ChunkSize first = policy.Next();
  for (int chunk = 0; chunk < 1'000; ++chunk) policy.Done(Took(policy.Next(), 0, 1ms));
  EXPECT_EQ(policy.Next().rows, first.rows);
  EXPECT_GT(policy.Next().blocks, first.blocks);
  EXPECT_LE(policy.Next().blocks, 3 * first.blocks);
}

TEST(ChunkSizePolicy, DenserBlocksThanEstimatedLowerTheBlocksAtOnce) {
  ChunkSizePolicy policy(Options(10));
  const ChunkSize asked = policy.Next();
  ASSERT_EQ(asked.blocks, 100);
  policy.Done(Took(asked, 4'000, 60ms));
  EXPECT_EQ(policy.Next().blocks, BlocksFor(policy.Next().rows, 40));
}

TEST(ChunkSizePolicy, StaysWithinItsBounds) {
  ChunkSizeOptions options = Options(10);
  options.min_rows = 200;
  options.max_rows = 1'100;
  ChunkSizePolicy policy(options);
  for (int step = 0; step < 9; ++step) policy.Done(Took(policy.Next(), policy.Next().rows, 1ms));
  EXPECT_EQ(policy.Next().rows, 1'100);
  for (int step = 0; step < 9; ++step) policy.Done(Took(policy.Next(), policy.Next().rows, 9s));
  EXPECT_EQ(policy.Next().rows, 200);
}

TEST(BlocksFor, IsAtLeastOneAndRoundsUp) {
  EXPECT_EQ(BlocksFor(0, 10), 1);
  EXPECT_EQ(BlocksFor(11, 10), 2);
  EXPECT_EQ(BlocksFor(10, 2.5), 4);
  EXPECT_GT(BlocksFor(10, 0), 1'000'000);
}

TEST(CounterHistory, KnowsTheAgeBetweenItsSamples) {
  watch::CounterHistory history;
  for (int second = 0; second <= 10; ++second)
    history.Record(100 * static_cast<std::uint64_t>(second), kStart + std::chrono::seconds(second));
  const auto age = history.AgeOf(350, kStart + 10s);
  EXPECT_DOUBLE_EQ(age.at_least.count(), 6);
  EXPECT_DOUBLE_EQ(age.at_most->count(), 7);
  EXPECT_DOUBLE_EQ(history.AgeOf(1'000, kStart + 10s).at_least.count(), 0);
  EXPECT_DOUBLE_EQ(history.AgeOf(1'000, kStart + 10s).at_most->count(), 0);
}

TEST(CounterHistory, AnIdleTimeIsNoAge) {
  watch::CounterHistory history;
  for (int second = 0; second <= 100; ++second)
    history.Record(500, kStart + std::chrono::seconds(second));
  history.Record(600, kStart + 101s);
  const auto age = history.AgeOf(500, kStart + 101s);
  EXPECT_DOUBLE_EQ(age.at_least.count(), 0);
  EXPECT_DOUBLE_EQ(age.at_most->count(), 1);
}

TEST(CounterHistory, HasNoUpperBoundBeforeItsBeginning) {
  watch::CounterHistory history;
  history.Record(500, kStart);
  const auto age = history.AgeOf(400, kStart + 9s);
  EXPECT_DOUBLE_EQ(age.at_least.count(), 9);
  EXPECT_FALSE(age.at_most.has_value());
}

TEST(CounterHistory, BeginsAnewOnAnotherServer) {
  watch::CounterHistory history;
  history.Record(500, kStart);
  history.Record(300, kStart + 5s);
  EXPECT_DOUBLE_EQ(history.AgeOf(200, kStart + 6s).at_least.count(), 1);
}

TEST(CounterHistory, ThinningOnlyMakesOldAgesCoarser) {
  watch::CounterHistory history;
  constexpr int kSeconds = 40'000;
  for (int second = 0; second <= kSeconds; ++second)
    history.Record(static_cast<std::uint64_t>(second), kStart + std::chrono::seconds(second));
  const auto recent = history.AgeOf(kSeconds - 100, kStart + std::chrono::seconds(kSeconds));
  EXPECT_DOUBLE_EQ(recent.at_most->count(), 100);
  for (const std::uint64_t value : {0ULL, 7ULL, 999ULL, 12'345ULL, 30'001ULL}) {
    const auto age = history.AgeOf(value, kStart + std::chrono::seconds(kSeconds));
    const double exact = static_cast<double>(kSeconds - static_cast<int>(value));
    EXPECT_LE(age.at_least.count(), exact);
    EXPECT_GE(age.at_most->count(), exact);
  }
}

TEST(CounterHistory, KnowsByHowMuchItHasGrownSince) {
  watch::CounterHistory history;
  EXPECT_EQ(history.GrowthSince(kStart).by, 0U);
  for (int second = 0; second <= 10; ++second)
    history.Record(100 * static_cast<std::uint64_t>(second), kStart + std::chrono::seconds(second));
  const auto growth = history.GrowthSince(kStart + 6500ms);
  EXPECT_EQ(growth.by, 300U);
  EXPECT_DOUBLE_EQ(growth.over.count(), 3);
  EXPECT_EQ(history.GrowthSince(kStart - 1h).by, 1'000U);
  EXPECT_EQ(history.GrowthSince(kStart + 11s).by, 0U);
}

// Half as fast as the primary writes: what is written now comes behind all that is not replayed.
TEST(ReplayTrack, OfASlowStandbyTellsHowLateItWillBe) {
  watch::ReplayTrack track;
  for (int look = 0; look <= 10; ++look)
    track.NoteReplayed(100 * static_cast<std::uint64_t>(look), kStart + look * 500ms);
  EXPECT_DOUBLE_EQ(track.Due(600, 2, kStart + 2s), 3);
  EXPECT_DOUBLE_EQ(track.Due(9'000, 2, kStart + 2s), 8);    // at most four times its lag
  EXPECT_DOUBLE_EQ(track.Due(100, 2, kStart + 2s), 2);      // at least its lag
  EXPECT_DOUBLE_EQ(track.Due(900, 2, kStart + 4800ms), 2);  // too short a time for a rate
}

TEST(ReplayTrack, ThatStandsStillIsAsLateAsItsLag) {
  watch::ReplayTrack track;
  EXPECT_EQ(track.NoteReplayed(100, kStart), watch::Replay::kMoves);
  EXPECT_EQ(track.NoteReplayed(100, kStart + 3s), watch::Replay::kStandsStill);
  EXPECT_DOUBLE_EQ(track.Due(900, 3, kStart), 3);
}

TEST(ReplayTrack, OfAnotherServerBeginsAnew) {
  watch::ReplayTrack track;
  track.NoteReplayed(100, kStart);
  track.NoteFresh(kStart + 2s);
  track.NoteFresh(kStart + 1s);
  EXPECT_EQ(track.fresh(), kStart + 2s);
  track.NoteReplayed(50, kStart + 3s);
  EXPECT_EQ(track.fresh(), std::nullopt);
}

class Gate : public ::testing::Test {
 protected:
  [[nodiscard]] bool IsShut(Time now) {
    LagGate gate;
    gate.Note(memory_, options_);
    return gate.WhyShut(now).has_value();
  }
  watch::Memory memory_;
  watch::WatchOptions options_;
};

TEST_F(Gate, ShutsByTheClockAloneOnceALagMayBePastItsLimit) {
  memory_.tracks["far"].NoteFresh(kStart);
  options_.limits["replay-lag-seconds"] = 2;
  EXPECT_FALSE(IsShut(kStart + 2s + LagGate::kSlack - 1ms));
  EXPECT_TRUE(IsShut(kStart + 2s + LagGate::kSlack));
  LagGate gate;
  gate.Note(memory_, options_);
  EXPECT_THAT(gate.WhyShut(kStart + 2400ms).value(),
              HasSubstr("replay-lag-seconds up to 2.4 s of 2.0 s (standby far"));
  memory_.tracks["far"].NoteFresh(kStart + 1s);
  EXPECT_FALSE(IsShut(kStart + 2400ms));
}

TEST_F(Gate, StaysOpenWithoutAStandbyOrALimit) {
  EXPECT_FALSE(IsShut(kStart + 1h));
  memory_.tracks["unknown"];
  EXPECT_FALSE(IsShut(kStart + 1h));
  memory_.tracks["far"].NoteFresh(kStart);
  EXPECT_TRUE(IsShut(kStart + 1h));
  options_.without = {"replay-lag-seconds"};
  EXPECT_FALSE(IsShut(kStart + 1h));
  options_.without.clear();
  options_.limits["replay-lag-seconds"] = 0;
  EXPECT_FALSE(IsShut(kStart + 1h));
}

TEST_F(Gate, KeepsToEachStandbysLimitAndDelay) {
  memory_.tracks["far"].NoteFresh(kStart);
  memory_.tracks["near"].NoteFresh(kStart + 5s);
  options_.standby_limits["far"] = 60;
  EXPECT_FALSE(IsShut(kStart + 15s));
  EXPECT_TRUE(IsShut(kStart + 16s));
  options_.ignore_standbys = {"near"};
  EXPECT_FALSE(IsShut(kStart + 60s));
  EXPECT_TRUE(IsShut(kStart + 61s));
  memory_.tracks["far"].delay = 30;
  EXPECT_FALSE(IsShut(kStart + 90s));
  EXPECT_TRUE(IsShut(kStart + 91s));
}

TEST(Units, ReadWhatPostgresWrites) {
  using watch::Parse;
  using watch::Unit;
  EXPECT_EQ(Parse("64MB", Unit::kBytes), 64.0 * 1024 * 1024);
  EXPECT_EQ(Parse("8 kB", Unit::kBytes), 8192.0);
  EXPECT_EQ(Parse("10", Unit::kSeconds), 10.0);
  EXPECT_EQ(Parse("500ms", Unit::kSeconds), 0.5);
  EXPECT_EQ(Parse("2min", Unit::kSeconds), 120.0);
  EXPECT_EQ(Parse("1.5s", Unit::kMilliseconds), 1500.0);
  EXPECT_EQ(Parse("12", Unit::kSessions), 12.0);
  for (const char* bad : {"", "x", "-1", "5MB", "nan", "inf", "10 parsecs"})
    EXPECT_FALSE(Parse(bad, Unit::kSeconds).has_value()) << bad;
  EXPECT_FALSE(Parse("5s", Unit::kSessions).has_value());
}

TEST(Signals, HaveAnIdASummaryAndAReader) {
  std::set<std::string_view> ids;
  for (const watch::Signal* signal : watch::AllSignals()) {
    EXPECT_TRUE(ids.insert(signal->id).second) << signal->id;
    EXPECT_EQ(watch::FindSignal(signal->id), signal);
    EXPECT_FALSE(signal->summary.empty()) << signal->id;
    EXPECT_NE(signal->read, nullptr) << signal->id;
  }
  EXPECT_EQ(watch::FindSignal("nonsense"), nullptr);
}

TEST(Settings, TakeLimitsByTheSignalsUnit) {
  Settings settings;
  EXPECT_EQ(Change(settings, "replay-lag-bytes", "64MB"), std::nullopt);
  EXPECT_EQ(settings.watch.limits["replay-lag-bytes"], 64.0 * 1024 * 1024);
  EXPECT_EQ(Change(settings, "replay-lag-bytes", "off"), std::nullopt);
  EXPECT_TRUE(settings.watch.without.contains("replay-lag-bytes"));
  EXPECT_EQ(Change(settings, "replay-lag-bytes", "default"), std::nullopt);
  EXPECT_THAT(settings.watch.limits, IsEmpty());
  EXPECT_THAT(settings.watch.without, IsEmpty());
}

TEST(Settings, TakeTheOperatorsRatioAndStandbys) {
  Settings settings;
  EXPECT_EQ(Change(settings, "ratio", "0.5"), std::nullopt);
  EXPECT_EQ(settings.ceiling, 0.5);
  EXPECT_EQ(Change(settings, "ratio", "auto"), std::nullopt);
  EXPECT_EQ(settings.ceiling, std::nullopt);
  EXPECT_EQ(Change(settings, "expect-standbys", "2"), std::nullopt);
  EXPECT_EQ(settings.watch.expect_standbys, 2);
  EXPECT_EQ(Change(settings, "expect-standbys", "any"), std::nullopt);
  EXPECT_EQ(settings.watch.expect_standbys, std::nullopt);
  EXPECT_EQ(Change(settings, "query", "SELECT 1"), std::nullopt);
  EXPECT_EQ(settings.watch.throttle_query, "SELECT 1");
  EXPECT_EQ(Change(settings, "ignore-standbys", "a, b"), std::nullopt);
  EXPECT_THAT(settings.watch.ignore_standbys, ::testing::ElementsAre("a", "b"));
}

TEST(Settings, RefuseWithTheWayOut) {
  Settings settings;
  EXPECT_THAT(Change(settings, "speed", "9").value(), HasSubstr("replay-lag-seconds"));
  EXPECT_THAT(Change(settings, "speed", "9").value(), HasSubstr("ratio"));
  EXPECT_THAT(Change(settings, "ratio", "2").value(), HasSubstr("from 0 (stop) to 1"));
  EXPECT_THAT(Change(settings, "xmin-age", "soon").value(), HasSubstr("\"3600.0 s\""));
  EXPECT_THAT(Change(settings, "expect-standbys", "-1").value(), HasSubstr("number of standbys"));
}

TEST(Snapshot, IsJsonWithRatioAndReasonAtItsTop) {
  UtilisationPolicy policy;
  const Reading reading = Measured(0.8);
  policy.Step({&reading, 1}, kStart);
  const auto json = ToJson(Snapshot{policy.At(kStart), {reading, Unreadable()}, ""});
  EXPECT_EQ(json.at("ratio").as_double(), 0.05);
  EXPECT_THAT(std::string(json.at("reason").as_string()), HasSubstr("blocked-sessions"));
  const auto& signals = json.at("signals").as_array();
  EXPECT_EQ(signals.at(0).at("value").as_double(), 80);
  EXPECT_EQ(signals.at(1).at("state").as_string(), "unreadable");
  EXPECT_TRUE(signals.at(1).at("value").is_null());
}

TEST(Worst, NamesTheStandby) {
  watch::Standbys standbys;
  const watch::WatchOptions options;
  EXPECT_EQ(WorstByBytes(standbys, options, 4096).seen, Seen::kAbsent);
  standbys.lags = {{"near", 10, 5, 5}, {"far", 2048, 1, 1}};
  const auto bytes = WorstByBytes(standbys, options, 4096);
  EXPECT_EQ(bytes.value, 2048);
  EXPECT_THAT(bytes.text, HasSubstr("standby far: 1.0 s and 2.0 kB behind"));
  EXPECT_THAT(WorstBySeconds(standbys, options, 10).text, HasSubstr("standby near"));
  standbys.failure = watch::Observation::Unreadable("gone");
  EXPECT_EQ(WorstByBytes(standbys, options, 4096).seen, Seen::kUnreadable);
}

TEST(Worst, WhatIsWrittenNowCountsByWhenItWillBeThere) {
  watch::Standbys standbys;
  standbys.lags = {{"slow", 2048, 4, 8}, {"far", 10, 5, 5}};
  const auto seen = WorstBySeconds(standbys, {}, 10);
  EXPECT_EQ(seen.value, 8);
  EXPECT_THAT(seen.text, HasSubstr("slow: 4.0 s and 2.0 kB behind, 8.0 s for what is written now"));
}

TEST(Worst, ALagPastItsLimitCountsWhereAnotherStandbyCannotBeSeen) {
  watch::Standbys standbys;
  standbys.lags = {{"near", 0, 5, 5}};
  standbys.failure = watch::Observation::Unreadable("gone");
  EXPECT_EQ(WorstBySeconds(standbys, {}, 6).seen, Seen::kUnreadable);
  EXPECT_EQ(WorstBySeconds(standbys, {}, 5).seen, Seen::kMeasured);
}

TEST(Worst, IsMeasuredByEachStandbysOwnLimit) {
  watch::Standbys standbys;
  standbys.lags = {{"reports", 9000, 50, 50}, {"failover", 10, 3, 3}};
  watch::WatchOptions options;
  options.standby_limits["reports"] = 600;
  const auto seconds = WorstBySeconds(standbys, options, 10);
  EXPECT_THAT(seconds.text, HasSubstr("standby failover"));
  EXPECT_EQ(seconds.own_limit, std::nullopt);
  standbys.lags[0].due = 400;
  EXPECT_EQ(WorstBySeconds(standbys, options, 10).own_limit, 600);
  EXPECT_THAT(WorstByBytes(standbys, options, 4096).text, HasSubstr("standby failover"));
}

TEST(Settings, NameStandbysAndNeverTheirPasswords) {
  Settings settings;
  EXPECT_EQ(Change(settings, "standby-limits", "reports=10min,dr=2h"), std::nullopt);
  EXPECT_EQ(settings.watch.standby_limits.at("reports"), 600);
  EXPECT_EQ(settings.watch.standby_limits.at("dr"), 7200);
  EXPECT_THAT(Change(settings, "standby-limits", "reports").value(), HasSubstr("NAME=LIMIT"));
  EXPECT_EQ(settings.watch.standby_limits.size(), 2U) << "what is refused changes nothing";
  EXPECT_EQ(Change(settings, "replicas", "host=a dbname=x; service=b"), std::nullopt);
  EXPECT_TRUE(settings.watch.replicas.contains("service=b"));
  for (const char* dsn : {"host=a password=geheim", "postgresql://u:geheim@a/x"}) {
    const std::string refusal = Change(settings, "replicas", dsn).value();
    EXPECT_THAT(refusal, HasSubstr(".pgpass"));
    EXPECT_EQ(refusal.find("geheim"), std::string::npos);
  }
  EXPECT_EQ(settings.watch.replicas.size(), 2U);
}

}  // namespace
}  // namespace pgalter::throttle
