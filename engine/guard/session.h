// Session: a connection with our settings on it, and the proof that it stays the same session.
//
// A role's or database's defaults never decide for us: every timeout is set, isolation and
// read-only too. Only what runs user code (chunks fire triggers, users' DDL has unqualified names)
// gets another search_path than pg_catalog, through `settings`.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "engine/pg/connection.h"
#include "engine/pg/pooler.h"

namespace pgalter::guard {

using async::Milliseconds;
using async::Task;

struct SessionOptions {
  pg::ConnectOptions connect;
  std::string run;  // the run's UUID, for application_name; empty outside a run
  // Applied last, e.g. {"search_path", "app, public"}, {"TimeZone", "UTC"}.
  std::vector<std::pair<std::string, std::string>> settings;
};

class Session {
 public:
  Session() = default;
  // Throws pg::PgError; a pooler in transaction mode is refused (0A000) with the reason.
  static Task<Session> Open(SessionOptions options);

  pg::Connection& db() { return connection_; }
  int server_pid() const { return server_pid_; }
  pg::Pooling pooling() const { return pooling_; }
  bool open() const { return connection_.open(); }

  // How long a statement takes that does nothing: the network's share of every other.
  async::Clock::duration round_trip() const;
  void NoteRoundTrip(async::Clock::duration took);

 private:
  pg::Connection connection_;
  int server_pid_ = 0;
  pg::Pooling pooling_ = pg::Pooling::kNone;
  std::deque<async::Clock::duration> round_trips_;
};

// "pgalter/<run>": how sessions of one run are found again by another.
std::string ApplicationName(const std::string& run);

}  // namespace pgalter::guard
