// TaskGroup: coroutines that run beside each other and end together. The first error cancels the
// others and is what Join throws. Spawned coroutines take values, or references to what outlives
// Join. Join must be awaited before the group is destroyed.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "engine/async/task.h"

namespace pgalter::async {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  void Spawn(Task<> task);  // must not be called once Join has begun and the group is empty
  void Cancel();            // asks every running task to end
  Task<> Join();            // waits for all; a cancel of the waiter cancels the tasks first

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pgalter::async
