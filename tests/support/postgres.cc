#include "tests/support/postgres.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

namespace pgalter::test {
namespace {

// The limits are those of a machine at rest; it may have other things to do.
constexpr int kBusy = 6;

// What keeps DROP DATABASE from working even with FORCE.
void ReleaseDatabase(const std::string& conninfo) {
  Session session(conninfo);
  const auto prepared = session.Exec(
      "SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE database = "
      "current_database()");
  for (const auto& row : prepared) session.Exec("ROLLBACK PREPARED " + row[0]);
  session.Exec(
      "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
      " WHERE database = current_database() AND active_pid IS NOT NULL;"
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
      " WHERE database = current_database()");
}

}  // namespace

sandbox::Options TestServerOptions() {
  sandbox::Options options;
  options.fsync = false;
  options.wal_level = "logical";
  options.settings = {"full_page_writes = off", "max_prepared_transactions = 10",
                      "autovacuum_naptime = 1d"};
  return options;
}

sandbox::Sandbox& SharedServer() {
  static sandbox::Sandbox server = sandbox::Sandbox::Start(TestServerOptions());
  return server;
}

FreshDatabase::FreshDatabase(sandbox::Sandbox& server) : server_(server) {
  static std::atomic<int> count = 0;
  name_ = fmt::format("test_{}_{}", ::getpid(), ++count);
  Session(server_.conninfo()).Exec(fmt::format("CREATE DATABASE {}", name_));
}

FreshDatabase::~FreshDatabase() {
  // A test may have ended the server itself: that is no failure of the test.
  if (!server_.running()) return;
  try {
    ReleaseDatabase(conninfo());
    Session(server_.conninfo()).Exec(fmt::format("DROP DATABASE {} WITH (FORCE)", name_));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "database %s is left behind: %s\n", name_.c_str(), error.what());
  }
}

void FreshDatabase::AwaitLockWait(int backend_pid, std::chrono::milliseconds limit) const {
  AwaitValue(
      fmt::format("SELECT count(*) FROM pg_locks WHERE pid = {} AND NOT granted", backend_pid), "1",
      limit);
}

void FreshDatabase::AwaitValue(const std::string& sql, const std::string& expected,
                               std::chrono::milliseconds limit) const {
  const auto until = std::chrono::steady_clock::now() + kBusy * limit;
  Session observer = Connect();
  std::string seen;
  while ((seen = observer.Value(sql)) != expected) {
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error(fmt::format("not \"{}\" within {} ms but \"{}\": {}", expected,
                                           kBusy * limit.count(), seen, sql));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace pgalter::test
