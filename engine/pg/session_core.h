// SessionCore: libpq's connection and its socket. Internal to engine/pg.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "engine/pg/connection.h"

struct pg_conn;

namespace pgalter::pg {

// What became of a statement that we stopped waiting for.
enum class Interruption { kCancelled, kCameTooLate, kGivenUp };

class Gathering;

class SessionCore : public std::enable_shared_from_this<SessionCore> {
 public:
  SessionCore(boost::asio::any_io_executor executor, const ConnectOptions& options);
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;
  ~SessionCore();

  Task<> Open(ConnectOptions options);

  // Runs what was queued with PQsend… to its end. `on_result` gets every result but errors; the
  // first error is thrown after the rest was drained.
  using OnResult = std::function<void(Result)>;
  Task<> Drive(std::string statement, OnResult on_result);

  // Pieces for COPY, which has its own shape. They throw system_error when interrupted.
  Task<> Flush();
  Task<> AwaitResult();  // until PQgetResult will not block
  Task<> AwaitReadable();
  void ConsumeInput();

  // The deadline of what follows; Disarm tells whether it had passed.
  void Arm(Milliseconds limit);
  bool Disarm();

  pg_conn* conn() const { return conn_; }
  bool broken() const;
  void Close();
  void set_statement(std::string statement) { statement_ = std::move(statement); }
  void DrainNotifications();
  std::deque<Notification>& notifications() { return notifications_; }

  // `statement` may be empty: the one that runs.
  PgError Lost(const std::string& statement) const;  // from libpq's own message
  PgError FromResult(const void* pg_result, const std::string& statement) const;
  QueryTimeout TimedOut(Interruption ended) const;
  void SendOrThrow(int sent, const std::string& statement) const;

  Milliseconds query_deadline;
  bool keeps_plans = false;
  Gathering* gathering = nullptr;                 // who is asked in place of the server, if anybody
  std::map<std::string, std::string> kept_plans;  // by text and types: the names of the statements

 private:
  // False: the host tried last does not answer. Every address given up is noted in `silent`.
  Task<bool> PollConnect(Milliseconds limit_per_address, std::string& silent);
  void Discard();  // the half-open connection, for another attempt
  Task<> ReadResults(const std::string& statement, const OnResult& on_result);
  Task<> ReadUntilReady(const std::string& statement, const OnResult& on_result,
                        std::exception_ptr& first_error);
  Task<Interruption> CancelAndDrain();
  void ThrowIfClosed() const;
  void AssignSocket();
  void ReleaseSocket();
  static void ReceiveNotice(void* self, const struct pg_result* result);

  boost::asio::any_io_executor executor_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  unsigned long generation_ = 0;  // of the armed deadline: an older timer's handler is ignored
  bool expired_ = false;
  std::string statement_;  // the one that runs, for error reports
  pg_conn* conn_ = nullptr;
  std::function<void(const Notice&)> on_notice_;
  std::deque<Notification> notifications_;
};

}  // namespace pgalter::pg
