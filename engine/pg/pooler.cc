#include "engine/pg/pooler.h"

#include <algorithm>
#include <utility>

namespace pgalter::pg {

Task<Pooling> DetectPooling(Connection& connection, ConnectOptions options) {
  const Result here = co_await connection.Query("SELECT pg_backend_pid()");
  const int server_pid = here.Get<std::int32_t>(0, 0);
  // The start packet of a pooler carries a pid that the pooler made up.
  if (server_pid == connection.backend_pid()) co_return Pooling::kNone;

  // In session mode our server connection is ours until we leave. In transaction mode it went back
  // to the pool, which hands the one used last to the next client; a pool that hands them out in
  // turn gives one of two statements in a row another one.
  constexpr Milliseconds kLimit{5000};
  options.query_deadline = std::min(options.query_deadline, kLimit);
  bool waits_for_its_turn = false;
  bool shared = false;
  try {
    Connection second = co_await Connection::Connect(std::move(options));
    const Result there = co_await second.Query("SELECT pg_backend_pid()");
    shared = there.Get<std::int32_t>(0, 0) == server_pid;
  } catch (const QueryTimeout&) {
    waits_for_its_turn = true;
  }
  // We hold the pool's last server connection and nobody else gets it: ours alone.
  if (waits_for_its_turn) co_return Pooling::kSession;
  for (int i = 0; i < 2; ++i) {
    const Result again = co_await connection.Query("SELECT pg_backend_pid()");
    if (again.Get<std::int32_t>(0, 0) != server_pid) shared = true;
  }
  auto pooling = Pooling::kSession;
  if (shared) pooling = Pooling::kTransaction;
  co_return pooling;
}

}  // namespace pgalter::pg
