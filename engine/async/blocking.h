// RunBlocking(f): runs a blocking call (name lookup, PQcancel) on a small pool of threads and
// resumes on the caller's executor. The call itself cannot be interrupted; f must own what it uses.
#pragma once

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
  auto running = boost::asio::co_spawn(BlockingPool().get_executor(), detail::Invoke(std::move(f)),
                                       boost::asio::use_awaitable);
  co_return co_await std::move(running);
}

}  // namespace pgalter::async
