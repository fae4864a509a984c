// engine/pg on a test's server.
#pragma once

#include <string>

#include "engine/pg/connection.h"
#include "tests/support/postgres.h"
#include "tests/support/run_task.h"

namespace pgalter::test {

inline pg::ConnectOptions ConnectTo(const std::string& dsn) {
  pg::ConnectOptions options;
  options.conninfo = pg::Conninfo::Parse(dsn);
  return options;
}

inline Task<pg::Connection> Open(const FreshDatabase& database) {
  return pg::Connection::Connect(ConnectTo(database.conninfo()));
}

// Waits, without blocking the coroutines of the test, until the session's statement runs.
inline Task<> UntilRunning(const FreshDatabase& database, int backend_pid) {
  Session observer = database.Connect();
  const std::string sql =
      "SELECT state = 'active' FROM pg_stat_activity WHERE pid = " + std::to_string(backend_pid);
  const auto running = [&] { return observer.Value(sql) == "t"; };
  co_await Until(running);
}

}  // namespace pgalter::test
