// `pgalter run`, killed anywhere: `resume` ends in the schema that the plain statements make, and
// `revert` in the one from before.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/fault/run_points.h"
#include "tests/fault/run_world.h"

namespace pgalter::test {
namespace {

class KilledRun : public RunWorld {
 protected:
  // Beside a program of the old form until the gate, and one of the new form from there on.
  void KillAndResume(const std::string& before_gate, const std::string& behind_gate) {
    MakeOrders();
    Programs old_form(database_.conninfo(), Programs::Form::kOld);
    RunKilledAt(before_gate, RunOrders());
    ASSERT_EQ(StateOfRun(), "waiting");
    old_form.Stop();
    EXPECT_EQ(old_form.errors(), "");
    EXPECT_GT(old_form.writes(), 0);
    Programs new_form(database_.conninfo(), Programs::Form::kNew);
    RunKilledAt(behind_gate, {"resume", RunId(), "--gate", "total-old-unused"});
    ASSERT_EQ(StateOfRun(), "done");
    new_form.Stop();
    EXPECT_EQ(new_form.errors(), "");
    EXPECT_EQ(Dump(), PlainDump());
    ExpectRowsRight();
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }

  // `revert` is killed, and goes on when it is asked for again.
  void KillTheRevert(const std::string& point) {
    SCOPED_TRACE(point);
    MakeOrders();
    const std::string before = Dump();
    ASSERT_EQ(Run(RunOrders()).code, 0);
    Programs old_form(database_.conninfo(), Programs::Form::kOld);
    const Ran killed = Run({"revert", RunId(), "--yes"}, {"PGALTER_FAIL_POINT=" + point});
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
    const Ran resumed = Run({"resume", RunId()});
    EXPECT_EQ(resumed.code, 4) << resumed.err;
    ExpectReverted(before);
    old_form.Stop();
    EXPECT_EQ(old_form.errors(), "");
  }

  void ExpectReverted(const std::string& before) const {
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    EXPECT_EQ(StateOfRun(), "reverted");
    EXPECT_EQ(Dump(), before);
    EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
  }

 private:
  void RunKilledAt(const std::string& point, const Words& words) const {
    if (point.empty()) {
      const Ran ran = Run(words);
      ASSERT_EQ(ran.code, 0) << ran.err;
      return;
    }
    const Ran killed = Run(words, {"PGALTER_FAIL_POINT=" + point});
    ASSERT_EQ(killed.code, kKilled) << "the point was not reached\n" << killed.err;
    AwaitNoRunner();
    const Ran ran = Run({"resume", RunId()});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
};

bool Torture() { return std::getenv("PGALTER_TORTURE_ROUNDS") != nullptr; }

// All of them where there is time (./dev torture); else some, always the same.
Words Slice(Words points, std::size_t count) {
  if (Torture() || points.size() <= count) return points;
  std::mt19937 dice(20261121);
  std::shuffle(points.begin(), points.end(), dice);
  points.resize(count);
  return points;
}

class KilledRunAt : public KilledRun, public ::testing::WithParamInterface<std::string> {};

TEST_P(KilledRunAt, ResumeEndsInTheSameSchema) { KillAndResume(GetParam(), ""); }

class KilledBehindGateAt : public KilledRun, public ::testing::WithParamInterface<std::string> {};

TEST_P(KilledBehindGateAt, ResumeEndsInTheSameSchema) { KillAndResume("", GetParam()); }

class KilledRevertAt : public KilledRun, public ::testing::WithParamInterface<std::string> {};

TEST_P(KilledRevertAt, RevertEndsInTheSchemaFromBefore) { KillTheRevert(GetParam()); }

std::string AsName(const ::testing::TestParamInfo<std::string>& point) {
  std::string name = point.param;
  for (char& c : name)
    if (c == '-' || c == ':') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Points, KilledRunAt, ::testing::ValuesIn(Slice(ForwardPoints(), 10)),
                         AsName);
INSTANTIATE_TEST_SUITE_P(Points, KilledBehindGateAt,
                         ::testing::ValuesIn(Slice(ContractPoints(), 4)), AsName);
INSTANTIATE_TEST_SUITE_P(Points, KilledRevertAt, ::testing::ValuesIn(Slice(BackwardPoints(), 4)),
                         AsName);

// Negative controls: without what makes it right, the same kill has to be seen.
TEST_F(KilledRun, WithoutTheRecordInTheStepsTransactionItCannotGoOn) {
  MakeOrders();
  const std::string off = "PGALTER_SAFEGUARDS_OFF=step-record";
  ASSERT_EQ(Run(RunOrders(), {"PGALTER_FAIL_POINT=ddl-committed", off}).code, kKilled);
  AwaitNoRunner();
  EXPECT_NE(Run({"resume", RunId()}, {off}).code, 0);
}

TEST_F(KilledRun, WithoutLookingForLeftoversAnInvalidIndexStays) {
  MakeOrders();
  const std::string off = "PGALTER_SAFEGUARDS_OFF=index-leftovers";
  Session reader = database_.Connect();
  reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  {
    Program program = Start(RunOrders(), {off});
    database_.AwaitValue("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "1", kLimit);
    program.Signal(SIGKILL);
    EXPECT_EQ(program.Wait().code, kKilled);
  }
  AwaitNoRunner();
  reader.Exec("ROLLBACK");
  EXPECT_NE(Run({"resume", RunId()}, {off}).code, 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 1);
}

TEST_F(KilledRun, IsRevertedFromWhereverItWas) {
  for (const char* point :
       {"ddl-committed:2", "index-built", "chunk-committed:2", "step-recorded:6"}) {
    SCOPED_TRACE(point);
    database_.Sql("DROP TABLE IF EXISTS orders; DROP SEQUENCE IF EXISTS order_id");
    MakeOrders();
    const std::string before = Dump();
    ASSERT_EQ(Run(RunOrders(), {fmt::format("PGALTER_FAIL_POINT={}", point)}).code, kKilled);
    AwaitNoRunner();
    ExpectReverted(before);
  }
}

// The build is in the middle of its work, waiting for a reader, when its runner dies.
TEST_F(KilledRun, WhileTheIndexIsBuiltLeavesAnInvalidOneThatIsBuiltAnew) {
  MakeOrders();
  Session reader = database_.Connect();
  {
    // An old snapshot: the build waits for it in its last phase, the locks of the steps before do
    // not.
    reader.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    Program program = Start(RunOrders());
    database_.AwaitValue("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "1", kLimit);
    program.Signal(SIGKILL);
    EXPECT_EQ(program.Wait().code, kKilled);
  }
  AwaitNoRunner();
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 1);
  reader.Exec("ROLLBACK");
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Number("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class WHERE relname = 'orders_note_idx'"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM pgalter.artefact WHERE dropped_at IS NULL"), 0);
}

}  // namespace
}  // namespace pgalter::test
