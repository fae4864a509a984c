// Finally(body, cleanup): runs `cleanup` whatever became of `body`, with cancellation masked, then
// returns the body's value or rethrows its error. An error of the cleanup is thrown only where the
// body had none.
//
// A cancel that lands inside the mask is lost (Boost 1.81), which is why stopping is a level
// (Stopper) and a cancellation signal is only the wake-up. A coroutine that is already cancelled
// does not enter Finally, hence does not clean up: what must be undone is done inside the body.
#pragma once

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "engine/async/task.h"

namespace pgalter::async {

// The awaiting coroutine ignores cancellation until UnmaskCancellation. Awaited directly in the
// coroutine that needs it: a cancelled coroutine cannot even enter a callee. A mask does not nest:
// what runs under one goes through Apart, which has a cancellation state of its own.
inline auto MaskCancellation() {
  return boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
}
inline auto UnmaskCancellation() {
  return boost::asio::this_coro::reset_cancellation_state(
      boost::asio::enable_terminal_cancellation());
}

template <class T>
Task<T> Apart(Task<T> task) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto running = boost::asio::co_spawn(executor, std::move(task), boost::asio::use_awaitable);
  co_return co_await std::move(running);
}

template <class T>
Task<T> Finally(Task<T> body, Task<> cleanup) {
  using Stored = std::conditional_t<std::is_void_v<T>, bool, T>;
  std::optional<Stored> value;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(body);
      value = true;
    } else {
      value = co_await std::move(body);
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await MaskCancellation();
  try {
    co_await Apart(std::move(cleanup));
  } catch (...) {
    if (!error) error = std::current_exception();
  }
  co_await UnmaskCancellation();
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

}  // namespace pgalter::async
