// Connection: one session, non-blocking libpq behind awaitables.
//
// After an error it is idle (the next statement may be sent) or closed, never "maybe": an
// interrupted statement (deadline, cancelled coroutine, throwing row sink) is cancelled on the
// server and drained; where that is not seen to work within seconds, the connection is closed.
// One statement at a time; one thread (its executor's).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/async/task.h"
#include "engine/pg/conninfo.h"
#include "engine/pg/error.h"
#include "engine/pg/params.h"
#include "engine/pg/result.h"

namespace pgalter::pg {

using async::Milliseconds;
using async::Task;

enum class Format { kText, kBinary };

struct Notice {
  std::string severity;  // not localised
  std::string sqlstate;
  std::string message;
};

struct Notification {
  std::string channel;
  std::string payload;
  int backend_pid = 0;
};

struct Statement {
  std::string sql;
  Params params;
  bool keep = false;  // in a pipeline: its plan, too, though it has no parameters (KeepPlans)
};

struct ConnectOptions {
  Conninfo conninfo;
  std::string application_name = "pgalter";  // at most 63 bytes are shown by the server
  Milliseconds connect_timeout{10'000};      // for each address; libpq's own, where given, wins
  Milliseconds query_deadline{30'000};
  std::function<void(const Notice&)> on_notice;  // what it throws is dropped
};

class SessionCore;

class Connection {
 public:
  using RowSink = std::function<void(const Result& one_row)>;
  using CopySource = std::function<std::optional<std::string>()>;  // nullopt: the end
  using CopySink = std::function<void(std::string_view)>;

  Connection();  // closed
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Throws ConnectError; DETAIL and password never reach its text.
  static Task<Connection> Connect(ConnectOptions options);

  // One statement with bound parameters, e.g. Query("SELECT $1::int + 1", 41).
  template <class... Args>
  Task<Result> Query(std::string sql, const Args&... args) {
    return QueryParams(std::move(sql), Params::Of(args...), Format::kText);
  }
  Task<Result> QueryParams(std::string sql, Params params, Format format);

  // A script of several statements without parameters (simple protocol): one implicit transaction
  // unless it says otherwise. The results of all statements, in order.
  Task<std::vector<Result>> Execute(std::string script);

  // All statements in one round trip. The first error is thrown, after all were drained; the
  // statements behind it did not run.
  Task<std::vector<Result>> Pipeline(std::vector<Statement> statements);

  // Runs coroutines beside each other of which none needs what another asks for: what all of them
  // ask by Query (as text) or Pipeline at a time goes in one round trip. For what is asked while
  // users wait. Waits for all; throws an error of the server's at once, of what they throw
  // themselves that of the first in their order. They ask nothing in other ways meanwhile, but may
  // call it themselves.
  Task<> Together(std::vector<std::function<Task<>()>> asks);

  // Row by row, for results that may not fit in memory.
  Task<> Stream(std::string sql, Params params, RowSink sink);

  // COPY … FROM STDIN / TO STDOUT. Rows copied. An interrupted COPY closes the connection.
  Task<std::int64_t> CopyIn(std::string sql, CopySource source);
  Task<std::int64_t> CopyOut(std::string sql, CopySink sink);

  // The next NOTIFY, or nullopt when none came within `limit`.
  Task<std::optional<Notification>> WaitNotification(Milliseconds limit);

  // While on, the server keeps what Query was sent, parsed and planned, under a name of ours: the
  // same text costs it neither from its second time on. Kept as long as the connection.
  void KeepPlans(bool on);

  void set_query_deadline(Milliseconds limit);
  Milliseconds query_deadline() const;

  bool open() const { return core_ != nullptr; }
  bool in_transaction() const;  // also in a failed one
  int backend_pid() const;      // by the connection's start packet: a pooler makes its own up
  int server_version() const;   // as 150020
  std::string ParameterStatus(const std::string& name) const;  // e.g. "server_version"
  std::string database() const;
  std::string user() const;
  void Close();

 private:
  SessionCore& core() const;  // throws PgError (08003) when closed
  Task<std::vector<Result>> SendAll(std::vector<Statement> statements);  // in a pipeline

  // Closes when the statement that just ended took the connection with it.
  void DropIfBroken();

  std::shared_ptr<SessionCore> core_;
};

}  // namespace pgalter::pg
