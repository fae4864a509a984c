#include "engine/pg/session_core.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <charconv>
#include <exception>
#include <utility>

#include "engine/async/blocking.h"
#include "engine/async/finally.h"

namespace pgalter::pg {

namespace asio = boost::asio;

namespace {

std::string Trimmed(const char* text) {
  std::string trimmed = text == nullptr ? "" : text;
  while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == ' ')) trimmed.pop_back();
  return trimmed;
}

std::string Field(const PGresult* result, int code) {
  return Trimmed(PQresultErrorField(result, code));
}

std::string ObjectOf(const PGresult* result) {
  std::string object;
  for (const int code :
       {PG_DIAG_SCHEMA_NAME, PG_DIAG_TABLE_NAME, PG_DIAG_COLUMN_NAME, PG_DIAG_CONSTRAINT_NAME}) {
    const std::string part = Field(result, code);
    if (part.empty()) continue;
    if (!object.empty()) object += '.';
    object += part;
  }
  return object;
}

// libpq enforces connect_timeout only in its blocking calls; ours covers every host named.
Milliseconds ConnectLimit(const ConnectOptions& options) {
  const std::string hosts = options.conninfo.Get("host").value_or("");
  const auto count = 1 + std::count(hosts.begin(), hosts.end(), ',');
  Milliseconds limit = options.connect_timeout;
  if (const auto given = options.conninfo.Get("connect_timeout")) {
    int seconds = 0;
    std::from_chars(given->data(), given->data() + given->size(), seconds);
    if (seconds > 0) limit = std::chrono::seconds(seconds);
  }
  return limit * count;
}

struct Keywords {
  explicit Keywords(const Conninfo& conninfo) {
    for (const auto& [keyword, value] : conninfo.keywords()) {
      names.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names;
  std::vector<const char*> values;
};

}  // namespace

SessionCore::SessionCore(asio::any_io_executor executor, const ConnectOptions& options)
    : query_deadline(options.query_deadline),
      executor_(std::move(executor)),
      socket_(executor_),
      timer_(executor_),
      on_notice_(options.on_notice) {}

SessionCore::~SessionCore() { Close(); }

Task<> SessionCore::Open(ConnectOptions options) {
  Conninfo& conninfo = options.conninfo;
  conninfo.Set("application_name", options.application_name);
  conninfo.Set("client_encoding", "UTF8");
  // A peer that vanished without a word is noticed within about half a minute.
  conninfo.SetDefault("keepalives_idle", "10");
  conninfo.SetDefault("keepalives_interval", "5");
  conninfo.SetDefault("keepalives_count", "3");
  conninfo.SetDefault("tcp_user_timeout", "25000");

  // Name lookup happens in PQconnectStart and may block for seconds.
  auto start = [conninfo]() {
    const Keywords keywords(conninfo);
    return PQconnectStartParams(keywords.names.data(), keywords.values.data(), 0);
  };
  auto starting = async::RunBlocking(std::move(start));
  conn_ = co_await std::move(starting);
  if (conn_ == nullptr) throw std::bad_alloc();
  PQsetNoticeReceiver(conn_, reinterpret_cast<PQnoticeReceiver>(&SessionCore::ReceiveNotice), this);

  Arm(ConnectLimit(options));
  std::exception_ptr interrupted;
  try {
    auto state = PGRES_POLLING_WRITING;
    while (PQstatus(conn_) != CONNECTION_BAD && state != PGRES_POLLING_OK &&
           state != PGRES_POLLING_FAILED) {
      AssignSocket();  // libpq opens a new one for the next host or after an SSL refusal
      const auto kind = state == PGRES_POLLING_READING ? asio::posix::stream_descriptor::wait_read
                                                       : asio::posix::stream_descriptor::wait_write;
      const auto [error] = co_await socket_.async_wait(kind, asio::as_tuple(asio::use_awaitable));
      if (error) throw boost::system::system_error(error);
      // The socket may be closed inside: the reactor must have let it go before.
      ReleaseSocket();
      state = PQconnectPoll(conn_);
    }
  } catch (const boost::system::system_error&) {
    interrupted = std::current_exception();
  }
  const bool expired = Disarm();
  if (interrupted && !expired) std::rethrow_exception(interrupted);
  if (PQstatus(conn_) != CONNECTION_OK) {
    PgErrorFields fields;
    fields.sqlstate = "08001";
    fields.message = expired ? fmt::format("no connection to \"{}\" within {} ms",
                                           conninfo.Redacted(), ConnectLimit(options).count())
                             : fmt::format("cannot connect: {}", Trimmed(PQerrorMessage(conn_)));
    fields.hint = "check host, port and pg_hba.conf, or give another --dsn";
    throw PgError(std::move(fields));
  }
  PQsetnonblocking(conn_, 1);
  AssignSocket();
}

void SessionCore::AssignSocket() {
  const int fd = PQsocket(conn_);
  if (socket_.is_open() && socket_.native_handle() == fd) return;
  ReleaseSocket();
  if (fd >= 0) socket_.assign(fd);
}

void SessionCore::ReleaseSocket() {
  if (socket_.is_open()) socket_.release();
}

void SessionCore::Close() {
  Disarm();
  ReleaseSocket();  // libpq closes it; the reactor must not
  if (conn_ != nullptr) PQfinish(std::exchange(conn_, nullptr));
}

bool SessionCore::broken() const { return conn_ == nullptr || PQstatus(conn_) == CONNECTION_BAD; }

void SessionCore::Arm(Milliseconds limit) {
  const auto generation = ++generation_;
  expired_ = false;
  timer_.expires_after(limit);
  timer_.async_wait([weak = weak_from_this(), generation](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->generation_ != generation) return;
    self->expired_ = true;
    if (self->socket_.is_open()) self->socket_.cancel();
  });
}

