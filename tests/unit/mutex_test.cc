#include "engine/async/mutex.h"

#include <gmock/gmock.h>

#include <vector>

#include "engine/async/task_group.h"
#include "tests/support/run_task.h"

namespace pgalter::async {
namespace {

using test::RunTask;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

Task<> Enter(Mutex& mutex, int number, std::vector<int>& log) {
  co_await mutex.Lock();
  const Held held(mutex);
  log.push_back(number);
  co_await SleepFor(1ms);
  log.push_back(number);
}

TEST(Mutex, LetsOneInAtATime) {
  std::vector<int> log;
  auto all = [&]() -> Task<> {
    Mutex mutex(co_await boost::asio::this_coro::executor);
    auto crew = [&](TaskGroup& group) -> Task<> {
      for (int number = 1; number <= 3; ++number) group.Spawn(Enter(mutex, number, log));
      co_return;
    };
    co_await WithTaskGroup(crew);
  };
  RunTask(all());
  EXPECT_THAT(log, ElementsAre(1, 1, 2, 2, 3, 3));
}

Task<> Break(Mutex& mutex) {
  co_await mutex.Lock();
  const Held held(mutex);
  co_await SleepFor(1ms);
  throw std::runtime_error("broken");
}

TEST(Mutex, IsFreeAfterAnErrorAndItsWaitersCanBeCancelled) {
  std::vector<int> log;
  bool broken = false;
  auto all = [&]() -> Task<> {
    Mutex mutex(co_await boost::asio::this_coro::executor);
    auto crew = [&](TaskGroup& group) -> Task<> {
      group.Spawn(Break(mutex));
      group.Spawn(Enter(mutex, 1, log));
      co_return;
    };
    try {
      co_await WithTaskGroup(crew);
    } catch (const std::runtime_error& error) {
      broken = std::string(error.what()) == "broken";
    }
    log.clear();
    co_await Enter(mutex, 2, log);
  };
  RunTask(all());
  EXPECT_TRUE(broken);
  EXPECT_THAT(log, ElementsAre(2, 2));
}

}  // namespace
}  // namespace pgalter::async
