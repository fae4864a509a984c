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

namespace {

constexpr Milliseconds kAskAgain{500};

}  // namespace

struct TaskGroup::State {
  explicit State(asio::any_io_executor on) : executor(std::move(on)), changed(executor) {}

  void CancelAll() {
    cancelled = true;
    changed.cancel();
    // A signal may end its task at once and erase it from the list: step before emitting.
    for (auto it = running.begin(); it != running.end();)
      (it++)->emit(asio::cancellation_type::all);
  }

  // Until the last one has ended, or all are asked to. A cancel that finds one with cancellation
  // masked is lost (finally.h): those that were asked and go on are asked again.
  Task<> AwaitChange() {
    constexpr auto kNever = asio::steady_timer::time_point::max();
    changed.expires_at(cancelled ? Clock::now() + kAskAgain : kNever);
    const auto [error] = co_await changed.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!error) CancelAll();
  }

  asio::any_io_executor executor;
  asio::steady_timer changed;  // cancelled when the last task has ended, or all are asked to
  bool cancelled = false;
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
    if (state->running.empty()) state->changed.cancel();
  };
  asio::co_spawn(state->executor, ReportingItsEnd(std::move(task)),
                 asio::bind_cancellation_slot(position->slot(), std::move(on_end)));
}

void TaskGroup::Cancel() { state_->CancelAll(); }

Task<> TaskGroup::Join() {
  const auto state = state_;
  bool cancelled = false;
  while (!cancelled && !state->running.empty()) {
    co_await state->AwaitChange();
    const auto waiter = co_await asio::this_coro::cancellation_state;
    cancelled = waiter.cancelled() != asio::cancellation_type::none;
  }
  co_await MaskCancellation();
  if (cancelled) state->CancelAll();
  while (!state->running.empty()) co_await state->AwaitChange();
  co_await UnmaskCancellation();
  if (state->first_error) std::rethrow_exception(std::exchange(state->first_error, nullptr));
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

}  // namespace pgalter::async
