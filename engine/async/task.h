// Task<T>: the coroutine type of the runtime rooms. Everything runs on one io_context thread; only
// RunBlocking leaves it. A Task is lazy: nothing happens before it is awaited or spawned.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

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

}  // namespace pgalter::async
