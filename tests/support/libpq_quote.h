// libpq's own quoting, on a live connection, to compare ours with.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

namespace pgalter::test {

class LibpqQuote {
 public:
  explicit LibpqQuote(const std::string& conninfo) : conn_(PQconnectdb(conninfo.c_str())) {
    PQsetClientEncoding(conn_.get(), "UTF8");
  }
  std::string Identifier(const std::string& text) const {
    return Take(PQescapeIdentifier(conn_.get(), text.data(), text.size()));
  }
  std::string Literal(const std::string& text) const {
    return Take(PQescapeLiteral(conn_.get(), text.data(), text.size()));
  }

 private:
  static std::string Take(char* escaped) {
    const std::unique_ptr<char, void (*)(void*)> owner(escaped, &PQfreemem);
    return escaped == nullptr ? "refused by libpq" : escaped;
  }
  struct Finish {
    void operator()(PGconn* conn) const { PQfinish(conn); }
  };
  std::unique_ptr<PGconn, Finish> conn_;
};

}  // namespace pgalter::test
