// What a run of a plan decides without a server: gates, phases, the point of no return.
#include <gtest/gtest.h>

#include "engine/run/gate_policy.h"
#include "engine/run/make_run.h"
#include "engine/run/undo.h"

namespace pgalter::run {
namespace {

using state::Phase;
using state::StepState;

struct DoorCase {
  const char* name;
  GateFacts facts;
  Door door;
};

TEST(Gate, OpensForWhoNamesItAndForTheWholePlanOnceItHasSoaked) {
  const DoorCase cases[] = {
      {"nobody asked", {false, Phase::kMigrate, false, 0, false, {}}, Door::kNotAskedFor},
      {"nobody asked, soaked or not",
       {false, Phase::kMigrate, false, 60, false, {}},
       Door::kNotAskedFor},
      {"the whole plan", {false, Phase::kContract, false, -1, false, {}}, Door::kOpen},
      {"the whole plan, too early",
       {false, Phase::kContract, false, 60, false, {}},
       Door::kTooEarly},
      {"by name", {true, Phase::kMigrate, false, -1, false, {}}, Door::kOpen},
      {"by name, before its time", {true, Phase::kMigrate, false, 60, false, {}}, Door::kOpen},
      {"the whole plan, still used",
       {false, Phase::kContract, false, -1, true, {}},
       Door::kStillUsed},
      {"by name, changed", {true, Phase::kMigrate, true, -1, false, {}}, Door::kChanged},
      {"nobody asked, changed", {false, Phase::kMigrate, true, -1, false, {}}, Door::kNotAskedFor},
      {"by name, still used", {true, Phase::kMigrate, false, -1, true, {}}, Door::kOpen},
      {"by name, against its check",
       {true, Phase::kMigrate, false, -1, false, false},
       Door::kCheckFails},
      {"the whole plan, against its check",
       {false, Phase::kContract, false, -1, false, false},
       Door::kCheckFails},
      {"by name, with its check", {true, Phase::kMigrate, false, -1, false, true}, Door::kOpen},
  };
  for (const DoorCase& test : cases) EXPECT_EQ(DoorAt(test.facts), test.door) << test.name;
}

TEST(Gate, APhaseThatWasNotAskedForIsBeyond) {
  EXPECT_FALSE(IsBeyond("expand", Phase::kExpand));
  EXPECT_TRUE(IsBeyond("migrate", Phase::kExpand));
  EXPECT_TRUE(IsBeyond("contract", Phase::kMigrate));
  EXPECT_FALSE(IsBeyond("contract", Phase::kContract));
  EXPECT_FALSE(IsBeyond("", Phase::kExpand)) << "a step of no plan";
}

plan::Step Planned(const char* id, plan::Transaction transaction) {
  plan::Step step;
  step.id = id;
  step.sql = {std::string("do ") + id};
  step.undo = {std::string("undo ") + id};
  step.transaction = transaction;
  return step;
}

TEST(StepsOf, OnesThatShareATransactionAreOneAndTakenBackInReverse) {
  plan::Plan plan;
  plan.steps = {Planned("a", plan::Transaction::kOwn), Planned("b", plan::Transaction::kShared),
                Planned("c", plan::Transaction::kOwn)};
  plan.steps[1].point_of_no_return = true;
  const auto steps = StepsOf(plan);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id, "a");
  EXPECT_EQ(steps[0].sql, (std::vector<std::string>{"do a", "do b"}));
  EXPECT_EQ(steps[0].undo, (std::vector<std::string>{"undo b", "undo a"}));
  EXPECT_TRUE(IsNoReturn(steps[0]));
  EXPECT_EQ(steps[1].ordinal, 2);
  EXPECT_FALSE(IsNoReturn(steps[1]));
}

TEST(NoReturn, IsPassedOnceItsStepMayHaveHappened) {
  plan::Plan plan;
  plan.steps = {Planned("a", plan::Transaction::kOwn), Planned("b", plan::Transaction::kNone)};
  plan.steps[0].point_of_no_return = true;
  auto steps = StepsOf(plan);
  EXPECT_EQ(PassedNoReturn(steps), nullptr);
  steps[0].state = StepState::kRunning;
  EXPECT_EQ(PassedNoReturn(steps), nullptr) << "its transaction was rolled back";
  steps[0].state = StepState::kDone;
  EXPECT_EQ(PassedNoReturn(steps), &steps[0]);

  plan.steps[0].point_of_no_return = false;
  plan.steps[1].point_of_no_return = true;
  steps = StepsOf(plan);
  steps[1].state = StepState::kRunning;
  EXPECT_EQ(PassedNoReturn(steps), &steps[1]) << "outside a transaction nobody knows";
}

}  // namespace
}  // namespace pgalter::run
