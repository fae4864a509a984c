// COPY, the one exchange that is not "send, then read results". An interruption closes the
// connection: half a COPY has no idle state to go back to without the peer's help.
#include <libpq-fe.h>

#include <memory>
#include <utility>

#include "engine/pg/connection.h"
#include "engine/pg/session_core.h"

namespace pgalter::pg {

namespace {

// Sends `sql` and waits for the server to enter the COPY state.
Task<> BeginCopy(SessionCore& session, const std::string& sql, ExecStatusType wanted) {
  session.SendOrThrow(PQsendQuery(session.conn(), sql.c_str()), sql);
  co_await session.Flush();
  co_await session.AwaitResult();
  PGresult* const raw = PQgetResult(session.conn());
  const Result owner(raw);
  if (PQresultStatus(raw) != wanted) throw session.FromResult(raw, sql);
}

Task<std::int64_t> EndCopy(SessionCore& session, const std::string& sql) {
  std::int64_t rows = 0;
  std::exception_ptr error;
  for (;;) {
    co_await session.AwaitResult();
    PGresult* const raw = PQgetResult(session.conn());
    if (raw == nullptr) break;
    const Result result(raw);
    if (PQresultStatus(raw) == PGRES_FATAL_ERROR) {
      error = std::make_exception_ptr(session.FromResult(raw, sql));
    } else {
      rows = result.affected();
    }
  }
  if (error) std::rethrow_exception(error);
  co_return rows;
}

Task<std::int64_t> SendRows(SessionCore& session, const std::string& sql,
                            const Connection::CopySource& source) {
  co_await BeginCopy(session, sql, PGRES_COPY_IN);
  while (const auto chunk = source()) {
    while (PQputCopyData(session.conn(), chunk->data(), static_cast<int>(chunk->size())) == 0)
      co_await session.Flush();
    co_await session.Flush();
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

}  // namespace

Task<std::int64_t> Connection::CopyIn(std::string sql, CopySource source) {
  const auto keep = core_;
  SessionCore& session = core();
  std::exception_ptr failure;
  std::int64_t rows = 0;
  session.Arm(session.query_deadline);
  try {
    rows = co_await SendRows(session, sql, source);
  } catch (...) {
    failure = std::current_exception();
  }
  session.Disarm();
  if (failure && PQtransactionStatus(session.conn()) == PQTRANS_ACTIVE) Close();
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return rows;
}

Task<std::int64_t> Connection::CopyOut(std::string sql, CopySink sink) {
  const auto keep = core_;
  SessionCore& session = core();
  std::exception_ptr failure;
  std::int64_t rows = 0;
  session.Arm(session.query_deadline);
  try {
    rows = co_await ReceiveRows(session, sql, sink);
  } catch (...) {
    failure = std::current_exception();
  }
  session.Disarm();
  if (failure && PQtransactionStatus(session.conn()) == PQTRANS_ACTIVE) Close();
  DropIfBroken();
  if (failure) std::rethrow_exception(failure);
  co_return rows;
}

}  // namespace pgalter::pg
