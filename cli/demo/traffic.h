// Traffic: users of the demo's table, on a thread of their own, so that what they feel is measured
// apart from what pgalter does. Bounded: so many transactions a second, and it stops by itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgalter::cli {

struct Felt {
  std::size_t transactions = 0;
  std::size_t failed = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

class Traffic {
 public:
  // `clients` sessions share `per_second` transactions on demo.payment, whose ids end at `rows`.
  Traffic(std::string conninfo, int clients, double per_second, std::int64_t rows);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;
  ~Traffic();

  // What was felt since the last call. Latency counts from when the transaction was due: one that
  // had to queue behind a slow one felt that too.
  Felt Take();
  // New rows of theirs that were committed.
  std::int64_t inserted() const { return inserted_; }
  void Stop();

 private:
  void Run(int clients, double per_second, std::int64_t rows);

  std::string conninfo_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> inserted_{0};
  std::mutex mutex_;
  std::vector<double> latencies_ms_;
  std::size_t failed_ = 0;
  std::thread thread_;
};

}  // namespace pgalter::cli
