// PgError: a server's or the connection's refusal. Thrown by this room only.
// what() never holds DETAIL or parameters: these carry users' values, and what() is logged.
#pragma once

#include <stdexcept>
#include <string>

#include "engine/pg/sqlstate.h"

namespace pgalter::pg {

struct PgErrorFields {
  std::string sqlstate;  // never empty: kConnectionFailure where libpq has none
  std::string message;   // the primary message
  std::string detail;    // may hold users' values; never logged
  std::string hint;
  std::string object;     // schema.table(.column | constraint), where the server names one
  std::string statement;  // as sent: parameters are bound, so no values of ours
};

class PgError : public std::runtime_error {
 public:
  explicit PgError(PgErrorFields fields);

  const PgErrorFields& fields() const { return fields_; }
  const std::string& sqlstate() const { return fields_.sqlstate; }
  SqlstateClass klass() const { return sqlstate::Classify(fields_.sqlstate); }
  bool Is(std::string_view code) const { return fields_.sqlstate == code; }

 private:
  PgErrorFields fields_;
};

// No connection could be made. The SQLSTATE is the server's own where one host was asked and
// answered with one (28P01, 3D000, 53300, 57P03, …), else 08001.
class ConnectError : public PgError {
 public:
  using PgError::PgError;
};

// The server gave no answer within the query's deadline. The connection is idle again, or closed;
// the text says whether the statement was cancelled, had ended by then, or nobody knows.
class QueryTimeout : public PgError {
 public:
  using PgError::PgError;
};

}  // namespace pgalter::pg
