// What a backfill decides without a server: windows, what needs work, the shape of its statements.
#include <gmock/gmock.h>

#include "batcher/backfill/chunk_sql.h"
#include "batcher/backfill/once_policy.h"
#include "batcher/backfill/spec.h"
#include "batcher/backfill/stripe_policy.h"
#include "batcher/backfill/window_set.h"
#include "batcher/backfill/work_policy.h"

namespace pgalter::backfill {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(IntervalSet, JoinsNeighboursAndOverlaps) {
  IntervalSet set;
  set.Add(10, 20);
  set.Add(30, 40);
  EXPECT_EQ(set.Count(), 2U);
  set.Add(20, 30);
  EXPECT_EQ(set.Count(), 1U);
  EXPECT_TRUE(set.Contains(10, 40));
  set.Add(5, 50);
  EXPECT_EQ(set.Size(), 45);
  EXPECT_FALSE(set.Contains(4, 6));
  set.Add(7, 7);
  EXPECT_EQ(set.Size(), 45);
}

TEST(IntervalSet, FindsEveryGapOnce) {
  IntervalSet set;
  set.Add(3, 5);
  set.Add(8, 9);
  Block covered = 0;
  Block from = 0;
  while (const auto gap = set.Gap(from, 12)) {
    covered += gap->second - gap->first;
    from = gap->second;
  }
  EXPECT_EQ(covered, 12 - 3);
  EXPECT_EQ(set.Gap(12, 12), std::nullopt);
}

TEST(WindowSet, ResumesWhatWasBegunAndSkipsWhatIsDone) {
  WindowSet windows(100, {{0, 10, 16, 16}, {10, 20, 16, 7}, {50, 60, 1, 1}});
  EXPECT_EQ(windows.done(), 20);
  EXPECT_EQ(windows.Take(30, 16), (Window{10, 20, 16, 7}));
  EXPECT_EQ(windows.Take(25, 16), (Window{20, 45, 16, 0}));
  EXPECT_EQ(windows.Take(25, 16), (Window{45, 50, 16, 0}));
  EXPECT_EQ(windows.Take(100, 1), (Window{60, 100, 1, 0}));
  EXPECT_EQ(windows.Take(100, 1), std::nullopt);
}

TEST(WindowSet, HandsEveryBlockOutExactlyOnce) {
  WindowSet windows(1000, {});
  std::vector<int> seen(1000);
  for (int size = 1; const auto window = windows.Take(size, 1); size = size * 7 % 31 + 1)
    for (Block block = window->first; block < window->end; ++block)
      ++seen[static_cast<std::size_t>(block)];
  EXPECT_THAT(seen, ::testing::Each(1));
}

TEST(WindowSet, AWindowGivenBackComesAgain) {
  WindowSet windows(10, {});
  Window window = *windows.Take(10, 4);
  window.passes = 2;
  windows.GiveBack(window);
  EXPECT_EQ(windows.Take(3, 1), window);
  windows.Finish(window);
  EXPECT_EQ(windows.done(), 10);
}

Column Exact(const char* name, const char* expression) {
  return {name, "bigint", expression, true, true};
}

TEST(DecideWork, AReproducibleValueIsCompared) {
  const auto decided = DecideWork({Exact("b", "a * 2")}, {false, true, false}, "");
  ASSERT_TRUE(decided.work);
  EXPECT_EQ(decided.work->needs, "(b IS DISTINCT FROM CAST((a * 2) AS bigint))");
  EXPECT_FALSE(decided.work->must_become_false);
}

TEST(DecideWork, TypesWhoseEqualityIsNoIdentityAreComparedAsImages) {
  Column column = Exact("n", "x");
  column.type = "numeric";
  column.equality_is_identity = false;
  const auto decided = DecideWork({column}, {false, true, false}, "x > 0");
  EXPECT_THAT(decided.work->needs, HasSubstr("OPERATOR(pg_catalog.*<>)"));
  EXPECT_THAT(decided.work->needs, HasSubstr("(x > 0) AND"));
}

TEST(DecideWork, ReadingTheTargetNeedsACondition) {
  const auto refused = DecideWork({Exact("amt", "amt * 100")}, {true, false, false}, "");
  EXPECT_FALSE(refused.work);
  EXPECT_THAT(refused.refusal, HasSubstr("--where"));
  const auto allowed = DecideWork({Exact("amt", "amt * 100")}, {true, false, false}, "unit = 'x'");
  ASSERT_TRUE(allowed.work);
  EXPECT_TRUE(allowed.work->must_become_false);
}

TEST(DecideWork, AMovingValueIsDoneWhenItIsNotNull) {
  const auto decided = DecideWork({Exact("u", "gen_random_uuid()")}, {false, false, true}, "");
  ASSERT_TRUE(decided.work);
  EXPECT_EQ(decided.work->needs, "(u IS NULL)");
  Column column = Exact("u", "gen_random_uuid()");
  column.nullable = false;
  EXPECT_FALSE(DecideWork({column}, {false, false, true}, "").work);
}

TEST(ChunkSql, AsksTheStripeBeforeTheCondition) {
  const Relation relation{"public.t", "t", "(id & 63)", "id::text"};
  const Work work{"b IS NULL", false};
  const std::string sql =
      UpdateStatement(relation, {Exact("b", "1")}, work, {{7, 13}, RowLocks::kWait});
  EXPECT_THAT(sql,
              HasSubstr("CASE WHEN (id & 63) BETWEEN 7 AND 12 THEN (b IS NULL) ELSE false END"));
  EXPECT_THAT(sql, Not(HasSubstr("SKIP LOCKED")));
  EXPECT_THAT(UpdateStatement(relation, {Exact("b", "1")}, work, {{}, RowLocks::kSkip}),
              HasSubstr("FOR NO KEY UPDATE SKIP LOCKED"));
}

TEST(Stripes, PayWhereAPageHasRoomToGiveAndNoIndexHoldsTheColumn) {
  EXPECT_EQ(JudgeStripes({65, false}), Stripes::kUseful);
  EXPECT_EQ(JudgeStripes({2, false}), Stripes::kUseful);
  EXPECT_EQ(JudgeStripes({1.1, false}), Stripes::kUselessFewRows);
  EXPECT_EQ(JudgeStripes({0, false}), Stripes::kUselessFewRows);
  EXPECT_EQ(JudgeStripes({65, true}), Stripes::kUselessIndexed);
}

TEST(Stripes, TakeEveryPositionOnceAndTheFirstTheMost) {
  for (const double rows : {1.0, 2.0, 18.0, 65.0, 290.0}) {
    for (int stripes = 1; stripes <= kPositions; ++stripes) {
      int next = 0;
      for (int pass = 0; pass < stripes; ++pass) {
        const Stripe stripe = StripeOf(stripes, pass, {rows, false});
        EXPECT_EQ(stripe.first, next);
        EXPECT_GT(stripe.end, stripe.first);
        EXPECT_LE(stripe.end - stripe.first, LargestShare(stripes, {rows, false}) * kPositions + 1);
        next = stripe.end;
      }
      EXPECT_EQ(next, kPositions);
    }
  }
  EXPECT_GT(LargestShare(10, {65, false}), 0.13);
  EXPECT_LT(LargestShare(10, {4, false}), 0.11);
}

TEST(Spec, SurvivesTheState) {
  Spec spec;
  spec.table = "public.\"Order Items\"";
  spec.set_text = "b = :x";
  spec.binds = {{"x", "SECRET"}};
  spec.workers = 3;
  spec.chunk_time = Milliseconds(25);
  spec.sync = Sync::kNone;
  spec.on_error = OnError::kQuarantine;
  spec.throttle = {{"replay-lag-seconds", "5s"}};
  spec.settings = {{"search_path", "app, public"}};
  spec.resolved = {{"b", "1"}};
  spec.alias = "Order Items";
  spec.has_trigger = true;
  spec.table_bytes = 123;
  EXPECT_EQ(ToJson(FromJson(ToJson(spec))), ToJson(spec));
}

TEST(OnceXids, HaveTheEpochOfTheTimeBeforeTheOtherOne) {
  EXPECT_EQ(WithEpoch(700, 800), 700U);
  EXPECT_EQ(WithEpoch(5, kXids + 9), kXids + 5);
  EXPECT_EQ(WithEpoch(0xFFFFFFF0, kXids + 9), kXids - 16);
}

TEST(OnceXids, AreAllKnownWhileNoneCanComeAgain) {
  EXPECT_TRUE(KnowsEveryXid(3'000'000'000));
  EXPECT_FALSE(KnowsEveryXid(4'200'000'000));
  EXPECT_FALSE(KnowsEveryXid(kXids + 800));
}

TEST(OnceXids, EndBeforeOldOnesComeAgain) {
  const Beginning beginning{1000, {990, 995}, kXids - 990, "", ""};
  EXPECT_EQ(Oldest(beginning), 990U);
  EXPECT_LT(LastMoment(beginning), kXids);
  EXPECT_GT(LastMoment(beginning), kXids / 2);
}

TEST(OnceXids, OfOpenTransactionsAreNew) {
  const std::string alone = Undone({1000, {}, kXids - 1000, "", ""}, "xmin");
  EXPECT_THAT(alone, HasSubstr("int8 - 1000) & 4294967295) >= 4294966296"));
  EXPECT_THAT(alone, Not(HasSubstr("ARRAY")));
  const std::string beside = Undone({kXids + 10, {kXids - 6, kXids + 3}, 500'000'000, "", ""}, "x");
  EXPECT_THAT(beside, HasSubstr("int8 - 4294967290) & 4294967295) >= 500000000"));
  EXPECT_THAT(beside, HasSubstr("< 16 AND x::pg_catalog.text <> ALL (ARRAY['4294967290', '3'])"));
}

}  // namespace
}  // namespace pgalter::backfill
