// A user of the database: one blocking libpq session, independent of the engine under test. Holds
// locks, waits for them, is cancelled. One thread at a time, except Cancel().
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct pg_conn;

namespace pgalter::test {

using Rows = std::vector<std::vector<std::string>>;  // NULL as "NULL"

class SqlError : public std::runtime_error {
 public:
  SqlError(const std::string& message, std::string sqlstate)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;  // empty when the connection was lost
};

class Session {
 public:
  explicit Session(const std::string& conninfo);

  // Runs a script; the rows of its last result. Throws SqlError with the server's message.
  Rows Exec(const std::string& sql);
  // The first cell of the last result.
  std::string Value(const std::string& sql);

  // Sends one script without waiting; Wait() gives what Exec() would have given.
  void Send(const std::string& sql);
  // Past three limits it cancels the script and throws std::runtime_error.
  Rows Wait(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Nothing has come back yet for what was sent.
  [[nodiscard]] bool busy();

  void Cancel();
  void Close() { connection_.reset(); }
  [[nodiscard]] int backend_pid() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace pgalter::test
