// ServerRefusal: a Failure of which the server's own words are known to those who read errors by
// field: the SQLSTATE, the object, and what to do instead.
#pragma once

#include <string>
#include <utility>

#include "engine/pg/error.h"
#include "engine/run/failure.h"

namespace pgalter::run {

class ServerRefusal : public Failure {
 public:
  // `hint`: what people do next; empty: nobody knows.
  ServerRefusal(ExitCode code, const std::string& text, const pg::PgError& error, std::string hint)
      : Failure(code, text),
        sqlstate_(error.sqlstate()),
        object_(error.fields().object),
        hint_(std::move(hint)) {}
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
  [[nodiscard]] const std::string& object() const { return object_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  std::string sqlstate_;
  std::string object_;
  std::string hint_;
};

}  // namespace pgalter::run
