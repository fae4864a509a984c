#include "engine/pg/session_core.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <exception>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "engine/async/fail_point.h"
#include "engine/async/finally.h"
#include "engine/pg/cancel_request.h"

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

// In which function it came to that, the innermost one, as the server says it.
std::string FunctionOf(const PGresult* result) {
  std::istringstream context(Field(result, PG_DIAG_CONTEXT));
  for (std::string line; std::getline(context, line);)
    for (const std::string_view kind : {"PL/pgSQL function ", "SQL function "})
      if (line.starts_with(kind) && line.find("inline_code_block") == std::string::npos)
        return line.substr(0, line.find(" line "));
  return "";
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
  const bool of_a_name = Field(result, PG_DIAG_SQLSTATE).starts_with("42");
  return object.empty() && of_a_name ? FunctionOf(result) : object;
}

}  // namespace

SessionCore::SessionCore(asio::any_io_executor executor, const ConnectOptions& options)
    : query_deadline(options.query_deadline),
      executor_(std::move(executor)),
      socket_(executor_),
      timer_(executor_),
      on_notice_(options.on_notice) {}

SessionCore::~SessionCore() { Close(); }

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

void SessionCore::ThrowIfClosed() const {
  if (conn_ == nullptr) throw Lost("");
}

Task<> SessionCore::AwaitReadable() {
  if (expired_) throw boost::system::system_error(asio::error::operation_aborted);
  const auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                                   asio::as_tuple(asio::use_awaitable));
  ThrowIfClosed();
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
    ThrowIfClosed();
    const bool interrupted = std::get<1>(outcome) && std::get<2>(outcome);
    if (interrupted || expired_) throw boost::system::system_error(asio::error::operation_aborted);
    ConsumeInput();
  }
}

Task<> SessionCore::ReadResults(const std::string& statement, const OnResult& on_result) {
  std::exception_ptr first_error;
  std::exception_ptr loss;
  try {
    co_await ReadUntilReady(statement, on_result, first_error);
  } catch (const PgError&) {
    loss = std::current_exception();
  }
  // What the server said before it closed the connection tells more than that it closed it.
  if (first_error) std::rethrow_exception(first_error);
  if (loss) std::rethrow_exception(loss);
}

Task<> SessionCore::ReadUntilReady(const std::string& statement, const OnResult& on_result,
                                   std::exception_ptr& first_error) {
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
        Close();  // no way back to idle without data of the caller's
        PgErrorFields fields;
        fields.sqlstate = "0A000";
        fields.message = "COPY needs its own call; the connection was closed";
        fields.statement = statement;
        throw PgError(std::move(fields));
      }
      default:
        if (!first_error) on_result(std::move(result));
    }
  }
}

Task<> SessionCore::Drive(std::string statement, OnResult on_result) {
  statement_ = statement;
  Arm(query_deadline);
  std::exception_ptr failure;
  try {
    co_await Flush();
    co_await ReadResults(statement, on_result);
  } catch (...) {
    failure = std::current_exception();
  }
  const bool expired = Disarm();
  if (!failure) co_return;
  auto ended = Interruption::kGivenUp;
  if (!broken() && PQtransactionStatus(conn_) == PQTRANS_ACTIVE) {
    co_await async::MaskCancellation();
    ended = co_await async::Apart(CancelAndDrain());
    co_await async::UnmaskCancellation();
  }
  // An error of the server's or the sink's own wins over a deadline that passed meanwhile.
  if (expired && async::IsCancellation(failure)) throw TimedOut(ended);
  std::rethrow_exception(failure);
}

QueryTimeout SessionCore::TimedOut(Interruption ended) const {
  constexpr auto describe = [](Interruption interruption) {
    switch (interruption) {
      case Interruption::kCancelled:
        return "the statement was cancelled";
      case Interruption::kCameTooLate:
        return "the statement ended before the cancel arrived";
      case Interruption::kGivenUp:
        break;
    }
    return "the connection was given up, and whether the statement took effect is not known";
  };
  PgErrorFields fields;
  fields.sqlstate =
      ended == Interruption::kGivenUp ? sqlstate::kConnectionFailure : sqlstate::kQueryCanceled;
  fields.message = fmt::format("no answer from the server within {} ms; {}", query_deadline.count(),
                               describe(ended));
  fields.statement = statement_;
  return QueryTimeout(std::move(fields));
}

Task<Interruption> SessionCore::CancelAndDrain() {
  constexpr int kAttempts = 5;
  constexpr Milliseconds kPause{1000};
  const Milliseconds pause = async::LimitOf("cancel-pause", kPause);
  const auto ignore = [](Result) {};
  const OnResult sink = ignore;
  std::optional<CancelRequest> request;
  for (int attempt = 0; attempt < kAttempts && !broken(); ++attempt) {
    // Whether it worked is seen by what the server sends on this connection. A request that came
    // before the statement did is sent again; one that is still on its way is not.
    if (!request || request->returned()) request.emplace(executor_, conn_);
    Arm(pause);
    auto ended = Interruption::kGivenUp;
    try {
      co_await Flush();
      co_await ReadResults(statement_, sink);
      ended = Interruption::kCameTooLate;
    } catch (const PgError&) {
      ended = Interruption::kCancelled;
    } catch (const boost::system::system_error&) {
    }
    Disarm();
    if (ended == Interruption::kGivenUp) continue;
    if (broken()) break;
    if (co_await request->Returned(pause)) co_return ended;
    break;
  }
  Close();
  co_return Interruption::kGivenUp;
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
  try {
    sink({Field(result, PG_DIAG_SEVERITY_NONLOCALIZED), Field(result, PG_DIAG_SQLSTATE),
          Field(result, PG_DIAG_MESSAGE_PRIMARY)});
  } catch (...) {
    // libpq is C: nothing may be thrown through it, and a notice is no reason to stop.
  }
}

PgError SessionCore::Lost(const std::string& statement) const {
  PgErrorFields fields;
  fields.sqlstate = sqlstate::kConnectionFailure;
  fields.message = conn_ == nullptr ? "the connection is closed" : Trimmed(PQerrorMessage(conn_));
  if (fields.message.empty()) fields.message = "the connection was lost";
  fields.statement = statement.empty() ? statement_ : statement;
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
  if (sent == 1) return;
  if (broken()) throw Lost(statement);
  // Two statements at a time, too many parameters: the caller's mistake, and nothing was sent.
  throw std::logic_error(Trimmed(PQerrorMessage(conn_)));
}

}  // namespace pgalter::pg
