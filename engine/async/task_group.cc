#include "engine/async/task_group.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <list>
#include <utility>

#include "engine/async/finally.h"

namespace pgalter::async {

namespace asio = boost::asio;

struct TaskGroup::State {
  explicit State(asio::any_io_executor on)
      : executor(std::move(on)), all_done(executor, asio::steady_timer::time_point::max()) {}

  void CancelAll() {
    // A signal may end its task at once and erase it from the list: step before emitting.
    for (auto it = running.begin(); it != running.end();)
      (it++)->emit(asio::cancellation_type::all);
  }

  asio::any_io_executor executor;
  asio::steady_timer all_done;  // never expires; cancelled when the last task has ended
  std::list<asio::cancellation_signal> running;
  std::exception_ptr first_error;
};

namespace {

// A coroutine that was cancelled before it was ever suspended (it may have cancelled its own group)
// would throw out of co_spawn's last co_await and never report its end.
Task<> ReportingItsEnd(Task<> task) {
  std::exception_ptr error;
  try {
    co_await std::move(task);
  } catch (...) {
    error = std::current_exception();
  }
  co_await MaskCancellation();
  if (error) std::rethrow_exception(error);
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

TaskGroup::~TaskGroup() { Cancel(); }

void TaskGroup::Spawn(Task<> task) {
  const auto state = state_;
  const auto position = state->running.emplace(state->running.end());
  auto on_end = [state, position](const std::exception_ptr& error) {
    state->running.erase(position);
    if (error && !state->first_error) state->CancelAll();
    // Those that were only cancelled hide nobody's own error.
    if (error && (!state->first_error || IsCancellation(state->first_error)))
      state->first_error = error;
    if (state->running.empty()) state->all_done.cancel();
  };
  asio::co_spawn(state->executor, ReportingItsEnd(std::move(task)),
                 asio::bind_cancellation_slot(position->slot(), std::move(on_end)));
}

void TaskGroup::Cancel() { state_->CancelAll(); }

Task<> TaskGroup::Join() {
  const auto state = state_;
  if (!state->running.empty()) {
    co_await state->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  const bool cancelled = !state->running.empty();
  co_await MaskCancellation();
  if (cancelled) state->CancelAll();
  while (!state->running.empty()) {
    co_await state->all_done.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_await UnmaskCancellation();
  if (state->first_error) std::rethrow_exception(std::exchange(state->first_error, nullptr));
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace pgalter::async
