// COPY, the one exchange that is not "send, then read results". An interruption closes the
// connection: half a COPY has no idle state to go back to without the peer's help.
#include <libpq-fe.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "engine/pg/connection.h"
#include "engine/pg/session_core.h"

namespace pgalter::pg {

namespace {

Task<std::int64_t> EndCopy(SessionCore& session, const std::string& sql) {
  std::int64_t rows = 0;
  std::exception_ptr error;
  for (;;) {
    co_await session.AwaitResult();
    PGresult* const raw = PQgetResult(session.conn());
    if (raw == nullptr) break;
    const Result result(raw);
    if (PQresultStatus(raw) == PGRES_FATAL_ERROR) {
      if (!error) error = std::make_exception_ptr(session.FromResult(raw, sql));
    } else {
      rows = result.affected();
    }
  }
  if (error) std::rethrow_exception(error);
  co_return rows;
}

PgError NotACopy(const std::string& sql) {
  PgErrorFields fields;
  fields.sqlstate = "42601";
  fields.message = "not a COPY in the direction that was asked for";
  fields.statement = sql;
  return PgError(std::move(fields));
}

// Sends `sql` and waits for the server to enter the COPY state.
Task<> BeginCopy(SessionCore& session, const std::string& sql, ExecStatusType wanted) {
  session.set_statement(sql);
  session.SendOrThrow(PQsendQuery(session.conn(), sql.c_str()), sql);
  co_await session.Flush();
  co_await session.AwaitResult();
  PGresult* const raw = PQgetResult(session.conn());
  const Result owner(raw);
  const auto status = PQresultStatus(raw);
  if (status == wanted) co_return;
  // The other direction has no way back to idle; all else is read to its end.
  if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
    throw NotACopy(sql);
  std::exception_ptr error = std::make_exception_ptr(NotACopy(sql));
  if (status == PGRES_FATAL_ERROR) error = std::make_exception_ptr(session.FromResult(raw, sql));
  try {
    co_await EndCopy(session, sql);
  } catch (const PgError&) {
    // The first error is the one that says why.
  }
  std::rethrow_exception(error);
}

Task<std::int64_t> SendRows(SessionCore& session, const std::string& sql,
                            const Connection::CopySource& source) {
  co_await BeginCopy(session, sql, PGRES_COPY_IN);
  while (const auto chunk = source()) {
    int queued = 0;
    while ((queued =
                PQputCopyData(session.conn(), chunk->data(), static_cast<int>(chunk->size()))) == 0)
      co_await session.Flush();
    if (queued < 0) throw session.Lost(sql);
    co_await session.Flush();
    // A socket that takes everything at once would never let the others on this thread run.
    co_await boost::asio::post(boost::asio::use_awaitable);
  }
  while (PQputCopyEnd(session.conn(), nullptr) == 0) co_await session.Flush();
  co_await session.Flush();
  co_return co_await EndCopy(session, sql);
}

Task<std::int64_t> ReceiveRows(SessionCore& session, const std::string& sql,
                               const Connection::CopySink& sink) {
  co_await BeginCopy(session, sql, PGRES_COPY_OUT);
  for (;;) {
    char* buffer = nullptr;
    const int length = PQgetCopyData(session.conn(), &buffer, 1);
    const std::unique_ptr<char, void (*)(void*)> owner(buffer, &PQfreemem);
    if (length > 0) {
      sink(std::string_view(buffer, static_cast<std::size_t>(length)));
    } else if (length == 0) {
      co_await session.AwaitReadable();
    } else {
      break;
    }
  }
  co_return co_await EndCopy(session, sql);
}

// Runs one COPY under the query's deadline; closes the session where it did not come to an end.
Task<std::int64_t> RunToItsEnd(SessionCore& session, Task<std::int64_t> copy) {
  std::exception_ptr failure;
  std::int64_t rows = 0;
  session.Arm(session.query_deadline);
  try {
    rows = co_await std::move(copy);
  } catch (...) {
    failure = std::current_exception();
  }
  const bool expired = session.Disarm();
  if (!failure) co_return rows;
  if (PQtransactionStatus(session.conn()) == PQTRANS_ACTIVE) session.Close();
  if (expired && async::IsCancellation(failure)) throw session.TimedOut(Interruption::kGivenUp);
  std::rethrow_exception(failure);
}

}  // namespace

Task<std::int64_t> Connection::CopyIn(std::string sql, CopySource source) {
  const auto keep = core_;
  SessionCore& session = core();
  std::exception_ptr failure;
  std::int64_t rows = 0;
  try {
    rows = co_await RunToItsEnd(session, SendRows(session, sql, source));
  } catch (...) {
    failure = std::current_exception();
  }
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return rows;
}

Task<std::int64_t> Connection::CopyOut(std::string sql, CopySink sink) {
  const auto keep = core_;
  SessionCore& session = core();
  std::exception_ptr failure;
  std::int64_t rows = 0;
  try {
    rows = co_await RunToItsEnd(session, ReceiveRows(session, sql, sink));
  } catch (...) {
    failure = std::current_exception();
  }
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return rows;
}

}  // namespace pgalter::pg
