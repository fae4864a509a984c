#include "tests/support/session.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

namespace pgalter::test {
namespace {

using Clock = std::chrono::steady_clock;
using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

// The limits are those of a machine at rest; it may have other things to do.
constexpr int kBusy = 3;

bool Failed(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

[[noreturn]] void Throw(const PGresult* result) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  throw SqlError(PQresultErrorMessage(result), sqlstate ? sqlstate : "");
}

Rows ToRows(const PGresult* result) {
  Rows rows(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row) {
    for (int column = 0; column < PQnfields(result); ++column) {
      const bool null = PQgetisnull(result, row, column) != 0;
      rows[static_cast<std::size_t>(row)].emplace_back(null ? "NULL"
                                                            : PQgetvalue(result, row, column));
    }
  }
  return rows;
}

}  // namespace

void Session::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Session::Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    throw SqlError(PQerrorMessage(connection_.get()), "");
  }
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
}

Rows Session::Exec(const std::string& sql) {
  const ResultPtr result(PQexec(connection_.get(), sql.c_str()), &PQclear);
  if (!result) throw SqlError(PQerrorMessage(connection_.get()), "");
  if (Failed(result.get())) Throw(result.get());
  return ToRows(result.get());
}

std::string Session::Value(const std::string& sql) {
  const auto rows = Exec(sql);
  if (rows.empty() || rows[0].empty()) throw std::runtime_error("no row from: " + sql);
  return rows[0][0];
}

void Session::Send(const std::string& sql) {
  if (!PQsendQuery(connection_.get(), sql.c_str())) {
    throw SqlError(PQerrorMessage(connection_.get()), "");
  }
}

bool Session::busy() {
  if (!PQconsumeInput(connection_.get())) return false;
  return PQisBusy(connection_.get()) != 0;
}

Rows Session::Wait(std::chrono::milliseconds limit) {
  limit *= kBusy;
  const auto until = Clock::now() + limit;
  ResultPtr last(nullptr, &PQclear);
  ResultPtr failure(nullptr, &PQclear);
  for (;;) {
    while (busy()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
      if (left <= 0) {
        Cancel();
        while (PGresult* result = PQgetResult(connection_.get())) PQclear(result);
        throw std::runtime_error(
            fmt::format("no answer within {} ms; the statement was cancelled", limit.count()));
      }
      pollfd fd{PQsocket(connection_.get()), POLLIN, 0};
      ::poll(&fd, 1, static_cast<int>(left));
    }
    PGresult* result = PQgetResult(connection_.get());
    if (!result) break;
    (Failed(result) ? failure : last).reset(result);
  }
  if (failure) Throw(failure.get());
  return last ? ToRows(last.get()) : Rows{};
}

void Session::Cancel() {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection_.get()),
                                                                  &PQfreeCancel);
  char error[256] = "no connection";
  if (!cancel || !PQcancel(cancel.get(), error, sizeof error)) throw SqlError(error, "");
}

int Session::backend_pid() const { return PQbackendPID(connection_.get()); }

}  // namespace pgalter::test
