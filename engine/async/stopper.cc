#include "engine/async/stopper.h"

#include <boost/asio/as_tuple.hpp>
#include <utility>

namespace pgalter::async {

namespace {

// Registers a timer for as long as its sleeper is suspended, also when the coroutine is destroyed.
class Registration {
 public:
  Registration(std::set<boost::asio::steady_timer*>& sleepers, boost::asio::steady_timer& timer)
      : sleepers_(sleepers), timer_(timer) {
    sleepers_.insert(&timer_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() { sleepers_.erase(&timer_); }

 private:
  std::set<boost::asio::steady_timer*>& sleepers_;
  boost::asio::steady_timer& timer_;
};

}  // namespace

void Stopper::Stop(StopReason reason, std::string text) {
  const bool overrides = reason_ == StopReason::kPause && reason != StopReason::kPause;
  if (reason_ && !overrides) return;
  reason_ = reason;
  text_ = std::move(text);
  for (auto* timer : sleepers_) timer->cancel();
}

void Stopper::ThrowIfStopping() const {
  if (reason_) throw Stopped(*reason_, text_);
}

Task<> Stopper::SleepFor(Clock::duration pause) {
  ThrowIfStopping();
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, pause);
  const Registration registration(sleepers_, timer);
  const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  ThrowIfStopping();
  if (error) throw boost::system::system_error(error);
}

}  // namespace pgalter::async
