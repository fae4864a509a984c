// Real servers for tests: one server a test binary, one database a test. Independent of engine/pg,
// so that a fault there cannot hide itself.
#pragma once

#include <string>

#include "engine/sandbox/sandbox.h"
#include "tests/support/session.h"

namespace pgalter::test {

// What a test's server is started with: nothing is flushed, logical replication and two-phase
// commit work; autovacuum is on, and comes to nobody unasked.
sandbox::Options TestServerOptions();

// Started at the first call, stopped and removed when the test binary ends.
sandbox::Sandbox& SharedServer();

// A database of its own name, dropped with the object, sessions and all.
class [[nodiscard]] FreshDatabase {
 public:
  FreshDatabase() : FreshDatabase(SharedServer()) {}
  explicit FreshDatabase(sandbox::Sandbox& server);
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;
  ~FreshDatabase();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string conninfo() const { return server_.conninfo(name_); }
  [[nodiscard]] std::string tcp_conninfo() const { return server_.tcp_conninfo(name_); }
  [[nodiscard]] sandbox::Sandbox& server() const { return server_; }
  [[nodiscard]] Session Connect() const { return Session(conninfo()); }

  // Both on a session of their own that ends with the call.
  Rows Sql(const std::string& sql) const { return Connect().Exec(sql); }
  std::string Value(const std::string& sql) const { return Connect().Value(sql); }

  // Returns when that backend waits for a lock; throws when not within six limits.
  void AwaitLockWait(int backend_pid,
                     std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
  // Returns when the query's first cell is this; throws when not within six limits.
  void AwaitValue(const std::string& sql, const std::string& expected,
                  std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

 private:
  sandbox::Sandbox& server_;
  std::string name_;
};

}  // namespace pgalter::test
