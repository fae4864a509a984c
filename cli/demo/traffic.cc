#include "cli/demo/traffic.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>

#include "engine/async/task_group.h"
#include "engine/pg/connection.h"

namespace pgalter::cli {

namespace {

using async::Task;

// Reads, updates of the column that the new one derives from, and new rows. Whether it was one.
Task<bool> OneTransaction(pg::Connection& db, std::int64_t id, int kind) {
  constexpr int kReads = 70;
  constexpr int kUpdates = 95;
  if (kind < kReads) {
    co_await db.Query("SELECT amount FROM demo.payment WHERE id = $1", id);
  } else if (kind < kUpdates) {
    co_await db.Query("UPDATE demo.payment SET amount = amount + 0.01 WHERE id = $1", id);
  } else {
    co_await db.Query(
        "INSERT INTO demo.payment (account_id, amount, note) VALUES ($1, 9.99, 'new')", id % 1000);
    co_return true;
  }
  co_return false;
}

}  // namespace

Traffic::Traffic(std::string conninfo, int clients, double per_second, std::int64_t rows)
    : conninfo_(std::move(conninfo)),
      thread_([this, clients, per_second, rows] { Run(clients, per_second, rows); }) {}

Traffic::~Traffic() { Stop(); }

void Traffic::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Felt Traffic::Take() {
  std::vector<double> latencies;
  Felt felt;
  {
    const std::lock_guard lock(mutex_);
    latencies.swap(latencies_ms_);
    felt.failed = std::exchange(failed_, 0);
  }
  std::ranges::sort(latencies);
  felt.transactions = latencies.size();
  if (latencies.empty()) return felt;
  const auto at = [&](double share) {
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
  };
  felt.p50_ms = at(0.5);
  felt.p99_ms = at(0.99);
  felt.max_ms = latencies.back();
  return felt;
}

void Traffic::Run(int clients, double per_second, std::int64_t rows) {
  boost::asio::io_context io;
  const auto interval = std::chrono::duration_cast<async::Clock::duration>(
      std::chrono::duration<double>(clients / per_second));
  auto client = [this, interval, rows](unsigned seed) -> Task<> {
    std::mt19937_64 random(seed);
    pg::ConnectOptions options;
    options.conninfo = pg::Conninfo::Parse(conninfo_);
    options.application_name = "demo traffic";
    pg::Connection db = co_await pg::Connection::Connect(std::move(options));
    co_await db.Query("SET synchronous_commit = off");
    auto due = async::Clock::now();
    while (!stopping_) {
      due += interval;
      const auto now = async::Clock::now();
      if (due > now) co_await async::SleepFor(due - now);
      bool failed = false;
      try {
        const auto id = static_cast<std::int64_t>(1 + random() % static_cast<std::uint64_t>(rows));
        const bool inserted = co_await OneTransaction(db, id, static_cast<int>(random() % 100));
        if (inserted) ++inserted_;
      } catch (const pg::PgError&) {
        failed = true;
      }
      const std::chrono::duration<double, std::milli> took = async::Clock::now() - due;
      const std::lock_guard lock(mutex_);
      latencies_ms_.push_back(took.count());
      if (failed) ++failed_;
    }
  };
  async::TaskGroup group(io.get_executor());
  for (int i = 0; i < clients; ++i) group.Spawn(client(static_cast<unsigned>(i + 1)));
  io.run();
}

}  // namespace pgalter::cli
