#include "engine/pg/pooler.h"

#include <utility>

namespace pgalter::pg {

Task<Pooling> DetectPooling(Connection& connection, ConnectOptions options) {
  const Result here = co_await connection.Query("SELECT pg_backend_pid()");
  const int server_pid = here.Get<std::int32_t>(0, 0);
  // The start packet of a pooler carries a pid that the pooler made up.
  if (server_pid == connection.backend_pid()) co_return Pooling::kNone;

  // In session mode our server connection is ours until we leave. In transaction mode it went back
  // to the pool, which hands the one used last to the next client.
  Connection second = co_await Connection::Connect(std::move(options));
  const Result there = co_await second.Query("SELECT pg_backend_pid()");
  co_return there.Get<std::int32_t>(0, 0) == server_pid ? Pooling::kTransaction : Pooling::kSession;
}

}  // namespace pgalter::pg
