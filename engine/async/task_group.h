// TaskGroup: coroutines that run beside each other and end together. The first error cancels the
// others and is what Join throws; operation_aborted of those that were cancelled only where there
// is no other. Spawned coroutines take values, or references to what outlives Join.
//
// Join must be awaited before the group is destroyed, and a cancelled coroutine cannot enter it:
// WithTaskGroup does both right, whatever throws.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <exception>
#include <memory>

#include "engine/async/finally.h"
#include "engine/async/task.h"

namespace pgalter::async {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // Runs the task up to its first suspension. Not to be called once Join has found the group empty.
  void Spawn(Task<> task);
  void Cancel();  // asks every running task to end
  Task<> Join();  // waits for all; a cancel of the waiter cancels the tasks first

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Awaits body(group), (TaskGroup&) -> Task<>, then joins. A body that throws cancels the group; its
// error is what is thrown, after all tasks have ended. Name the body before the call.
template <class Body>
Task<> WithTaskGroup(Body& body) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  std::exception_ptr failure;
  try {
    co_await body(group);
    co_await group.Join();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  group.Cancel();
  co_await MaskCancellation();
  try {
    co_await Apart(group.Join());
  } catch (...) {
    if (IsCancellation(failure)) failure = std::current_exception();
  }
  co_await UnmaskCancellation();
  std::rethrow_exception(failure);
}

}  // namespace pgalter::async
