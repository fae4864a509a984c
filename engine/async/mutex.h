// Mutex: one coroutine at a time, of several on one thread. Whoever holds it may suspend.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "engine/async/task.h"

namespace pgalter::async {

class Mutex {
 public:
  explicit Mutex(const boost::asio::any_io_executor& executor)
      : freed_(executor, boost::asio::steady_timer::time_point::max()) {}

  // Ended by a cancel of the waiter, which then holds nothing.
  Task<> Lock() {
    while (held_) {
      boost::system::error_code woken;  // a wake-up is a cancel of the wait
      co_await freed_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    held_ = true;
  }
  void Unlock() {
    held_ = false;
    freed_.cancel_one();
  }

 private:
  boost::asio::steady_timer freed_;
  bool held_ = false;
};

// Unlocks at the end of its scope.
class Held {
 public:
  explicit Held(Mutex& mutex) : mutex_(mutex) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { mutex_.Unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace pgalter::async
