#include "engine/async/task_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/async/stopper.h"
#include "tests/support/run_task.h"

namespace pgalter::async {
namespace {

using test::IsAborted;
using test::RunTask;
using test::Start;
using test::Until;
using namespace std::chrono_literals;

struct Broken : std::runtime_error {
  explicit Broken(const std::string& text = "broken") : std::runtime_error(text) {}
};

Task<> CountAfter(Clock::duration pause, int& count) {
  co_await SleepFor(pause);
  ++count;
}

Task<> ThrowAfter(Clock::duration pause, std::string text) {
  co_await SleepFor(pause);
  throw Broken(text);
}

// Ends `pause` after it was cancelled, with an error of its own where `text` is given.
Task<> EndSlowly(Clock::duration pause, int& ended, std::string text = "") {
  auto cleanup = [](Clock::duration length, int& count) -> Task<> {
    co_await SleepFor(length);
    ++count;
  };
  std::exception_ptr error;
  try {
    co_await Finally(SleepFor(1h), cleanup(pause, ended));
  } catch (...) {
    error = std::current_exception();
  }
  if (!text.empty()) throw Broken(text);
  if (error) std::rethrow_exception(error);
}

TEST(TaskGroupTest, JoinWaitsForAll) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    int count = 0;
    for (int i = 0; i < 1000; ++i) group.Spawn(CountAfter(i % 10 * 1ms, count));
    co_await group.Join();
    EXPECT_EQ(count, 1000);
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, JoinOfAnEmptyGroupReturns) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    co_await group.Join();
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, FirstErrorCancelsTheOthersAndIsThrownAfterTheyEnded) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    int ended = 0;
    for (int i = 0; i < 10; ++i) group.Spawn(EndSlowly(5ms, ended));
    group.Spawn(ThrowAfter(1ms, "first"));
    std::string caught;
    try {
      co_await group.Join();
    } catch (const Broken& error) {
      caught = error.what();
    }
    EXPECT_EQ(caught, "first");
    EXPECT_EQ(ended, 10);
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, ErrorBeforeTheFirstSuspensionCancelsTheOthers) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    int ended = 0;
    auto at_once = []() -> Task<> {
      throw Broken("at once");
      co_return;
    };
    group.Spawn(EndSlowly(1ms, ended));
    group.Spawn(at_once());
    bool caught = false;
    try {
      co_await group.Join();
    } catch (const Broken&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
    EXPECT_EQ(ended, 1);
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, CancelOfTheWaiterCancelsTheTasksAndWaitsForThem) {
  auto scenario = []() -> Task<> {
    int ended = 0;
    auto waiter = [&]() -> Task<> {
      TaskGroup group(co_await boost::asio::this_coro::executor);
      for (int i = 0; i < 10; ++i) group.Spawn(EndSlowly(5ms, ended));
      co_await group.Join();
    };
    const auto running = co_await Start(waiter());
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(ended, 10);
    EXPECT_TRUE(IsAborted(running->error));
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, CancelledTasksHideNobodysError) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    int ended = 0;
    group.Spawn(SleepFor(1h));
    group.Spawn(EndSlowly(5ms, ended, "outcome unknown"));
    group.Cancel();
    std::string caught;
    try {
      co_await group.Join();
    } catch (const std::exception& error) {
      caught = error.what();
    }
    EXPECT_EQ(caught, "outcome unknown");
  };
  RunTask(scenario());
}

// As a session does that cancels its own statement: what lands there is lost.
TEST(TaskGroupTest, ACancelThatFindsATaskMaskedReachesItLater) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    bool masked = false;
    bool asked = false;
    bool heard = false;
    auto deaf = [&]() -> Task<> {
      co_await MaskCancellation();
      masked = true;
      while (!asked) co_await Apart(SleepFor(1ms));
      co_await UnmaskCancellation();
      heard = true;
      co_await SleepFor(1h);
    };
    group.Spawn(deaf());
    co_await Until([&] { return masked; });
    group.Cancel();
    asked = true;
    bool aborted = false;
    try {
      co_await group.Join();
    } catch (const boost::system::system_error&) {
      aborted = true;
    }
    EXPECT_TRUE(aborted);
    EXPECT_TRUE(heard);
  };
  RunTask(scenario());
}

// Whoever waits may be there before.
TEST(TaskGroupTest, ACancelOfAGroupThatIsJoinedReachesAMaskedTaskLater) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    bool asked = false;
    auto deaf = [&]() -> Task<> {
      co_await MaskCancellation();
      while (!asked) co_await Apart(SleepFor(1ms));
      co_await UnmaskCancellation();
      co_await SleepFor(1h);
    };
    auto asks = [&]() -> Task<> {
      co_await SleepFor(5ms);
      group.Cancel();
      asked = true;
    };
    group.Spawn(deaf());
    group.Spawn(asks());
    bool aborted = false;
    try {
      co_await group.Join();
    } catch (const boost::system::system_error&) {
      aborted = true;
    }
    EXPECT_TRUE(aborted);
  };
  RunTask(scenario());
}

