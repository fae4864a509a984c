// RunBlocking(f): runs a blocking call (name lookup, a whole sandbox start) on a small pool of
// threads and resumes on the caller's executor. The call itself cannot be interrupted: a cancelled
// caller waits for it, gets its value, and is interrupted at its next co_await. f must own what it
// uses.
#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <type_traits>
#include <utility>

#include "engine/async/task.h"

namespace pgalter::async {

// Never destroyed: at exit a thread may still sit in a connect() to a dead host, and joining it
// would hang the program for minutes.
boost::asio::thread_pool& BlockingPool();

namespace detail {
template <class F>
Task<std::invoke_result_t<F>> Invoke(F f) {
  co_return f();
}
}  // namespace detail

template <class F>
Task<std::invoke_result_t<F>> RunBlocking(F f) {
  // An empty slot: a cancel must not reach into a coroutine on another thread, nor drop a call
  // that has not begun, whose result somebody owns.
  auto token = boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(),
                                                   boost::asio::use_awaitable);
  auto running = boost::asio::co_spawn(BlockingPool().get_executor(), detail::Invoke(std::move(f)),
                                       std::move(token));
  co_return co_await std::move(running);
}

}  // namespace pgalter::async
