#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/async/blocking.h"
#include "engine/async/deadline.h"
#include "engine/async/finally.h"
#include "tests/support/run_task.h"

namespace pgalter::async {
namespace {

using test::ErrorOf;
using test::IsAborted;
using test::RunTask;
using test::Start;
using test::Until;
using namespace std::chrono_literals;

struct Broken : std::runtime_error {
  explicit Broken(const std::string& text = "broken") : std::runtime_error(text) {}
};

Task<int> ValueAfter(Clock::duration pause, int value) {
  co_await SleepFor(pause);
  co_return value;
}

Task<> ThrowAfter(Clock::duration pause) {
  co_await SleepFor(pause);
  throw Broken();
}

// Notes its end, as a frame that is unwound or returns.
struct NoteEnd {
  std::vector<std::string>& log;
  ~NoteEnd() { log.push_back("task ended"); }
};

Task<> SleepLong(std::vector<std::string>& log) {
  const NoteEnd note{log};
  co_await SleepFor(1h);
}

Task<> Append(std::vector<std::string>& log, std::string text) {
  co_await SleepFor(1ms);
  log.push_back(std::move(text));
}

TEST(RunTaskTest, FailsWhenTheLimitPasses) {
  try {
    RunTask(SleepFor(1h), 20ms);
    FAIL() << "the limit was not kept";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the task did not end within 20 ms");
  }
}

TEST(WithDeadlineTest, ReturnsTheValue) {
  EXPECT_EQ(RunTask(WithDeadline(ValueAfter(1ms, 42), 10s)), 42);
}

TEST(WithDeadlineTest, ReturnsFromATaskThatNeverSuspends) {
  auto at_once = []() -> Task<int> { co_return 7; };
  EXPECT_EQ(RunTask(WithDeadline(at_once(), 10s)), 7);
}

// awaitable_operators' OR holds the error back until the other side has ended.
TEST(WithDeadlineTest, ThrowsTheTasksErrorAtOnce) {
  const auto start = Clock::now();
  EXPECT_THROW(RunTask(WithDeadline(ThrowAfter(1ms), 10s)), Broken);
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST(WithDeadlineTest, CancelsTheTaskAndWaitsForItsEnd) {
  std::vector<std::string> log;
  auto cleanup_takes_time = [&]() -> Task<> {
    co_await Finally(SleepLong(log), Append(log, "cleaned up"));
  };
  EXPECT_THROW(RunTask(WithDeadline(cleanup_takes_time(), 5ms)), DeadlineExceeded);
  EXPECT_THAT(log, testing::ElementsAre("task ended", "cleaned up"));
}

TEST(WithDeadlineTest, ErrorThatTheTaskThrowsWhenCancelledWins) {
  auto turns_cancel_into_error = []() -> Task<> {
    bool cancelled = false;
    try {
      co_await SleepFor(1h);
    } catch (const boost::system::system_error&) {
      cancelled = true;
    }
    if (cancelled) throw Broken("outcome unknown");
  };
  EXPECT_THROW(RunTask(WithDeadline(turns_cancel_into_error(), 5ms)), Broken);
}

TEST(WithDeadlineTest, OuterCancelIsNotADeadline) {
  auto scenario = []() -> Task<> {
    std::vector<std::string> log;
    const auto running = co_await Start(WithDeadline(SleepLong(log), 1h));
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(IsAborted(running->error));
    EXPECT_THAT(log, testing::ElementsAre("task ended"));
  };
  RunTask(scenario());
}

TEST(FinallyTest, CleansUpAfterSuccess) {
  std::vector<std::string> log;
  EXPECT_EQ(RunTask(Finally(ValueAfter(1ms, 5), Append(log, "cleaned up"))), 5);
  EXPECT_THAT(log, testing::ElementsAre("cleaned up"));
}

TEST(FinallyTest, CleansUpAfterAnErrorAndRethrowsIt) {
  std::vector<std::string> log;
  EXPECT_THROW(RunTask(Finally(ThrowAfter(1ms), Append(log, "cleaned up"))), Broken);
  EXPECT_THAT(log, testing::ElementsAre("cleaned up"));
}

TEST(FinallyTest, CleanupErrorIsThrownOnlyAfterASuccess) {
  auto cleanup = []() -> Task<> {
    co_await SleepFor(1ms);
    throw std::logic_error("cleanup");
  };
  EXPECT_THROW(RunTask(Finally(SleepFor(1ms), cleanup())), std::logic_error);
  EXPECT_THROW(RunTask(Finally(ThrowAfter(1ms), cleanup())), Broken);
}

TEST(FinallyTest, CleansUpAfterACancel) {
  auto scenario = []() -> Task<> {
    std::vector<std::string> log;
    const auto running = co_await Start(Finally(SleepLong(log), Append(log, "cleaned up")));
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(IsAborted(running->error));
    EXPECT_THAT(log, testing::ElementsAre("task ended", "cleaned up"));
  };
  RunTask(scenario());
}

// What the design calls "lost": the reason why loops ask a Stopper instead of relying on a cancel.
TEST(FinallyTest, CancelInsideTheMaskIsLost) {
  auto scenario = []() -> Task<> {
    bool cleaning = false;
    bool went_on = false;
    auto slow_cleanup = [&]() -> Task<> {
      cleaning = true;
      co_await SleepFor(20ms);
    };
    auto body = [&]() -> Task<> {
      co_await Finally(SleepFor(1ms), slow_cleanup());
      co_await SleepFor(1ms);
      went_on = true;
    };
    const auto running = co_await Start(body());
    co_await Until([&] { return cleaning; });
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(went_on);
    EXPECT_FALSE(running->error);
  };
  RunTask(scenario());
}

TEST(FinallyTest, MaskHoldsWhenTheCleanupHasAFinallyOfItsOwn) {
  auto scenario = []() -> Task<> {
    bool inner_done = false;
    std::vector<std::string> log;
    auto cleanup = [&]() -> Task<> {
      co_await Finally(SleepFor(1ms), SleepFor(1ms));
      inner_done = true;
      co_await SleepFor(20ms);
      log.push_back("cleaned up");
    };
    const auto running = co_await Start(Finally(SleepFor(1ms), cleanup()));
    co_await Until([&] { return inner_done; });
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_THAT(log, testing::ElementsAre("cleaned up"));
  };
  RunTask(scenario());
}

TEST(FinallyTest, CancelAfterTheMaskWorksAgain) {
  auto scenario = []() -> Task<> {
    bool unmasked = false;
    auto body = [&]() -> Task<> {
      co_await Finally(SleepFor(1ms), SleepFor(1ms));
      unmasked = true;
      co_await SleepFor(1h);
    };
    const auto running = co_await Start(body());
    co_await Until([&] { return unmasked; });
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(IsAborted(running->error));
  };
  RunTask(scenario());
}

TEST(CancellationTest, CancelledCoroutineEntersNoCalleeUntilItsStateIsReset) {
  auto scenario = []() -> Task<> {
    bool entered_early = false;
    bool entered_late = false;
    auto callee = [](bool& entered) -> Task<> {
      entered = true;
      co_return;
    };
    auto body = [&]() -> Task<> {
      for (bool* entered : {&entered_early, &entered_late}) {
        try {
          co_await SleepFor(1h);
        } catch (const boost::system::system_error&) {
        }
        if (entered == &entered_late) co_await MaskCancellation();
        try {
          co_await callee(*entered);
        } catch (const boost::system::system_error&) {
        }
      }
    };
    const auto running = co_await Start(body());
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_FALSE(entered_early);
    EXPECT_TRUE(entered_late);
  };
  RunTask(scenario());
}

TEST(RunBlockingTest, RunsElsewhereAndResumesHere) {
  auto scenario = []() -> Task<> {
    const auto here = std::this_thread::get_id();
    auto call = [] { return std::this_thread::get_id(); };
    const auto there = co_await RunBlocking(call);
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
  };
  RunTask(scenario());
}

TEST(RunBlockingTest, PassesErrorsOn) {
  auto fail = []() -> int { throw Broken(); };
  EXPECT_THROW(RunTask(RunBlocking(fail)), Broken);
}

TEST(RunBlockingTest, ResultOfACancelledCallerIsNotLost) {
  auto scenario = []() -> Task<> {
    std::promise<void> go;
    std::shared_ptr<int> got;
    auto call = [wait = go.get_future().share()] {
      wait.wait();
      return std::make_shared<int>(1);
    };
    auto body = [&]() -> Task<> { got = co_await RunBlocking(call); };
    const auto running = co_await Start(body());
    running->Cancel();
    go.set_value();
    co_await Until([&] { return running->ended; });
    EXPECT_TRUE(got);
    EXPECT_FALSE(running->error);
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::async