TEST(TaskGroupTest, TaskMayCancelItsOwnGroupBeforeItEverSuspends) {
  auto scenario = []() -> Task<> {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    auto cancels = [&]() -> Task<> {
      group.Cancel();
      co_return;
    };
    group.Spawn(SleepFor(1h));
    group.Spawn(cancels());
    bool aborted = false;
    try {
      co_await group.Join();
    } catch (const boost::system::system_error&) {
      aborted = true;
    }
    EXPECT_TRUE(aborted);
  };
  RunTask(scenario());
}

TEST(WithTaskGroupTest, JoinsBeforeTheBodysErrorLeaves) {
  auto scenario = []() -> Task<> {
    int ended = 0;
    auto body = [&](TaskGroup& group) -> Task<> {
      group.Spawn(EndSlowly(5ms, ended));
      co_await SleepFor(1ms);
      throw Broken("body");
    };
    std::string caught;
    try {
      co_await WithTaskGroup(body);
    } catch (const Broken& error) {
      caught = error.what();
    }
    EXPECT_EQ(caught, "body");
    EXPECT_EQ(ended, 1);
  };
  RunTask(scenario());
}

TEST(WithTaskGroupTest, JoinsWhenTheBodyIsCancelled) {
  auto scenario = []() -> Task<> {
    int ended = 0;
    auto body = [&](TaskGroup& group) -> Task<> {
      group.Spawn(EndSlowly(5ms, ended));
      co_await SleepFor(1h);
    };
    const auto running = co_await Start(WithTaskGroup(body));
    running->Cancel();
    co_await Until([&] { return running->ended; });
    EXPECT_EQ(ended, 1);
    EXPECT_TRUE(IsAborted(running->error));
  };
  RunTask(scenario());
}

TEST(StopperTest, IsALevel) {
  Stopper stopper;
  EXPECT_NO_THROW(stopper.ThrowIfStopping());
  stopper.Stop(StopReason::kPause, "asked to pause");
  for (int i = 0; i < 2; ++i) {
    try {
      stopper.ThrowIfStopping();
      ADD_FAILURE() << "not thrown";
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.reason(), StopReason::kPause);
      EXPECT_STREQ(stopped.what(), "asked to pause");
    }
  }
  EXPECT_THROW(RunTask(stopper.SleepFor(1h)), Stopped);
}

TEST(StopperTest, FirstReasonStaysButEveryOtherOverridesAPause) {
  struct Case {
    StopReason first, second, kept;
  };
  using enum StopReason;
  for (const Case& c : {Case{kPause, kAbort, kAbort}, Case{kPause, kLeaseLost, kLeaseLost},
                        Case{kPause, kFailure, kFailure}, Case{kPause, kPause, kPause},
                        Case{kAbort, kPause, kAbort}, Case{kLeaseLost, kAbort, kLeaseLost}}) {
    Stopper stopper;
    stopper.Stop(c.first, "");
    stopper.Stop(c.second, "");
    EXPECT_EQ(stopper.reason(), c.kept);
  }
}

TEST(StopperTest, WakesEverySleeper) {
  auto scenario = []() -> Task<> {
    Stopper stopper;
    int stopped = 0;
    auto sleeper = [&]() -> Task<> {
      try {
        co_await stopper.SleepFor(1h);
      } catch (const Stopped&) {
        ++stopped;
      }
    };
    TaskGroup group(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 10; ++i) group.Spawn(sleeper());
    stopper.Stop(StopReason::kAbort, "");
    co_await group.Join();
    EXPECT_EQ(stopped, 10);
  };
  RunTask(scenario());
}

TEST(StopperTest, CancelledSleeperLeavesAndALaterStopFindsTheOthers) {
  auto scenario = []() -> Task<> {
    Stopper stopper;
    const auto cancelled = co_await Start(stopper.SleepFor(1h));
    const auto stays = co_await Start(stopper.SleepFor(1h));
    cancelled->Cancel();
    co_await Until([&] { return cancelled->ended; });
    EXPECT_TRUE(IsAborted(cancelled->error));
    EXPECT_FALSE(stays->ended);
    stopper.Stop(StopReason::kPause, "");
    co_await Until([&] { return stays->ended; });
    EXPECT_FALSE(IsAborted(stays->error));
  };
  RunTask(scenario());
}

}  // namespace
}  // namespace pgalter::async
