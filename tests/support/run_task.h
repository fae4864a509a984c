// Coroutines in tests. RunTask drives one to its end under a time limit; Start runs one beside the
// test's own, so that the test can cancel it; Until waits for what another party does.
//
// In a coroutine only EXPECT_…, never ASSERT_… (it returns).
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/async/task.h"

namespace pgalter::test {

using async::Milliseconds;
using async::Task;
using namespace std::chrono_literals;

namespace detail {
template <class T>
Task<> Keep(Task<T> task, std::optional<T>& value) {
  value = co_await std::move(task);
}
}  // namespace detail

// The task's value or error. Past the limit the test fails, and the task is left as it stands:
// what it refers to may be anywhere, so nothing of it is destroyed.
inline void RunTask(Task<> task, Milliseconds limit = 30s) {
  auto context = std::make_unique<boost::asio::io_context>();
  struct Outcome {
    bool ended = false;
    std::exception_ptr error;
  };
  const auto outcome = std::make_shared<Outcome>();
  boost::asio::co_spawn(*context, std::move(task), [outcome](const std::exception_ptr& error) {
    outcome->ended = true;
    outcome->error = error;
  });
  context->run_for(limit);
  if (!outcome->ended) {
    static auto* const abandoned = new std::vector<std::unique_ptr<boost::asio::io_context>>;
    abandoned->push_back(std::move(context));
    throw std::runtime_error("the task did not end within " + std::to_string(limit.count()) +
                             " ms");
  }
  if (outcome->error) std::rethrow_exception(outcome->error);
}

template <class T>
requires(!std::is_void_v<T>) T RunTask(Task<T> task, Milliseconds limit = 30s) {
  std::optional<T> value;
  RunTask(detail::Keep(std::move(task), value), limit);
  return std::move(*value);
}

// A coroutine that runs by itself. `error` is what it threw.
struct Started {
  boost::asio::cancellation_signal signal;
  bool ended = false;
  std::exception_ptr error;

  void Cancel() { signal.emit(boost::asio::cancellation_type::terminal); }
};

inline Task<std::shared_ptr<Started>> Start(Task<> task) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto started = std::make_shared<Started>();
  auto on_end = [started](const std::exception_ptr& error) {
    started->ended = true;
    started->error = error;
  };
  boost::asio::co_spawn(
      executor, std::move(task),
      boost::asio::bind_cancellation_slot(started->signal.slot(), std::move(on_end)));
  co_return started;
}

// Looks every few milliseconds; RunTask's limit ends a wait for what never comes.
inline Task<> Until(std::function<bool()> holds) {
  while (!holds()) co_await async::SleepFor(2ms);
}

// The error of type E that the task throws; fails the test when it throws none.
template <class E, class T>
Task<std::optional<E>> ErrorOf(Task<T> task) {
  std::optional<E> error;
  try {
    co_await std::move(task);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const E& thrown) {
    error = thrown;
  }
  co_return error;
}

inline bool IsAborted(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == boost::asio::error::operation_aborted;
  } catch (...) {
  }
  return false;
}

}  // namespace pgalter::test
