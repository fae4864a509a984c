// WithDeadline(task, limit): the task's value, or DeadlineExceeded once `limit` has passed and the
// task has been cancelled and has ended. An error of the task's own wins over the deadline; being
// cancelled is none.
//
// Built on parallel_group, since awaitable_operators' OR swallows a task's error until the other
// side ends (Boost 1.81), and cancel_after does not exist there yet.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/async/task.h"

namespace pgalter::async {

class DeadlineExceeded : public std::runtime_error {
 public:
  explicit DeadlineExceeded(Milliseconds limit)
      : std::runtime_error("no answer within " + std::to_string(limit.count()) + " ms") {}
};

template <class T>
Task<T> WithDeadline(Task<T> task, Milliseconds limit) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(task), asio::deferred), timer.async_wait(asio::deferred));
  auto outcome = co_await group.async_wait(asio::experimental::wait_for_one(),
                                           asio::as_tuple(asio::use_awaitable));
  // order, the task's error, its value unless void, the timer's error: none where it expired.
  const bool expired =
      std::get<0>(outcome)[0] == 1 && !std::get<std::tuple_size_v<decltype(outcome)> - 1>(outcome);
  const std::exception_ptr error = std::get<1>(outcome);
  if (expired && IsCancellation(error)) throw DeadlineExceeded(limit);
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<T>) co_return std::move(std::get<2>(outcome));
}

}  // namespace pgalter::async
