// Task<T>: the coroutine type of the runtime rooms. Everything runs on one io_context thread; only
// RunBlocking leaves it. A Task is lazy: nothing happens before it is awaited or spawned.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <exception>

namespace pgalter::async {

template <class T = void>
using Task = boost::asio::awaitable<T>;

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

// Suspends for `pause`. Throws operation_aborted when the awaiting coroutine is cancelled.
inline Task<> SleepFor(Clock::duration pause) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, pause);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

// What a cancelled coroutine's co_await throws, as opposed to an error of its own.
inline bool IsCancellation(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& thrown) {
    return thrown.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace pgalter::async