bool SessionCore::Disarm() {
  ++generation_;
  timer_.cancel();
  return std::exchange(expired_, false);
}

void SessionCore::ConsumeInput() {
  const bool alive = PQconsumeInput(conn_) == 1;
  DrainNotifications();
  if (!alive) throw Lost("");
}

Task<> SessionCore::AwaitReadable() {
  if (expired_) throw boost::system::system_error(asio::error::operation_aborted);
  const auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                                   asio::as_tuple(asio::use_awaitable));
  if (error) throw boost::system::system_error(error);
  ConsumeInput();
}

Task<> SessionCore::AwaitResult() {
  while (PQisBusy(conn_) != 0) co_await AwaitReadable();
}

Task<> SessionCore::Flush() {
  for (;;) {
    const int left = PQflush(conn_);
    if (left == 0) co_return;
    if (left < 0) throw Lost("");
    // The server may be blocked on sending to us: read as well, or both wait for ever.
    auto group = asio::experimental::make_parallel_group(
        socket_.async_wait(asio::posix::stream_descriptor::wait_write, asio::deferred),
        socket_.async_wait(asio::posix::stream_descriptor::wait_read, asio::deferred));
    const auto outcome = co_await group.async_wait(asio::experimental::wait_for_one(),
                                                   asio::as_tuple(asio::use_awaitable));
    const bool interrupted = std::get<1>(outcome) && std::get<2>(outcome);
    if (interrupted || expired_) throw boost::system::system_error(asio::error::operation_aborted);
    ConsumeInput();
  }
}

Task<> SessionCore::ReadResults(const std::string& statement, const OnResult& on_result) {
  std::exception_ptr first_error;
  const bool pipeline = PQpipelineStatus(conn_) != PQ_PIPELINE_OFF;
  for (bool more = true; more;) {
    co_await AwaitResult();
    PGresult* const raw = PQgetResult(conn_);
    if (raw == nullptr) {
      more = pipeline;  // inside a pipeline NULL only ends one statement's results
      if (pipeline && broken()) throw Lost(statement);
      continue;
    }
    Result result(raw);
    switch (PQresultStatus(raw)) {
      case PGRES_FATAL_ERROR:
      case PGRES_BAD_RESPONSE:
        if (!first_error) first_error = std::make_exception_ptr(FromResult(raw, statement));
        if (pipeline && broken()) more = false;
        break;
      case PGRES_PIPELINE_SYNC:
        more = false;
        break;
      case PGRES_PIPELINE_ABORTED:
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH: {
        PgErrorFields fields;
        fields.sqlstate = "0A000";
        fields.message = "COPY needs its own call";
        fields.statement = statement;
        throw PgError(std::move(fields));
      }
      default:
        if (!first_error) on_result(std::move(result));
    }
  }
  if (first_error) std::rethrow_exception(first_error);
}

