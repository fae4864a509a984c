#include "engine/async/blocking.h"

namespace pgalter::async {

boost::asio::thread_pool& BlockingPool() {
  constexpr std::size_t kThreads = 4;
  static auto* const pool = new boost::asio::thread_pool(kThreads);
  return *pool;
}

}  // namespace pgalter::async
