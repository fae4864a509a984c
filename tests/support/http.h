// A plain HTTP/1.1 client: one request a connection, and a stream of events. Blocking, with limits;
// independent of what the program serves with.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace pgalter::test {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // by their names in lower case
  std::string body;
};

using HttpHeaders = std::vector<std::string>;  // as "Name: value"; a Host replaces the client's

// Throws std::runtime_error when there is no connection, or no whole answer within ten seconds.
HttpAnswer Http(int port, const std::string& method, const std::string& target,
                const HttpHeaders& headers = {}, const std::string& body = "");

struct HttpEvent {
  std::string name;
  std::string data;
};

class HttpEvents {
 public:
  HttpEvents(int port, const std::string& target, const HttpHeaders& headers = {});
  HttpEvents(const HttpEvents&) = delete;
  HttpEvents& operator=(const HttpEvents&) = delete;
  ~HttpEvents();

  // The next event; throws past the limit, or when the stream has ended.
  HttpEvent Next(std::chrono::seconds limit = std::chrono::seconds(20));

 private:
  int socket_ = -1;
  std::string received_;
};

// Bytes as they are, and what comes back until the other side closes or the limit has passed.
std::string RawHttp(int port, const std::string& bytes,
                    std::chrono::seconds limit = std::chrono::seconds(5));

}  // namespace pgalter::test