Task<> SessionCore::Drive(std::string statement, OnResult on_result) {
  Arm(query_deadline);
  std::exception_ptr failure;
  bool server_answered = true;  // with results or an error: nothing is left to drain
  try {
    co_await Flush();
    co_await ReadResults(statement, on_result);
  } catch (const PgError& error) {
    failure = std::current_exception();
    server_answered = PQtransactionStatus(conn_) != PQTRANS_ACTIVE;
  } catch (...) {
    failure = std::current_exception();
    server_answered = false;
  }
  const bool expired = Disarm();
  if (!failure) co_return;
  if (!server_answered && !broken()) {
    co_await async::MaskCancellation();
    co_await CancelAndDrain();
    co_await async::UnmaskCancellation();
  }
  if (expired) {
    PgErrorFields fields;
    fields.sqlstate = broken() ? sqlstate::kConnectionFailure : sqlstate::kQueryCanceled;
    fields.message = fmt::format("no answer from the server within {} ms{}", query_deadline.count(),
                                 broken() ? "; the connection was given up" : "");
    fields.statement = statement;
    throw QueryTimeout(std::move(fields));
  }
  std::rethrow_exception(failure);
}

Task<> SessionCore::CancelAndDrain() {
  constexpr int kAttempts = 5;
  constexpr Milliseconds kPause{1000};
  const auto ignore = [](Result) {};
  const OnResult sink = ignore;
  for (int attempt = 0; attempt < kAttempts && !broken(); ++attempt) {
    // PQcancel opens a connection of its own and blocks. Nobody waits for it: whether it worked is
    // seen by what the server sends on this one. A request that came too early is sent again.
    const std::shared_ptr<PGcancel> cancel(PQgetCancel(conn_), &PQfreeCancel);
    if (cancel) {
      asio::post(async::BlockingPool(), [cancel] {
        char error[256];
        PQcancel(cancel.get(), error, sizeof error);
      });
    }
    Arm(kPause);
    bool drained = true;
    try {
      co_await Flush();
      co_await ReadResults("", sink);
    } catch (const PgError&) {
      drained = PQtransactionStatus(conn_) != PQTRANS_ACTIVE;
    } catch (const boost::system::system_error&) {
      drained = false;
    }
    Disarm();
    if (drained) co_return;
  }
  Close();
}

void SessionCore::DrainNotifications() {
  while (PGnotify* const raw = PQnotifies(conn_)) {
    const std::unique_ptr<PGnotify, void (*)(void*)> notify(raw, &PQfreemem);
    notifications_.push_back({notify->relname, notify->extra, notify->be_pid});
  }
}

void SessionCore::ReceiveNotice(void* self, const pg_result* result) {
  const auto& sink = static_cast<SessionCore*>(self)->on_notice_;
  if (!sink) return;
  sink({Field(result, PG_DIAG_SEVERITY_NONLOCALIZED), Field(result, PG_DIAG_SQLSTATE),
        Field(result, PG_DIAG_MESSAGE_PRIMARY)});
}

PgError SessionCore::Lost(const std::string& statement) const {
  PgErrorFields fields;
  fields.sqlstate = sqlstate::kConnectionFailure;
  fields.message = conn_ == nullptr ? "the connection is closed" : Trimmed(PQerrorMessage(conn_));
  if (fields.message.empty()) fields.message = "the connection was lost";
  fields.statement = statement;
  return PgError(std::move(fields));
}

PgError SessionCore::FromResult(const void* pg_result, const std::string& statement) const {
  const auto* result = static_cast<const PGresult*>(pg_result);
  PgErrorFields fields;
  fields.sqlstate = Field(result, PG_DIAG_SQLSTATE);
  if (fields.sqlstate.empty()) return Lost(statement);
  fields.message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  fields.detail = Field(result, PG_DIAG_MESSAGE_DETAIL);
  fields.hint = Field(result, PG_DIAG_MESSAGE_HINT);
  fields.object = ObjectOf(result);
  fields.statement = statement;
  return PgError(std::move(fields));
}

void SessionCore::SendOrThrow(int sent, const std::string& statement) const {
  if (sent != 1) throw Lost(statement);
}

}  // namespace pgalter::pg
